//! Short names that may travel on the bus. Parsed once at the edge, carried as types inwards.

use serde::{Deserialize, Serialize};

/// Why a text is no such label, in words for the one who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidLabel(&'static str);

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The label as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidLabel;
            fn try_from(text: String) -> Result<Self, InvalidLabel> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(InvalidLabel($rule)) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidLabel;
            fn from_str(text: &str) -> Result<Self, InvalidLabel> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(label: $name) -> String {
                label.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // With the width that tables ask for.
                f.pad(&self.0)
            }
        }
    };
}

fn token(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A token that is no number of a citizen's, by telephone or by birth.
fn pseudonym(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number = digits >= 7 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    token(text) && !number
}

/// A name that somebody outside has given, short and without a citizen's number.
fn name(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number = digits >= 7
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+- ".contains(&b));
    (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control) && !number
}

label!(
    /// A department (*förvaltning*), as it stands in subjects: 1-32 of `a-z`, `0-9`, `-`.
    Department,
    "must be 1 to 32 characters of a-z, 0-9 and -, such as `bygg`",
    token
);
label!(
    /// A secrecy zone (*sekretessområde*): 1-32 of `a-z`, `0-9`, `-`.
    Zone,
    "must be 1 to 32 characters of a-z, 0-9 and -, such as `social-sekretess`",
    token
);
label!(
    /// A case type (*ärendetyp*) as the agreements name it: 1-32 of `a-z`, `0-9`, `-`.
    CaseType,
    "must be 1 to 32 characters of a-z, 0-9 and -, such as `bygglov`",
    token
);
label!(
    /// A group at a department that gets forwarded cases, as the agreements name it: 1-32 of `a-z`, `0-9`, `-`.
    GroupId,
    "must be 1 to 32 characters of a-z, 0-9 and -, such as `handlaggare`",
    token
);
label!(
    /// A guide (*kommunvägledare*), by a pseudonym that the centre chooses: 1-32 of `a-z`, `0-9`, `-`, not only digits of a
    /// telephone or personal identity number's length. It travels on the bus, so it must not be a name; who is behind it is
    /// known at the centre alone.
    Guide,
    "must be 1 to 32 characters of a-z, 0-9 and -, such as `v07`; not a name, and not a telephone or personal identity number",
    pseudonym
);
label!(
    /// A queue as the PBX or the mail system names it: 1-64 characters, no control characters, not only digits of a
    /// telephone number's length (a queue's name reaches the bus, a citizen's number must not).
    QueueName,
    "must be 1 to 64 characters without control characters, and not a telephone number",
    name
);
label!(
    /// What an older system called a department or a queue, as its export has it, such as `ISD`: 1-64 characters, no
    /// control characters, not only digits of a telephone number's length. It is told on the bus, but is never part of
    /// a subject.
    HistoricalName,
    "must be 1 to 64 characters without control characters, and not a telephone number",
    name
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn departments_are_subject_tokens() {
        for good in ["bygg", "miljo-2", "a"] {
            assert!(good.parse::<Department>().is_ok(), "{good}");
        }
        for bad in ["", "Bygg", "miljö", "a.b", "a b", "*", ">"] {
            assert!(bad.parse::<Department>().is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_stand_in_columns() {
        let label: Department = "bygg".parse().unwrap();
        assert_eq!(
            format!("{label:<6}|{label:>6}|{label}"),
            "bygg  |  bygg|bygg"
        );
    }

    #[test]
    fn a_guide_is_not_a_number_of_anybodys() {
        for good in ["v07", "17", "natt-2", "vagledare-1234567"] {
            assert!(good.parse::<Guide>().is_ok(), "{good}");
        }
        for bad in ["V07", "19900102-1234", "199001021234", "070-1740605", ""] {
            assert!(bad.parse::<Guide>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_queue_is_not_a_telephone_number() {
        for good in ["vaxel", "8000", "MYQUEUE", "Kö 1"] {
            assert!(good.parse::<QueueName>().is_ok(), "{good}");
        }
        for bad in ["0701740605", "+46 70 174 06 05", "a\nb", ""] {
            assert!(bad.parse::<QueueName>().is_err(), "{bad}");
        }
    }
}
