//! What a follow-up step costs with few and with many open plans.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::{Agreements, Department, OpeningHours};
use jiff::SignedDuration;
use sqlx::Executor;

use super::{PATIENCE, Setting, apply, closures::forward};
use crate::{
    events, process,
    product::Product,
    stats::median,
    table::{Row, Target, number},
};

/// Whose cases they are, and the working hours after which their group is reminded for the first time.
const DEPARTMENT: &str = "bygg";
const FIRST: i64 = 20;

/// One round on one number of plans.
struct Cost {
    /// Microseconds a step.
    cpu: f64,
    wall: f64,
}

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let agreements = always_open()?;
    let [few, many] = setting.scale.plans;
    let (small, mut large) = (setting.product("all").await?, setting.product("all").await?);
    for (product, plans) in [(&small, few), (&large, many)] {
        apply(product, &agreements).await?;
        forward(product, 1).await?;
        until_laid(product).await?;
        let began = Instant::now();
        // Open since an hour or up to nineteen: none is due while this runs.
        fill(product, plans, 1..FIRST - 1).await?;
        product.pool.execute("VACUUM ANALYZE").await?;
        eprintln!(
            "         {} plans laid in {:.0} s",
            number(plans as f64),
            began.elapsed().as_secs_f64()
        );
    }
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..setting.scale.rounds {
        for (product, costs) in [&small, &large].into_iter().zip(&mut costs) {
            let cost = cost(product, setting.scale.steps).await?;
            eprintln!(
                "         CPU {:.0} µs a step, wall {:.0} µs",
                cost.cpu, cost.wall
            );
            costs.push(cost);
        }
    }
    let of =
        |which: usize, what: fn(&Cost) -> f64| costs[which].iter().map(what).collect::<Vec<f64>>();
    let row = |what: &str, value: fn(&Cost) -> f64, note: String| Row {
        what: format!("{what} a reminder with {} open plans", number(many as f64)),
        unit: "µs",
        measured: of(1, value),
        limit: of(0, value),
        limit_is: format!("with {} plans", number(few as f64)),
        target: Target::AtMostTimes(1.2),
        note,
    };
    let note = format!(
        "{} plans become due at once; until all of their events are committed, with a mail each; CPU of the product and its \
         PostgreSQL, user and system; the plans are copies of one that came in by the front door, written by SQL",
        number(setting.scale.steps as f64)
    );
    let (resident, highest) = alone(&mut large, setting).await?;
    Ok(vec![
        row("CPU time of", |c| c.cpu, note),
        row("Wall time of", |c| c.wall, "the same rounds".to_owned()),
        Row {
            what: format!(
                "Resident memory of `kommunlots reminder` with {} open plans",
                number(many as f64)
            ),
            unit: "MB",
            measured: resident,
            limit: Vec::new(),
            limit_is: String::new(),
            target: Target::AtMost(50.0),
            note: format!(
                "a process of its own, when it has taken the steps of {} plans that were due at once; {} MB at its highest; \
                 PostgreSQL and NATS apart",
                number(setting.scale.steps as f64),
                number(median(&highest))
            ),
        },
    ])
}

/// The example, with departments that are open round the clock, so that the benchmark runs at any hour of an ordinary day.
fn always_open() -> anyhow::Result<Agreements> {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let week: serde_json::Map<String, serde_json::Value> = days
        .iter()
        .map(|day| ((*day).to_owned(), serde_json::json!(["00:00-24:00"])))
        .collect();
    let hours: OpeningHours = serde_json::from_value(week.into())?;
    let mut agreements = routing::agreements::example();
    agreements.hours = hours.clone();
    agreements.closures.clear();
    for department in agreements.departments.values_mut() {
        department.hours = hours.clone();
        department.closures.clear();
    }
    let department: Department = DEPARTMENT.parse()?;
    let open = agreements.working_time(&department);
    let now = events::now();
    let soon = open.add(now, SignedDuration::from_hours(3));
    ensure!(
        open.is_working(now) && soon == Some(now + SignedDuration::from_hours(3)),
        "no reminder is sent on a holiday: measure this on an ordinary day"
    );
    Ok(agreements)
}

/// Lays `count` plans like the one there is, begun some hours ago; `hours` is from the fewest to below the most.
async fn fill(product: &Product, count: u64, hours: std::ops::Range<i64>) -> anyhow::Result<()> {
    let laid = sqlx::query(
        "WITH one AS (SELECT * FROM reminder.plan WHERE department = $1 ORDER BY forwarded_at DESC LIMIT 1),
         new AS (SELECT gen_random_uuid() AS id, o.forwarded_at - (($3 + random() * $4) * interval '1 hour') AS at
                 FROM one o, generate_series(1, $2))
         INSERT INTO reminder.plan (case_id, department, group_id, guide, case_type, state, forwarded_at, due, promised,
             late_from, next_at, plan)
         SELECT id, o.department, o.group_id, o.guide, o.case_type, o.state, at,
                at + (o.due - o.forwarded_at), o.promised, at + (o.due - o.forwarded_at), at + (o.next_at - o.forwarded_at),
                jsonb_set(jsonb_set(jsonb_set(o.plan::jsonb, '{case}', to_jsonb(id)), '{clock,started}', to_jsonb(at)),
                          '{follow,limit,due}', to_jsonb(at + (o.due - o.forwarded_at)))::json
         FROM one o, new",
    )
    .bind(DEPARTMENT)
    .bind(i64::try_from(count)?)
    .bind(hours.start as f64)
    .bind((hours.end - hours.start) as f64)
    .execute(&product.pool)
    .await?
    .rows_affected();
    ensure!(laid == count, "{laid} plans of {count} were laid");
    Ok(())
}

/// Waits for the plan of a case that was forwarded.
async fn until_laid(product: &Product) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    let there = "SELECT EXISTS (SELECT FROM reminder.plan WHERE department = $1)";
    while !sqlx::query_scalar::<_, bool>(there)
        .bind(DEPARTMENT)
        .fetch_one(&product.pool)
        .await?
    {
        ensure!(
            Instant::now() < until,
            "no plan is laid; see the log with --keep"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Megabytes of a reminder beside the other services, round by round: when all is told, and at its highest.
async fn alone(product: &mut Product, setting: &Setting) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    product.start_again_as("routing").await?;
    let (mut resident, mut highest) = (Vec::new(), Vec::new());
    for _ in 0..setting.scale.rounds {
        let told = told(product).await?;
        fill(product, setting.scale.steps, FIRST..FIRST + 1).await?;
        let reminder = product.beside("reminder")?;
        until_told(product, told + setting.scale.steps).await?;
        let (now, most) = process::resident(reminder.pid()).context("reminder's memory")?;
        eprintln!("         reminder by itself: {now:.0} MB, {most:.0} at its highest");
        resident.push(now);
        highest.push(most);
    }
    Ok((resident, highest))
}

async fn cost(product: &Product, steps: u64) -> anyhow::Result<Cost> {
    product.pool.execute("CHECKPOINT").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let postgres = product.postgres_pid()?;
    let cpu = || process::cpu_of(product.pid()) + process::cpu_of_tree(postgres);
    let told = told(product).await?;
    fill(product, steps, FIRST..FIRST + 1).await?;
    let (before, began) = (cpu(), Instant::now());
    // Its plan wakes the sweep, which finds the others.
    forward(product, 1).await?;
    until_told(product, told + steps).await?;
    let (wall, after) = (began.elapsed().as_secs_f64(), cpu());
    let each = |seconds: f64| seconds * 1e6 / steps as f64;
    product.until_applied(PATIENCE).await?;
    Ok(Cost {
        cpu: each(after - before),
        wall: each(wall),
    })
}

async fn until_told(product: &Product, events: u64) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    while told(product).await? < events {
        ensure!(
            Instant::now() < until,
            "reminders do not come; see the log with --keep"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// How many events reminder has told.
async fn told(product: &Product) -> anyhow::Result<u64> {
    let last: i64 =
        sqlx::query_scalar("SELECT last FROM reminder.source WHERE name = 'reminder/CASES'")
            .fetch_one(&product.pool)
            .await?;
    Ok(last.unsigned_abs())
}
