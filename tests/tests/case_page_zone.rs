//! A case of a secrecy zone: only the zone's groups see what it is about, wherever it goes.

use anyhow::ensure;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    case_page_officer::{EMAIL, NAME, Officer, PHONE, TEXT, agree, link},
    harness::{Product, eventually},
};

const WITHHELD: &str = "Innehållet visas inte för er grupp";

#[tokio::test]
async fn a_case_of_a_zone_shows_its_content_to_the_zones_groups_alone() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    agree(&api).await?;
    let case = json!({
        "type": "orosanmalan", "rosa_group": 6, "department": "social", "text": TEXT,
        "citizen": { "name": NAME, "phone": PHONE, "email": EMAIL },
    });
    let (status, case) = api.post("/intake/cases", &case).await?;
    ensure!(status == StatusCode::CREATED, "{status}: {case}");

    let own = "barn-och-unga@social.example";
    let first = Officer::with(&link(&product.data(), own).await?)?;
    first.sees().await?.shows(NAME)?;
    // What is said on the way may be about the citizen too.
    first
        .does(
            "bounce",
            "belongs_to=skola&note=Gunhild+p%C3%A5+gr%C3%B6nsaksg%C3%A5ngen",
        )
        .await?;

    let outside = Officer::with(&link(&product.data(), "administration@skola.example").await?)?;
    let page = outside.sees().await?;
    assert_eq!(page.status, StatusCode::OK);
    page.shows(WITHHELD)?;
    page.shows("Socialtjänstens sekretess")?;
    page.hides_content()?;
    page.hides("grönsaksgången")?;
    outside.does("bounce", "belongs_to=unknown").await?;
    let registrator = Officer::with(&link(&product.data(), "registrator@kansli.example").await?)?;
    let page = registrator.sees().await?;
    page.shows(WITHHELD)?;
    page.hides_content()?;
    page.hides("grönsaksgången")?;

    // Back within the zone it can be read, with what was said.
    registrator.does("bounce", "belongs_to=social").await?;
    let back = eventually("a new link", async || {
        let back = link(&product.data(), own).await?;
        ensure!(back != first.link, "it is the old one");
        Ok(back)
    })
    .await?;
    let page = Officer::with(&back)?.sees().await?;
    page.shows(NAME)?;
    page.shows("grönsaksgången")
}
