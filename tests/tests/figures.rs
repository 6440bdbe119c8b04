//! Figures: what comes in is counted, once, under the right day.

use std::collections::BTreeMap;

use domain::{
    Channel, ContactEvent, ContactFacts, ContactId, ContactSums, ContactWhat, TurnedAway,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Api, Product, contact};

#[tokio::test]
async fn a_late_doubled_and_reordered_event_ends_in_the_same_figures() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let answered = contact("1", "answered", "2021-02-01T08:00:20Z");
    let queued = contact("1", "queued", "2021-02-01T08:00:00Z");
    let hung_up = contact("2", "abandoned", "2021-02-01T09:00:10Z");
    let came = contact("2", "queued", "2021-02-01T09:00:00Z");
    // The end before the beginning, each in a request of its own, and all of it twice.
    for event in [
        &answered, &hung_up, &queued, &came, &answered, &queued, &hung_up, &came,
    ] {
        api.contacts(std::slice::from_ref(event)).await?;
    }
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    assert_eq!(figures.len(), 1);
    let expected = json!({
        "key": "all", "offered": 2, "answered": 1, "abandoned": 1, "short_abandoned": 1, "answer_rate": 1.0,
        "answered_within_60s": 1, "mean_wait_of_answered_s": 20, "longest_wait_s": 20, "definition": "contacts/v1",
        "as_of": figures[0]["as_of"],
    });
    assert_eq!(figures[0], expected);
    Ok(())
}

#[tokio::test]
async fn the_board_is_there_when_the_product_says_that_it_is_ready() -> anyhow::Result<()> {
    let product = Product::start()?;
    product.api()?.board().await?;
    Ok(())
}

#[tokio::test]
async fn a_restart_does_not_undo_what_is_told_late_of_the_time_before() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for end in ["answered", "abandoned", "turned_away"] {
        for (n, order) in orders.iter().enumerate() {
            let system = format!("{}-{n}", end.replace('_', "-"));
            let of = |event: &str, at: &str| {
                let mut told = contact("1", event, at);
                told["system"] = json!(system);
                told["queue"] = json!(system);
                told
            };
            let mut ended = of(end, "2021-02-01T08:00:40Z");
            if end == "turned_away" {
                ended["reason"] = json!("timed_out");
            }
            let steps = [of("queued", "2021-02-01T08:00:00Z"), ended];
            for step in order {
                match steps.get(*step) {
                    Some(event) => drop(api.contacts(std::slice::from_ref(event)).await?),
                    None => {
                        let restart = json!({ "system": system, "at": "2021-02-01T09:00:00Z" });
                        let (status, _) = api.post("/intake/restarts", &restart).await?;
                        assert_eq!(status, reqwest::StatusCode::OK);
                    }
                }
            }
        }
    }
    let figures = api
        .figures("from=2021-02-01&to=2021-02-01&by=queue")
        .await?;
    let counted: Vec<&Value> = figures.iter().map(|row| &row["key"]).collect();
    let numbers = figures
        .iter()
        .map(|row| [&row["offered"], &row["longest_wait_s"]]);
    assert_eq!(
        counted.len(),
        18,
        "some orders are not counted: {counted:?}"
    );
    for found in numbers {
        assert_eq!(found, [&json!(1), &json!(40)]);
    }
    Ok(())
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

/// What a client tells, and the event that it is.
fn told(dice: &mut Dice) -> anyhow::Result<(Value, ContactEvent)> {
    let n = dice.below(150);
    // Four local days; whole and broken seconds.
    let at =
        1_612_134_000_000 + i64::try_from(dice.below(4 * 86_400) * 1_000 + dice.below(2) * 500)?;
    let at = Timestamp::from_millisecond(at)?;
    let waited_s = (dice.below(2) == 0).then(|| u32::try_from(dice.below(90)).unwrap_or(0));
    let (event, what) = match dice.below(6) {
        0 | 1 => ("queued", ContactWhat::Queued),
        2 => ("answered", ContactWhat::Answered { waited_s }),
        3 => ("abandoned", ContactWhat::Abandoned { waited_s }),
        4 => {
            let reason = TurnedAway::TimedOut;
            ("turned_away", ContactWhat::TurnedAway { reason, waited_s })
        }
        _ => ("ended", ContactWhat::Ended),
    };
    let mut input = contact(&n.to_string(), event, &at.to_string());
    match what {
        ContactWhat::Queued | ContactWhat::Ended => {}
        _ => input["waited_s"] = json!(waited_s),
    }
    if event == "turned_away" {
        input["reason"] = json!("timed_out");
    }
    let event = ContactEvent {
        contact: ContactId(Uuid::from_u128(n.into())),
        at,
        channel: Channel::Phone,
        queue: "vaxel".parse()?,
        department: None,
        what,
    };
    Ok((input, event))
}

/// The sums of each day, from scratch.
fn from_scratch(events: &[ContactEvent]) -> BTreeMap<String, ContactSums> {
    let mut facts: BTreeMap<ContactId, ContactFacts> = BTreeMap::new();
    for event in events {
        let known = facts
            .entry(event.contact)
            .or_insert_with(|| ContactFacts::new(event));
        known.apply(event);
    }
    let mut days: BTreeMap<String, ContactSums> = BTreeMap::new();
    for (cell, sums) in facts.values().filter_map(ContactFacts::counted) {
        days.entry(cell.day.to_string()).or_default().add(&sums, 1);
    }
    days
}

async fn assert_same(api: &Api, events: &[ContactEvent]) -> anyhow::Result<()> {
    let days = from_scratch(events);
    let found = api.figures("from=2021-01-01&to=2021-03-01&by=day").await?;
    let found: BTreeMap<&str, &Value> = found
        .iter()
        .filter_map(|row| Some((row["key"].as_str()?, row)))
        .collect();
    assert!(
        days.keys().eq(found.keys()),
        "{:?} and {:?}",
        days.keys(),
        found.keys()
    );
    for (day, sums) in &days {
        let row = found[day.as_str()];
        let numbers = [
            "offered",
            "answered",
            "abandoned",
            "short_abandoned",
            "answered_within_60s",
        ];
        let expected = [
            sums.offered,
            sums.answered,
            sums.abandoned,
            sums.short_abandoned,
            sums.answered_within,
        ];
        assert_eq!(
            numbers.map(|n| row[n].as_i64()),
            expected.map(Some),
            "{day}: {row}"
        );
        let longest = sums.longest_wait_ms.map(|ms| ms as f64 / 1e3);
        assert_eq!(row["longest_wait_s"].as_f64(), longest, "{day}: {row}");
    }
    Ok(())
}

#[tokio::test]
async fn sums_kept_up_with_every_event_are_the_sums_from_scratch() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let mut dice = Dice(42);
    let mut events = Vec::new();
    for _ in 0..6 {
        // Batches of many sizes at once, in no order, with much of it told twice.
        let mut batches = Vec::new();
        for _ in 0..12 {
            let mut batch = Vec::new();
            for _ in 0..dice.below(25) {
                let (input, event) = told(&mut dice)?;
                events.push(event);
                batch.push(input.clone());
                if dice.below(3) == 0 {
                    batch.push(input);
                }
            }
            batches.push(batch);
        }
        let tell = |batch: &Vec<Value>| {
            let (api, batch) = (api.clone(), batch.clone());
            async move { api.contacts(&batch).await }
        };
        futures::future::try_join_all(batches.iter().chain(batches.first()).map(tell)).await?;
        assert_same(&api, &events).await?;
    }
    Ok(())
}
