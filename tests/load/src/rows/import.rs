//! Importing a queue_log into a running product.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::Setting;
use crate::{
    events::QUEUES,
    product::CONTACTS,
    stats::median,
    table::{Row, Target, number},
};

pub(crate) async fn measure(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let product = setting.product("all").await?;
    let lines = setting.scale.import_lines;
    let (text, events) = queue_log(lines);
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), text)?;
    let path = file.path().display().to_string();
    let (mut whole, mut taken) = (Vec::new(), Vec::new());
    for round in 0..setting.scale.rounds {
        // Under another name every call is another call.
        let system = format!("pbx{round}");
        let wanted = product.last().await? + events;
        let mut connection = product.connect().await?;
        let began = Instant::now();
        let mut import = product
            .command(&["import", "queue-log", &path, "--system", &system])
            .spawn()?;
        let mut all_taken = None;
        let status = loop {
            tokio::select! {
                status = import.wait() => break status?,
                () = tokio::time::sleep(Duration::from_millis(10)), if all_taken.is_none() => {
                    let sources = connection.get("/intake/sources").await?;
                    if sources[CONTACTS].as_u64() >= Some(wanted) {
                        all_taken = Some(began.elapsed());
                    }
                }
            }
        };
        let until_returned = began.elapsed();
        ensure!(status.success(), "import queue-log: {status}");
        ensure!(
            product.last().await? == wanted,
            "the import did not take {events} events"
        );
        whole.push(lines as f64 / until_returned.as_secs_f64());
        taken.push(lines as f64 / all_taken.unwrap_or(until_returned).as_secs_f64());
    }
    Ok(vec![Row {
        what: format!(
            "Importing a queue_log of {} lines until the figures hold it all",
            number(lines as f64)
        ),
        unit: "lines/s",
        measured: whole,
        limit: Vec::new(),
        limit_is: String::new(),
        target: Target::AtLeast(10_000.0),
        note: format!(
            "`kommunlots import queue-log` into a running `kommunlots all`, the command's whole time; until every line was \
             durable it was {} lines/s (median)",
            number(median(&taken))
        ),
    }])
}

/// A month of calls as Asterisk writes them, and how many of its lines are events of a contact.
fn queue_log(lines: usize) -> (String, u64) {
    let (mut text, mut events) = (String::new(), 0);
    let (mut written, mut call) = (0, 0u64);
    while written < lines {
        let (id, queue) = (
            format!("16121{call:06}.{call}"),
            QUEUES[(call % 5) as usize],
        );
        let (at, wait) = (1_612_162_800 + call * 60, 5 + call * 7 % 90);
        let mut put = |at: u64, agent: &str, what: &str, counts: bool| {
            if written < lines {
                let _ = writeln!(text, "{at}|{id}|{queue}|{agent}|{what}");
                written += 1;
                events += u64::from(counts);
            }
        };
        put(at, "NONE", "ENTERQUEUE||0701234567|1", true);
        if call.is_multiple_of(5) {
            put(at + wait, "NONE", &format!("ABANDON|1|1|{wait}"), true);
        } else {
            if call.is_multiple_of(3) {
                put(at + 4, "SIP/101", "RINGNOANSWER|4000", false);
            }
            put(
                at + wait,
                "SIP/102",
                &format!("CONNECT|{wait}|{id}|3"),
                true,
            );
            put(
                at + wait + 120,
                "SIP/102",
                &format!("COMPLETECALLER|{wait}|120|1"),
                true,
            );
        }
        call += 1;
    }
    (text, events)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_queue_log_has_the_lines_that_were_asked_for() {
        let (text, events) = super::queue_log(1_000);
        assert_eq!(text.lines().count(), 1_000);
        assert_eq!(
            events,
            text.lines().filter(|l| !l.contains("RINGNOANSWER")).count() as u64
        );
    }
}
