//! What ARCHITECTURE.md says always holds, as far as the text of the code can tell.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use domain::{
    Bounce, CaseEvent, CaseOutcome, CaseWhat, Channel, ClosedBy, Closing, ContactEvent, ContactId,
    ContactWhat, Event, FollowUpStep, Forwarding, PauseReason, Promise, StepTaken, Stream,
    TurnedAway, Words,
};
use uuid::Uuid;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names under `[dependencies]` of a package.
fn dependencies(package: &str) -> anyhow::Result<BTreeSet<String>> {
    let text = fs::read_to_string(root().join(package).join("Cargo.toml"))?;
    let section = text
        .split("[dependencies]")
        .nth(1)
        .context("dependencies")?;
    let section = section.split("\n[").next().unwrap_or(section);
    let name = |line: &str| line.split(['.', ' ', '=']).next().unwrap_or("").to_owned();
    Ok(section
        .lines()
        .map(name)
        .filter(|n| !n.is_empty())
        .collect())
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn services_know_the_platform_and_not_each_other() -> anyhow::Result<()> {
    let services = ["intake", "routing", "reminder", "metrics", "wallboard"];
    for service in services {
        let known = dependencies(&format!("services/{service}"))?;
        assert!(
            known.contains("platform"),
            "{service} stands on the platform"
        );
        for other in services {
            assert!(
                !known.contains(other),
                "{service} must reach {other} over the bus only"
            );
        }
    }
    Ok(())
}

#[test]
fn the_domain_does_no_io() -> anyhow::Result<()> {
    let known = dependencies("shared/domain")?;
    for io in [
        "tokio",
        "sqlx",
        "async-nats",
        "axum",
        "reqwest",
        "platform",
        "embedded",
        "tracing",
    ] {
        assert!(!known.contains(io), "the domain must not know {io}");
    }
    let platform = dependencies("shared/platform")?;
    for service in ["intake", "reminder", "metrics", "wallboard", "embedded"] {
        assert!(
            !platform.contains(service),
            "the platform must not know {service}"
        );
    }
    Ok(())
}

#[test]
fn a_service_speaks_sql_in_its_store_only() -> anyhow::Result<()> {
    for service in ["intake", "reminder", "metrics", "wallboard"] {
        let mut files = Vec::new();
        sources(
            &root().join("services").join(service).join("src"),
            &mut files,
        )?;
        for file in files {
            let store =
                file.components().any(|c| c.as_os_str() == "store") || file.ends_with("store.rs");
            let text = fs::read_to_string(&file)?;
            assert!(
                store || !text.contains("sqlx::query"),
                "{} holds SQL outside a store",
                file.display()
            );
        }
    }
    Ok(())
}

#[test]
fn there_is_one_version_of_what_must_move_together() -> anyhow::Result<()> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    for name in [
        "tracing",
        "tracing-core",
        "tracing-opentelemetry",
        "opentelemetry",
        "opentelemetry_sdk",
        "opentelemetry-otlp",
    ] {
        let versions = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(
            versions, 1,
            "two versions of {name} in one tree break traces silently"
        );
    }
    Ok(())
}

/// NATS' rule for `*`: exactly one token.
fn covers(pattern: &str, subject: &str) -> bool {
    let (pattern, subject): (Vec<_>, Vec<_>) =
        (pattern.split('.').collect(), subject.split('.').collect());
    pattern.len() == subject.len()
        && pattern
            .iter()
            .zip(&subject)
            .all(|(p, s)| *p == "*" || p == s)
}

#[test]
fn every_subject_is_covered_by_the_stream_of_its_event() -> anyhow::Result<()> {
    let at = "2021-02-01T08:00:00Z".parse()?;
    let happenings = [
        ContactWhat::Queued,
        ContactWhat::Answered { waited_s: None },
        ContactWhat::Abandoned { waited_s: None },
        ContactWhat::TurnedAway {
            reason: TurnedAway::TimedOut,
            waited_s: None,
        },
        ContactWhat::Ended,
        ContactWhat::Lost,
    ];
    for channel in Channel::ALL {
        for what in &happenings {
            let contact = ContactId(Uuid::nil());
            let queue = "vaxel".parse()?;
            let event = ContactEvent {
                contact,
                at,
                channel,
                queue,
                department: None,
                what: what.clone(),
            };
            assert!(
                covers(Stream::Contacts.subjects(), &event.subject()),
                "{}",
                event.subject()
            );
        }
    }
    let step_taken = StepTaken {
        step: FollowUpStep::Share,
        to: FollowUpStep::Share.to().to_vec(),
        group: "handlaggare".parse()?,
        due: at,
        reason: Words {
            swedish: String::new(),
            english: String::new(),
        },
    };
    for what in [
        CaseWhat::Resolved,
        CaseWhat::RepeatContact,
        CaseWhat::ForwardRequested { guide: None },
        CaseWhat::Forwarded(Forwarding {
            case_type: "bygglov".parse()?,
            group: "handlaggare".parse()?,
            agreement: Some(1),
            rule: "bygg/bygglov".to_owned(),
            registered_at: at,
            centre_working_s: Some(7_200),
            due: None,
            guide: None,
            imported: false,
            historical: None,
        }),
        CaseWhat::Taken,
        CaseWhat::Promised(Promise {
            promised: at,
            due: None,
        }),
        CaseWhat::Reminded(step_taken.clone()),
        CaseWhat::Overdue(step_taken.clone()),
        CaseWhat::Escalated(step_taken),
        CaseWhat::Paused {
            reason: PauseReason::Date,
            until: at,
        },
        CaseWhat::Resumed { due: None },
        CaseWhat::Bounced(Bounce {
            case_type: "bygglov".parse()?,
            rule: "bygg/bygglov".to_owned(),
            belongs_to: None,
        }),
        CaseWhat::Closed(Closing {
            outcome: CaseOutcome::Done,
            by: ClosedBy::Page,
            working_s: None,
        }),
    ] {
        let event = CaseEvent {
            case: domain::CaseId(Uuid::nil()),
            at,
            department: "bygg".parse()?,
            what,
        };
        assert!(
            covers(Stream::Cases.subjects(), &event.subject()),
            "{}",
            event.subject()
        );
    }
    Ok(())
}
