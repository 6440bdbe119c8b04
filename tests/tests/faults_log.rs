//! What the database must hold after a load, whatever failed meanwhile.

use sqlx::{Connection, PgConnection};

use crate::faults_load::Sums;

/// That the event log has no gap and every event once, and that metrics has had all of it.
pub(crate) async fn is_whole(database: &str, sums: &Sums) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(database).await?;
    let rows: Vec<(String, i64, i64, i64, i64, Option<i64>)> = sqlx::query_as(
        "SELECT s.name, s.last, count(e.*), min(e.sequence), max(e.sequence), p.sequence
         FROM intake.source s
         LEFT JOIN intake.event_log e ON e.source = s.name
         LEFT JOIN metrics.position p ON p.source = s.name
         GROUP BY s.name, s.last, p.sequence ORDER BY s.name",
    )
    .fetch_all(&mut connection)
    .await?;
    let cases = i64::try_from(sums.cases)?;
    let events = i64::try_from(sums.events)?;
    let whole = |name: &str, n: i64| (name.to_owned(), n, n, 1, n, Some(n));
    assert_eq!(
        rows,
        [
            whole("intake/CASES", cases),
            whole("intake/CONTACTS", events)
        ],
        "source, last, events, first, highest, position of metrics"
    );

    // Each answered request once, in what intake holds and in what metrics has made of it.
    let contacts = i64::try_from(sums.contacts())?;
    let counts: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM intake.contact), (SELECT count(*) FROM metrics.contact_fact),
                (SELECT count(*) FROM intake.cases), (SELECT count(*) FROM metrics.case_fact),
                (SELECT sum(registered)::bigint FROM metrics.case_sum)",
    )
    .fetch_one(&mut connection)
    .await?;
    assert_eq!(
        counts,
        (contacts, contacts, cases, cases, cases),
        "contacts, their facts, cases, their facts, registered"
    );
    Ok(())
}
