//! The reader of queue_log lines takes any bytes, and says of each line what it is or why it is none.

use intake::queue_log::{Line, read_line};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::harness::shared;

/// Lines of the kinds that PBXs write; the ids and numbers are made up.
const LINES: [&str; 12] = [
    "1167421685|1169421668.34679|qname|NONE|ENTERQUEUE||5555551234",
    "1612164000|1612164000.3001|vaxel|NONE|ENTERQUEUE||0000620001|1",
    "1612164005|1612164000.3001|vaxel|PJSIP/101|CONNECT|5|1612164000.3002|1",
    "1612164050|1612164000.3001|vaxel|PJSIP/101|COMPLETECALLER|5|45|1",
    "1612164050|1612164000.3001|vaxel|NONE|ABANDON|1|1|50",
    "1612164050|1612164000.3001|vaxel|NONE|EXITWITHTIMEOUT|1|1|50",
    "1612164050|1612164000.3001|vaxel|NONE|EXITWITHKEY|9|1|1|50",
    "1612164050|1612164000.3001|vaxel|PJSIP/101|ATTENDEDTRANSFER|BRIDGE|x|5|45|1",
    "1612164050|1612164000.3001|vaxel|PJSIP/101|RINGNOANSWER|2000",
    "1612164050|NONE|NONE|NONE|QUEUESTART|",
    "1612164050|CLI|sales|SIP/0004f2040001|ADDMEMBER|",
    "1612164050|1612164000.3001|vaxel|NONE|FULL|",
];

/// A line with some of its bytes changed, put in or taken out.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    (select(&LINES[..]), vec(change, 0..6)).prop_map(|(line, changes)| {
        let mut line = line.as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at.index(line.len() + 1);
            match how {
                0 if at < line.len() => line[at] = byte,
                1 if at < line.len() => drop(line.remove(at)),
                2 => line.insert(at, b'|'),
                _ => line.insert(at, byte),
            }
        }
        line
    })
}

/// What holds of any line.
fn check(line: &[u8]) {
    match read_line(line, "pbx") {
        Ok(Line::Contact(input)) => {
            assert!((1..=128).contains(&input.contact.len()));
            assert_eq!(input.system.as_deref(), Some("pbx"));
            assert!(input.waited_s.is_none_or(|s| s < 31_622_400));
        }
        Ok(Line::Restart(_) | Line::PassedOver) => {}
        Err(reason) => {
            // Each reason is words of ours: a caller's number cannot get into it.
            assert!(reason.is_ascii() && reason.len() < 150, "{reason}");
            assert!(!reason.contains('|') || reason.contains("epoch|callid"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(line in vec(any::<u8>(), 0..6_000)) {
        check(&line);
    }

    #[test]
    fn no_line_that_went_wrong_makes_it_panic(line in mutated()) {
        check(&line);
    }

    #[test]
    fn no_fields_make_it_panic(fields in vec("[0-9A-Za-z.\u{feff}å -]{0,12}", 0..12), end in select(vec!["", "\n", "\r\n"])) {
        check(format!("{}{end}", fields.join("|")).as_bytes());
    }

    #[test]
    fn a_number_in_a_refused_line_is_not_in_the_reason(
        number in "07[0-9]{8}",
        line in select(vec!["#", "#|#", "1612164000|NONE|vaxel|NONE|ABANDON|1|1|#", "1612164000|1.1|#|NONE|ENTERQUEUE||#|1",
            "#|1.1|vaxel|NONE|ENTERQUEUE||#|1", "1612164000|1.1|vaxel|NONE||#"]),
    ) {
        let reason = read_line(line.replace('#', &number).as_bytes(), "pbx").unwrap_err();
        prop_assert!(!reason.contains(&number), "{reason}");
    }
}

#[test]
fn a_time_is_whole_seconds_or_has_a_fraction_and_is_nothing_else() {
    let read = |epoch: &str| {
        read_line(
            format!("{epoch}|1.1|vaxel|NONE|ENTERQUEUE||").as_bytes(),
            "pbx",
        )
    };
    let whole = read("1612162800");
    assert!(whole.is_ok(), "{whole:?}");
    assert_eq!(read("1612162800.734561"), whole);
    for wrong in [
        "1612162800.garbage",
        "1612162800.",
        "1612162800.7.3",
        "1612162800.-1",
        ".5",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn no_line_of_the_samples_is_refused() -> anyhow::Result<()> {
    let Some(samples) = shared("queue_log.samples") else {
        return Ok(());
    };
    let (mut contacts, mut restarts, mut others) = (0, 0, 0);
    for line in std::fs::read(samples)?.split_inclusive(|b| *b == b'\n') {
        match read_line(line, "pbx").map_err(anyhow::Error::msg)? {
            Line::Contact(_) => contacts += 1,
            Line::Restart(_) => restarts += 1,
            Line::PassedOver => others += 1,
        }
    }
    assert_eq!((contacts, restarts, others), (11, 2, 4));
    Ok(())
}
