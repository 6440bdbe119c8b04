//! The case page: which links open nothing, and what is shown when something is away.

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    case_page_officer::{NAME, Officer, agree, link, logged, now, register},
    faults_outside::Outside,
    harness::{Api, Product, database, eventually},
};

/// A link's text, signed with the installation's own key.
async fn signed(
    database: &mut PgConnection,
    case: Uuid,
    turn: i32,
    expires: Timestamp,
) -> anyhow::Result<String> {
    let mut key: Vec<u8> = sqlx::query_scalar("SELECT key FROM routing.link_key")
        .fetch_one(&mut *database)
        .await?;
    key.resize(64, 0);
    let mut said = case.as_bytes().to_vec();
    said.extend(turn.to_be_bytes());
    said.extend(expires.as_second().to_be_bytes());
    let keyed = |pad: u8| key.iter().map(|k| k ^ pad).collect::<Vec<u8>>();
    let inner = [&keyed(0x36)[..], b"kommunlots case link", &said].concat();
    Ok(sqlx::query_scalar(
        "SELECT translate(encode($1 || sha256($2 || sha256($3)), 'base64'), E'+/=\n', '-_')",
    )
    .bind(&said)
    .bind(keyed(0x5c))
    .bind(inner)
    .fetch_one(database)
    .await?)
}

#[tokio::test]
async fn expired_altered_and_foreign_links_open_nothing() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = register(&api).await?;
    let link = link(&product.data(), "bygglov@bygg.example").await?;
    let (base, token) = link.rsplit_once('/').context("an address")?;
    let mut database = database(&product.data()).await?;
    let hour = SignedDuration::from_hours(1);
    let of = async |database: &mut PgConnection, case: Uuid, turn: i32, expires: Timestamp| {
        Officer::with(&format!(
            "{base}/{}",
            signed(database, case, turn, expires).await?
        ))
    };

    // What this test signs is what the product signs.
    let good = of(&mut database, case, 1, now() + hour).await?;
    good.sees().await?.shows(NAME)?;
    let views = logged(&mut database, case).await?.len();

    let mut altered = token.as_bytes().to_vec();
    altered[30] = if altered[30] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered)?;
    let with = |token: &str| Officer::with(&format!("{base}/{token}"));
    let stopped = [
        (with(&altered)?, StatusCode::NOT_FOUND),
        (with(&token[1..])?, StatusCode::NOT_FOUND),
        (with(&format!("{token}A"))?, StatusCode::NOT_FOUND),
        (with("%00%ff")?, StatusCode::NOT_FOUND),
        (with("x")?, StatusCode::NOT_FOUND),
        (
            of(&mut database, case, 1, now() - hour).await?,
            StatusCode::GONE,
        ),
        (
            of(&mut database, case, 2, now() + hour).await?,
            StatusCode::GONE,
        ),
        (
            of(&mut database, case, 0, now() + hour).await?,
            StatusCode::GONE,
        ),
        (
            of(&mut database, Uuid::now_v7(), 1, now() + hour).await?,
            StatusCode::NOT_FOUND,
        ),
    ];
    for (officer, status) in &stopped {
        for page in [officer.sees().await?, officer.sends("take", "").await?] {
            assert_eq!(page.status, *status, "{}", officer.link);
            page.hides_content()?;
            page.shows("<html lang=\"sv\">")?;
            page.shows("lang=\"en\"")?;
            assert_eq!(page.headers["referrer-policy"], "no-referrer");
            assert_eq!(page.headers["cache-control"], "no-store");
        }
    }
    assert_eq!(
        logged(&mut database, case).await?.len(),
        views,
        "nobody saw it"
    );

    // A form of another website, though it has the link.
    for (name, value) in [
        ("origin", "https://other.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let take = good
            .http
            .post(format!("{}/take", good.link))
            .header(name, value);
        let page = good.seen(take).await?;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{name}");
        page.hides_content()?;
    }
    good.sees().await?.shows("Väntar på handläggare")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_intake_the_rest_of_the_page_works() -> anyhow::Result<()> {
    let outside = Outside::start().await?;
    let mut intake = outside.service("intake")?;
    let routing = outside.service("routing")?;
    let api = outside.api_of(&intake)?;
    agree(&Api::new(&routing.base, api.key.as_deref())).await?;
    register(&api).await?;
    let officer = Officer::with(&link(&routing.data(), "bygglov@bygg.example").await?)?;
    officer.sees().await?.shows(NAME)?;

    intake.kill()?;
    let page = officer.sees().await?;
    assert_eq!(page.status, StatusCode::OK);
    page.shows("Innehållet kan inte visas just nu.")?;
    page.shows("Vilken fastighet gäller det?")?;
    page.hides_content()?;
    officer.does("take", "").await?.shows("Ärendet är taget.")?;

    tokio::task::block_in_place(|| intake.start_again())?;
    eventually("the content is there again", async || {
        officer.sees().await?.shows(NAME)
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_logged_is_not_shown() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    register(&api).await?;
    let officer = Officer::with(&link(&product.data(), "bygglov@bygg.example").await?)?;
    let mut database = database(&product.data()).await?;
    for (change, status) in [
        (
            "REVOKE INSERT ON routing.case_log FROM kommunlots_routing",
            503,
        ),
        (
            "GRANT INSERT ON routing.case_log TO kommunlots_routing",
            200,
        ),
    ] {
        sqlx::query(change).execute(&mut database).await?;
        let page = officer.sees().await?;
        assert_eq!(page.status, status);
        if status == 503 {
            page.hides_content()?;
        }
    }
    Ok(())
}
