//! Pages for when a case is not shown: why, and what to do.

use maud::{Markup, html};

use super::document::{Symbol, both, document, symbol};
use crate::page::Stop;

/// The page for `stop`.
pub(crate) fn stop(stop: &Stop) -> Markup {
    let (title, english, what, in_english) = words(stop);
    let kind = match stop {
        Stop::Elsewhere { bounced: true } => Symbol::Done,
        _ => Symbol::Wrong,
    };
    let main = html! {
        section.card.stop {
            h1 { (symbol(kind)) span { (both(title, english)) } }
            p { (what) }
            p.en lang="en" { (in_english) }
        }
    };
    document(title, None, &main)
}

/// Swedish title, English title, what to do in Swedish, and in English.
fn words(stop: &Stop) -> (&'static str, &'static str, &'static str, &'static str) {
    match stop {
        Stop::Unknown => (
            "Länken fungerar inte",
            "The link does not work",
            "Den kan ha klippts av när den kopierades. Öppna den igen från mejlet, eller kopiera hela adressen. Hjälper inte \
             det, fråga kontaktcenter efter ärendet.",
            "It may have been cut off when it was copied. Open it from the mail again, or copy the whole address. If that does \
             not help, ask the contact centre about the case.",
        ),
        Stop::Expired => (
            "Länken har gått ut",
            "The link has expired",
            "En länk gäller i 60 dagar. Öppna i stället länken i det senaste mejlet om ärendet. Finns det inget nyare mejl, be \
             kontaktcenter om en ny länk.",
            "A link works for 60 days. Open the link in the latest mail about the case instead. If there is no later mail, ask \
             the contact centre for a new link.",
        ),
        Stop::Elsewhere { bounced: true } => (
            "Tack, ärendet är skickat vidare",
            "Thank you, the case has been sent on",
            "Den grupp som har det nu har fått ett mejl. Er länk gäller inte längre, och ni behöver inte göra något mer.",
            "The group that has it now has been sent a mail. Your link no longer works, and there is nothing more for you to \
             do.",
        ),
        Stop::Elsewhere { bounced: false } => (
            "Länken gäller inte längre",
            "The link no longer works",
            "Ärendet har skickats vidare eller öppnats igen sedan mejlet kom. Har er grupp det nu, finns en ny länk i ett \
             nyare mejl. Annars behöver ni inte göra något.",
            "The case has been sent on or opened anew since the mail came. If your group has it now, a new link is in a later \
             mail. Otherwise there is nothing for you to do.",
        ),
        Stop::OtherSite => (
            "Inget är ändrat",
            "Nothing has changed",
            "Formuläret skickades från en annan webbplats. Öppna ärendet från länken i mejlet och försök igen där.",
            "The form was sent from another website. Open the case from the link in the mail, and try again there.",
        ),
        Stop::TooLarge => (
            "Inget är ändrat",
            "Nothing has changed",
            "Formuläret gick inte att läsa: texten är för lång eller kom inte fram hel. Gå tillbaka, korta texten och försök \
             igen.",
            "The form could not be read: the text is too long, or did not arrive whole. Go back, shorten the text, and try \
             again.",
        ),
        Stop::Away => (
            "Det går inte just nu",
            "Not possible right now",
            "Ärendet kan varken visas eller ändras för tillfället. Det ni senast gjorde kan ha blivit sparat ändå: ladda om \
             sidan om en stund och se efter.",
            "The case can be neither shown nor changed for the moment. What you did last may have been stored all the same: \
             load the page again in a while, and look.",
        ),
    }
}
