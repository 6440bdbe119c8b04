//! Lists of cases by mail: the guides' each morning, a contact person's each week. Reminder runs in this process, so that days
//! pass when the test says so; its mails go to a real mail server.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::{Context, ensure};
use domain::{
    AgreementsVersion, CaseEvent, CaseWhat, Forwarding, LinksAnswer, LinksRequest, PauseReason,
};
use embedded::{Guard, Nats, Postgres};
use jiff::{Timestamp, Zoned};
use platform::{
    Clock,
    bus::{self, Bus, DUPLICATE_WINDOW, ServerConfig},
    database::{self, ACCESS, Commit},
    health::Health,
};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    forwarded_told::{connect, of_case, tell},
    harness::{eventually, program},
    mail_server::{MailServer, ReceivedMail},
};

/// The source on which routing tells.
const ROUTING: &str = "routing/CASES";
const GUIDES: &str = "vagledarna@kontaktcenter.example";
const BYGG: &str = "kontaktperson@bygg.example";

/// A time on a Swedish clock.
fn at(text: &str) -> Timestamp {
    let zoned: Zoned = format!("{}[Europe/Stockholm]", text.replace(' ', "T"))
        .parse()
        .expect("a time");
    zoned.timestamp()
}

/// A case at bygg with the limit `due`.
fn forwarded(case: u128, from: &str, due: &str) -> anyhow::Result<CaseEvent> {
    let forwarding = Forwarding {
        case_type: "bygglov".parse()?,
        group: "bygglov".parse()?,
        agreement: Some(1),
        rule: "bygg/bygglov".to_owned(),
        registered_at: at(from),
        due: Some(at(due)),
        centre_working_s: None,
        guide: (case < 3).then(|| "v07".parse()).transpose()?,
        imported: false,
        historical: None,
    };
    of_case(case, "bygg", at(from), CaseWhat::Forwarded(forwarding))
}

/// What reminder asks of routing: how much it has told, which is all that is told here. It makes no links.
async fn routing_answers(
    bus: Bus,
    told: Arc<AtomicU64>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    bus::answer(bus, "routing", stop, |_: LinksRequest| async {
        Ok(LinksAnswer::Links {
            links: Vec::new(),
            source: ROUTING.to_owned(),
            told: told.load(Ordering::Relaxed),
        })
    })
    .await
}

/// Reminder with servers of its own, and nobody else.
struct City {
    clock: Clock,
    told: Arc<AtomicU64>,
    database: PgConnection,
    server: MailServer,
    nats: Nats,
    postgres: Postgres,
    folder: TempDir,
}

impl City {
    async fn start(now: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let guard = Guard::program(program());
        let postgres = Postgres::start(&folder.path().join("postgres"), &guard).await?;
        let keys = folder.path().join("keys");
        let rights = [routing::rights(&[].into()), reminder::rights()];
        let nats = Nats::start(&folder.path().join("nats"), &guard, |place| {
            let config = ServerConfig {
                listen: place.listen,
                store: &place.store_dir,
                keys: &keys,
                monitor: None,
                tls: None,
            };
            bus::render(config, &rights, &[])
        })
        .await?;
        database::migrate(&postgres.url(), &[ACCESS, reminder::SCHEMA]).await?;
        Ok(Self {
            clock: Clock::simulated(at(now), 1.0),
            told: Arc::default(),
            database: PgConnection::connect(&postgres.url()).await?,
            server: MailServer::start()?,
            nats,
            postgres,
            folder,
        })
    }

    /// Reminder, until what is returned is ended.
    async fn reminder(&self) -> anyhow::Result<Running> {
        let keys = self.folder.path().join("keys");
        let url = self.postgres.url();
        let with = reminder::Surroundings {
            pool: database::pool(&url, None, "reminder", 4, Commit::Durable)?,
            bus: Bus::connect(&self.nats.url(), "reminder", Some(&keys), None).await?,
            clock: self.clock.clone(),
        };
        let config = reminder::Config {
            mail_from: "kontaktcenter@exempelkoping.example".parse()?,
            mail: self.server.url().parse()?,
            acts: true,
            duplicate_window: DUPLICATE_WINDOW,
        };
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let routing = Bus::connect(&self.nats.url(), "routing", Some(&keys), None).await?;
        tasks.spawn(routing_answers(routing, self.told.clone(), stop.clone()));
        // Nobody asks it anything over HTTP.
        let _ = reminder::start(config, with, &mut Health::default(), &mut tasks, &stop).await?;
        Ok(Running { stop, tasks })
    }

    /// Another version of the agreements, as routing would hand it out.
    async fn agree(&mut self, version: i64, meeting: &str, person: &str) -> anyhow::Result<()> {
        let mut content = json!(routing::agreements::example());
        content["departments"]["bygg"]["meeting"] = json!(meeting);
        content["departments"]["bygg"]["contact_person"]["email"] = json!(person);
        let content = AgreementsVersion {
            version,
            valid_from: "2026-01-01".parse()?,
            approved_by: "nämnden § 1".to_owned(),
            applied_at: self.clock.now(),
            content: serde_json::from_value(content)?,
        };
        sqlx::query("INSERT INTO reminder.agreements (version, content) VALUES ($1, $2)")
            .bind(version)
            .bind(sqlx::types::Json(content))
            .execute(&mut self.database)
            .await?;
        Ok(())
    }

    /// Routing tells of cases, and reminder has heard of it.
    async fn tell(&mut self, events: &[CaseEvent]) -> anyhow::Result<()> {
        let client = connect(
            "routing",
            &self.nats.url(),
            &self.folder.path().join("keys"),
        )
        .await?;
        eventually("the stream is there", async || {
            let first = self.told.load(Ordering::Relaxed) + 1;
            tell(client.clone(), (ROUTING, first), events).await
        })
        .await?;
        let more = events.len() as u64;
        let told = i64::try_from(self.told.fetch_add(more, Ordering::Relaxed) + more)?;
        eventually("reminder has heard of it", async || {
            let sql = "SELECT count(*) FROM reminder.position WHERE source = 'routing/CASES' AND sequence = $1";
            let heard: i64 = sqlx::query_scalar(sql)
                .bind(told)
                .fetch_one(&mut self.database)
                .await?;
            ensure!(heard == 1);
            Ok(())
        })
        .await
    }

    /// Lets time pass until the guides' list of that morning has been dealt with: how many cases were in it.
    async fn morning(&mut self, day: &str) -> anyhow::Result<i64> {
        self.clock.jump_to(at(&format!("{day} 08:30")));
        self.list("guides", "", day).await
    }

    /// How many cases were in a list, once it has been dealt with.
    async fn list(&mut self, kind: &str, of: &str, day: &str) -> anyhow::Result<i64> {
        eventually("the list has been dealt with", async || {
            let sql =
                "SELECT cases FROM reminder.digest WHERE kind = $1 AND of = $2 AND day = $3::date";
            let cases: Option<i64> = sqlx::query_scalar(sql)
                .bind(kind)
                .bind(of)
                .bind(day)
                .fetch_optional(&mut self.database)
                .await?;
            cases.with_context(|| format!("{kind} {of} {day}"))
        })
        .await
    }

    /// The lists that have been sent by now, which must be so many. Steps are told of too, as far as that needs no links, which
    /// nobody makes here.
    async fn mails(&mut self, many: usize) -> anyhow::Result<Vec<ReceivedMail>> {
        eventually("all mails are sent", async || {
            let sql = "SELECT count(*) FROM reminder.mail WHERE sent_at IS NULL";
            let waiting: i64 = sqlx::query_scalar(sql)
                .fetch_one(&mut self.database)
                .await?;
            ensure!(waiting == 0, "{waiting} wait");
            Ok(())
        })
        .await?;
        let mut mails = self.server.received();
        mails.retain(|mail| {
            let lists = ["Vidareskickade ärenden", "Öppna ärenden"];
            lists.iter().any(|list| mail.subject.starts_with(list))
        });
        ensure!(mails.len() == many, "{} of {many}: {mails:#?}", mails.len());
        Ok(mails)
    }
}

/// Reminder at work.
struct Running {
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Running {
    async fn end(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        while let Some(done) = self.tasks.join_next().await {
            done??;
        }
        Ok(())
    }
}

/// The cases in a mail, by their numbers.
fn cases(mail: &ReceivedMail) -> Vec<u128> {
    let ids = mail.body.split('[').skip(1);
    let ids = ids.filter_map(|rest| rest.split(']').next()?.parse::<uuid::Uuid>().ok());
    ids.map(|id| id.as_u128()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_sent_once_when_there_is_something_to_tell() -> anyhow::Result<()> {
    let mut city = City::start("2026-11-23 07:00").await?;
    let running = city.reminder().await?;
    city.agree(1, "tuesday", BYGG).await?;
    // On Monday nothing is late, and no department that has something open meets the centre.
    assert_eq!(city.morning("2026-11-23").await?, 0);
    let mut imported = forwarded(4, "2026-11-20 09:00", "2026-11-23 10:00")?;
    if let CaseWhat::Forwarded(forwarding) = &mut imported.what {
        (forwarding.imported, forwarding.agreement) = (true, None);
    }
    let paused = CaseWhat::Paused {
        reason: PauseReason::Citizen,
        until: at("2026-12-03 16:00"),
    };
    city.tell(&[
        forwarded(1, "2026-11-20 09:00", "2026-11-23 15:00")?,
        forwarded(2, "2026-11-20 09:00", "2026-11-23 15:30")?,
        forwarded(3, "2026-11-23 09:00", "2026-12-04 09:00")?,
        imported,
    ])
    .await?;

    // On Tuesday two have become late, one of which is paused by then; and bygg meets the centre.
    city.clock.jump_to(at("2026-11-23 16:00"));
    let event = of_case(1, "bygg", at("2026-11-23 16:00"), paused)?;
    city.tell(&[event]).await?;
    assert_eq!(city.morning("2026-11-24").await?, 2);
    assert_eq!(city.list("contact_person", "bygg", "2026-11-23").await?, 4);
    let mut mails = city.mails(2).await?;
    mails.sort_by_key(|mail| mail.to != GUIDES);
    assert_eq!(
        (mails[0].to.as_str(), cases(&mails[0])),
        (GUIDES, vec![1, 2])
    );
    assert_eq!(
        mails[0].subject,
        "Vidareskickade ärenden som blivit försenade, 2026-11-24 (Cases that became late)"
    );
    assert!(
        mails[0].body.contains("Vägledare (guide) v07\n"),
        "{}",
        mails[0].body
    );
    assert_eq!(mails[1].to, BYGG);
    assert_eq!(
        mails[1].subject,
        "Öppna ärenden hos Byggförvaltningen, 2026-11-24 (Open cases)"
    );
    let mut all = cases(&mails[1]);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4]);

    // Whatever restarts, each is sent once.
    running.end().await?;
    let running = city.reminder().await?;
    assert_eq!(city.morning("2026-11-25").await?, 0);
    city.mails(2).await?;

    // What was late as it was paused was told of. What is heard of late is told of when it is, also after a morning.
    city.clock.jump_to(at("2026-11-25 12:00"));
    let resumed = CaseWhat::Resumed {
        due: Some(at("2026-11-23 15:00")),
    };
    city.tell(&[
        of_case(1, "bygg", at("2026-11-25 12:00"), resumed)?,
        forwarded(5, "2026-11-20 09:00", "2026-11-24 09:00")?,
    ])
    .await?;
    // The meeting of the week that has had its list is moved.
    city.agree(2, "thursday", BYGG).await?;
    assert_eq!(city.morning("2026-11-26").await?, 1);
    let mails = city.mails(3).await?;
    assert_eq!(cases(&mails[2]), [5]);
    assert_eq!(city.morning("2026-11-27").await?, 0);
    city.mails(3).await?;

    // A week later it is sent on the new day. Who has no address gets none, and the log says so; the others do.
    assert_eq!(city.morning("2026-12-02").await?, 0);
    city.mails(3).await?;
    assert_eq!(city.morning("2026-12-03").await?, 0);
    assert_eq!(city.list("contact_person", "bygg", "2026-11-30").await?, 5);
    city.mails(4).await?;
    city.agree(3, "thursday", "nobody").await?;
    // One becomes late on Friday morning, and is in Monday's list.
    assert_eq!(city.morning("2026-12-07").await?, 1);
    city.clock.jump_to(at("2026-12-10 08:30"));
    assert_eq!(city.list("contact_person", "bygg", "2026-12-07").await?, 0);
    city.mails(5).await?;

    // Two years after its end a case's follow-up is forgotten, and what is open is not.
    let closing = domain::Closing {
        outcome: domain::CaseOutcome::Done,
        by: domain::ClosedBy::Page,
        working_s: None,
    };
    let closed = CaseWhat::Closed(closing);
    city.tell(&[of_case(2, "bygg", at("2026-12-10 09:00"), closed)?])
        .await?;
    running.end().await?;
    for (later, kept) in [("2028-12-01 09:00", 5), ("2028-12-20 09:00", 4)] {
        city.clock.jump_to(at(later));
        let running = city.reminder().await?;
        city.morning(&later[..10]).await?;
        for table in ["plan", "happened"] {
            let sql = format!("SELECT count(DISTINCT case_id) FROM reminder.{table}");
            eventually("what is over for long is forgotten", async || {
                let cases: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone()))
                    .fetch_one(&mut city.database)
                    .await?;
                ensure!(cases == kept, "{table} holds {cases} at {later}");
                Ok(())
            })
            .await?;
        }
        running.end().await?;
    }
    city.nats.server.stop().await;
    city.postgres.server.stop().await;
    Ok(())
}
