//! The frame of every page, and its small parts: Swedish with English beside, symbols, times.

use std::sync::LazyLock;

use domain::Words;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest, Sha256};

use crate::forward::local;

/// The style sheet.
pub(crate) const STYLE: &str = include_str!("../style.css");

/// Where the style sheet is. A changed one has another address, so that it can be kept for as long as one likes.
pub(crate) fn style_address() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| {
        let hash = Sha256::digest(STYLE.as_bytes());
        let hash: String = hash.iter().take(6).map(|b| format!("{b:02x}")).collect();
        format!("/routing/case.css?{hash}")
    });
    &ADDRESS
}

/// A whole page.
pub(super) fn document(title: &str, municipality: Option<&str>, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="sv" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href=(style_address());
                // Without it a browser asks for one that it may not have.
                link rel="icon" href="data:,";
            }
            body {
                header {
                    p.place {
                        (symbol(Symbol::Mark))
                        span {
                            b { (municipality.unwrap_or("Kontaktcenter")) }
                            " " (both("Ärende för handläggare", "Case for officers"))
                        }
                    }
                }
                main { (main) }
            }
        }
    }
}

/// The same in Swedish and in English.
pub(super) fn both(swedish: &str, english: &str) -> Markup {
    html! { (swedish) " " span.en lang="en" { (english) } }
}

/// The same of words that were made elsewhere.
pub(super) fn words(words: &Words) -> Markup {
    both(&words.swedish, &words.english)
}

/// Words that begin a sentence.
pub(super) fn sentence(words: &Words) -> Words {
    let capital = |text: &str| {
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    };
    Words {
        swedish: capital(&words.swedish) + ".",
        english: capital(&words.english) + ".",
    }
}

/// A time, as people in Sweden write it.
pub(super) fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (local(at)) } }
}

/// A symbol beside words that say the same.
#[derive(Debug, Clone, Copy)]
pub(super) enum Symbol {
    Mark,
    Open,
    Taken,
    Paused,
    Closed,
    Late,
    Urgent,
    Lock,
    Done,
    Wrong,
}

/// Draws a symbol. It is hidden from who has it read aloud: the words say it.
pub(super) fn symbol(symbol: Symbol) -> Markup {
    let (filled, lines) = match symbol {
        Symbol::Mark => ("M4 4h16v12H9l-5 4z", ""),
        Symbol::Open => ("", "M12 4a8 8 0 1 0 .01 0z"),
        Symbol::Taken => ("M12 7a5 5 0 1 0 .01 0z", "M12 3a9 9 0 1 0 .01 0z"),
        Symbol::Paused => ("M6 4h4v16H6zM14 4h4v16h-4z", ""),
        Symbol::Closed | Symbol::Done => ("", "M4 13l5 5L20 6"),
        Symbol::Late => ("", "M12 3a9 9 0 1 0 .01 0zM12 7v5l4 3"),
        Symbol::Urgent => ("M11 16.5h2v2.5h-2z", "M12 5v9"),
        Symbol::Wrong => ("M11 15.5h2v2h-2z", "M12 3a9 9 0 1 0 .01 0zM12 7.5v5.5"),
        Symbol::Lock => ("M5 11h14v9H5z", "M8 11V8a4 4 0 0 1 8 0v3"),
    };
    html! {
        svg.symbol viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            @if !filled.is_empty() { path d=(filled) {} }
            @if !lines.is_empty() { path.line d=(lines) {} }
        }
    }
}
