//! What is refused of agreements sent to a running product, and who may send them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    agreements_applied::{Town, today},
    harness::{Api, Product, database},
};

#[tokio::test]
async fn a_key_with_the_scope_is_needed_and_what_is_wrong_is_refused_whole() -> anyhow::Result<()> {
    let town = Town::start()?;
    town.apply(&town.folder, today())?;
    let (_, version) = town.api.get("/routing/agreements/1").await?;
    let content = &version["content"];
    let new = |content: &Value| json!({ "valid_from": today(), "approved_by": "nämnden § 1", "content": content });
    let key = |scope: &str| -> anyhow::Result<Api> {
        let key = town
            .product
            .command(&["key", "new", "--name", "x", "--scope", scope])?;
        Ok(town.api.with_key(Some(key.trim())))
    };
    let (reader, writer, nobody) = (
        key("cases:read")?,
        key("agreements:write")?,
        town.api.with_key(None),
    );
    let status =
        async |api: &Api, method: Method, path: &str, body: &Value| -> anyhow::Result<u16> {
            let headers = [("content-type", "application/json")];
            Ok(api
                .problem(method, path, &headers, body.to_string())
                .await?
                .0
                .as_u16())
        };
    let unknown = "/routing/cases/00000000-0000-7000-8000-000000000000";
    let dry_run = json!({ "content": content });
    for (path, method, body) in [
        ("/routing/agreements", Method::GET, &Value::Null),
        ("/routing/agreements/1", Method::GET, &Value::Null),
        (unknown, Method::GET, &Value::Null),
        ("/routing/agreements/dry-run", Method::POST, &dry_run),
    ] {
        assert_eq!(
            status(&nobody, method.clone(), path, body).await?,
            401,
            "{path}"
        );
        assert_eq!(
            status(&writer, method.clone(), path, body).await?,
            403,
            "{path}"
        );
    }
    assert_eq!(
        status(&nobody, Method::POST, "/routing/agreements", &new(content)).await?,
        401
    );
    assert_eq!(
        status(&reader, Method::POST, "/routing/agreements", &new(content)).await?,
        403
    );
    assert_eq!(reader.get("/routing/agreements/1").await?.0, StatusCode::OK);
    assert_eq!(
        reader
            .post("/routing/agreements/dry-run", &dry_run)
            .await?
            .0,
        StatusCode::OK
    );
    for path in [
        unknown,
        "/routing/cases/17",
        "/routing/agreements/9",
        "/routing/agreements/x",
    ] {
        assert_eq!(
            status(&reader, Method::GET, path, &Value::Null).await?,
            404,
            "{path}"
        );
    }

    // Everything wrong at once, each by its department; the rest of what a request may have wrong.
    let mut wrong = content.clone();
    wrong["registrator"]["group"] = json!("kontor");
    wrong["departments"]["bygg"]["default_group"] = json!("handlagare");
    wrong["departments"]["gata"]["public_nkey"] = json!("SUAINTEHEMLIG");
    let (code, problem) = writer.post("/routing/agreements", &new(&wrong)).await?;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let fields: Vec<&str> = problem["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|e| e["field"].as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "content.departments.bygg",
            "content.departments.gata",
            "content"
        ],
        "{problem}"
    );
    assert!(!problem.to_string().contains("SUAINTEHEMLIG"), "{problem}");
    for (name, value) in [
        ("valid_from", json!("i dag")),
        ("approved_by", json!(" ")),
        ("content", json!({})),
        ("valid_form", json!("2027-01-01")),
    ] {
        let mut body = new(content);
        body[name] = value;
        let (code, problem) = writer.post("/routing/agreements", &body).await?;
        assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {problem}");
        assert!(problem.to_string().contains(name), "{name}: {problem}");
    }
    assert_eq!(town.versions().await?.len(), 1);
    let (code, added) = writer.post("/routing/agreements", &new(content)).await?;
    assert_eq!(
        (code, &added["version"]),
        (StatusCode::CREATED, &json!(2)),
        "{added}"
    );
    Ok(())
}

#[tokio::test]
async fn the_key_of_a_folder_from_before_there_were_agreements_is_replaced() -> anyhow::Result<()> {
    let mut product = Product::start()?;
    let old = product.api()?;
    let mut connection = database(&product.data()).await?;
    sqlx::query("UPDATE access.api_key SET scopes = array_remove(scopes, 'agreements:write')")
        .execute(&mut connection)
        .await?;
    drop(connection);
    product.stop()?;
    product.start_again()?;
    let new = product.api()?;
    let nothing = Value::Null;
    assert_eq!(
        old.post("/routing/agreements", &nothing).await?.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        new.post("/routing/agreements", &nothing).await?.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    // What it could do before, it still can.
    assert_eq!(old.get("/routing/agreements").await?.0, StatusCode::OK);
    Ok(())
}
