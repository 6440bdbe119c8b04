//! `kommunlots closure`: check a closure before it is sent, and keep what departments sign webhooks with. `kommunlots schema`.

use std::{io::Read, path::Path};

use anyhow::Context;
use domain::{Department, account};
use platform::{
    Clock,
    database::{self, Commit},
};
use routing::closures::{self, Readable, Unreadable};
use sqlx::PgPool;

use super::{key::with_database, local};
use crate::{
    cli::{ClosureCommand, SchemaOf},
    config::Settings,
    output::say,
    product::SCHEMAS,
};

/// Does what was asked.
pub(crate) async fn run(settings: Settings, what: ClosureCommand) -> anyhow::Result<()> {
    match what {
        ClosureCommand::Check { file, department } => check(&file, department.as_ref()),
        ClosureCommand::Secret { department } => secret(&settings, &department).await,
        ClosureCommand::Secrets => list(&settings).await,
        ClosureCommand::Revoke { id } => revoke(&settings, id).await,
    }
}

/// Prints the JSON Schema of a message.
pub(crate) fn schema(of: SchemaOf) -> anyhow::Result<()> {
    let schema = match of {
        SchemaOf::Closure => domain::closure_schema(),
        SchemaOf::Forwarded => domain::forwarded_schema(),
        SchemaOf::Reminded => domain::reminded_schema(),
        SchemaOf::Closed => domain::closed_schema(),
        SchemaOf::Bounced => domain::bounced_schema(),
        SchemaOf::Answer => domain::answer_schema(),
    };
    say!("{schema:#}")
}

fn check(file: &Path, department: Option<&Department>) -> anyhow::Result<()> {
    let mut message = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut message)?;
    } else {
        message = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    match closures::read(&message) {
        Ok(readable) => right(&readable, department),
        Err(unreadable) => wrong(&unreadable),
    }
}

fn wrong(unreadable: &Unreadable) -> anyhow::Result<()> {
    for wrong in &unreadable.wrong {
        let field = match wrong.field.as_str() {
            "" => "meddelandet (the message)",
            field => field,
        };
        eprintln!("{field}: {} ({})", wrong.what.swedish, wrong.what.english);
        if !wrong.right.is_empty() {
            eprintln!("    {}", wrong.right);
        }
    }
    let count = unreadable.wrong.len();
    let things = if count == 1 { "thing is" } else { "things are" };
    anyhow::bail!(
        "{count} {things} wrong; sent like this it would be refused and kept as a dead letter"
    )
}

fn right(readable: &Readable, department: Option<&Department>) -> anyhow::Result<()> {
    let Readable {
        id,
        closure,
        extensions,
    } = readable;
    let outcome = closure.outcome;
    say!("Avslutningen går att läsa. (The closure can be read.)")?;
    say!("  id:                {id}")?;
    say!("  ärende (case):     {}", closure.case)?;
    say!(
        "  utfall (outcome):  {}: {} ({})",
        outcome.as_str(),
        outcome.swedish(),
        outcome.english()
    )?;
    for name in extensions {
        say!("  {name} är en utökning och läses inte (is an extension and is not read)")?;
    }
    let (name, account) = match department {
        Some(department) => (department.to_string(), account(department)),
        None => ("<department>".to_owned(), "DEPT_<DEPARTMENT>".to_owned()),
    };
    say!(
        "Publicera den på `closure` i kontot {account}, eller skicka den signerad till POST /routing/closures/{name}."
    )?;
    say!(
        "(Publish it on `closure` in the account {account}, or send it signed to POST /routing/closures/{name}.)"
    )?;
    say!(
        "Den godtas om {name} har ärendet öppet. Svaret kommer på out.{name}.closure, eller i HTTP-svaret."
    )?;
    say!(
        "(It is accepted if {name} has the case open. The answer comes on out.{name}.closure, or in the HTTP response.)"
    )
}

async fn secret(settings: &Settings, department: &Department) -> anyhow::Result<()> {
    let made = with_routing(settings, async |pool| {
        Ok(closures::new_secret(pool, department, Clock::real().now()).await?)
    })
    .await?;
    eprintln!(
        "secret {} of {department}; this is the only time it is shown. the database keeps it as it is, since signatures are \
         made with it",
        made.id
    );
    for older in made.older {
        eprintln!(
            "secret {older} of {department} is still good; `kommunlots closure revoke {older}` ends it"
        );
    }
    say!("{}", made.shown)
}

async fn list(settings: &Settings) -> anyhow::Result<()> {
    let secrets = with_routing(settings, async |pool| Ok(closures::secrets(pool).await?)).await?;
    if secrets.is_empty() {
        say!("there are no webhook secrets; make one with `kommunlots closure secret DEPARTMENT`")?;
    }
    for secret in secrets {
        let state = match secret.revoked_at {
            Some(at) => format!("revoked {}", local(at)),
            None => "good".to_owned(),
        };
        say!(
            "{:>4}  {:<32}  made {}  {state}",
            secret.id,
            secret.department,
            local(secret.created_at)
        )?;
    }
    Ok(())
}

async fn revoke(settings: &Settings, id: i64) -> anyhow::Result<()> {
    let revoked = with_routing(settings, async |pool| {
        Ok(closures::revoke_secret(pool, id, Clock::real().now()).await?)
    })
    .await?;
    let department = revoked.with_context(|| {
        format!("no good secret has the number {id}; `kommunlots closure secrets` lists them")
    })?;
    say!("secret {id} of {department} is no good any more")
}

/// Does something with routing's part of the database, with routing's own rights.
async fn with_routing<T>(
    settings: &Settings,
    act: impl AsyncFnOnce(&PgPool) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_database(settings, async |url| {
        database::migrate(url, &SCHEMAS).await?;
        let pool = database::pool(url, None, routing::SCHEMA.name, 1, Commit::Durable)?;
        let done = act(&pool).await;
        pool.close().await;
        done
    })
    .await
}
