//! The unit head's list of cases that should have reached the heads long ago, such as when nothing ran: one a day at the most.

use domain::{Agreements, WorkingTime, local_day, start_of_day};
use jiff::Timestamp;
use platform::{lease::Leading, mail};
use sqlx::{Connection, PgConnection};

use crate::{
    Desk, level, mails, people,
    store::{self, DigestKind},
};

/// The list as one of the digests.
const KIND: DigestKind = DigestKind::Heads;

/// Sends the list if cases wait for it and its time has come; returns when to look again, where one is to come.
pub(super) async fn send(
    desk: &Desk,
    leading: &Leading,
    connection: &mut PgConnection,
) -> anyhow::Result<Option<Timestamp>> {
    if !store::any_heads_late(&mut *connection).await? {
        return Ok(None);
    }
    let now = desk.clock.now();
    let day = local_day(now);
    let versions = desk.versions.all(connection).await?;
    let Some(agreements) = people::current(&versions, now) else {
        return Ok(None);
    };
    let sent = store::was_sent(&mut *connection, KIND, "", day).await?;
    match due(agreements, now, sent) {
        Some(due) if due <= now => {}
        later => return Ok(later),
    }
    // There is no second list today, so all that belongs on it must have been told of.
    level::with_routing(desk, connection, Vec::new()).await?;
    if !store::due_plans(&mut *connection, now, 1).await?.is_empty() {
        return Ok(Some(now));
    }
    let mut transaction = connection.begin().await?;
    leading.check(&mut transaction).await?;
    let late = store::take_heads_late(&mut *transaction).await?;
    if !late.is_empty() {
        if !store::mark_digest(&mut *transaction, KIND, "", day, (now, late.len())).await? {
            // They wait for tomorrow's.
            transaction.rollback().await?;
            return Ok(None);
        }
        match people::unit_head(agreements) {
            Some(to) => {
                let mail = mails::of_heads_late(agreements, &late, to);
                mail::enqueue(&mut transaction, &[mail], now).await?;
            }
            None => tracing::error!("the unit head has no address that mail can be sent to"),
        }
    }
    transaction.commit().await?;
    desk.wake();
    Ok(None)
}

/// When the list goes next: on a day that the centre works, within its hours, when the departments that work that day have
/// begun. Before, their cases are still to be told of. One that begins when the centre has closed is not waited for.
fn due(agreements: &Agreements, now: Timestamp, sent_today: bool) -> Option<Timestamp> {
    let office = agreements.office_time();
    let mut first = now;
    if sent_today {
        first = start_of_day(local_day(now).tomorrow().ok()?).ok()?;
    }
    let opens = office.next_working(first)?;
    let day = local_day(opens);
    let (_, closes) = office.spans_of(day).pop()?;
    let begins = |working_time: WorkingTime| Some(working_time.spans_of(day).first()?.0);
    let departments = agreements.departments.keys();
    let last = departments
        .filter_map(|department| begins(agreements.working_time(department)))
        .filter(|begins| *begins < closes)
        .max();
    office.next_working(last.map_or(opens, |last| opens.max(last)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(text: &str) -> Timestamp {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(domain::stockholm()).unwrap().timestamp()
    }

    fn weekdays(hours: &str) -> Value {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
        let days = days.map(|day| (day.to_owned(), json!([hours])));
        Value::Object(days.into_iter().collect())
    }

    /// A centre that works 8 to 16, and departments with these hours.
    fn agreements(departments: &[Value]) -> Agreements {
        let person = json!({"name": "Någon", "email": "a@example.org"});
        let department = |(number, hours): (usize, &Value)| {
            let own = json!({
                "name": "En förvaltning", "hours": hours, "closures": [], "groups": {},
                "contact_person": person, "head": person, "targets": {}, "pause_cap_working_hours": 80,
                "default_group": "alla", "default_limit_working_hours": 40, "default_reminders": {}, "case_types": {},
            });
            (format!("d{number}"), own)
        };
        let departments: serde_json::Map<_, _> =
            departments.iter().enumerate().map(department).collect();
        let agreements = json!({
            "municipality": "Exempel", "unit_head": person, "hours": weekdays("08:00-16:00"), "closures": [], "zones": {},
            "registrator": {"department": "d0", "group": "alla", "limit_working_hours": 80},
            "departments": departments,
        });
        serde_json::from_value(agreements).unwrap()
    }

    #[test]
    fn the_list_waits_for_the_departments_that_open_last_and_for_the_centre() {
        let hours = ["07:00-15:00", "08:00-16:00", "09:00-15:00", "18:00-23:00"].map(weekdays);
        let agreements = agreements(&hours);
        let monday = Some(at("2026-11-23 09:00"));
        for now in ["2026-11-22 12:00", "2026-11-23 07:00", "2026-11-23 08:30"] {
            assert_eq!(due(&agreements, at(now), false), monday, "{now}");
        }
        let later = at("2026-11-23 13:00");
        assert_eq!(due(&agreements, later, false), Some(later));
        // Once a day, and never when the centre has closed.
        let tuesday = Some(at("2026-11-24 09:00"));
        assert_eq!(due(&agreements, later, true), tuesday);
        assert_eq!(due(&agreements, at("2026-11-23 19:00"), false), tuesday);
    }

    #[test]
    fn a_department_that_works_when_the_centre_does_not_is_told_of_when_it_does() {
        let agreements = agreements(&[json!({"saturday": ["10:00-14:00"]})]);
        let monday = Some(at("2026-11-30 08:00"));
        assert_eq!(due(&agreements, at("2026-11-28 11:00"), false), monday);
    }
}
