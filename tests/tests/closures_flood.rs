//! A department that sends without end, readable or not: what is kept of it is bounded, and the others do not notice.

use anyhow::{Context, ensure};
use sqlx::Connection;
use uuid::Uuid;

use crate::{
    closures::{City, System, closure},
    harness::eventually,
};

async fn count(city: &City, statement: &'static str) -> anyhow::Result<i64> {
    let mut database = city.database().await?;
    Ok(sqlx::query_scalar(statement)
        .fetch_one(&mut database)
        .await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_takes_bounded_room_and_holds_up_its_own_department_only() -> anyhow::Result<()> {
    let city = City::start()?;
    let case = city.open_case("skola").await?;
    let mut skola = System::connect(&city, "skola").await?;
    let bygg = System::connect(&city, "bygg").await?;
    const KEPT: &str = "SELECT count(*) FROM routing.dead_letter WHERE subject = 'in.closure.bygg'";
    const BYTES: &str =
        "SELECT coalesce(sum(octet_length(payload)), 0)::bigint FROM routing.dead_letter";
    const ANSWERED: &str =
        "SELECT count(*) FROM routing.event_log WHERE source = 'routing/OUT_BYGG'";

    // What cannot be read: first a few that are large, then many.
    for n in 0..200 {
        let message = format!("{n:>60000}<");
        bygg.send(message).await?;
    }
    for n in 0..1_300 {
        bygg.client
            .publish("closure", format!("<{n}/>").into())
            .await?;
    }
    bygg.client.flush().await?;
    eventually("each is answered", async || {
        let answered = count(&city, ANSWERED).await?;
        ensure!(answered == 1_500, "{answered}");
        Ok(())
    })
    .await?;
    let kept = count(&city, KEPT).await?;
    assert!(kept <= 1_000, "{kept}");
    let bytes = count(&city, BYTES).await?;
    assert!(bytes <= 8 * 1024 * 1024, "{bytes}");
    let series = "kommunlots_dead_letters_not_kept_total{service=\"routing\",stream=\"IN_BYGG\"}";
    let not_kept = crate::platform_dead_letters::scraped(&city.api, series).await?;
    assert_eq!(not_kept, (1_500 - kept) as f64);

    // What can be read, and is of no case of theirs.
    for n in 0..6_000 {
        let refused = closure(&n.to_string(), &Uuid::new_v4().to_string(), "done");
        bygg.client
            .publish("closure", refused.to_string().into())
            .await?;
    }
    bygg.client.flush().await?;
    eventually("its closures wait", async || {
        ensure!(city.product.log().contains("its next ones wait"), "not yet");
        Ok(())
    })
    .await?;

    // The others close their cases meanwhile, and what they got wrong is found.
    skola.send("<closure/>").await?;
    skola.send(closure("1", &case, "done").to_string()).await?;
    assert_eq!(skola.answer("1").await?["result"], "accepted");
    let listed = city
        .product
        .command(&["dead-letters", "list", "--department", "skola"])?;
    assert_eq!(listed.lines().count(), 1, "{listed}");
    assert!(listed.contains("in.closure.skola"), "{listed}");
    let answered = count(&city, ANSWERED).await?;
    assert!(answered < 6_000, "of 7,500 some still wait: {answered}");
    let remembered = count(&city, "SELECT count(*) FROM routing.closure").await?;
    assert!(remembered < 4_500, "{remembered}");

    // All of a stream are reached page by page, and any can be thrown away.
    let last = listed.split_whitespace().next().context("a name")?;
    let last = last.to_owned();
    let (_, number) = last.split_once('/').context("a number")?;
    let before: i64 = number.parse::<i64>()? - 1;
    let page = [
        "dead-letters",
        "list",
        "--after",
        &format!("routing/{before}"),
    ];
    assert!(city.product.command(&page)?.starts_with(&last));
    let discard = ["dead-letters", "discard", last.as_str()];
    assert_eq!(
        city.product.command(&discard)?.trim(),
        format!("{last} discarded")
    );
    let again = city.product.command(&discard).err().context("it is gone")?;
    assert!(again.to_string().contains("no such dead letter"), "{again}");
    let listed = city
        .product
        .command(&["dead-letters", "list", "--stream", "IN_SKOLA"])?;
    assert_eq!(listed.trim(), "there are no dead letters");
    Ok(())
}

/// The clock is the real one, so what is old is made old.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_is_forgotten() -> anyhow::Result<()> {
    let mut city = City::start()?;
    let case = city.open_case("bygg").await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    bygg.send("<closure/>").await?;
    bygg.send(closure("1", &case, "done").to_string()).await?;
    assert_eq!(bygg.answer("1").await?["result"], "accepted");
    bygg.send("<later/>").await?;
    eventually("both letters", async || {
        ensure!(city.dead_letters().await?.len() == 2, "not yet");
        Ok(())
    })
    .await?;
    for statement in [
        "UPDATE routing.closure SET at = at - interval '91 days'",
        "UPDATE routing.dead_letter SET received_at = received_at - interval '91 days' WHERE sequence = 1",
    ] {
        let done = sqlx::query(statement)
            .execute(&mut city.database().await?)
            .await?;
        ensure!(done.rows_affected() == 1, "{done:?}");
    }
    tokio::task::block_in_place(|| city.product.start_again())?;
    eventually("they are weeded", async || {
        let remembered = count(&city, "SELECT count(*) FROM routing.closure").await?;
        let letters = city.dead_letters().await?.len();
        ensure!((remembered, letters) == (0, 1), "{remembered} {letters}");
        Ok(())
    })
    .await?;
    // The same id is a new closure, and still has no second effect.
    let mut bygg = System::connect(&city, "bygg").await?;
    bygg.send(closure("1", &case, "done").to_string()).await?;
    assert_eq!(bygg.answer("1").await?["result"], "already_closed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_names_anothers_case_neither_waits_for_it_nor_holds_it_up() -> anyhow::Result<()> {
    let city = City::start()?;
    let theirs = city.open_case("skola").await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    // Somebody works on it.
    let mut database = city.database().await?;
    let mut held = database.begin().await?;
    sqlx::query("SELECT FROM routing.routed_case WHERE id = $1 FOR UPDATE")
        .bind(theirs.parse::<Uuid>()?)
        .execute(&mut *held)
        .await?;
    bygg.send(closure("1", &theirs, "done").to_string()).await?;
    assert_eq!(bygg.answer("1").await?["result"], "refused");
    held.rollback().await?;
    Ok(())
}
