//! The benchmark: the product's speed and memory, each figure beside the limit of this very machine.
//!
//! `cargo run --release -p load` measures everything and prints a Markdown table; progress goes to standard error.

mod bare;
mod events;
mod http;
mod machine;
mod pgbench;
mod process;
mod product;
mod rows;
mod scale;
mod stats;
mod table;
mod viewers;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, bail};
use clap::Parser;
use tokio::signal::unix::SignalKind;

use rows::Setting;
use scale::Scale;
use table::Row;

/// Measures the product beside the limits of this machine and prints a Markdown table.
#[derive(Debug, Parser)]
struct Arguments {
    /// Everything at small size, in under a minute: to see that it works, not for figures
    #[arg(long)]
    quick: bool,
    /// One group only: batch, singles, sustained, cases, closures, reminder, latency, import or history
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Write the table to this file too
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Measure this program rather than building the product
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Keep the product's folders and say where they are
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(until_interrupted(arguments)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is dropped on an interrupt stops its product.
async fn until_interrupted(arguments: Arguments) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = run(arguments) => outcome,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("told to end"),
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let names = rows::NAMES;
    if let Some(name) = &arguments.only
        && !names.contains(&name.as_str())
    {
        bail!(
            "there is no group {name}; the groups are {}",
            names.join(", ")
        );
    }
    let busy = machine::busy();
    let commit = match &arguments.program {
        Some(_) => "unknown, a program given with --program".to_owned(),
        None => machine::commit(),
    };
    let setting = Setting {
        program: match &arguments.program {
            Some(program) => std::path::absolute(program)?,
            None => product::build()?,
        },
        scale: if arguments.quick {
            Scale::QUICK
        } else {
            Scale::FULL
        },
        keep: arguments.keep,
    };
    let (began, mut rows) = (Instant::now(), Vec::<Row>::new());
    let wanted = |name: &&str| arguments.only.as_ref().is_none_or(|only| only == *name);
    for name in names.into_iter().filter(wanted) {
        eprintln!("{:>5.0} s  {name}", began.elapsed().as_secs_f64());
        let measured = rows::measure(name, &setting)
            .await
            .with_context(|| format!("while measuring {name}"))?;
        for row in &measured {
            eprintln!("         {}", row.line());
        }
        rows.extend(measured);
    }
    let text = table::document(&machine::describe(arguments.quick, &busy, &commit), &rows);
    print!("{text}");
    if let Some(file) = &arguments.write {
        std::fs::write(file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
