//! The page as HTML: what it says in each state, and that nothing in it is taken for markup.

use domain::{CaseOutcome, ContentAnswer, PauseReason, Words};
use jiff::Timestamp;

use super::{
    Stop, example,
    form::{Action, Form, Wrong},
    html::{self, Said, Sheet},
    terms::Terms,
};
use crate::case::{Case, State};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn page_at(case: &Case, now: &str, content: Option<ContentAnswer>, said: Said) -> String {
    let versions = example::versions();
    let sheet = Sheet {
        token: "TOKEN",
        terms: Terms::of(case, &versions),
        now: at(now),
        content,
        history: example::history(),
        said,
    };
    html::sheet(&sheet).into_string()
}

fn page(case: &Case, said: Said) -> String {
    let content = Some(ContentAnswer::Known(example::content()));
    page_at(case, "2026-11-23T09:00:00Z", content, said)
}

/// For looking at: with `CASE_PAGES` set, into that folder.
fn keep(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("CASE_PAGES") {
        let folder = std::path::Path::new(&folder);
        let page = page.replace(html::style_address(), "case.css");
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
        std::fs::write(folder.join("case.css"), html::STYLE).unwrap();
    }
}

fn not_done(action: Action, fields: &[(Option<&'static str>, &str)], form: &str) -> Said {
    let wrong = |(field, swedish): &(Option<&'static str>, &str)| Wrong {
        field: *field,
        words: Words {
            swedish: (*swedish).to_owned(),
            english: "in english".to_owned(),
        },
    };
    Said::NotDone {
        action,
        wrong: fields.iter().map(wrong).collect(),
        form: Form::read(form.as_bytes()),
    }
}

#[test]
fn an_open_case_shows_everything_and_nothing_of_it_is_markup() {
    let page = page(&example::case(), Said::Nothing);
    keep("open", &page);
    for shown in [
        "<title>Ärende 1234: bygglov</title>",
        "Exempelköping",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "Exempel &quot;Person&quot;",
        "href=\"tel:0701740605\"",
        "href=\"mailto:exempel@example.org\"",
        "Byggförvaltningen, Bygglovshandläggare",
        "Väntar på handläggare",
        "2026-11-27 09:12",
        "30 tim 42 min arbetstid kvar",
        "Vilken fastighet gäller det?",
        "Ringt, inget svar.\nFörsöker igen på måndag.",
        "action=\"/routing/case/TOKEN/take\"",
        "action=\"/routing/case/TOKEN/bounce\"",
        "<option value=\"gata\">Gatu- och VA-förvaltningen</option>",
    ] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("Försenat"), "{page}");
    assert!(!page.contains("value=\"bygg\""), "it is there already");
    assert!(!page.contains("TOKEN/resume"), "it is not paused");
}

#[test]
fn what_is_late_urgent_and_secret_is_said_in_words() {
    let mut case = example::case();
    case.urgent = true;
    case.zone = Some("social".parse().unwrap());
    case.taken_at = Some(at("2026-11-20T10:30:00Z"));
    let content = Some(ContentAnswer::Away);
    let page = page_at(
        &case,
        "2026-11-30T09:00:00Z",
        content,
        Said::Done(Action::Take),
    );
    keep("late", &page);
    for shown in [
        "Ärendet är taget.",
        "Försenat",
        "6 tim 48 min arbetstid över",
        "Brådskande",
        "Socialtjänstens sekretess",
        "Innehållet visas inte för er grupp.",
        "TOKEN/close",
    ] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    assert!(!page.contains("TOKEN/take"), "it is taken");
    // A group of the zone is told that intake is away.
    case.department = Some("social".parse().unwrap());
    case.group_id = Some("mottagning".parse().unwrap());
    let content = Some(ContentAnswer::Away);
    let page = page_at(&case, "2026-11-30T09:00:00Z", content, Said::Nothing);
    assert!(page.contains("Innehållet kan inte visas just nu."));
}

#[test]
fn a_paused_case_says_until_when_and_can_go_on() {
    let mut case = example::case();
    case.state = State::Paused;
    case.taken_at = Some(at("2026-11-20T10:30:00Z"));
    case.paused_at = Some(at("2026-11-23T08:00:00Z"));
    case.paused_until = Some(at("2026-12-04T14:00:00Z"));
    case.pause_reason = Some(PauseReason::Citizen);
    let page = page(&case, Said::Done(Action::Pause));
    keep("paused", &page);
    for shown in [
        "Klockan står",
        "2026-12-04 15:00",
        "Väntar på den enskilde",
        "TOKEN/resume",
    ] {
        assert!(page.contains(shown), "{shown} is not in {page}");
    }
    assert!(!page.contains("TOKEN/pause"), "it is paused");
}

#[test]
fn a_closed_case_shows_that_and_nothing_of_what_was_said() {
    let mut case = example::case();
    case.state = State::Closed;
    case.closed_at = Some(at("2026-11-23T08:00:00Z"));
    case.outcome = Some(CaseOutcome::Done);
    let page = page_at(
        &case,
        "2026-11-23T09:00:00Z",
        None,
        Said::Done(Action::Close),
    );
    keep("closed", &page);
    assert!(page.contains("Åtgärdat"), "{page}");
    for hidden in [
        "Ringt",
        "<form",
        "Vilken fastighet",
        "Innehållet kan inte visas",
    ] {
        assert!(!page.contains(hidden), "{hidden} is in {page}");
    }
}

#[test]
fn what_was_wrong_is_said_above_and_at_the_field_and_the_rest_is_kept() {
    let said = not_done(
        Action::Pause,
        &[(Some("pause-until"), "skriv den sista dagen")],
        "reason=authority&until=snart",
    );
    let wrong = page(&example::case(), said);
    keep("wrong", &wrong);
    for shown in [
        "<title>Fel: ",
        "Skriv den sista dagen.",
        "href=\"#pause-until\"",
        "id=\"pause-until-wrong\"",
        "aria-describedby=\"pause-until-wrong pause-until-hint\"",
        "value=\"snart\"",
        "value=\"authority\" required checked",
    ] {
        assert!(wrong.contains(shown), "{shown} is not in {wrong}");
    }
    assert_eq!(wrong.matches("<details class=\"form\" open").count(), 1);

    let said = not_done(Action::Take, &[(None, "ärendet är redan taget")], "");
    let refused = page(&example::case(), said);
    keep("refused", &refused);
    assert!(refused.contains("Ärendet är redan taget."), "{refused}");
}

#[test]
fn every_stop_says_what_to_do_in_both_languages() {
    for (name, stop) in [
        ("unknown", Stop::Unknown),
        ("expired", Stop::Expired),
        ("elsewhere", Stop::Elsewhere { bounced: false }),
        ("bounced", Stop::Elsewhere { bounced: true }),
        ("other-site", Stop::OtherSite),
        ("too-large", Stop::TooLarge),
        ("away", Stop::Away),
    ] {
        let page = html::stop(&stop).into_string();
        keep(name, &page);
        assert!(page.contains("<h1>") && page.contains("lang=\"en\""));
    }
}
