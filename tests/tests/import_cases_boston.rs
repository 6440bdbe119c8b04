//! Importing Boston's cases of 2015: the figures are those of the file itself.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::DateTime;

use crate::{
    harness::{Product, shared},
    import_cases::{figures, import},
};

/// Boston's cases by the column `by`, as the file itself says. A case without a queue is counted under its department's code.
fn boston(file: &Path, by: &str) -> anyhow::Result<BTreeMap<String, [u64; 5]>> {
    let mut reader = csv::Reader::from_path(file)?;
    let mut rows: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    let time = |text: &str| -> anyhow::Result<Option<DateTime>> {
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(DateTime::strptime("%m/%d/%Y %I:%M:%S %p", text)?))
    };
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row?;
        let (due, closed) = (time(&row["target_dt"])?, time(&row["closed_dt"])?);
        let closed = closed.filter(|_| row["status"] == "Closed");
        // The figures are of now, when every limit has passed.
        let late = due.is_some_and(|due| closed.is_none_or(|closed| closed > due));
        let key = Some(&row[by]).filter(|key| !key.is_empty());
        let sums = rows
            .entry(key.unwrap_or(&row["department"]).clone())
            .or_default();
        let counted = [
            true,
            closed.is_some(),
            closed.is_some() && late,
            closed.is_none(),
            closed.is_none() && late,
        ];
        for (sum, counted) in sums.iter_mut().zip(counted) {
            *sum += u64::from(counted);
        }
    }
    Ok(rows)
}

#[tokio::test]
async fn bostons_overdue_closings_are_those_of_its_own_file() -> anyhow::Result<()> {
    let Some(file) = shared("boston311-2015.csv") else {
        return Ok(());
    };
    let expected = boston(&file, "department")?;
    let rows: u64 = expected.values().map(|row| row[0]).sum();
    let product = Product::start()?;
    let mapping =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/import/boston311.toml");
    let arguments = [
        "import",
        "cases",
        &file.display().to_string(),
        "--mapping",
        &mapping.display().to_string(),
    ]
    .map(str::to_owned);
    let first = import(&product, &arguments)?;
    assert_eq!(
        (first["rows read"], first["taken"], first["refused"]),
        (rows, rows, 0)
    );
    // Its last day ends here on the next.
    let period = ("2015-01-01", "2016-01-01");
    assert_eq!(figures(&product, period, "department", None)?, expected);
    assert_eq!(
        figures(&product, period, "queue", None)?,
        boston(&file, "queue")?
    );
    let again = import(&product, &arguments)?;
    assert_eq!(
        (again["taken"], again["closed"], again["already known"]),
        (0, 0, rows)
    );
    assert_eq!(figures(&product, period, "department", None)?, expected);
    Ok(())
}
