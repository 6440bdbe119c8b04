//! The table.

use std::fmt::Write;

use crate::stats::median;

/// What a row has to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// At least this share of the limit beside it.
    Share(f64),
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// At most this many times the limit beside it.
    AtMostTimes(f64),
    /// Reported, not judged.
    None,
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// One value a round.
    pub(crate) measured: Vec<f64>,
    /// What was measured beside it, one value a round; empty where nothing is comparable.
    pub(crate) limit: Vec<f64>,
    pub(crate) limit_is: String,
    pub(crate) target: Target,
    /// What a reader must know to judge it.
    pub(crate) note: String,
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        let limit = median(&self.limit);
        (limit > 0.0).then(|| median(&self.measured) / limit)
    }

    fn met(&self) -> Option<bool> {
        let value = median(&self.measured);
        let ratio = self.ratio();
        match self.target {
            Target::Share(share) => Some(ratio? >= share),
            Target::AtMostTimes(times) => Some(ratio? <= times),
            Target::AtLeast(least) => Some(value >= least),
            Target::AtMost(most) => Some(value <= most),
            Target::None => None,
        }
    }

    fn target(&self) -> String {
        match self.target {
            Target::Share(share) => format!("≥ {share:.2} of the limit"),
            Target::AtMostTimes(times) => format!("≤ {times:.2} times"),
            Target::AtLeast(least) => format!("≥ {}", number(least)),
            Target::AtMost(most) => format!("≤ {}", number(most)),
            Target::None => "—".to_owned(),
        }
    }

    fn verdict(&self) -> &'static str {
        match self.met() {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "—",
        }
    }

    fn beside(&self) -> String {
        match self.limit.is_empty() {
            true => "—".to_owned(),
            false => format!("{} ({})", spread(&self.limit), self.limit_is),
        }
    }

    fn ratio_text(&self) -> String {
        self.ratio().map_or("—".to_owned(), |r| format!("{r:.2}"))
    }

    /// The row for somebody who watches.
    pub(crate) fn line(&self) -> String {
        format!(
            "{}: {} {}; beside it {}; ratio {}; target {}: {}; {}",
            self.what,
            spread(&self.measured),
            self.unit,
            self.beside(),
            self.ratio_text(),
            self.target(),
            self.verdict(),
            self.note
        )
    }
}

/// Median, and from least to most where there are several.
fn spread(values: &[f64]) -> String {
    let middle = number(median(values));
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len() < 2 {
        return middle;
    }
    format!("{middle} ({}–{})", number(least), number(most))
}

/// 12,345 or 12.3 or 0.123: three figures that count.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size < 10.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    if size < 100.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", size);
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        text.insert(0, '-');
    }
    text
}

/// The whole document.
pub(crate) fn document(machine: &str, rows: &[Row]) -> String {
    let mut text = format!(
        "# Benchmark\n\nMade by `cargo run --release -p load`. Every figure of one table comes from one run on one machine, \
         with the load, the product, PostgreSQL and NATS sharing its cores; a limit is measured beside its figure, in \
         alternation. Medians, with least and most in brackets.\n\n{machine}\n\
         | What | Measured | Limit beside it | Ratio | Target | Met |\n|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {} | {} | {} |",
            row.what,
            spread(&row.measured),
            row.unit,
            row.beside(),
            row.ratio_text(),
            row.target(),
            row.verdict()
        );
    }
    text.push_str("\n## How to read the rows\n\n");
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        let _ = writeln!(text, "- {}: {}.", row.what, row.note);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measured: f64, limit: f64, target: Target) -> Row {
        Row {
            what: "x".to_owned(),
            unit: "/s",
            measured: vec![measured],
            limit: vec![limit],
            limit_is: "y".to_owned(),
            target,
            note: String::new(),
        }
    }

    #[test]
    fn verdicts_compare_the_right_numbers() {
        assert_eq!(row(50.0, 100.0, Target::Share(0.5)).verdict(), "met");
        assert_eq!(
            row(49.0, 100.0, Target::Share(0.5)).verdict(),
            "**not met**"
        );
        assert_eq!(
            row(1.3, 1.0, Target::AtMostTimes(1.2)).verdict(),
            "**not met**"
        );
        assert_eq!(row(99.0, 0.0, Target::AtMost(100.0)).verdict(), "met");
        assert_eq!(row(99.0, 0.0, Target::Share(0.5)).verdict(), "—");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(1_234_567.0), "1,234,567");
        assert_eq!(number(123.0), "123");
        assert_eq!(number(12.34), "12.3");
        assert_eq!(number(-1_500.0), "-1,500");
    }
}
