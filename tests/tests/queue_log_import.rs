//! Importing a queue_log: twice, with and without a running product, and with lines that cannot be taken.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::harness::{Product, kommunlots, shared};

const NUMBERS: [&str; 8] = [
    "offered",
    "answered",
    "abandoned",
    "short_abandoned",
    "answer_rate",
    "answered_within_60s",
    "mean_wait_of_answered_s",
    "longest_wait_s",
];

/// The counts that an import prints, by the words before them.
fn counts(printed: &str) -> BTreeMap<String, u64> {
    printed
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| {
            let (words, rest) = line.split_at_checked(16)?;
            let number = rest.split_whitespace().next()?.parse().ok()?;
            Some((words.trim().to_owned(), number))
        })
        .collect()
}

/// `kommunlots <arguments>` on a data folder in which no product runs.
fn alone(data: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = kommunlots()
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .output()?;
    let (out, err) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    ensure!(output.status.success(), "{arguments:?}: {out}{err}");
    Ok(out)
}

/// The figures of February by key, with the expected numbers only.
fn figures(
    by: Option<&str>,
    run: impl Fn(&[&str]) -> anyhow::Result<String>,
) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut arguments = vec!["figures", "--json", "--from", "2021-02-01"];
    arguments.extend(["--to", "2021-02-28"]);
    if let Some(by) = by {
        arguments.extend(["--by", by]);
    }
    let rows: Vec<Value> = serde_json::from_str(&run(&arguments)?)?;
    let row = |row: Value| {
        assert_eq!(row["definition"], "contacts/v1");
        assert!(row["as_of"].is_string());
        assert_eq!(
            row.as_object().map(serde_json::Map::len),
            Some(NUMBERS.len() + 3),
            "{row}"
        );
        let numbers = NUMBERS.map(|n| (n.to_owned(), row[n].clone()));
        let key = row["key"].as_str().context("a key")?.to_owned();
        Ok((key, Value::Object(numbers.into_iter().collect())))
    };
    rows.into_iter().map(row).collect()
}

/// Number by number, as numbers: 1 and 1.0 are the same.
fn assert_same(what: &str, found: &Value, expected: &Value) {
    for number in NUMBERS {
        assert_eq!(
            found[number].as_f64(),
            expected[number].as_f64(),
            "{what}: {number}: {found} instead of {expected}"
        );
    }
}

fn assert_expected(
    expected: &Value,
    run: impl Fn(&[&str]) -> anyhow::Result<String>,
) -> anyhow::Result<()> {
    let all = figures(None, &run)?;
    assert_eq!(all.keys().collect::<Vec<_>>(), ["all"]);
    assert_same("all", &all["all"], &expected["all"]);
    for (by, name) in [("queue", "by_queue"), ("day", "by_day")] {
        let found = figures(Some(by), &run)?;
        let expected = expected[name].as_object().context("expected figures")?;
        assert!(found.keys().eq(expected.keys()), "{by}: {:?}", found.keys());
        for (key, numbers) in expected {
            assert_same(key, &found[key], numbers);
        }
    }
    // Only the telephone, and no line of a queue_log names a department.
    for (by, key) in [("channel", "phone"), ("department", "unknown")] {
        let found = figures(Some(by), &run)?;
        assert_eq!(found.keys().collect::<Vec<_>>(), [key]);
        assert_same(by, &found[key], &expected["all"]);
    }
    Ok(())
}

#[tokio::test]
async fn february_gives_the_expected_figures_also_when_read_twice() -> anyhow::Result<()> {
    let (Some(log), Some(expected)) = (
        shared("calls-2021-02.queue_log"),
        shared("calls-2021-02.expected.json"),
    ) else {
        return Ok(());
    };
    let expected: Value = serde_json::from_slice(&std::fs::read(expected)?)?;
    let import = ["import", "queue-log", log.to_str().context("a path")?];
    let lines = std::fs::read_to_string(&log)?.lines().count() as u64;

    let mut product = Product::start()?;
    let first = counts(&product.command(&import)?);
    assert_eq!(first["lines read"], lines);
    assert_eq!((first["already known"], first["refused"]), (0, 0));
    assert_eq!(first["taken"] + first["passed over"], lines);
    assert_expected(&expected, |a| product.command(a))?;

    let before = product.api()?.get("/intake/sources").await?;
    let second = counts(&product.command(&import)?);
    assert_eq!((second["taken"], second["refused"]), (0, 0));
    assert_eq!(second["already known"], first["taken"]);
    assert_eq!(product.api()?.get("/intake/sources").await?, before);
    assert_expected(&expected, |a| product.command(a))?;

    // The same over HTTP, and still the same when the product is down.
    let over_http = product
        .api()?
        .figures("from=2021-02-01&to=2021-02-28")
        .await?;
    assert_same("over HTTP", &over_http[0], &expected["all"]);
    assert_eq!(product.stop()?, Some(0));
    assert_expected(&expected, |a| product.command(a))
}

#[test]
fn february_goes_straight_into_a_data_folder() -> anyhow::Result<()> {
    let (Some(log), Some(expected)) = (
        shared("calls-2021-02.queue_log"),
        shared("calls-2021-02.expected.json"),
    ) else {
        return Ok(());
    };
    let expected: Value = serde_json::from_slice(&std::fs::read(expected)?)?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let printed = alone(
        &data,
        &["import", "queue-log", log.to_str().context("a path")?],
    )?;
    assert_eq!(counts(&printed)["refused"], 0, "{printed}");
    let all = figures(None, |a| alone(&data, a))?;
    assert_same("all", &all["all"], &expected["all"]);
    Ok(())
}

const NUMBER: &str = "0701740605";

/// A line for each way to be refused, with whole calls between them.
fn partly_bad() -> String {
    let number = NUMBER;
    [
        format!("1612164000|1612164000.1|vaxel|NONE|ENTERQUEUE||{number}|1"),
        number.to_owned(),
        format!("1612164001x|1612164000.1|vaxel|NONE|ENTERQUEUE||{number}|1"),
        "1612164005|1612164000.1|vaxel|PJSIP/101|CONNECT|5|1612164000.2|1".to_owned(),
        format!("1612164006|NONE|vaxel|NONE|ABANDON|1|1|{number}"),
        format!("1612164006|1612164006.1|{number}|NONE|ENTERQUEUE||{number}|1"),
        // The PBX's clock was set wrong for a moment.
        format!("4070908800|4070908800.1|vaxel|NONE|ENTERQUEUE||{number}|1"),
        format!("612164006|1612164006.1|vaxel|NONE|ENTERQUEUE||{number}|1"),
        format!("1612164010|1612164010.1|vaxel|NONE|ENTERQUEUE||{number}|1"),
        "1612164050|1612164010.1|vaxel|NONE|ABANDON|1|1|40".to_owned(),
        String::new(),
    ]
    .join("\n")
}

#[tokio::test]
async fn refused_lines_are_named_and_do_not_stop_the_others() -> anyhow::Result<()> {
    let product = Product::start()?;
    let file = product.data().join("partly-bad");
    std::fs::write(&file, partly_bad())?;
    let import = ["import", "queue-log", file.to_str().context("a path")?];

    let printed = product.command(&import)?;
    assert!(!printed.contains(NUMBER), "{printed}");
    let count = counts(&printed);
    assert_eq!(count["lines read"], 10, "{printed}");
    assert_eq!((count["taken"], count["refused"]), (4, 6), "{printed}");
    for line in [2, 3, 5, 6, 7, 8] {
        let begin = format!("  line {line} ");
        let reason = printed.lines().find_map(|l| l.strip_prefix(&begin));
        assert!(
            reason.is_some_and(|r| r.len() > 10),
            "no reason for line {line}:\n{printed}"
        );
    }
    let figures = product
        .api()?
        .figures("from=2021-02-01&to=2021-02-01")
        .await?;
    let numbers = [
        "offered",
        "answered",
        "abandoned",
        "mean_wait_of_answered_s",
    ];
    assert_eq!(
        numbers.map(|n| figures[0][n].clone()),
        [2, 1, 1, 5].map(|n| json!(n))
    );
    assert!(!product.log().contains(NUMBER));

    // Files of several PBXs and versions hold nothing that must be refused.
    let Some(samples) = shared("queue_log.samples") else {
        return Ok(());
    };
    let import = ["import", "queue-log", samples.to_str().context("a path")?];
    let count = counts(&product.command(&import)?);
    assert_eq!((count["lines read"], count["refused"]), (17, 0));
    // The last call of `sales` never ended: a restart came, and how it went is unknown.
    let sales = product
        .api()?
        .figures("from=2020-08-01&to=2020-08-31&by=queue")
        .await?;
    let keys: Vec<&Value> = sales.iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["support"]);
    assert_eq!(
        (&sales[0]["offered"], &sales[0]["abandoned"]),
        (&json!(1), &json!(1))
    );
    Ok(())
}

#[test]
fn a_file_that_is_not_there_is_named_before_anything_is_started() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let error = alone(&data, &["import", "queue-log", "no-such-file"])
        .err()
        .context("a missing file must be an error")?;
    assert!(error.to_string().contains("no-such-file"), "{error}");
    assert!(!data.exists());
    Ok(())
}
