//! Refusals over HTTP: keys, content types, sizes, paths.

use reqwest::Method;

use crate::{
    harness::{Api, Product, contact, database},
    intake::trace,
};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[tokio::test]
async fn every_refusal_is_a_problem_and_no_write_goes_without_a_key() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let event = contact("c-1", "queued", "2021-02-01T08:00:00Z").to_string();
    let before = trace(&api).await?;
    let refused = async |api: &Api, method, path: &str, headers: &[(&str, &str)], body: String| {
        api.problem(method, path, headers, body)
            .await
            .map(|(status, _)| status.as_u16())
    };
    let mut wrong = Vec::new();

    // Keys: none, made up, and good for something else.
    let reading = product.command(&[
        "key",
        "new",
        "--name",
        "reader",
        "--scope",
        "cases:read",
        "--scope",
        "operate",
    ])?;
    let writes = [
        "/intake/contacts",
        "/intake/restarts",
        "/intake/cases",
        "/intake/cases/00000000-0000-7000-8000-000000000000/resolve",
        "/intake/cases/00000000-0000-7000-8000-000000000000/repeat-contact",
        "/intake/cases/00000000-0000-7000-8000-000000000000/forward",
    ];
    for (key, expected) in [
        (None, 401),
        (Some("kl_0000"), 401),
        (Some(""), 401),
        (Some(reading.trim()), 403),
    ] {
        let api = api.with_key(key);
        for path in writes {
            let status = refused(&api, Method::POST, path, &JSON, event.clone()).await?;
            assert_eq!(status, expected, "{path} with {key:?}");
        }
    }
    let writing = product.command(&["key", "new", "--name", "pbx", "--scope", "contacts:write"])?;
    let pbx = api.with_key(Some(writing.trim()));
    for path in ["/figures/dead-letters", "/intake/cases/0"] {
        assert_eq!(
            refused(&pbx, Method::GET, path, &[], String::new()).await?,
            403,
            "{path}"
        );
    }
    let path = "/figures/dead-letters/1/send-again";
    assert_eq!(
        refused(&pbx, Method::POST, path, &[], String::new()).await?,
        403
    );
    // Only its hash is kept.
    let mut database = database(&product.data()).await?;
    let kept: Vec<String> = sqlx::query_scalar("SELECT k::text FROM access.api_key k")
        .fetch_all(&mut database)
        .await?;
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|row| !row.contains(writing.trim())));
    assert!(!product.log().contains(writing.trim()));

    // What cannot be read, is too much, or is nowhere.
    for kind in ["text/plain", "application/xml", ""] {
        let headers = [("content-type", kind)];
        let status = refused(
            &api,
            Method::POST,
            "/intake/contacts",
            &headers,
            event.clone(),
        )
        .await?;
        assert_eq!(status, 415, "{kind}");
    }
    for (path, kind) in [
        ("/intake/contacts", "application/x-ndjson"),
        ("/intake/contacts", "application/json"),
        ("/intake/cases", "application/json"),
    ] {
        let much = " ".repeat(8 * 1024 * 1024 + 1);
        let headers = [("content-type", kind)];
        match refused(&api, Method::POST, path, &headers, much).await {
            Ok(413) => {}
            other => wrong.push(format!("too much for {path}: {other:?}")),
        }
    }
    for (method, path, expected) in [
        (Method::GET, "/nowhere", 404),
        (Method::POST, "/intake/contact", 404),
        (Method::GET, "/wallboard/assets/nothing.js", 404),
        (Method::GET, "/intake/cases/not-an-id", 404),
        (Method::GET, "/intake/cases/%ff", 404),
        (Method::GET, "/intake/contacts", 405),
        (Method::DELETE, "/intake/contacts", 405),
        (Method::GET, "/figures", 422),
        (Method::GET, "/figures?from=2021-02-01", 422),
        (Method::GET, "/figures?from=2021-02-30&to=2021-03-01", 422),
        (Method::GET, "/figures?from=2021-03-02&to=2021-03-01", 422),
        (
            Method::GET,
            "/figures?from=2021-03-01&to=2021-03-01&by=guide",
            422,
        ),
        (
            Method::GET,
            "/figures?from=2021-03-01&to=2021-03-01&form=x",
            422,
        ),
        (Method::GET, "/figures?from=2021-03-01&to=%ff", 422),
    ] {
        match refused(&api, method.clone(), path, &[], String::new()).await {
            Ok(status) if status == expected => {}
            other => wrong.push(format!("{method} {path}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(trace(&api).await?, before);

    // And the good key does what it may.
    pbx.contacts(&[serde_json::from_str(&event)?]).await?;
    Ok(())
}

#[tokio::test]
async fn what_can_be_meant_in_two_ways_is_refused_by_its_name() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let before = trace(&api).await?;
    // A question changes nothing, so nothing needs to be said of what was stored.
    for (path, field) in [
        (
            "/figures?from=2021-02-01&to=2021-02-01&from=2021-01-01",
            "from",
        ),
        ("/figures?from=2021-02-02&to=2021-02-01", "to"),
        (
            "/figures/forwarded?from=2021-02-01&to=2021-02-01&by=queue&by=queue",
            "by",
        ),
        ("/figures?from=%ff&to=2021-02-01", "from"),
        ("/reminder/cases?guide=v07&guide=v08", "guide"),
        ("/routing/agreements?on=2021-02-01&on=2021-02-02", "on"),
        ("/routing/agreements?on=yesterday", "on"),
    ] {
        let (status, problem) = api.problem(Method::GET, path, &[], "").await?;
        assert_eq!(status, 422, "{path}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
        assert!(!problem.to_string().contains("stored"), "{path}: {problem}");
    }

    // An array is not the fields in some order.
    let event = r#"["1","queued","2021-02-01T08:00:00Z","phone","vaxel"]"#;
    let case = |citizen| {
        format!(r#"{{"type":"bygglov","rosa_group":1,"department":"bygg","citizen":{citizen}}}"#)
    };
    let named = case(r#"["Anna","anna@example.org"]"#);
    let unnamed = case("null");
    for (path, body, field, reason) in [
        ("/intake/contacts", event, "", "must be a JSON object"),
        ("/intake/cases", "[]", "", "must be a JSON object"),
        ("/intake/cases", &named, "citizen", "expected a JSON object"),
        ("/intake/cases", "", "", "is empty"),
        ("/intake/restarts", " ", "", "is empty"),
    ] {
        let (status, problem) = api
            .problem(Method::POST, path, &JSON, body.to_owned())
            .await?;
        assert_eq!(status, 422, "{body}: {problem}");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{body}: {problem}");
        let told = error["reason"].as_str().unwrap_or_default();
        assert!(told.contains(reason), "{body}: {problem}");
    }
    assert_eq!(trace(&api).await?, before);
    let (status, _) = api
        .send(Method::POST, "/intake/cases", &JSON, unnamed)
        .await?;
    assert_eq!(status, 201);

    // The name of the scheme may be in any case.
    let small = format!("bearer {}", api.key.as_deref().unwrap_or_default());
    let headers = [JSON[0], ("authorization", &small)];
    let mut answered = contact("c-1", "answered", "2021-02-01T08:00:20Z");
    for (waited, counts) in [
        (20, serde_json::json!({ "taken": 1, "known": 0 })),
        // As documented: known by what happened to whom and when, and what was told first stands.
        (5, serde_json::json!({ "taken": 0, "known": 1 })),
    ] {
        answered["waited_s"] = waited.into();
        let body = answered.to_string();
        let (status, answer) = api
            .with_key(None)
            .send(Method::POST, "/intake/contacts", &headers, body)
            .await?;
        assert_eq!((status.as_u16(), answer), (200, counts));
    }
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    assert_eq!(figures[0]["mean_wait_of_answered_s"], 20);
    Ok(())
}
