//! `kommunlots`: the only binary. What runs is chosen on the command line.

mod asyncapi;
mod cli;
mod client;
mod commands;
mod config;
mod demo;
mod openapi;
mod operations;
mod output;
mod product;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// A quarter of the product's time under load went to the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a command exits with that was told to stop before it was done, as shells have it for Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    // The guard of a private server: before anything else, since it must not share this program's runtime.
    let mut arguments = std::env::args_os().skip(1);
    if arguments
        .next()
        .is_some_and(|first| first == embedded::GUARD)
    {
        return embedded::guard_main(arguments);
    }
    let cli = Cli::parse();
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<client::Interrupted>() {
                ExitCode::from(INTERRUPTED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn start(cli: Cli) -> anyhow::Result<()> {
    let settings = config::load(&cli.options)?;
    let quiet = !cli.command.runs_services();
    let _telemetry = platform::telemetry::start(&settings.telemetry(quiet))?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(cli, settings))
}

async fn run(cli: Cli, settings: config::Settings) -> anyhow::Result<()> {
    match cli.command {
        Command::All => product::run(settings, product::Roles::ALL).await,
        Command::Intake => product::run(settings, product::Roles::INTAKE).await,
        Command::Routing { what: None } => product::run(settings, product::Roles::ROUTING).await,
        Command::Routing { what: Some(what) } => {
            commands::routing::run(settings, &cli.access, what).await
        }
        Command::Reminder { what: None } => product::run(settings, product::Roles::REMINDER).await,
        Command::Reminder { what: Some(what) } => {
            commands::reminder::run(settings, &cli.access, what).await
        }
        Command::Metrics => product::run(settings, product::Roles::METRICS).await,
        Command::Wallboard => product::run(settings, product::Roles::WALLBOARD).await,
        Command::Demo { speed, seed } => commands::demo::run(settings, speed, seed).await,
        Command::Import {
            what: cli::Import::QueueLog { file, system },
        } => commands::import_queue_log::run(settings, &cli.access, &file, &system).await,
        Command::Import {
            what: cli::Import::Cases { file, mapping },
        } => commands::import_cases::run(settings, &cli.access, &file, &mapping).await,
        Command::Figures {
            of: Some(of),
            from: None,
            to: None,
            by: None,
            json: false,
        } => commands::figures::of_cases(settings, &cli.access, of).await,
        Command::Figures {
            of: None,
            from: Some(from),
            to: Some(to),
            by,
            json,
        } => commands::figures::run(settings, &cli.access, from, to, by, json).await,
        // Options of the one and a subcommand for the others.
        Command::Figures { .. } => {
            anyhow::bail!(
                "give --from, --to, --by and --json after `forwarded`, `handling` or `followup`"
            )
        }
        Command::Agreements { what } => {
            commands::agreements::run(settings, &cli.access, what).await
        }
        Command::Closure { what } => commands::closure::run(settings, what).await,
        Command::Schema { of } => commands::closure::schema(of),
        Command::DeadLetters { what } => {
            commands::dead_letters::run(settings, &cli.access, what).await
        }
        Command::Mail { what } => commands::mail::run(settings, &cli.access, what).await,
        Command::Key { what } => commands::key::run(settings, what).await,
        Command::NatsConfig(mut wanted) => {
            wanted.agreements = wanted.agreements.or(settings.routing.agreements);
            commands::nats_config::run(&wanted)
        }
        Command::Migrate => commands::migrate::run(settings).await,
        Command::Config {
            what: cli::ConfigCommand::Check,
        } => commands::config_check::run(&settings),
        Command::Healthcheck => commands::healthcheck::run(&settings, &cli.access).await,
        Command::Openapi => commands::print_openapi(),
        Command::Asyncapi => commands::print_asyncapi(),
    }
}
