//! `kommunlots dead-letters`: those of every service, listed and sent again; closures too.

use anyhow::{Context, ensure};
use async_nats::{HeaderMap, jetstream};
use domain::{CaseEvent, CaseId, CaseOutcome, CaseWhat, ClosedBy, Closing, Envelope, Event};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::{
    closures::{City, System, closure},
    closures_webhook::Sender,
    harness::{Product, bus_address, eventually},
};

/// The lines that the command lists, once they are so many.
async fn listed(product: &Product, count: usize) -> anyhow::Result<Vec<String>> {
    eventually("the dead letters are listed", async || {
        let printed = product.command(&["dead-letters", "list"])?;
        let lines: Vec<String> = printed
            .lines()
            .filter(|l| *l != "there are no dead letters")
            .map(str::to_owned)
            .collect();
        ensure!(lines.len() == count, "{printed}");
        Ok(lines)
    })
    .await
}

/// What stands first in a line: the service and the number there.
fn name(line: &str) -> anyhow::Result<&str> {
    line.split_whitespace().next().context("a name")
}

/// Puts a text that can be read in the place of one that could not, as a later version of the program would read it.
async fn mend(city: &City, schema: &str, payload: Vec<u8>) -> anyhow::Result<()> {
    let statement = format!("UPDATE {schema}.dead_letter SET payload = $1");
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(payload)
        .execute(&mut city.database().await?)
        .await?;
    ensure!(done.rows_affected() == 1, "{done:?}");
    Ok(())
}

/// The event that a case was closed, as another routing would tell it.
fn closed(case: &str) -> anyhow::Result<Vec<u8>> {
    let event = CaseEvent {
        case: CaseId(case.parse()?),
        at: platform::Clock::real().now(),
        department: "bygg".parse().map_err(anyhow::Error::msg)?,
        what: CaseWhat::Closed(Closing {
            outcome: CaseOutcome::Done,
            by: ClosedBy::Page,
            working_s: None,
        }),
    };
    let envelope = Envelope {
        specversion: "1.0".to_owned(),
        id: event.id(),
        source: "routing-2/CASES".to_owned(),
        kind: event.kind().to_owned(),
        time: event.at,
        datacontenttype: "application/json".to_owned(),
        sequence: 1,
        traceparent: None,
        data: event,
    };
    Ok(serde_json::to_vec(&envelope)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_of_every_service_are_listed_and_sent_again() -> anyhow::Result<()> {
    let city = City::start()?;
    let case = city.open_case("bygg").await?;
    listed(&city.product, 0).await?;
    let seed = std::fs::read_to_string(city.product.data().join("nats/keys/routing.nk"))?;
    let client = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
        .custom_inbox_prefix("_INBOX_routing")
        .connect(bus_address(&city.product.data())?)
        .await?;
    let mut headers = HeaderMap::new();
    headers.insert("Kommunlots-Source", "routing-2/CASES");
    headers.insert("Kommunlots-Sequence", "1");
    jetstream::new(client)
        .publish_with_headers("case.bygg.closed", headers, "{\"specversion\":1}".into())
        .await?
        .await?;

    // Everybody reads it, and nobody can.
    let lines = listed(&city.product, 4).await?;
    for (line, service) in lines
        .iter()
        .zip(["intake", "routing", "reminder", "metrics"])
    {
        assert_eq!(name(line)?, format!("{service}/1"), "{line}");
        for shown in ["case.bygg.closed", "routing-2/CASES 1", "cannot be read"] {
            assert!(line.contains(shown), "{shown}: {line}");
        }
    }
    let again = city
        .product
        .command(&["dead-letters", "send-again", "--all"]);
    let error = again.err().context("refused")?.to_string();
    assert!(error.contains("4 could not be applied"), "{error}");
    listed(&city.product, 4).await?;

    for schema in ["intake", "routing", "reminder", "metrics"] {
        mend(&city, schema, closed(&case)?).await?;
    }
    // One service's, and then the others'.
    let printed = city
        .product
        .command(&["dead-letters", "send-again", "intake/1"])?;
    assert_eq!(printed.trim(), "intake/1 applied");
    let (_, seen) = city.api.get(&format!("/intake/cases/{case}")).await?;
    assert_eq!(seen["state"], "closed", "{seen}");
    listed(&city.product, 3).await?;
    let printed = city
        .product
        .command(&["dead-letters", "send-again", "--all"])?;
    assert_eq!(printed.lines().count(), 3, "{printed}");
    listed(&city.product, 0).await?;
    // Routing knows better than to take from another what is its own to tell.
    assert_eq!(city.explained(&case).await?["state"], "open");

    for (what, says) in [
        ("intake/1", "no such dead letter"),
        ("wallboard/1", "intake, routing, reminder, metrics"),
        ("1", "slash"),
    ] {
        let again = city.product.command(&["dead-letters", "send-again", what]);
        let error = again.err().context("an error")?.to_string();
        assert!(error.contains(says), "{what}: {error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_could_not_be_read_is_settled_and_answered_when_it_can() -> anyhow::Result<()>
{
    let city = City::start()?;
    let (first, second) = (city.open_case("bygg").await?, city.open_case("bygg").await?);
    let theirs = city.open_case("skola").await?;
    let mut bygg = System::connect(&city, "bygg").await?;
    let send_again = async |count: usize| -> anyhow::Result<String> {
        let lines = listed(&city.product, count).await?;
        let last = name(lines.last().context("a letter")?)?.to_owned();
        assert!(last.starts_with("routing/"), "{last}");
        let arguments = ["dead-letters", "send-again", last.as_str()];
        city.product.command(&arguments)
    };

    let number = bygg.send("<closure/>").await?;
    bygg.told("an answer by number", |m| m["message"] == number)
        .await?;
    let lines = listed(&city.product, 1).await?;
    for shown in [
        "in.closure.bygg",
        &format!("IN_BYGG {number}"),
        "is not JSON",
    ] {
        assert!(lines[0].contains(shown), "{shown}: {}", lines[0]);
    }
    // It still cannot be read, and stays.
    let error = send_again(1).await.err().context("refused")?.to_string();
    assert!(error.contains("is not JSON"), "{error}");

    // By a program that can read it, it closes the case, and the department is answered.
    mend(
        &city,
        "routing",
        closure("1", &first, "done").to_string().into(),
    )
    .await?;
    let printed = send_again(1).await?;
    assert!(printed.contains("answered: accepted"), "{printed}");
    assert_eq!(bygg.answer("1").await?["result"], "accepted");
    city.until(&first, "closed").await?;
    listed(&city.product, 0).await?;

    // What the department has mended itself has no second effect: the same answer.
    bygg.send("[]").await?;
    bygg.send(closure("2", &second, "done").to_string()).await?;
    let accepted = bygg.answer("2").await?;
    listed(&city.product, 1).await?;
    mend(
        &city,
        "routing",
        closure("2", &second, "done").to_string().into(),
    )
    .await?;
    let printed = send_again(1).await?;
    assert!(printed.contains("answered: accepted"), "{printed}");
    assert_eq!(bygg.answer("2").await?, accepted);

    // Nor does it close another's case because somebody at the centre sends it again.
    bygg.send("[ ]").await?;
    listed(&city.product, 1).await?;
    mend(
        &city,
        "routing",
        closure("3", &theirs, "done").to_string().into(),
    )
    .await?;
    let printed = send_again(1).await?;
    assert!(printed.contains("answered: refused"), "{printed}");
    assert_eq!(bygg.answer("3").await?["result"], "refused");
    assert_eq!(city.explained(&theirs).await?["state"], "open");

    // One that came by webhook is its department's too.
    let shown = city.product.command(&["closure", "secret", "skola"])?;
    let skola = Sender::new(&city, "skola", &shown)?;
    let (status, _) = skola.send("{\"id\":\"4\"}").await?;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    mend(
        &city,
        "routing",
        closure("4", &theirs, "declined").to_string().into(),
    )
    .await?;
    let printed = send_again(1).await?;
    assert!(printed.contains("answered: accepted"), "{printed}");
    city.until(&theirs, "closed").await?;
    listed(&city.product, 0).await?;

    let closed = city.closed().await?;
    assert!(
        closed.len() == 3 && closed.values().all(|n| *n == 1),
        "{closed:?}"
    );
    let by: Vec<String> = sqlx::query_scalar(
        "SELECT data->>'by' FROM routing.event_log WHERE kind = 'case.closed' ORDER BY sequence",
    )
    .fetch_all(&mut city.database().await?)
    .await?;
    assert_eq!(by, ["bus", "bus", "webhook"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_what_cannot_be_read_is_counted_and_does_not_fill_the_log() -> anyhow::Result<()>
{
    let city = City::start()?;
    let bygg = System::connect(&city, "bygg").await?;
    for n in 0..300 {
        let message = format!("<closure n=\"{n}\"/>");
        bygg.client.publish("closure", message.into()).await?;
    }
    bygg.client.flush().await?;
    let series = "kommunlots_dead_letters_total{service=\"routing\",stream=\"IN_BYGG\"}";
    eventually("each is counted", async || {
        let counted = crate::platform_dead_letters::scraped(&city.api, series).await?;
        ensure!(counted == 300.0, "{counted}");
        Ok(())
    })
    .await?;
    assert_eq!(city.dead_letters().await?.len(), 300);
    eventually("the others are told of together", async || {
        let log = city.product.log();
        let lines: Vec<&str> = log.lines().filter(|l| l.contains("dead letter")).collect();
        let more: u64 = lines.iter().filter_map(|l| more(l)).sum();
        let each = lines.iter().filter(|l| more_of(l).is_none()).count() as u64;
        ensure!(each + more == 300, "{lines:#?}");
        // One line at once for each pause, however many pauses a slow machine makes of it.
        assert!(lines.len() < 30, "{lines:#?}");
        Ok(())
    })
    .await
}

/// How many more a line of the log tells of.
fn more(line: &str) -> Option<u64> {
    more_of(line)?.parse().ok()
}

fn more_of(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("more=")?;
    rest.split_whitespace().next()
}

/// The list of a service's dead letters over HTTP.
#[tokio::test]
async fn they_are_for_operations_alone() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let key = product.command(&["key", "new", "--name", "desk", "--scope", "cases:read"])?;
    let desk = api.with_key(Some(key.trim()));
    for prefix in ["/intake", "/routing", "/figures"] {
        let path = format!("{prefix}/dead-letters");
        assert_eq!(
            api.get(&path).await?,
            (StatusCode::OK, Value::Array(Vec::new()))
        );
        for (key, status) in [
            (&desk, StatusCode::FORBIDDEN),
            (&api.with_key(None), StatusCode::UNAUTHORIZED),
        ] {
            assert_eq!(key.get(&path).await?.0, status, "{path}");
            let again = format!("{path}/1/send-again");
            assert_eq!(key.post(&again, &Value::Null).await?.0, status, "{again}");
            let one = format!("{path}/1");
            let gone = key.send(Method::DELETE, &one, &[], String::new()).await?;
            assert_eq!(gone.0, status, "{one}");
        }
    }
    Ok(())
}
