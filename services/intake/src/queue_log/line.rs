//! One line of a queue_log: `epoch|callid|queue|agent|EVENT|data...` (Asterisk's main/logger.c and apps/app_queue.c).

use domain::{Channel, QueueName, TurnedAway};
use jiff::Timestamp;

use crate::input::{ContactInput, ContactKind};

/// No PBX writes longer lines; what does is not a queue_log.
const LONGEST: usize = 4_096;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Something happened to a call.
    Contact(Box<ContactInput>),
    /// The PBX started; calls that waited in it are lost.
    Restart(Timestamp),
    /// Something else that a PBX writes, such as who logged in.
    PassedOver,
}

/// Reads a line, without its end. `system` is the PBX's name.
///
/// # Errors
/// Why it is no line of a queue_log. The reason never holds the line's own text, which may hold a caller's number.
pub fn read_line(line: &[u8], system: &str) -> Result<Line, String> {
    if line.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    // Only a caller's name can be in another encoding, and it is not read.
    let line = String::from_utf8_lossy(line);
    let fields: Vec<&str> = line.trim_end_matches(['\r', '\n']).split('|').collect();
    let [epoch, call, queue, _agent, event, data @ ..] = fields.as_slice() else {
        return Err("has fewer than the five fields epoch|callid|queue|agent|EVENT".to_owned());
    };
    let at = read_epoch(epoch)?;
    let seconds = |n: usize| data.get(n).and_then(|s| s.parse::<u32>().ok());
    let left = |reason, waited_s| (ContactKind::TurnedAway, waited_s, Some(reason));
    let (kind, waited_s, reason) = match *event {
        "ENTERQUEUE" => (ContactKind::Queued, None, None),
        "CONNECT" => (ContactKind::Answered, seconds(0), None),
        "ABANDON" => (ContactKind::Abandoned, seconds(2), None),
        "COMPLETECALLER" | "COMPLETEAGENT" | "BLINDTRANSFER" | "ATTENDEDTRANSFER" | "TRANSFER" => {
            (ContactKind::Ended, None, None)
        }
        "EXITWITHTIMEOUT" => left(TurnedAway::TimedOut, seconds(2)),
        "EXITEMPTY" => left(TurnedAway::QueueEmpty, seconds(2)),
        "EXITWITHKEY" => left(TurnedAway::PressedKey, seconds(3)),
        "WITHDRAW" => left(TurnedAway::Withdrawn, seconds(2)),
        // Turned away at the door: no ENTERQUEUE comes before these.
        "JOINEMPTY" => left(TurnedAway::QueueEmpty, Some(0)),
        "FULL" => left(TurnedAway::QueueFull, Some(0)),
        "CLOSED" => left(TurnedAway::Closed, Some(0)),
        "QUEUESTART" => return Ok(Line::Restart(at)),
        "" => return Err("has no event in its fifth field".to_owned()),
        _ => return Ok(Line::PassedOver),
    };
    if call.is_empty() || *call == "NONE" || call.len() > 128 || call.chars().any(char::is_control)
    {
        return Err(format!(
            "has no call id in its second field, which {event} needs"
        ));
    }
    let queue: QueueName = queue
        .parse()
        .map_err(|e| format!("has no queue's name in its third field: it {e}"))?;
    Ok(Line::Contact(Box::new(ContactInput {
        contact: (*call).to_owned(),
        event: kind,
        at,
        channel: Channel::Phone,
        queue,
        department: None,
        // No call waits a year: the PBX's clock was set while it waited.
        waited_s: waited_s.filter(|s| *s < 31_622_400),
        reason,
        system: Some(system.to_owned()),
    })))
}

fn read_epoch(text: &str) -> Result<Timestamp, String> {
    let wrong = || "does not begin with a time in seconds since 1970".to_owned();
    // Some write a fraction, which is not read: calls wait whole seconds.
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds: i64 = seconds
        .trim_start_matches('\u{feff}')
        .parse()
        .map_err(|_| wrong())?;
    // From the first Asterisk to the year 2100.
    if !(944_006_400..4_102_444_800).contains(&seconds) {
        return Err("begins with a time before December 1999 or after 2099".to_owned());
    }
    Timestamp::from_second(seconds).map_err(|_| wrong())
}
