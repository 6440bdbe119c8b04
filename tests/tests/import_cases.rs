//! Importing an older system's cases: what is refused, twice, a later export.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Product, database, kommunlots};

const MAPPING: &str = r#"
system = "castor"
time_zone = "Europe/Stockholm"
time_formats = ["%Y-%m-%d %H:%M"]
delimiter = ";"

[columns]
case = "Nr"
registered = "Inkom"
due = "Senast"
closed = "Klart"
case_type = "Typ"
department = "Förv"
queue = "Kö"
"#;

const HEADER: &str = "Nr;Typ;Förv;Kö;Inkom;Senast;Klart";

/// In time, overdue, open, open without a limit; then two that cannot be taken.
const ROWS: [&str; 6] = [
    "1;Träd i park;PARK;Träd;2019-03-01 08:00;2019-03-05 08:00;2019-03-05 08:00",
    "2;Träd i park;PARK;Träd;2019-03-01 08:00;2019-03-05 08:00;2019-03-05 08:01",
    "3;Klotter;PROP;Klotter;2019-03-02 08:00;2019-03-05 08:00;",
    "4;Klotter;PARK;;2019-03-02 08:00;;",
    ";Klotter;PARK;;2019-03-02 08:00;;",
    "6;Klotter;PARK;;2019-03-02 08:00;;2099-01-01 00:00",
];

/// Writes an export and its mapping, and returns the import's arguments.
fn files(folder: &Path, rows: &[&str]) -> anyhow::Result<Vec<String>> {
    let (export, mapping) = (folder.join("export.csv"), folder.join("mapping.toml"));
    std::fs::write(&export, format!("{HEADER}\n{}\n", rows.join("\n")))?;
    std::fs::write(&mapping, MAPPING)?;
    let path = |p: &PathBuf| p.display().to_string();
    Ok([
        "import",
        "cases",
        &path(&export),
        "--mapping",
        &path(&mapping),
    ]
    .map(str::to_owned)
    .into())
}

pub(crate) fn import(
    product: &Product,
    arguments: &[String],
) -> anyhow::Result<BTreeMap<String, u64>> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let printed = product.command(&arguments)?;
    Ok(counts(&printed))
}

/// The counts that an import prints, by the words before them.
fn counts(printed: &str) -> BTreeMap<String, u64> {
    let count = |line: &str| {
        let (words, rest) = line.split_at_checked(16)?;
        let number = rest.split_whitespace().next()?.parse().ok()?;
        Some((words.trim().to_owned(), number))
    };
    let lines = printed.lines().filter(|line| !line.starts_with(' '));
    lines.filter_map(count).collect()
}

const FIGURES: [&str; 5] = [
    "forwarded",
    "closed",
    "closed_overdue",
    "open",
    "open_overdue",
];

/// `kommunlots figures forwarded` by key.
pub(crate) fn figures(
    product: &Product,
    (from, to): (&str, &str),
    by: &str,
    as_of: Option<&str>,
) -> anyhow::Result<BTreeMap<String, [u64; 5]>> {
    let mut arguments = vec![
        "figures",
        "forwarded",
        "--json",
        "--from",
        from,
        "--to",
        to,
        "--by",
        by,
    ];
    arguments.extend(as_of.iter().flat_map(|t| ["--as-of", t]));
    let rows: Vec<Value> = serde_json::from_str(&product.command(&arguments)?)?;
    let row = |row: &Value| {
        let key = row["key"].as_str().context("a key")?.to_owned();
        Ok((key, FIGURES.map(|f| row[f].as_u64().unwrap_or(u64::MAX))))
    };
    rows.iter().map(row).collect()
}

fn map<const N: usize>(of: [(&str, [u64; 5]); N]) -> BTreeMap<String, [u64; 5]> {
    of.into_iter()
        .map(|(key, row)| (key.to_owned(), row))
        .collect()
}

#[tokio::test]
async fn an_export_is_taken_once_however_often_it_is_read() -> anyhow::Result<()> {
    let product = Product::start()?;
    let folder = tempfile::tempdir()?;
    let arguments = files(folder.path(), &ROWS)?;
    let period = ("2019-03-01", "2019-03-31");

    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let printed = product.command(&words)?;
    let first = counts(&printed);
    assert_eq!(
        (first["rows read"], first["taken"], first["refused"]),
        (6, 4, 2),
        "{printed}"
    );
    assert!(printed.contains("  line 6 Nr: is empty"), "{printed}");
    assert!(
        printed.contains("  line 7 closed_at: lies in the future"),
        "{printed}"
    );

    let by_department = map([("PARK", [3, 2, 1, 1, 0]), ("PROP", [1, 0, 0, 1, 1])]);
    assert_eq!(
        figures(&product, period, "department", None)?,
        by_department
    );
    let by_queue = map([
        ("Klotter", [1, 0, 0, 1, 1]),
        ("PARK", [1, 0, 0, 1, 0]),
        ("Träd", [2, 2, 1, 0, 0]),
    ]);
    assert_eq!(figures(&product, period, "queue", None)?, by_queue);
    let earlier = figures(
        &product,
        period,
        "department",
        Some("2019-03-04T12:00:00+01:00"),
    )?;
    assert_eq!(
        earlier,
        map([("PARK", [3, 0, 0, 3, 0]), ("PROP", [1, 0, 0, 1, 0])])
    );

    let before = product.api()?.get("/routing/sources").await?;
    let again = import(&product, &arguments)?;
    assert_eq!(
        (
            again["taken"],
            again["closed"],
            again["already known"],
            again["refused"]
        ),
        (0, 0, 4, 2)
    );
    assert_eq!(
        product.api()?.get("/routing/sources").await?,
        before,
        "nothing was told again"
    );

    // A later export: case 3 has been closed, and case 4 is known as it was.
    let closed = "3;Klotter;PROP;Klotter;2019-03-02 08:00;2019-03-05 08:00;2019-04-01 09:00";
    let arguments = files(folder.path(), &[ROWS[0], closed, ROWS[3]])?;
    let later = import(&product, &arguments)?;
    assert_eq!(
        (later["taken"], later["closed"], later["already known"]),
        (0, 1, 2)
    );
    let now = figures(&product, period, "department", None)?;
    assert_eq!(now["PROP"], [1, 1, 1, 0, 0]);
    assert_eq!(import(&product, &arguments)?["already known"], 3);

    let mut database = database(&product.data()).await?;
    let mails: i64 = sqlx::query_scalar("SELECT count(*) FROM routing.mail")
        .fetch_one(&mut database)
        .await?;
    assert_eq!(mails, 0, "imported cases send no mail");
    let told: Vec<(String, i64)> =
        sqlx::query_as("SELECT kind, count(*) FROM routing.event_log GROUP BY kind ORDER BY kind")
            .fetch_all(&mut database)
            .await?;
    assert_eq!(
        told,
        [
            ("case.closed".to_owned(), 3),
            ("case.forwarded".to_owned(), 4)
        ]
    );
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_the_files_is_told_before_anything_starts() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let arguments = files(folder.path(), &ROWS)?;
    let refused = |wrong: &[(&str, &str)]| {
        let mut mapping = MAPPING.to_owned();
        for (from, to) in wrong {
            ensure!(mapping.contains(from), "{from}");
            mapping = mapping.replace(from, to);
        }
        std::fs::write(folder.path().join("mapping.toml"), mapping)?;
        let output = kommunlots()
            .args(&arguments)
            .arg("--data")
            .arg(&data)
            .output()?;
        ensure!(!output.status.success(), "{wrong:?} was taken");
        ensure!(!data.exists(), "something was started");
        Ok(String::from_utf8(output.stderr)?)
    };
    let said = refused(&[("\"Senast\"", "\"Senaste\""), ("\"Kö\"", "\"Grupp\"")])?;
    for part in [
        "due = \"Senaste\"",
        "queue = \"Grupp\"",
        "the file has Nr, Typ, Förv, Kö, Inkom, Senast, Klart",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = refused(&[("delimiter = \";\"", "")])?;
    assert!(said.contains("is the delimiter right"), "{said}");
    let said = refused(&[("due =", "limit =")])?;
    assert!(
        said.contains("unknown field `limit`") && said.contains("mapping.toml"),
        "{said}"
    );
    let said = refused(&[("Europe/Stockholm", "Svedala")])?;
    assert!(said.contains("there is no zone `Svedala`"), "{said}");
    Ok(())
}

#[tokio::test]
async fn history_is_taken_all_or_none_from_who_may() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let case = |number: &str, more: Value| {
        let mut case = json!({
            "system": "castor", "case": number, "registered_at": "2019-03-01T07:00:00Z",
            "case_type": "Klotter", "department_code": "PARK",
        });
        let fields = more.as_object().cloned().unwrap_or_default();
        case.as_object_mut().expect("an object").extend(fields);
        case.to_string()
    };
    let kind = [("content-type", "application/x-ndjson")];
    let post = async |api: &crate::harness::Api, lines: &[String]| {
        api.problem(Method::POST, "/routing/history", &kind, lines.join("\n"))
            .await
    };
    let lines = [
        case("1", json!({})),
        case("2", json!({ "closed_at": "2019-02-28T07:00:00Z" })),
        String::new(),
        case("3", json!({ "department": "rymd" })),
    ];
    let (status, problem) = post(&api, &lines).await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["errors"][0]["line"], 2);
    assert_eq!(
        problem["errors"][0]["reason"],
        "is before the case was registered"
    );
    let (status, problem) = post(
        &api,
        &[
            case("1", json!({})),
            case("3", json!({ "department": "rymd" })),
        ],
    )
    .await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (
            &problem["errors"][0]["line"],
            &problem["errors"][0]["field"]
        ),
        (&json!(2), &json!("department"))
    );
    let many: Vec<String> = (0..1_001)
        .map(|n| case(&n.to_string(), json!({})))
        .collect();
    assert_eq!(post(&api, &many).await?.0, StatusCode::UNPROCESSABLE_ENTITY);

    let key = product.command(&["key", "new", "--name", "desk", "--scope", "cases:write"])?;
    let desk = api.with_key(Some(key.trim()));
    let (status, _) = post(&desk, &lines[..1]).await?;
    assert_eq!(status, StatusCode::FORBIDDEN);

    let (_, sources) = api.get("/routing/sources").await?;
    assert_eq!(sources, json!({ "routing/CASES": 0 }), "nothing was stored");
    // Two at once, and one case twice: it is told once.
    let lines = [lines[0].clone(), lines[0].clone()].join("\n");
    let send = || api.send(Method::POST, "/routing/history", &kind, lines.clone());
    let (one, other) = tokio::join!(send(), send());
    let answers: BTreeSet<String> = [one?.1, other?.1]
        .iter()
        .map(|a| format!("{}/{}", a["taken"], a["known"]))
        .collect();
    assert_eq!(answers, ["0/2".to_owned(), "1/1".to_owned()].into());
    let (_, sources) = api.get("/routing/sources").await?;
    assert_eq!(sources, json!({ "routing/CASES": 1 }));
    Ok(())
}
