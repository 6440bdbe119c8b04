//! Mappings and rows, odd ones too.

use csv::ByteRecord;
use domain::CaseOutcome;
use routing::HistoryInput;

use super::{columns::Columns, mapping::Mapping, rows::read_row, table::Table};

const BOSTON: &str = include_str!("../../../../../docs/examples/import/boston311.toml");

/// A made-up Swedish system.
const CASTOR: &str = r#"
system = "castor"
time_zone = "Europe/Stockholm"
time_formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d"]
delimiter = ";"
encoding = "latin-1"
nothing = ["NULL"]

[columns]
case = "Nr"
registered = "Inkom"
due = "Senast"
closed = "Klart"
outcome = "Beslut"
case_type = "Typ"
department = "Förv"

[outcomes]
default = "no_action"
[outcomes.values]
Avslag = "declined"

[departments]
BN = "bygg"
"#;

const HEADER: &str = "Nr;Typ;Förv;Inkom;Senast;Klart;Beslut";

/// Reads rows as the import does, each with its line.
fn read(mapping: &str, csv: &[u8]) -> Vec<(usize, Result<HistoryInput, String>)> {
    let mapping = Mapping::parse(mapping).unwrap();
    let mut table = Table::new(csv, &mapping);
    let names = table.header(&mapping).unwrap().unwrap();
    let columns = Columns::find(&mapping.columns, &names).unwrap();
    let mut rows = Vec::new();
    let mut row = ByteRecord::new();
    while let Some(line) = table.next(&mut row).unwrap() {
        rows.push((line, read_row(&row, &mapping, &columns)));
    }
    rows
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

fn castor(row: &str) -> Result<HistoryInput, String> {
    let rows = read(CASTOR, &latin1(&format!("{HEADER}\n{row}\n")));
    rows.into_iter().next().unwrap().1
}

/// What is wrong with a mapping in which `from` is `to`.
fn wrong(from: &str, to: &str) -> String {
    let text = CASTOR.replacen(from, to, 1);
    assert_ne!(text, CASTOR, "{from}");
    format!("{:#}", Mapping::parse(&text).unwrap_err())
}

#[test]
fn the_example_for_boston_reads_its_rows() {
    let csv = "case_id,open_dt,target_dt,closed_dt,ontime,status,reason,type,queue,department,source\n\
        1,01/01/2015 07:27:13 AM,,,ONTIME,Open,Housing,Heat - Excessive  Insufficient,ISD_Housing (INTERNAL),ISD,Call\n\
        2,07/09/2015 02:51:24 PM,10/07/2015 02:50:52 PM,07/09/2015 02:51:12 PM,ONTIME,Closed,Housing,Breathe Easy,,ISD,Call\n\
        3,01/01/2015 07:27:13 AM,,02/01/2015 07:27:13 AM,ONTIME,Open,x,y,z,PARK,Call\n\
        4,01/01/2015 07:27:13 AM,,,ONTIME,Closed,x,y,z,PARK,Call\n\
        5,01/01/2015 07:27:13 AM,,,ONTIME,Lost,x,y,z,PARK,Call\n\
        6,01/01/2015 07:27:13 AM,,,ONTIME,Open,x,,z,,Call\n";
    let rows = read(BOSTON, csv.as_bytes());
    let case = |n: usize| rows[n].1.as_ref().unwrap();
    assert_eq!(case(0).registered_at.to_string(), "2015-01-01T12:27:13Z");
    assert_eq!(case(0).department_code.as_str(), "ISD");
    assert_eq!(
        case(0).queue.as_ref().unwrap().as_str(),
        "ISD_Housing (INTERNAL)"
    );
    assert_eq!(
        (case(0).due, case(0).closed_at, case(0).outcome),
        (None, None, None)
    );
    // Closed twelve seconds before it was registered.
    assert_eq!(
        case(1).closed_at.unwrap().to_string(),
        "2015-07-09T18:51:12Z"
    );
    assert_eq!(case(1).closed_at, Some(case(1).registered_at));
    assert_eq!(case(1).due.unwrap().to_string(), "2015-10-07T18:50:52Z");
    assert_eq!(case(1).queue, None);
    assert_eq!(case(2).closed_at, None, "opened anew");
    let refused = |n: usize| rows[n].1.as_ref().unwrap_err().as_str();
    assert_eq!(
        refused(3),
        "closed_dt: is empty, and the case is closed by its status"
    );
    assert!(refused(4).starts_with("status: the mapping's [status] does not have this value"));
    assert_eq!(case(5).department_code.as_str(), "Unknown");
    assert_eq!(case(5).case_type, "Unknown");
}

#[test]
fn rows_are_read_by_what_the_mapping_says() {
    let case = castor("17;Bygglov; BN ;2019-05-03 10:12;2019-05-10;2019-05-03;Avslag").unwrap();
    assert_eq!((case.system.as_str(), case.case.as_str()), ("castor", "17"));
    assert_eq!(case.department.unwrap().as_str(), "bygg");
    assert_eq!(case.department_code.as_str(), "BN");
    assert_eq!(case.due.unwrap().to_string(), "2019-05-10T21:59:59.999999Z");
    assert_eq!(case.closed_at, Some(case.registered_at), "on the same day");
    assert_eq!(case.outcome, Some(CaseOutcome::Declined));
    let case = castor("18;Felanmälan;GATA;2019-05-03 10:12;NULL;2019-05-04;NULL").unwrap();
    assert_eq!(case.case_type, "Felanmälan");
    assert_eq!((case.department, case.due), (None, None));
    assert_eq!(case.outcome, Some(CaseOutcome::NoAction));
    assert_eq!(
        castor("19;x;G;2019-05-03;;;").unwrap().outcome,
        None,
        "open"
    );
}

#[test]
fn a_row_that_cannot_be_read_is_refused_with_its_column() {
    for (row, reason) in [
        (";x;G;2019-05-03;;;", "Nr: is empty"),
        ("NULL;x;G;2019-05-03;;;", "Nr: is empty"),
        ("1;;G;2019-05-03;;;", "Typ: is empty"),
        ("1;x;;2019-05-03;;;", "Förv: is empty"),
        ("1;x;G;;;;", "Inkom: is empty"),
        ("1;x;G;2019-02-29;;;", "Inkom: is no time"),
        ("1;x;G;2019-05-03;snart;;", "Senast: is no time"),
        (
            "1;x;G;2019-05-03;;2019-05-02;",
            "was closed before it was registered",
        ),
        (
            "1;x;G;2019-05-03;;2019-05-04;Bifall",
            "Beslut: the mapping's [outcomes.values] does not",
        ),
        (
            "1;x;0701740605;2019-05-03;;;",
            "Förv: must be 1 to 64 characters",
        ),
        ("1;x;G;2019-05-03;;", "has 6 fields, and the first line 7"),
        ("1;x;G;2019-05-03;;;;", "has 8 fields, and the first line 7"),
    ] {
        let refused = castor(row).unwrap_err();
        assert!(refused.starts_with(reason), "{row}: {refused}");
        for value in ["snart", "Bifall", "0701740605"] {
            assert!(!refused.contains(value), "{refused}");
        }
    }
}

#[test]
fn rows_keep_their_lines_and_one_bad_row_is_one() {
    let mapping = CASTOR.replace("latin-1", "utf-8");
    let mut csv = format!("\u{feff}{HEADER}\r\n").into_bytes();
    csv.extend(b"1;\"two\nlines\";G;2019-05-03;;;\r\n");
    csv.extend(b"2;\xff;G;2019-05-03;;;\r\n");
    csv.extend(b"\r\n \r\n4;\"quoted; \"\"so\"\"\";G;2019-05-03;;;\r\n5;x;G;2019-05-03;;;");
    let rows = read(&mapping, &csv);
    let said: Vec<_> = rows
        .iter()
        .map(|(line, row)| (*line, row.as_ref().map(|r| r.case_type.as_str())))
        .collect();
    let not_utf8 =
        "Typ: is not UTF-8; set `encoding` in the mapping if the file is in another".to_owned();
    assert_eq!(said[0], (2, Ok("two\nlines")));
    assert_eq!(said[1], (4, Err(&not_utf8)));
    // Two lines in between are empty.
    assert_eq!(said[2], (7, Ok("quoted; \"so\"")));
    assert_eq!(said[3], (8, Ok("x")), "without an end of its line");
    assert_eq!(said.len(), 4);
}

#[test]
fn what_is_wrong_in_a_mapping_is_named() {
    for (from, to, said) in [
        (
            "system = \"castor\"",
            "system = \"Castor AB\"",
            "system: must be 1 to 32",
        ),
        ("system = \"castor\"\n", "", "missing field `system`"),
        (
            "Europe/Stockholm",
            "Stockholm",
            "time_zone: there is no zone `Stockholm`",
        ),
        (
            "%Y-%m-%d %H:%M",
            "%H:%M",
            "time_formats: `%H:%M` cannot be used",
        ),
        ("due =", "deadline =", "unknown field `deadline`"),
        ("case = \"Nr\"\n", "", "missing field `case`"),
        (
            "delimiter = \";\"",
            "delimiter = \"||\"",
            "delimiter: must be one character",
        ),
        ("\"latin-1\"", "\"ebcdic\"", "unknown variant `ebcdic`"),
        (
            "outcome = \"Beslut\"\n",
            "",
            "outcomes.values: name the column",
        ),
        ("\"declined\"", "\"refused\"", "unknown variant `refused`"),
        (
            "BN = \"bygg\"",
            "BN = \"Bygg\"",
            "must be 1 to 32 characters of a-z",
        ),
        (
            "[outcomes]",
            "[status]\nopen = []\nclosed = []\n[outcomes]",
            "status: name the column",
        ),
        (
            "due =",
            "status = \"Klart\"\ndue =",
            "columns.status: a table [status]",
        ),
    ] {
        let error = wrong(from, to);
        assert!(error.contains(said), "{to}: {error}");
    }
}
