//! `kommunlots key`: who has a key, and taking one back.

use anyhow::{Context, ensure};
use reqwest::StatusCode;

use crate::harness::{Product, contact, eventually};

/// The line of the list that has `word` in it.
fn line(list: &str, word: &str) -> anyhow::Result<String> {
    let mut lines = list.lines().filter(|l| l.contains(word));
    let line = lines.next().with_context(|| format!("{word} in {list}"))?;
    ensure!(lines.next().is_none(), "{word} is there twice: {list}");
    Ok(line.to_owned())
}

/// The id that a line of the list begins with.
fn id(line: &str) -> String {
    line.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn keys_are_listed_and_a_revoked_one_is_refused() -> anyhow::Result<()> {
    let mut product = Product::start()?;
    let new = |name: &str, scope: &str| {
        let key = product.command(&["key", "new", "--name", name, "--scope", scope])?;
        anyhow::Ok(key.trim().to_owned())
    };
    let (pbx, desk, again) = (
        new("pbx", "contacts:write")?,
        new("desk", "contacts:write")?,
        new("desk", "cases:write")?,
    );
    let list = product.command(&["key", "list"])?;
    assert_eq!(list.lines().count(), 4, "the local one too: {list}");
    for key in [&pbx, &desk, &again] {
        assert!(!list.contains(key.as_str()), "a key is shown: {list}");
    }
    let before = line(&list, "pbx")?;
    for shown in ["made 20", "never used", "good", "contacts:write"] {
        assert!(before.contains(shown), "{shown} in {before}");
    }

    let tell = async |key: &str, name: &str| {
        let api = product.api()?.with_key(Some(key));
        let event = contact(name, "queued", "2021-02-01T08:00:00Z");
        anyhow::Ok(api.post("/intake/contacts", &event).await?.0)
    };
    assert_eq!(tell(&pbx, "1").await?, StatusCode::OK);
    let used = line(&product.command(&["key", "list"])?, "pbx")?;
    assert!(
        used.contains("used 20") && !used.contains("never"),
        "{used}"
    );

    // The service remembers a good key for some seconds, and then refuses it.
    let said = product.command(&["key", "revoke", "pbx"])?;
    assert!(said.contains("pbx") && said.contains(&id(&used)), "{said}");
    eventually("the revoked key is refused", async || {
        let status = tell(&pbx, "1").await?;
        ensure!(status == StatusCode::UNAUTHORIZED, "{status}");
        Ok(())
    })
    .await?;
    assert_eq!(
        tell(&desk, "2").await?,
        StatusCode::OK,
        "the others are good"
    );
    let revoked = line(&product.command(&["key", "list"])?, "pbx")?;
    assert!(revoked.contains("revoked 20"), "{revoked}");

    // What is not clear changes nothing, and says what would be.
    let refused = |which: &str| {
        let error = product.command(&["key", "revoke", which]).err();
        error.map(|e| e.to_string()).context("it was taken")
    };
    let error = refused("pbx")?;
    assert!(error.contains("revoked already"), "{error}");
    let error = refused("nobody")?;
    assert!(
        error.contains("nobody") && error.contains("key list"),
        "{error}"
    );
    let error = refused("desk")?;
    let list = product.command(&["key", "list"])?;
    for line in list.lines().filter(|l| l.contains("desk")) {
        assert!(
            error.contains(&id(line)) && line.contains("good"),
            "{error}"
        );
    }
    let error = product.command(&["key", "new", "--name", "a\nb", "--scope", "operate"]);
    assert!(error.is_err(), "a name of two lines");

    // By its id, also while nothing runs; and it stays so.
    let one = id(&of_two(&list)?);
    assert_eq!(product.stop()?, Some(0));
    product.command(&["key", "revoke", &one])?;
    product.start_again()?;
    let api = product.api()?;
    let case = serde_json::json!({ "type": "bygglov", "rosa_group": 2, "department": "bygg" });
    let with = |key: &str| api.with_key(Some(key));
    let (status, _) = with(&again).post("/intake/cases", &case).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let event = contact("3", "queued", "2021-02-01T08:00:00Z");
    let (status, _) = with(&pbx).post("/intake/contacts", &event).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _) = with(&desk).post("/intake/contacts", &event).await?;
    assert_eq!(status, StatusCode::OK);
    Ok(())
}

/// The line of the desk's key for cases.
fn of_two(list: &str) -> anyhow::Result<String> {
    let mut lines = list.lines().filter(|l| l.contains("desk"));
    let line = lines.find(|l| l.ends_with("cases:write"));
    line.map(str::to_owned).context("the desk's second key")
}
