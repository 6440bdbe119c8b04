//! Swedish public holidays, and the eves that offices keep free or end early, for any year.

use jiff::civil::{Date, Weekday};

/// What a day is by the calendar alone. The names are Swedish, for explanations.
///
/// A day that is several things is the first of them: a holiday, then an eve, then a half day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Nothing but its weekday. Sundays are holidays by law, but here the opening hours say whether a Sunday is open.
    Ordinary,
    /// A public holiday (*allmän helgdag*) by lag (1989:253) om allmänna helgdagar.
    Holiday(&'static str),
    /// An eve that is free as a holiday is: midsommarafton, julafton and nyårsafton, which 2 § lag (1930:173) om
    /// beräkning av lagstadgad tid puts beside holidays, and påskafton, which that law covers as a Saturday and the
    /// municipal agreements pay as a holiday.
    Eve(&'static str),
    /// A day from Monday to Friday on which offices end early: trettondagsafton, skärtorsdagen, valborgsmässoafton and
    /// the day before alla helgons dag.
    ///
    /// No law and no central municipal agreement has half days; each municipality decides. The state's agreement
    /// shortens these four days and 23 December, and many municipalities do alike. 23 December is left out, since what
    /// is done then differs from place to place and with the weekday; so are the days before Kristi himmelsfärdsdag and
    /// nyårsafton, which are ordinary days in most places. A municipality that ends early then too says so with a
    /// [`crate::Closure`] that has hours.
    HalfDay(&'static str),
}

/// What `day` is by the Swedish calendar, by the rules in force since 1953: nationaldagen has been a holiday since
/// 2005, and annandag pingst was one until then.
pub fn day_kind(day: Date) -> DayKind {
    let since_easter = day.day_of_year() - easter(day);
    let holiday = holiday(day, since_easter).map(DayKind::Holiday);
    holiday
        .or_else(|| eve(day, since_easter).map(DayKind::Eve))
        .or_else(|| half_day(day, since_easter).map(DayKind::HalfDay))
        .unwrap_or(DayKind::Ordinary)
}

fn holiday(day: Date, since_easter: i16) -> Option<&'static str> {
    let name = match (day.month(), day.day(), day.weekday()) {
        (1, 1, _) => "nyårsdagen",
        (1, 6, _) => "trettondedag jul",
        (5, 1, _) => "första maj",
        (6, 6, _) if day.year() >= 2005 => "nationaldagen",
        (6, 20..=26, Weekday::Saturday) => "midsommardagen",
        (10, 31, Weekday::Saturday) | (11, 1..=6, Weekday::Saturday) => "alla helgons dag",
        (12, 25, _) => "juldagen",
        (12, 26, _) => "annandag jul",
        _ => match since_easter {
            -2 => "långfredagen",
            0 => "påskdagen",
            1 => "annandag påsk",
            39 => "Kristi himmelsfärdsdag",
            49 => "pingstdagen",
            50 if day.year() < 2005 => "annandag pingst",
            _ => return None,
        },
    };
    Some(name)
}

fn eve(day: Date, since_easter: i16) -> Option<&'static str> {
    match (day.month(), day.day(), day.weekday()) {
        (6, 19..=25, Weekday::Friday) => Some("midsommarafton"),
        (12, 24, _) => Some("julafton"),
        (12, 31, _) => Some("nyårsafton"),
        _ => (since_easter == -1).then_some("påskafton"),
    }
}

fn half_day(day: Date, since_easter: i16) -> Option<&'static str> {
    match (day.month(), day.day(), day.weekday()) {
        (_, _, Weekday::Saturday | Weekday::Sunday) => None,
        (1, 5, _) => Some("trettondagsafton"),
        (4, 30, _) => Some("valborgsmässoafton"),
        (10, 30 | 31, Weekday::Friday) | (11, 1..=5, Weekday::Friday) => {
            Some("dagen före alla helgons dag")
        }
        _ => (since_easter == -3).then_some("skärtorsdagen"),
    }
}

/// The day of the year, from 1, of påskdagen in the year of `day`: the anonymous Gregorian computus (Meeus,
/// *Astronomical Algorithms*, chapter 8). Counted in days of the year, since every movable day is in the same year.
fn easter(day: Date) -> i16 {
    let year = day.year();
    // Euclidean, so that years before 0, which jiff has, are years like others.
    let (century, of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let golden = year.rem_euclid(19);
    let moon_correction = (century - (century + 8).div_euclid(25) + 1).div_euclid(3);
    let leap_centuries = century.div_euclid(4);
    let full_moon = (19 * golden + century - leap_centuries - moon_correction + 15).rem_euclid(30);
    let to_sunday =
        (32 + 2 * century.rem_euclid(4) + 2 * (of_century / 4) - full_moon - of_century % 4) % 7;
    let late = (golden + 11 * full_moon + 22 * to_sunday) / 451;
    let after_22_march = full_moon + to_sunday - 7 * late;
    let day_of_22_march = 81 + i16::from(day.in_leap_year());
    day_of_22_march + after_22_march
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};

    use super::{DayKind::*, *};

    fn kind(text: &str) -> DayKind {
        day_kind(text.parse().unwrap())
    }

    #[test]
    fn easter_is_when_it_was() {
        for day in [
            "1818-03-22",
            "1943-04-25",
            "2000-04-23",
            "2008-03-23",
            "2019-04-21",
            "2021-04-04",
            "2024-03-31",
            "2025-04-20",
            "2038-04-25",
            "2049-04-18",
            "2285-03-22",
        ] {
            assert_eq!(kind(day), Holiday("påskdagen"), "{day}");
        }
    }

    /// The older way to reckon: golden number and epact (Clavius, as in Knuth's *Art of Computer Programming*, 1.3.2).
    #[test]
    fn easter_agrees_with_the_epact_in_every_year() {
        for year in 1583..9999_i32 {
            let golden = year % 19 + 1;
            let century = year / 100 + 1;
            let skipped = 3 * century / 4 - 12;
            let moon = (8 * century + 5) / 25 - 5;
            let sunday = 5 * year / 4 - skipped - 10;
            let mut epact = (11 * golden + 20 + moon - skipped).rem_euclid(30);
            if (epact == 25 && golden > 11) || epact == 24 {
                epact += 1;
            }
            let full_moon = if epact > 23 { 74 - epact } else { 44 - epact };
            let of_march = full_moon + 7 - (sunday + full_moon) % 7;
            let first_of_march = date(i16::try_from(year).unwrap(), 3, 1);
            let expected = first_of_march + (of_march - 1).days();
            assert_eq!(easter(first_of_march), expected.day_of_year(), "{year}");
        }
    }

    #[test]
    fn a_year_has_its_days() {
        let first = date(2021, 1, 1);
        let marked: Vec<_> = first
            .series(1.day())
            .take_while(|day| day.year() == 2021)
            .filter(|day| day_kind(*day) != Ordinary)
            .map(|day| (day.to_string(), day_kind(day)))
            .collect();
        let expected = [
            ("2021-01-01", Holiday("nyårsdagen")),
            ("2021-01-05", HalfDay("trettondagsafton")),
            ("2021-01-06", Holiday("trettondedag jul")),
            ("2021-04-01", HalfDay("skärtorsdagen")),
            ("2021-04-02", Holiday("långfredagen")),
            ("2021-04-03", Eve("påskafton")),
            ("2021-04-04", Holiday("påskdagen")),
            ("2021-04-05", Holiday("annandag påsk")),
            ("2021-04-30", HalfDay("valborgsmässoafton")),
            ("2021-05-01", Holiday("första maj")),
            ("2021-05-13", Holiday("Kristi himmelsfärdsdag")),
            ("2021-05-23", Holiday("pingstdagen")),
            ("2021-06-06", Holiday("nationaldagen")),
            ("2021-06-25", Eve("midsommarafton")),
            ("2021-06-26", Holiday("midsommardagen")),
            ("2021-11-05", HalfDay("dagen före alla helgons dag")),
            ("2021-11-06", Holiday("alla helgons dag")),
            ("2021-12-24", Eve("julafton")),
            ("2021-12-25", Holiday("juldagen")),
            ("2021-12-26", Holiday("annandag jul")),
            ("2021-12-31", Eve("nyårsafton")),
        ];
        assert_eq!(marked, expected.map(|(day, kind)| (day.to_owned(), kind)));
    }

    #[test]
    fn days_that_fall_together_and_rules_that_changed() {
        // Kristi himmelsfärdsdag fell on 1 May in 2008, and will fall on valborgsmässoafton in 2285.
        assert_eq!(kind("2008-05-01"), Holiday("första maj"));
        assert_eq!(kind("2285-04-30"), Holiday("Kristi himmelsfärdsdag"));
        // Alla helgons dag at the ends of its range.
        assert_eq!(kind("2020-10-31"), Holiday("alla helgons dag"));
        assert_eq!(kind("2020-10-30"), HalfDay("dagen före alla helgons dag"));
        assert_eq!(kind("2026-10-31"), Holiday("alla helgons dag"));
        assert_eq!(kind("2015-10-30"), HalfDay("dagen före alla helgons dag"));
        assert_eq!(kind("2014-10-31"), HalfDay("dagen före alla helgons dag"));
        // Half days shorten working days only: 5 January 2019 was a Saturday.
        assert_eq!(kind("2019-01-05"), Ordinary);
        assert_eq!(kind("2004-05-31"), Holiday("annandag pingst"));
        assert_eq!(kind("2004-06-06"), Ordinary);
        assert_eq!(kind("2005-05-16"), Ordinary);
        assert_eq!(kind("2005-06-06"), Holiday("nationaldagen"));
    }

    #[test]
    fn the_calendars_ends_have_days_too() {
        assert_eq!(day_kind(Date::MAX), Eve("nyårsafton"));
        assert_eq!(day_kind(Date::MIN), Holiday("nyårsdagen"));
    }
}
