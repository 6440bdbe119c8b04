//! Figures of follow-up, against figures worked out here from random histories.

use std::collections::BTreeMap;

use anyhow::Context;
use domain::{CaseEvent, CaseId, CaseWhat, FollowUpStep, Forwarding, PauseReason, Promise};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    figures_forwarded::{Dice, reached, rows},
    figures_forwarded_fold::{START, closed, facts, forwarded},
    forwarded_told::{Centre, followed_up},
};

const DEPARTMENTS: [&str; 3] = ["bygg", "skola", "miljo"];

/// The lives of some cases: forwarded, followed up, promised, paused, closed, opened anew.
fn lives(dice: &mut Dice, cases: u64) -> anyhow::Result<Vec<CaseEvent>> {
    let mut events = Vec::new();
    for case in 0..cases {
        let mut at = Timestamp::from_second(START - 200_000 + dice.below(400_000).cast_signed())?;
        let mut department = DEPARTMENTS[usize::try_from(dice.below(3))?];
        for nth in 0..2 + dice.below(9) {
            at += SignedDuration::from_secs(1 + dice.below(40_000).cast_signed());
            let soon = at + SignedDuration::from_secs(dice.below(150_000).cast_signed());
            let due = (dice.below(8) > 0).then_some(soon);
            let what = match if nth == 0 { 0 } else { dice.below(14) } {
                0 | 1 => {
                    department = DEPARTMENTS[usize::try_from(dice.below(3))?];
                    let CaseWhat::Forwarded(plain) = forwarded(None, dice.below(6) == 0)? else {
                        anyhow::bail!("a forwarding");
                    };
                    let group = ["handlaggare", "registrator"][usize::try_from(dice.below(2))?];
                    CaseWhat::Forwarded(Forwarding {
                        group: group.parse()?,
                        due,
                        ..plain
                    })
                }
                2 => CaseWhat::Paused {
                    reason: PauseReason::Date,
                    until: soon,
                },
                3 => CaseWhat::Resumed { due },
                4 => CaseWhat::Promised(Promise {
                    promised: soon,
                    due,
                }),
                5..=10 => {
                    let step = FollowUpStep::ALL[usize::try_from(dice.below(5))?];
                    let mut what = followed_up(step, soon)?;
                    // Told when a later step was due as well: nobody was told of the limit.
                    if let CaseWhat::Overdue(taken) = &mut what
                        && dice.below(2) == 0
                    {
                        taken.to.clear();
                    }
                    what
                }
                _ => closed(None),
            };
            // Now and then reminder has not heard yet that the case went elsewhere.
            let strayed = is_reminders(&what) && dice.below(8) == 0;
            events.push(CaseEvent {
                case: CaseId(Uuid::from_u128(case.into())),
                at,
                department: if strayed { "vard" } else { department }.parse()?,
                what,
            });
        }
    }
    Ok(events)
}

fn is_reminders(what: &CaseWhat) -> bool {
    matches!(
        what,
        CaseWhat::Reminded(_) | CaseWhat::Overdue(_) | CaseWhat::Escalated(_)
    )
}

/// Where a case is, as far as follow-up goes.
#[derive(Clone, Default)]
struct Held {
    department: String,
    queue: String,
    imported: bool,
    due: Option<Timestamp>,
    /// While it is paused: whether it was late before.
    paused: Option<bool>,
    steps: Vec<FollowUpStep>,
    promised: Option<Timestamp>,
    /// When, and whether in time.
    closed: Option<(Timestamp, bool)>,
}

/// One case after these events, first to last.
fn walk<'a>(events: impl Iterator<Item = &'a CaseEvent>) -> Held {
    let mut held = Held::default();
    for event in events {
        let at = event.at;
        let late = |due: Option<Timestamp>| due.is_some_and(|due| at > due);
        match &event.what {
            CaseWhat::Forwarded(forwarding) => {
                held = Held {
                    department: event.department.to_string(),
                    queue: facts([event]).spans()[0].queue.clone(),
                    imported: forwarding.imported,
                    due: forwarding.due,
                    ..Held::default()
                }
            }
            _ if held.closed.is_some() => {}
            CaseWhat::Paused { .. } => {
                held.paused = held.paused.or(Some(late(held.due)));
            }
            CaseWhat::Resumed { due } => (held.paused, held.due) = (None, *due),
            CaseWhat::Promised(promise) => held.promised = Some(promise.promised),
            CaseWhat::Reminded(s) | CaseWhat::Overdue(s) | CaseWhat::Escalated(s) => {
                let here = event.department.as_str() == held.department;
                if here && !s.to.is_empty() && !held.steps.contains(&s.step) {
                    held.steps.push(s.step);
                }
            }
            CaseWhat::Closed(_) => {
                let late = held.paused.unwrap_or_else(|| late(held.due));
                held.closed = Some((at, !late));
            }
            _ => {}
        }
    }
    held
}

/// The figures from scratch, by department or queue.
fn from_scratch(
    events: &[CaseEvent],
    (from, to): (&str, &str),
    as_of: Timestamp,
    by: &str,
) -> BTreeMap<String, Value> {
    let mut cases: BTreeMap<CaseId, Vec<&CaseEvent>> = BTreeMap::new();
    for event in events.iter().filter(|e| e.at <= as_of) {
        cases.entry(event.case).or_default().push(event);
    }
    let mut keys: BTreeMap<String, Vec<Held>> = BTreeMap::new();
    for mut events in cases.into_values() {
        events.sort_by_key(|e| e.at);
        let held = walk(events.into_iter());
        let Some((at, _)) = held.closed.filter(|_| !held.imported) else {
            continue;
        };
        if (from..=to).contains(&domain::local_day(at).to_string().as_str()) {
            let key = match by {
                "department" => held.department.clone(),
                "queue" => held.queue.clone(),
                _ => "all".to_owned(),
            };
            keys.entry(key).or_default().push(held);
        }
    }
    keys.into_iter()
        .map(|(key, held)| (key, figures(&held)))
        .collect()
}

fn figures(closed: &[Held]) -> Value {
    let count = |of: &dyn Fn(&Held) -> bool| closed.iter().filter(|h| of(h)).count();
    let rounded = |part: usize, whole: usize, decimals: i32| {
        let scale = 10_f64.powi(decimals);
        (part as f64 / whole as f64 * scale).round_ties_even() / scale
    };
    let after = |step: Option<FollowUpStep>| {
        let cases = count(&|h| h.steps.last().copied() == step);
        json!({ "cases": cases, "share": rounded(cases, closed.len(), 6) })
    };
    let limited = count(&|h| h.due.is_some());
    let within = count(&|h| h.due.is_some() && h.closed.is_some_and(|(_, in_time)| in_time));
    let steps = closed.iter().map(|h| h.steps.len()).sum();
    json!({
        "closed": closed.len(), "limited": limited, "closed_within_limit": within,
        "share_within_limit": (limited > 0).then(|| rounded(within, limited, 6)),
        "mean_steps": rounded(steps, closed.len(), 3),
        "after_no_step": after(None),
        "after_share": after(Some(FollowUpStep::Share)),
        "after_limit": after(Some(FollowUpStep::Limit)),
        "after_promised": after(Some(FollowUpStep::Promised)),
        "after_contact_person": after(Some(FollowUpStep::ContactPerson)),
        "after_heads": after(Some(FollowUpStep::Heads)),
        "promised": count(&|h| h.promised.is_some()),
        "promised_kept": count(&|h| h.promised.zip(h.closed).is_some_and(|(day, (at, _))| at <= day)),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_follow_up_are_those_from_scratch_at_any_instant() -> anyhow::Result<()> {
    let centre = Centre::start().await?;
    let api = centre.api();
    let mut dice = Dice(11);
    let events = lives(&mut dice, 160)?;
    // Reminder's are told before routing's, both out of order, and some of them again.
    let (mut reminder, mut routing): (Vec<_>, Vec<_>) = events
        .iter()
        .cloned()
        .partition(|event| is_reminders(&event.what));
    for (service, told) in [("reminder", &mut reminder), ("routing", &mut routing)] {
        told.extend_from_within(..told.len() / 3);
        dice.shuffle(told);
        let source = format!("{service}-2/CASES");
        centre.tell(service, (&source, 1), told).await?;
        reached(&api, &source, told.len()).await?;
    }

    let period = ("2021-01-31", "2021-02-04");
    let mut seen = BTreeMap::new();
    for as_of in [
        "2021-02-01T12:00:00Z",
        "2021-02-02T23:00:00Z",
        "2021-02-05T10:00:00Z",
        "2023-01-01T00:00:00Z",
    ] {
        for by in ["department", "queue", "all"] {
            let broken_down = match by {
                "all" => String::new(),
                by => format!("&by={by}"),
            };
            let path = format!(
                "/figures/followup?from={}&to={}{broken_down}&as_of={as_of}",
                period.0, period.1
            );
            let mut found = BTreeMap::new();
            for mut row in rows(&api, &path).await? {
                let row = row.as_object_mut().context("an object")?;
                let mut cut = |name: &str| row.remove(name).context("a field");
                assert_eq!(cut("definition")?, "followup/v1");
                assert_eq!(cut("as_of")?, as_of);
                assert_eq!(
                    (cut("from")?, cut("to")?),
                    (json!(period.0), json!(period.1))
                );
                let key = cut("key")?.as_str().context("a key")?.to_owned();
                for (name, figure) in &*row {
                    let some = figure["cases"].as_u64().or(figure.as_u64());
                    *seen.entry(name.clone()).or_insert(0) += some.unwrap_or(0);
                }
                found.insert(key, Value::Object(row.clone()));
            }
            let expected = from_scratch(&events, period, as_of.parse()?, by);
            assert_eq!(found, expected, "{path}");
        }
    }
    // None of the counts was nothing all the time.
    let shares = ["share_within_limit", "mean_steps"];
    for (name, count) in seen {
        assert!(count > 0 || shares.contains(&&*name), "{name} was always 0");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_wrongly_is_told() -> anyhow::Result<()> {
    let centre = Centre::start().await?;
    let api = centre.api();
    for (query, field) in [
        ("from=2021-02-01", "to"),
        ("from=2021-02-02&to=2021-02-01", "to"),
        ("from=2021-02-01&to=9999-12-31", "to"),
        ("from=2021-02-01&to=2021-02-01&by=step", "by"),
        ("from=2021-02-01&to=2021-02-01&as_of=nu", "as_of"),
        ("from=2021-02-01&to=2021-02-01&step=heads", "step"),
    ] {
        let path = format!("/figures/followup?{query}");
        let (status, problem) = api.problem(Method::GET, &path, &[], "").await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
    // Nothing is known of nothing.
    let none = rows(&api, "/figures/followup?from=2021-02-01&to=2021-02-28").await?;
    assert_eq!(none, Vec::<Value>::new());
    Ok(())
}
