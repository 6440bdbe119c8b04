//! `kommunlots figures followup` as a table.

use metrics::{CasesBy, ClosedAfter, FollowUpFigures};

use super::in_columns;

const COLUMNS: [[&str; 2]; 10] = [
    ["avslutade", "closed"],
    ["i tid", "in time"],
    ["utan steg", "no step"],
    ["efter påminnelse", "after reminder"],
    ["efter tidsgränsen", "after limit"],
    ["efter lovad dag", "after promised day"],
    ["efter kontaktperson", "after contact person"],
    ["efter chefer", "after heads"],
    ["steg i snitt", "steps, mean"],
    ["löften hållna", "promises kept"],
];

pub(super) fn table(figures: &[FollowUpFigures], by: Option<CasesBy>) -> String {
    let names = [&[super::key(by)], &COLUMNS[..]].concat();
    let row = |f: &FollowUpFigures| {
        vec![
            f.key.clone(),
            f.closed.to_string(),
            f.share_within_limit.map_or_else(|| "-".to_owned(), percent),
            after(f.after_no_step),
            after(f.after_share),
            after(f.after_limit),
            after(f.after_promised),
            after(f.after_contact_person),
            after(f.after_heads),
            format!("{:.2}", f.mean_steps).replace('.', ","),
            format!("{} av {}", f.promised_kept, f.promised),
        ]
    };
    let mut text = in_columns(&names, &figures.iter().map(row).collect::<Vec<_>>());
    if let Some(first) = figures.first() {
        text += &format!(
            "\navslutade {} till {} (closed from, to)",
            first.from, first.to
        );
        text += &super::footing(&first.definition, first.as_of);
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0).replace('.', ",")
}

fn after(closed: ClosedAfter) -> String {
    match closed.cases {
        0 => "0".to_owned(),
        cases => format!("{cases} ({})", percent(closed.share)),
    }
}
