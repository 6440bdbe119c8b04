//! `kommunlots figures handling` as a table.

use metrics::{CasesBy, Handling, Spread};

use super::in_columns;

const COLUMNS: [[&str; 2]; 8] = [
    ["avslutade", "closed"],
    ["i tid", "in time"],
    ["total", "total"],
    ["kontaktcenter", "centre"],
    ["förvaltning", "department"],
    ["arbetstid, total", "working, total"],
    ["arbetstid, centret", "working, centre"],
    ["arbetstid, förv.", "working, dept."],
];

pub(super) fn table(figures: &[Handling], by: Option<CasesBy>) -> String {
    let names = [&[super::key(by)], &COLUMNS[..]].concat();
    let row = |f: &Handling| {
        let in_time = f
            .within_limit
            .map(|rate| format!("{:.1} %", rate * 100.0).replace('.', ","));
        vec![
            f.key.clone(),
            f.closed.to_string(),
            in_time.unwrap_or_else(unknown),
            spread(f.calendar.total),
            spread(f.calendar.centre),
            spread(f.calendar.department),
            spread(f.working.total),
            spread(f.working.centre),
            spread(f.working.department),
        ]
    };
    let mut text = in_columns(&names, &figures.iter().map(row).collect::<Vec<_>>());
    text += "\ntider: median / 90:e percentilen (times: median / 90th percentile)\n";
    if let Some(first) = figures.first() {
        text += &super::footing(&first.definition, first.as_of);
    }
    text
}

fn unknown() -> String {
    "-".to_owned()
}

fn spread(of: Option<Spread>) -> String {
    of.map_or_else(unknown, |s| {
        format!("{} / {}", duration(s.median_s), duration(s.p90_s))
    })
}

/// `3 d 4 h`, `4 h 5 min`, `5 min`, `6 s`.
fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}
