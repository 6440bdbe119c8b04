//! `[case_types.<label>]` in a department's file.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    CaseTypeAgreement, Department, Depth, GroupId, ReminderSteps, RosaGroup, Rule, SecrecyZone,
    Zone,
};

use super::{parts, problem::suggestion, section::Section};

/// What a case type may refer to.
pub(super) struct Known<'k> {
    /// The department.
    pub(super) department: &'k Department,
    /// The department's groups.
    pub(super) groups: &'k BTreeSet<GroupId>,
    /// The municipality's zones, where they could be read.
    pub(super) zones: Option<&'k BTreeMap<Zone, SecrecyZone>>,
    /// The department's reminder steps.
    pub(super) reminders: ReminderSteps,
}

impl Known<'_> {
    /// Whoever gets the cases of a zone must be of it.
    pub(super) fn within(
        &self,
        section: &Section,
        key: &'static str,
        group: &GroupId,
        zone: Option<&Zone>,
    ) {
        let found = zone.and_then(|zone| Some((zone, self.zones?.get(zone)?)));
        let Some((zone, of_zone)) = found else { return };
        // That there is no such group has been told.
        if of_zone.has(self.department, group) || !self.groups.contains(group) {
            return;
        }
        let own = of_zone.groups.get(self.department).into_iter().flatten();
        let instead = suggestion(group.as_str(), own.map(GroupId::as_str));
        let instead = match instead.as_str() {
            "remove it" => String::new(),
            instead => format!("{instead}, or "),
        };
        section.wrong(
            key,
            format!(
                "is `{group}`, which may not see the cases of the zone `{zone}`; {instead}name it in `zones.{zone}.groups` \
                 in municipality.toml"
            ),
        );
    }
}

/// Reads it.
pub(super) fn read(section: &Section, known: &Known) -> Option<CaseTypeAgreement> {
    let rosa_group: Option<RosaGroup> = section.required("rosa_group", "rosa_group = 4");
    let depth: Option<Depth> = section.required("depth", r#"depth = "centre""#);
    if let (Some(rosa_group), Some(Depth::Centre)) = (rosa_group, depth)
        && rosa_group.is_departments()
    {
        section.wrong(
            "depth",
            "cannot be `centre`, since ROSA groups 5 and 6 are the department's; write \
             `depth = \"department\"`, or another `rosa_group`",
        );
    }
    let group = parts::group(section, "group", known.groups);
    let limit = section.required("limit_working_hours", "limit_working_hours = 40");
    let reminders = parts::reminders(section, known.reminders);
    let zone = parts::zone(section, known.zones);
    if let Some(group) = &group {
        known.within(section, "group", group, zone.as_ref());
    }
    let rules = rules(section, known, zone.as_ref());
    let checklist: Option<String> =
        section.optional("checklist", r#"checklist = "Vilken fastighet gäller det?""#);
    if checklist
        .as_ref()
        .is_some_and(|text| text.trim().is_empty())
    {
        section.wrong("checklist", "is empty; write the questions, or remove it");
    }
    Some(CaseTypeAgreement {
        rosa_group: rosa_group?,
        depth: depth?,
        group: group?,
        rules,
        limit_working_hours: limit?,
        reminders,
        zone,
        checklist: checklist.map(|text| text.trim().to_owned()),
    })
}

fn rules(section: &Section, known: &Known, of_type: Option<&Zone>) -> Vec<Rule> {
    let example = r#"rules = [{ urgent = true, group = "jour" }]"#;
    let mut rules: Vec<Rule> = Vec::new();
    for item in section.list("rules", example) {
        let urgent: Option<bool> = item.optional("urgent", "urgent = true");
        if urgent == Some(false) {
            item.wrong(
                "urgent",
                "can only be true: a rule without it fits all; write `urgent = true`, or remove it",
            );
        }
        let opinion = item.optional("opinion", r#"opinion = "complaint""#);
        let zone = parts::zone(&item, known.zones);
        let limit = item.optional("limit_working_hours", "limit_working_hours = 4");
        let Some(group) = parts::group(&item, "group", known.groups) else {
            continue;
        };
        known.within(&item, "group", &group, zone.as_ref().or(of_type));
        let rule = Rule {
            urgent: urgent == Some(true),
            opinion,
            zone,
            group,
            limit_working_hours: limit,
        };
        if !["urgent", "opinion", "zone"]
            .iter()
            .any(|key| item.has(key))
        {
            item.wrong(
                "group",
                "has no condition; write `urgent`, `opinion` or `zone` beside it, or make it the case type's group",
            );
        } else if let Some(earlier) = rules.iter().find(|earlier| earlier.covers(&rule)) {
            item.wrong(
                "group",
                format!(
                    "is never chosen, since the rule for {} comes first; write the narrower rule above it",
                    earlier.conditions()
                ),
            );
        }
        rules.push(rule);
    }
    rules
}
