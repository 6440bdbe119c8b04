//! Agreements as a folder: written, checked, shown and compared, without a product.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::harness::kommunlots;

/// Runs the program: its exit code, its standard output, its standard error.
fn run(arguments: &[&str]) -> anyhow::Result<(i32, String, String)> {
    let output = kommunlots().args(arguments).output()?;
    Ok((
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

/// The made-up municipality's folder, as the program writes it.
pub(crate) fn example(below: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = below.join(name);
    let (code, out, err) = run(&["agreements", "example", text(&folder)?])?;
    ensure!(code == 0, "{out}{err}");
    Ok(folder)
}

pub(crate) fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path of text")
}

/// Replaces a text in a file, the first time it stands there.
pub(crate) fn change(folder: &Path, file: &str, from: &str, to: &str) -> anyhow::Result<()> {
    let file = folder.join(file);
    let old = std::fs::read_to_string(&file)?;
    ensure!(old.contains(from), "{from} is not in {}", file.display());
    Ok(std::fs::write(&file, old.replacen(from, to, 1))?)
}

/// The example, where building permits go to another group within another time.
pub(crate) fn other(below: &Path) -> anyhow::Result<PathBuf> {
    let folder = example(below, "other")?;
    let bygglov = "[case_types.bygglov]\nrosa_group = 4\ndepth = \"centre\"\n";
    change(
        &folder,
        "bygg.toml",
        &format!("{bygglov}group = \"handlaggare\"\nlimit_working_hours = 40"),
        &format!("{bygglov}group = \"karta\"\nlimit_working_hours = 24"),
    )?;
    Ok(folder)
}

#[test]
fn a_folder_is_checked_and_everything_wrong_is_named_by_its_line() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = example(temporary.path(), "agreements")?;
    let check = ["agreements", "check", text(&folder)?];
    let (code, out, err) = run(&check)?;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("8 förvaltningar") && out.contains("8 departments"),
        "{out}"
    );

    // What is doubtful is said, and is no error.
    std::fs::write(folder.join("gata.tolm"), "")?;
    let (code, out, _) = run(&check)?;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("gata.tolm: warning: "), "{out}");

    // Several errors in several files, all of them at once.
    change(
        &folder,
        "bygg.toml",
        "default_group = \"handlaggare\"",
        "default_group = \"handlagare\"",
    )?;
    change(
        &folder,
        "municipality.toml",
        "group = \"registrator\"",
        "gruop = \"registrator\"",
    )?;
    let (code, out, err) = run(&check)?;
    assert_eq!(code, 1, "{out}");
    assert!(err.contains("3 errors"), "{err}");
    let line = |file: &str, found: &str| -> anyhow::Result<String> {
        let text = std::fs::read_to_string(folder.join(file))?;
        let n = text
            .lines()
            .position(|l| l.contains(found))
            .context("the line")?;
        Ok(format!("{file}:{}: ", n + 1))
    };
    for place in [
        line("bygg.toml", "handlagare")?,
        line("municipality.toml", "gruop")?,
    ] {
        assert!(out.contains(&place), "{place} is not in {out}");
    }
    assert!(
        out.contains("`handlaggare`"),
        "what was meant is named: {out}"
    );

    // Every command that reads a folder refuses it, and starts nothing.
    let data = text(temporary.path())?.to_owned() + "/data";
    for command in [
        &["agreements", "show"][..],
        &["agreements", "diff"],
        &[
            "agreements",
            "apply",
            "--valid-from",
            "2027-01-01",
            "--approved-by",
            "x",
        ],
        &["routing", "dry-run"],
    ] {
        let arguments = [command, &[text(&folder)?, "--data", &data]].concat();
        let (code, out, err) = run(&arguments)?;
        assert_eq!(code, 1, "{command:?}: {out}");
        assert!(
            err.contains("bygg.toml:") && err.contains("3 errors"),
            "{command:?}: {err}"
        );
    }
    assert!(!Path::new(&data).exists());
    let (code, _, err) = run(&["agreements", "check", "no-such-folder"])?;
    assert_eq!(code, 1, "{err}");
    Ok(())
}

#[test]
fn a_folder_is_shown_and_compared_and_the_example_overwrites_nothing() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = example(temporary.path(), "agreements")?;
    change(
        &folder,
        "bygg.toml",
        "Byggförvaltningen",
        "Byggnadsförvaltningen",
    )?;
    let (code, _, err) = run(&["agreements", "example", text(&folder)?])?;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("nothing is overwritten"), "{err}");
    let (_, out, _) = run(&["agreements", "show", text(&folder)?])?;
    assert!(
        out.contains("Byggnadsförvaltningen") && out.contains("tidsgräns (limit): 40"),
        "{out}"
    );

    let other = other(temporary.path())?;
    let (code, out, err) = run(&["agreements", "diff", text(&folder)?, text(&other)?])?;
    assert_eq!(code, 0, "{err}");
    for change in [
        "bygg: namn Byggnadsförvaltningen → Byggförvaltningen",
        "bygg: bygglov: grupp handlaggare → karta",
        "bygg: bygglov: tidsgräns 40 → 24 arbetstimmar",
    ] {
        assert!(out.contains(change), "{change} is not in {out}");
    }
    assert_eq!(out.lines().count(), 3, "{out}");
    let (_, out, _) = run(&["agreements", "diff", text(&other)?, text(&other)?])?;
    assert!(out.contains("no difference"), "{out}");
    Ok(())
}

#[test]
fn the_commands_refuse_what_they_do_not_know() -> anyhow::Result<()> {
    for (arguments, named) in [
        (&["agreements"][..], "Usage"),
        (
            &["agreements", "apply", "x", "--approved-by", "y"],
            "--valid-from",
        ),
        (
            &[
                "agreements",
                "apply",
                "x",
                "--approved-by",
                "y",
                "--valid-from",
                "i dag",
            ],
            "i dag",
        ),
        (
            &["agreements", "show", "--version", "1", "x"],
            "cannot be used with",
        ),
        (&["routing", "explain", "17"], "its number will not do"),
        (&["routing", "explian", "17"], "explain"),
    ] {
        let (code, _, err) = run(arguments)?;
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert!(err.contains(named), "{arguments:?}: {err}");
    }
    Ok(())
}
