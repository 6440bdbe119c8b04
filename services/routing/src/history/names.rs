//! Labels made from an older system's names.

use domain::{CaseType, GroupId, HistoricalName};
use uuid::Uuid;

/// A label's most bytes.
const MOST: usize = 32;

/// A case type: the name itself where it is a label already.
pub(super) fn case_type(name: &str) -> CaseType {
    label(name)
}

/// A group that stands for a queue.
pub(super) fn group(queue: &HistoricalName) -> GroupId {
    label(queue.as_str())
}

fn label<L: std::str::FromStr>(name: &str) -> L
where
    L::Err: std::fmt::Debug,
{
    slug(name)
        .parse()
        .expect("a slug is 1 to 32 of a-z, 0-9 and -")
}

/// 1-32 of `a-z`, `0-9`, `-`, as like `name` as can be. What has to be cut short ends in letters made from the whole, so that
/// names which differ in their ends stay apart.
fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            Some(letter) => slug.push(letter),
            None if slug.ends_with('-') || slug.is_empty() => {}
            None => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if (1..=MOST).contains(&slug.len()) {
        return slug.to_owned();
    }
    let whole = Uuid::new_v5(&Uuid::nil(), name.as_bytes())
        .simple()
        .to_string();
    let end = &whole[..6];
    let start = &slug[..slug.len().min(MOST - 7)];
    format!("{start}-{end}").trim_start_matches('-').to_owned()
}

/// The letter without its marks, if it then is one that labels have.
fn plain(letter: char) -> Option<char> {
    match letter {
        'a'..='z' | '0'..='9' => Some(letter),
        'å' | 'ä' | 'á' | 'à' | 'æ' => Some('a'),
        'ö' | 'ø' | 'ó' => Some('o'),
        'é' | 'è' | 'ë' => Some('e'),
        'ü' => Some('u'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels_that_can_be_recognised() {
        assert_eq!(slug("bygglov"), "bygglov");
        assert_eq!(
            slug("Heat - Excessive  Insufficient"),
            "heat-excessive-insufficient"
        );
        assert_eq!(slug("PARK_Tree in Park"), "park-tree-in-park");
        assert_eq!(slug("Misc. Snow Complaint"), "misc-snow-complaint");
        assert_eq!(slug("Felanmälan gatubelysning"), "felanmalan-gatubelysning");
        assert_eq!(slug("(okänd)"), "okand");
    }

    #[test]
    fn every_name_has_a_label_and_long_ones_stay_apart() {
        let electric = slug("No Utilities - Food Establishment - Electricity");
        let water = slug("No Utilities - Food Establishment - Water");
        assert_ne!(electric, water);
        assert!(electric.starts_with("no-utilities-food"), "{electric}");
        for name in [
            "",
            "!",
            "日本",
            "----------------------------------------x",
            &"å".repeat(200),
        ] {
            assert!(
                slug(name).parse::<CaseType>().is_ok(),
                "{name}: {}",
                slug(name)
            );
        }
        assert_ne!(slug("日本"), slug("中国"));
    }
}
