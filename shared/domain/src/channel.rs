//! The channels a contact can come in on.

use serde::{Deserialize, Serialize};

/// How a contact reached the municipality (brief word: *kanal*). A closed set, so it may be a metrics label.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Telefon.
    Phone,
    /// E-post.
    Email,
    /// Besök.
    Visit,
    /// Webbformulär.
    WebForm,
    /// E-tjänst.
    EService,
    /// Sociala medier.
    Social,
    /// Brev.
    Letter,
}

impl Channel {
    /// Every channel, in the order in which screens list them.
    pub const ALL: [Channel; 7] = [
        Self::Phone,
        Self::Email,
        Self::Visit,
        Self::WebForm,
        Self::EService,
        Self::Social,
        Self::Letter,
    ];

    /// The name in subjects, labels and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Visit => "visit",
            Self::WebForm => "web_form",
            Self::EService => "e_service",
            Self::Social => "social",
            Self::Letter => "letter",
        }
    }

    /// Whether somebody stands or hangs on while waiting. Such a wait cannot outlast the day it began.
    pub fn waits_in_person(self) -> bool {
        matches!(self, Self::Phone | Self::Visit)
    }
}

impl std::str::FromStr for Channel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|c| c.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "must be one of {}",
                    Self::ALL.map(Channel::as_str).join(", ")
                )
            })
    }
}
