//! `kommunlots figures forwarded` as a table.

use metrics::{CasesBy, ForwardedFigures};

use super::in_columns;

const COLUMNS: [[&str; 2]; 5] = [
    ["vidareskickade", "forwarded"],
    ["avslutade", "closed"],
    ["varav för sent", "of which late"],
    ["öppna", "open"],
    ["varav försenade", "of which overdue"],
];

pub(super) fn table(figures: &[ForwardedFigures], by: Option<CasesBy>) -> String {
    let names = [&[super::key(by)], &COLUMNS[..]].concat();
    let row = |f: &ForwardedFigures| {
        let numbers = [
            f.forwarded,
            f.closed,
            f.closed_overdue,
            f.open,
            f.open_overdue,
        ];
        let mut row = vec![f.key.clone()];
        row.extend(numbers.map(|n| n.to_string()));
        row
    };
    let mut text = in_columns(&names, &figures.iter().map(row).collect::<Vec<_>>());
    if let Some(first) = figures.first() {
        text += &super::footing(&first.definition, first.as_of);
    }
    text
}
