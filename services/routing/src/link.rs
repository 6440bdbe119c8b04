//! Links to a case: signed, of limited life, good for one forwarding of one case.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::CaseId;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use uuid::Uuid;

/// How long a link works. A case that is open for longer gets a new one with each reminder.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// What links are signed with.
#[derive(Clone)]
pub(crate) struct LinkKey(pub(crate) Vec<u8>);

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(..)")
    }
}

/// What a link says, and the signature vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) case: CaseId,
    /// The forwarding it is good for: once the case goes elsewhere, or is opened anew, it is not.
    pub(crate) turn: i32,
    pub(crate) expires: Timestamp,
}

/// Why a link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadLink {
    /// It was not made here, or has been altered.
    Forged,
    /// Its time is over.
    Expired,
}

const SIGNED: usize = 16 + 4 + 8;

impl Link {
    /// The text that stands in the address: 80 characters.
    pub(crate) fn sign(&self, key: &LinkKey) -> String {
        let mut bytes = self.bytes().to_vec();
        bytes.extend(mac(key, &bytes).finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a link.
    pub(crate) fn verify(text: &str, key: &LinkKey, now: Timestamp) -> Result<Self, BadLink> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadLink::Forged)?;
        let (said, signature) = bytes.split_at_checked(SIGNED).ok_or(BadLink::Forged)?;
        mac(key, said)
            .verify_slice(signature)
            .map_err(|_| BadLink::Forged)?;
        let link = Self::read(said).ok_or(BadLink::Forged)?;
        if link.expires <= now {
            return Err(BadLink::Expired);
        }
        Ok(link)
    }

    fn bytes(&self) -> [u8; SIGNED] {
        let mut bytes = [0; SIGNED];
        bytes[..16].copy_from_slice(self.case.0.as_bytes());
        bytes[16..20].copy_from_slice(&self.turn.to_be_bytes());
        bytes[20..].copy_from_slice(&self.expires.as_second().to_be_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let case = Uuid::from_slice(bytes.get(..16)?).ok()?;
        let turn = i32::from_be_bytes(bytes.get(16..20)?.try_into().ok()?);
        let expires = i64::from_be_bytes(bytes.get(20..28)?.try_into().ok()?);
        Some(Self {
            case: CaseId(case),
            turn,
            expires: Timestamp::from_second(expires).ok()?,
        })
    }
}

fn mac(key: &LinkKey, bytes: &[u8]) -> Hmac<Sha256> {
    // Keys of any length will do.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("any length");
    mac.update(b"kommunlots case link");
    mac.update(bytes);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_link_itself_works_and_only_for_its_time() {
        let key = LinkKey(vec![7; 32]);
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let link = Link {
            case: CaseId(Uuid::from_u128(9)),
            turn: 2,
            expires: at("2027-01-02T00:00:00Z"),
        };
        let text = link.sign(&key);
        let now = at("2027-01-01T00:00:00Z");
        assert_eq!(Link::verify(&text, &key, now), Ok(link));
        assert_eq!(
            Link::verify(&text, &key, link.expires),
            Err(BadLink::Expired)
        );
        let other = LinkKey(vec![8; 32]);
        assert_eq!(Link::verify(&text, &other, now), Err(BadLink::Forged));
        for place in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(
                Link::verify(&altered, &key, now) == Err(BadLink::Forged) || altered == text,
                "{place}"
            );
        }
        for text in ["", "A", "!", &text[1..], &format!("{text}A")] {
            assert_eq!(
                Link::verify(text, &key, now),
                Err(BadLink::Forged),
                "{text}"
            );
        }
    }
}
