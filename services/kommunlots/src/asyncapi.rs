//! The AsyncAPI document: a department's system on the bus. Made from the types of its messages.

mod schema;

use anyhow::Context;
use domain::{ClosureMessage, Department, Envelope, Event, News, in_subject, out_stream};
use serde_json::{Value, json};

/// Stands for any department where names are made.
const ANY: &str = "department";
/// Examples of messages, which departments can try their systems on.
const CLOSURE: &str = include_str!("../../../docs/examples/messages/closure.json");
const FORWARDED: &str = include_str!("../../../docs/examples/messages/forwarded.json");
const REMINDED: &str = include_str!("../../../docs/examples/messages/reminded.json");
const CLOSED: &str = include_str!("../../../docs/examples/messages/closed.json");
const BOUNCED: &str = include_str!("../../../docs/examples/messages/bounced.json");
const ANSWER: &str = include_str!("../../../docs/examples/messages/answer.json");

/// What a department is told: the channel, the schema, what it is together, what one is, and an example.
const TOLD: [(&str, &str, &str, &str, &str); 5] = [
    (
        "forwarded",
        "Forwarded",
        "Cases that are the department's now",
        "A case is the department's now.",
        FORWARDED,
    ),
    (
        "reminded",
        "Reminded",
        "Cases that are followed up",
        "A case of the department's is followed up: its group was reminded, or those above were told.",
        REMINDED,
    ),
    (
        "closed",
        "Closed",
        "Cases that were closed another way than over the bus",
        "A case that the department has was closed on its page or by webhook. What is closed over the bus has its answer alone.",
        CLOSED,
    ),
    (
        "bounced",
        "Bounced",
        "Cases that were sent back",
        "An officer has sent a case back: it is the department's no more.",
        BOUNCED,
    ),
    (
        "answer",
        "Answer",
        "What became of closures",
        "What became of a closure.",
        ANSWER,
    ),
];

/// The document as JSON.
///
/// # Errors
/// When an example is not as its type says.
pub(crate) fn document() -> anyhow::Result<Value> {
    let department: Department = ANY.parse()?;
    serde_json::from_str::<ClosureMessage>(CLOSURE).context("the example of a closure")?;
    let mut schemas = schema::of_messages();
    schemas.insert("Stored".to_owned(), stored());
    let mut document = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Kommunlots: a department's system on the bus",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a department's own system sends to the municipal contact centre, and what it is told. \
                docs/integrations.md shows it step by step.",
        },
        "defaultContentType": Envelope::<News>::CONTENT_TYPE,
        "servers": { "bus": {
            "host": "{host}",
            "protocol": "nats",
            "description": "The centre's NATS server, 2.12 or later, with JetStream. Each department has an account of its own \
                there. Its inboxes begin with `_INBOX_<department>`.",
            "variables": { "host": {
                "default": "127.0.0.1:4222",
                "description": "Where the centre's server is.",
            } },
            "security": [{ "$ref": "#/components/securitySchemes/nkey" }],
        } },
        "channels": {
            "closure": {
                "address": "closure",
                "title": "Closures",
                "description": format!(
                    "Where the department sends closures, as a request. The server makes it `{}` in the centre's account: the \
                     key that the department connects with says who it is, and nothing in the message does.",
                    placed(&in_subject(&department)),
                ),
                "messages": { "closure": { "$ref": "#/components/messages/closure" } },
            },
            "stored": {
                "address": null,
                "title": "The bus's acknowledgement",
                "description": "The inbox that a closure names as its reply subject.",
                "messages": { "stored": { "$ref": "#/components/messages/stored" } },
            },
        },
        "operations": {
            "sendClosure": {
                "action": "send",
                "channel": { "$ref": "#/channels/closure" },
                "summary": "Say that a case is closed.",
                "description": "The bus acknowledges it when it is on disk, or says why it is not. Without an acknowledgement, \
                    or with an error, send the same again: the same id has one effect.",
                "reply": {
                    "channel": { "$ref": "#/channels/stored" },
                    "messages": [{ "$ref": "#/channels/stored/messages/stored" }],
                },
            },
        },
        "components": {
            "parameters": { "department": {
                "description": "The department's label in the agreements, such as bygg.",
                "examples": ["bygg"],
            } },
            "messages": {
                "closure": message("Closure", "A closure, as a department's system sends it", CLOSURE)?,
                "stored": {
                    "title": "Stored",
                    "summary": "Whether the bus has stored a closure",
                    "contentType": "application/json",
                    "payload": { "$ref": "#/components/schemas/Stored" },
                    "examples": [
                        { "name": "stored", "payload": { "stream": "IN_BYGG", "seq": 18 } },
                        { "name": "full", "payload": { "stream": "IN_BYGG", "seq": 0, "error": {
                            "code": 503, "err_code": 10077, "description": "maximum messages exceeded",
                        } } },
                    ],
                },
            },
            "schemas": schemas,
            "securitySchemes": { "nkey": {
                "type": "asymmetricEncryption",
                "description": "An nkey of NATS (Ed25519): the server sends a nonce, the client signs it with its seed. The \
                    agreement names the public half as `public_nkey`; without one, the centre makes a key and hands it over.",
            } },
        },
    });
    for (channel, schema, title, summary, example) in TOLD {
        let on = told_on(&told(example)?, &department, channel, title);
        document["channels"][channel] = on;
        document["operations"][format!("receive{schema}")] = json!({
            "action": "receive",
            "channel": { "$ref": format!("#/channels/{channel}") },
            "summary": summary,
        });
        document["components"]["messages"][channel] =
            message(schema, summary.trim_end_matches('.'), example)?;
    }
    Ok(document)
}

/// The subject of an example of what a department is told, for any department.
fn told(example: &str) -> anyhow::Result<String> {
    let mut told: Envelope<News> =
        serde_json::from_str(example).context("the example of what a department is told")?;
    anyhow::ensure!(
        told.kind == told.data.kind(),
        "the example {} says that it is {}",
        told.data.kind(),
        told.kind
    );
    told.data.department = ANY.parse()?;
    Ok(placed(&told.data.subject()))
}

/// With a placeholder for the department.
fn placed(subject: &str) -> String {
    subject.replace(&format!(".{ANY}"), &format!(".{{{ANY}}}"))
}

/// A channel that the department is told on.
fn told_on(address: &str, department: &Department, message: &str, title: &str) -> Value {
    let stream = out_stream(department).replace("DEPARTMENT", "{DEPARTMENT}");
    json!({
        "address": address,
        "title": title,
        "description": format!(
            "Read through the consumer `{{department}}` of the stream `{stream}`, which holds all kinds in the order they \
             happened. It is reached with the prefix `CITY.API` instead of `$JS.API`. Messages are numbered by `sequence` \
             without gaps, over all kinds together, and come again until they are acknowledged."
        ),
        "parameters": { "department": { "$ref": "#/components/parameters/department" } },
        "messages": { message: { "$ref": format!("#/components/messages/{message}") } },
        "x-jetstream": {
            "apiPrefix": "CITY.API",
            "stream": stream,
            "consumer": "{department}",
        },
    })
}

fn message(schema: &str, summary: &str, example: &str) -> anyhow::Result<Value> {
    let payload: Value = serde_json::from_str(example)?;
    Ok(json!({
        "title": schema,
        "summary": summary,
        "contentType": Envelope::<News>::CONTENT_TYPE,
        "payload": { "$ref": format!("#/components/schemas/{schema}") },
        "examples": [{ "name": "bygg", "payload": payload }],
    }))
}

/// The schema of the bus's acknowledgement, as far as a department need read it. The rest is NATS's own.
fn stored() -> Value {
    json!({
        "type": "object",
        "description": "NATS's acknowledgement of a message that is stored, or why it is not.",
        "required": ["stream"],
        "properties": {
            "stream": { "type": "string", "description": "The department's stream of closures." },
            "seq": { "type": "integer", "minimum": 0, "description": "The closure's number there; an answer to a closure that \
                could not be read names it as `message`." },
            "duplicate": { "type": "boolean", "description": "It was sent with the same header `Nats-Msg-Id` within the last \
                minute, and is stored once." },
            "error": {
                "type": "object",
                "description": "It is not stored.",
                "required": ["code", "description"],
                "properties": {
                    "code": { "type": "integer" },
                    "err_code": { "type": "integer" },
                    "description": { "type": "string" },
                },
            },
        },
    })
}
