//! What the same rows cost without the product: the same columns, sizes and unique indexes, in a schema of its own.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{events::QUEUES, product::Product};

/// As intake's own tables, but for what a bare program would not have: the index of who waits, and the foreign key.
const TABLES: &str = "
    CREATE SCHEMA IF NOT EXISTS bare;
    CREATE TABLE IF NOT EXISTS bare.contact (
        id uuid PRIMARY KEY, system text NOT NULL, reference text NOT NULL, channel text NOT NULL, queue text NOT NULL,
        first_queued timestamptz, last_queued timestamptz, answered_at timestamptz, left_at timestamptz,
        ended_at timestamptz);
    CREATE TABLE IF NOT EXISTS bare.event_log (
        source text NOT NULL, sequence bigint NOT NULL, id uuid NOT NULL UNIQUE, kind text NOT NULL,
        subject text NOT NULL, at timestamptz NOT NULL, traceparent text, data json NOT NULL,
        PRIMARY KEY (source, sequence));
    CREATE TABLE IF NOT EXISTS bare.cases (
        id uuid PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, case_type text NOT NULL,
        rosa_group smallint NOT NULL, department text NOT NULL, urgent boolean NOT NULL, state text NOT NULL,
        registered_at timestamptz NOT NULL, changed_at timestamptz NOT NULL);
    CREATE SEQUENCE IF NOT EXISTS bare.number CACHE 100;";

/// One contact and its event in one transaction of one statement.
pub(crate) const CONTACT_AND_EVENT: &str = r#"WITH c AS (INSERT INTO bare.contact (id, system, reference, channel, queue, first_queued, last_queued) VALUES (gen_random_uuid(), 'api', 'bare.' || random(), 'phone', 'vaxel', now(), now()) RETURNING id) INSERT INTO bare.event_log SELECT 'intake/CONTACTS', nextval('bare.number'), gen_random_uuid(), 'contact.phone.queued', 'contact.phone.queued', now(), NULL, json_build_object('contact', id, 'at', now(), 'channel', 'phone', 'queue', 'vaxel', 'event', 'queued') FROM c;
"#;

/// One case and its event, likewise.
pub(crate) const CASE_AND_EVENT: &str = r#"WITH c AS (INSERT INTO bare.cases (id, case_type, rosa_group, department, urgent, state, registered_at, changed_at) VALUES (gen_random_uuid(), 'bygglov', 3, 'bygg', false, 'registered', now(), now()) RETURNING id) INSERT INTO bare.event_log SELECT 'intake/CASES', nextval('bare.number'), gen_random_uuid(), 'case.registered', 'case.bygg.registered', now(), NULL, json_build_object('case', id, 'at', now(), 'department', 'bygg', 'event', 'registered', 'type', 'bygglov', 'rosa_group', 3, 'urgent', false) FROM c;
"#;

/// Makes the tables.
pub(crate) async fn prepare(product: &Product) -> anyhow::Result<()> {
    product.pool.execute(TABLES).await?;
    Ok(())
}

/// Pairs of rows (contact and event) committed per second over so many connections, `size` in each transaction.
pub(crate) async fn batches(
    product: &Product,
    connections: usize,
    size: usize,
    time: Duration,
) -> anyhow::Result<f64> {
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let mut connection = PgConnection::connect(&product.database_url).await?;
        tasks.spawn(async move {
            let mut done = 0usize;
            while began.elapsed() < time {
                batch(&mut connection, size).await?;
                done += size;
            }
            connection.close().await?;
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok(done as f64 / began.elapsed().as_secs_f64())
}

async fn batch(connection: &mut PgConnection, size: usize) -> anyhow::Result<()> {
    let rows = Rows::new(size);
    let mut transaction = connection.begin().await?;
    sqlx::query(
        "INSERT INTO bare.contact (id, system, reference, channel, queue, first_queued, last_queued)
         SELECT id, 'api', reference, 'phone', queue, to_timestamp(at), to_timestamp(at)
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::float8[]) AS r (id, reference, queue, at)",
    )
    .bind(&rows.contacts)
    .bind(&rows.references)
    .bind(&rows.queues)
    .bind(&rows.times)
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO bare.event_log
         SELECT 'intake/CONTACTS', nextval('bare.number'), id, 'contact.phone.queued', 'contact.phone.queued',
                to_timestamp(at), NULL, data::json
         FROM unnest($1::uuid[], $2::float8[], $3::text[]) AS r (id, at, data)",
    )
    .bind(&rows.events)
    .bind(&rows.times)
    .bind(&rows.data)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

/// One transaction's rows, by column.
#[derive(Default)]
struct Rows {
    contacts: Vec<Uuid>,
    references: Vec<String>,
    queues: Vec<&'static str>,
    times: Vec<f64>,
    events: Vec<Uuid>,
    data: Vec<String>,
}

impl Rows {
    fn new(size: usize) -> Self {
        let mut rows = Self::default();
        for _ in 0..size {
            let n = NUMBER.fetch_add(1, Ordering::Relaxed);
            let contact = spread(n);
            let at = 1_790_000_000.0 + n as f64 * 0.013_007;
            let queue = QUEUES[(n % QUEUES.len() as u64) as usize];
            let mut data = String::with_capacity(160);
            let _ = write!(
                data,
                "{{\"contact\":\"{contact}\",\"at\":\"2026-11-21T20:00:00.{:06}Z\",\"channel\":\"phone\",\"queue\":\"{queue}\",\"event\":\"queued\"}}",
                n % 1_000_000
            );
            rows.contacts.push(contact);
            rows.references.push(format!("bare.{n}"));
            rows.queues.push(queue);
            rows.times.push(at);
            rows.events.push(spread(n | 1 << 63));
            rows.data.push(data);
        }
        rows
    }
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// An id that lies anywhere in the index, as the product's hashed ids do (splitmix64, twice).
fn spread(n: u64) -> Uuid {
    let mix = |n: u64| {
        let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        n ^ (n >> 31)
    };
    Uuid::from_u64_pair(mix(n), mix(n ^ 0x5555_5555))
}
