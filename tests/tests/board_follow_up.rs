//! Follow-up on the board and for Prometheus.

use anyhow::ensure;
use domain::{FollowUpStep, Promise};
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::{
    figures_forwarded::reached,
    figures_forwarded_fold::{closed, forwarded},
    forwarded_told::{Centre, due, followed_up, of_case},
    harness::eventually,
};

/// The counts of steps that are scraped, and how many are escalated at bygg.
async fn scraped(centre: &Centre) -> anyhow::Result<Vec<String>> {
    let api = centre.api();
    let answer = api.http.get(format!("{}/metrics", api.base)).send().await?;
    let text = answer.text().await?;
    crate::prometheus_names::check(&text)?;
    let of_follow_up = |line: &&str| {
        line.starts_with("kommunlots_follow_up_steps_total{")
            || line.starts_with("kommunlots_forwarded_escalated{department=\"bygg\"}")
    };
    Ok(text
        .lines()
        .filter(of_follow_up)
        .map(str::to_owned)
        .collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_tells_what_is_escalated_once_anybody_tells_of_follow_up() -> anyhow::Result<()> {
    let mut centre = Centre::start().await?;
    let wallboard = centre.outside.service("wallboard")?;
    let board = crate::harness::Api::new(&wallboard.base, None);
    let at_departments = async |what: [&str; 3]| -> anyhow::Result<Value> {
        let forwarded = board.board().await?["board"]["forwarded"].take();
        let rows = forwarded["departments"].as_array().cloned();
        let row = |r: &Value| json!([r["department"], r[what[0]], r[what[1]], r[what[2]]]);
        let rows: Vec<Value> = rows.unwrap_or_default().iter().map(row).collect();
        Ok(json!([forwarded["escalated"], rows]))
    };
    let shown = async |expected: Value| {
        eventually("the board", async || {
            let found = at_departments(["open", "overdue", "escalated"]).await?;
            ensure!(found == expected, "{found}");
            Ok(())
        })
        .await
    };

    let now = platform::Clock::real().now();
    let (before, limit) = (now - 9.hours(), now - 5.hours());
    let plain = forwarded(None, false)?;
    let events = [
        of_case(1, "bygg", before, due(plain.clone(), limit))?,
        of_case(2, "bygg", before + 1.hour(), due(plain.clone(), limit))?,
        // Older than those, and not late.
        of_case(
            3,
            "bygg",
            before - 1.hour(),
            due(plain.clone(), now + 9.hours()),
        )?,
        of_case(4, "skola", before, due(plain.clone(), limit + 1.hour()))?,
    ];
    centre
        .tell("routing", ("routing-2/CASES", 1), &events)
        .await?;
    shown(json!([null, [["bygg", 3, 2, null], ["skola", 1, 1, null]]])).await?;
    assert_eq!(scraped(&centre).await?, Vec::<String>::new());
    let ages = at_departments([
        "oldest_forwarded_at",
        "oldest_overdue_forwarded_at",
        "oldest_due",
    ]);
    assert_eq!(
        ages.await?[1],
        json!([
            [
                "bygg",
                (before - 1.hour()).to_string(),
                before.to_string(),
                limit.to_string()
            ],
            [
                "skola",
                before.to_string(),
                before.to_string(),
                (limit + 1.hour()).to_string()
            ],
        ])
    );

    let step = |case, department: &str, hours: i64, step| {
        of_case(
            case,
            department,
            limit + hours.hours(),
            followed_up(step, limit)?,
        )
    };
    let steps = [
        step(1, "bygg", 0, FollowUpStep::Limit)?,
        step(2, "bygg", 0, FollowUpStep::Limit)?,
        step(1, "bygg", 1, FollowUpStep::ContactPerson)?,
        step(1, "bygg", 2, FollowUpStep::Heads)?,
    ];
    centre
        .tell("reminder", ("reminder-2/CASES", 1), &steps[..1])
        .await?;
    // Somebody follows up now: none is escalated, which is known.
    shown(json!([0, [["bygg", 3, 2, 0], ["skola", 1, 1, 0]]])).await?;
    centre
        .tell("reminder", ("reminder-2/CASES", 2), &steps[1..])
        .await?;
    shown(json!([1, [["bygg", 3, 2, 1], ["skola", 1, 1, 0]]])).await?;
    // The same again, by a source that has no memory of having told it, and a promise, which takes nothing back.
    centre
        .tell("reminder", ("reminder-3/CASES", 1), &steps)
        .await?;
    let promise = Promise {
        promised: now + 9.hours(),
        due: Some(limit),
    };
    let promised = of_case(1, "bygg", now, domain::CaseWhat::Promised(promise))?;
    centre
        .tell("routing", ("routing-2/CASES", 5), &[promised])
        .await?;
    reached(&centre.api(), "reminder-3/CASES", steps.len()).await?;
    reached(&centre.api(), "routing-2/CASES", 5).await?;
    shown(json!([1, [["bygg", 3, 2, 1], ["skola", 1, 1, 0]]])).await?;
    let counted = [
        "kommunlots_follow_up_steps_total{step=\"contact_person\"} 1",
        "kommunlots_follow_up_steps_total{step=\"heads\"} 1",
        "kommunlots_follow_up_steps_total{step=\"limit\"} 2",
        "kommunlots_forwarded_escalated{department=\"bygg\"} 1",
    ];
    assert_eq!(scraped(&centre).await?, counted);

    // A restart forgets no step, and counts none twice.
    centre.metrics.kill()?;
    tokio::task::block_in_place(|| centre.metrics.start_again())?;
    eventually("the counts are back", async || {
        let found = scraped(&centre).await?;
        ensure!(found == counted, "{found:?}");
        Ok(())
    })
    .await?;

    // Closed, or at another department whose follow-up begins anew, it is escalated no longer.
    let elsewhere = due(plain, now + 9.hours());
    let ends = [
        of_case(1, "miljo", now + 1.second(), elsewhere)?,
        of_case(2, "bygg", now + 1.second(), closed(None))?,
    ];
    centre
        .tell("routing", ("routing-2/CASES", 6), &ends)
        .await?;
    shown(json!([
        0,
        [["skola", 1, 1, 0], ["bygg", 1, 0, 0], ["miljo", 1, 0, 0]]
    ]))
    .await
}
