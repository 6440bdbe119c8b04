//! Figures: what comes in is counted, once, under the right day.

use serde_json::json;

use crate::harness::{Product, contact};

#[tokio::test]
async fn a_late_doubled_and_reordered_event_ends_in_the_same_figures() -> anyhow::Result<()> {
    let product = Product::start()?;
    let api = product.api()?;
    let answered = contact("1", "answered", "2021-02-01T08:00:20Z");
    let queued = contact("1", "queued", "2021-02-01T08:00:00Z");
    let hung_up = contact("2", "abandoned", "2021-02-01T09:00:10Z");
    let came = contact("2", "queued", "2021-02-01T09:00:00Z");
    // The end before the beginning, each in a request of its own, and all of it twice.
    for event in [
        &answered, &hung_up, &queued, &came, &answered, &queued, &hung_up, &came,
    ] {
        api.contacts(std::slice::from_ref(event)).await?;
    }
    let figures = api.figures("from=2021-02-01&to=2021-02-01").await?;
    assert_eq!(figures.len(), 1);
    let expected = json!({
        "key": "all", "offered": 2, "answered": 1, "abandoned": 1, "short_abandoned": 1, "answer_rate": 1.0,
        "answered_within_60s": 1, "mean_wait_of_answered_s": 20, "longest_wait_s": 20, "definition": "contacts/v1",
        "as_of": figures[0]["as_of"],
    });
    assert_eq!(figures[0], expected);
    Ok(())
}
