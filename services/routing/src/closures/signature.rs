//! Signatures of webhooks, as standardwebhooks.com has them: HMAC-SHA256 over `id.timestamp.body`.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// A message may be so old when it comes, or so far ahead.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// What a secret begins with when it is shown.
const PREFIX: &str = "whsec_";
/// Signatures looked at in one header; a sender that changes its secret sends two.
const MOST: usize = 8;

/// What a message is signed with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// As its owner is given it.
    pub(super) fn shown(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

/// Why a message is not taken for its sender's. None of it depends on whether the department exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// A header is missing or not as it must be.
    Header(&'static str),
    /// It was signed too long ago, or in the future.
    Time,
    /// No signature is right.
    Signature,
}

/// The headers of a signed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// `id.timestamp.`
    said: String,
    signatures: Vec<Vec<u8>>,
}

impl Signed {
    /// Reads the headers, and looks whether the message is of now.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Result<Self, Doubt> {
        let id = header(headers, "webhook-id")?;
        let timestamp = header(headers, "webhook-timestamp")?;
        let signatures = header(headers, "webhook-signature")?;
        let at: i64 = timestamp
            .parse()
            .map_err(|_| Doubt::Header("webhook-timestamp"))?;
        let at = Timestamp::from_second(at).map_err(|_| Doubt::Time)?;
        if at.duration_since(now).abs() > TOLERANCE {
            return Err(Doubt::Time);
        }
        Ok(Self {
            said: format!("{id}.{timestamp}."),
            // Other versions are others' to check.
            signatures: signatures
                .split(' ')
                .take(MOST)
                .filter_map(|s| STANDARD.decode(s.strip_prefix("v1,")?).ok())
                .collect(),
        })
    }

    /// Whether one of the signatures was made with one of `secrets`.
    pub(super) fn verify(&self, body: &[u8], secrets: &[Secret]) -> Result<(), Doubt> {
        // Without a secret one is made up, so that the time taken does not tell which departments have one.
        let none = [Secret(vec![0; 32])];
        let (secrets, known) = match secrets {
            [] => (&none[..], false),
            some => (some, true),
        };
        let mut right = false;
        for secret in secrets {
            for signature in &self.signatures {
                // In constant time.
                right |= mac(secret, &self.said, body)
                    .verify_slice(signature)
                    .is_ok();
            }
        }
        if right && known {
            Ok(())
        } else {
            Err(Doubt::Signature)
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Doubt> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .ok_or(Doubt::Header(name))
}

fn mac(secret: &Secret, said: &str, body: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("any length");
    mac.update(said.as_bytes());
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own reference implementations.
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret() -> Secret {
        Secret(STANDARD.decode(SECRET).unwrap())
    }

    fn headers(id: &str, at: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", at.parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    fn check(headers: &HeaderMap, body: &[u8], secrets: &[Secret]) -> Result<(), Doubt> {
        let now = Timestamp::from_second(AT).unwrap();
        Signed::read(headers, now)?.verify(body, secrets)
    }

    #[test]
    fn the_standards_example_is_right_and_anything_altered_is_not() {
        let at = AT.to_string();
        let good = headers(ID, &at, SIGNATURE);
        assert_eq!(check(&good, BODY, &[secret()]), Ok(()));
        let other = Secret(vec![1; 24]);
        assert_eq!(check(&good, BODY, &[other.clone(), secret()]), Ok(()));
        assert_eq!(check(&good, BODY, &[other]), Err(Doubt::Signature));
        assert_eq!(check(&good, BODY, &[]), Err(Doubt::Signature));
        assert_eq!(check(&good, b"{}", &[secret()]), Err(Doubt::Signature));
        for altered in [
            headers("msg_2", &at, SIGNATURE),
            headers(ID, &(AT + 1).to_string(), SIGNATURE),
            headers(ID, &at, "v1,AAAA"),
            headers(ID, &at, "v1"),
            headers(ID, &at, &SIGNATURE.replace("v1,", "v1a,")),
        ] {
            let checked = check(&altered, BODY, &[secret()]);
            assert_eq!(checked, Err(Doubt::Signature), "{altered:?}");
        }
    }

    #[test]
    fn a_secret_that_nobody_has_signs_nothing() {
        let none = mac(&Secret(vec![0; 32]), &format!("{ID}.{AT}."), BODY);
        let signature = format!("v1,{}", STANDARD.encode(none.finalize().into_bytes()));
        let made_up = headers(ID, &AT.to_string(), &signature);
        assert_eq!(check(&made_up, BODY, &[]), Err(Doubt::Signature));
    }

    #[test]
    fn one_right_signature_of_several_is_enough() {
        let several = format!("v2,AAAA v1,AAAA {SIGNATURE}");
        let headers = headers(ID, &AT.to_string(), &several);
        assert_eq!(check(&headers, BODY, &[secret()]), Ok(()));
    }

    #[test]
    fn a_message_is_good_for_five_minutes() {
        for (seconds, good) in [(300, true), (301, false), (-300, true), (-301, false)] {
            let now = Timestamp::from_second(AT + seconds).unwrap();
            let read = Signed::read(&headers(ID, &AT.to_string(), SIGNATURE), now);
            assert_eq!(read.is_ok(), good, "{seconds}");
            assert!(good || read == Err(Doubt::Time));
        }
        for at in ["soon", "", "1e9"] {
            let read = Signed::read(&headers(ID, at, SIGNATURE), Timestamp::UNIX_EPOCH);
            assert_eq!(read, Err(Doubt::Header("webhook-timestamp")), "{at}");
        }
        let mut without = headers(ID, &AT.to_string(), SIGNATURE);
        without.remove("webhook-id");
        let read = Signed::read(&without, Timestamp::UNIX_EPOCH);
        assert_eq!(read, Err(Doubt::Header("webhook-id")));
    }
}
