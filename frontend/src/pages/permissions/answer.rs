//! The answer: whether they may, what decided, and what each rule came to.

use callboard_model::api::{ExplainedRule, PolicyExplanation, RuleOutcome};
use callboard_model::ui::Level;
use leptos::prelude::*;

use super::is_about;
use crate::messages::{Msg, t};
use crate::permissions;
use crate::session::use_portal;
use crate::ui::{Column, DataTable, EntityLink, Icon, Importance, Status, status, table};

/// What the answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// Nobody asked about an entity, and for some they may.
    Sometimes,
    Denied,
}

/// Whether they may, and why.
#[component]
pub(crate) fn Answer(explained: PolicyExplanation) -> impl IntoView {
    let reader = use_portal().user.with_untracked(|user| user.as_ref().map(|user| user.entity_ref.clone()));
    let own = is_about(&explained, reader.as_deref());
    let verdict = verdict(&explained);
    let (level, message) = match (verdict, own) {
        (Verdict::Allowed, true) => (Level::Ok, Msg::YouMay),
        (Verdict::Allowed, false) => (Level::Ok, Msg::TheyMay),
        (Verdict::Sometimes, true) => (Level::Info, Msg::YouMaySometimes),
        (Verdict::Sometimes, false) => (Level::Info, Msg::TheyMaySometimes),
        (Verdict::Denied, true) => (Level::Error, Msg::YouMayNot),
        (Verdict::Denied, false) => (Level::Error, Msg::TheyMayNot),
    };
    // In full: a bare name may be a word of the sentence.
    let who = explained.principal.clone();
    let next = match (verdict, own) {
        (Verdict::Denied, true) => Some(Msg::AskForIt),
        (Verdict::Sometimes, _) => Some(Msg::AskAboutOne),
        _ => None,
    };
    let mut facts =
        vec![(Msg::Permission, view! { <span>{permissions::line(&explained.permission)}</span> }.into_any())];
    if let Some(entity_ref) = explained.entity_ref.clone() {
        facts.push((Msg::Entity, view! { <EntityLink entity_ref=entity_ref.clone() text=entity_ref /> }.into_any()));
    }
    facts.push((Msg::DecidedBy, view! { <span>{explained.reason.clone()}</span> }.into_any()));
    let ownership = explained.ownership.clone();
    if !ownership.is_empty() {
        let refs =
            ownership.into_iter().map(|mine| view! { <EntityLink entity_ref=mine.clone() text=mine /> }).collect_view();
        let label = if own { Msg::CountsAsYou } else { Msg::CountsAsThem };
        facts.push((label, view! { <span class="stack stack--row">{refs}</span> }.into_any()));
    }
    let facts = facts.into_iter().map(|(label, fact)| view! { <dt>{t(label)}</dt><dd>{fact}</dd> }).collect_view();
    view! {
        <div class="card__body stack">
            <h2 class=format!("verdict status status--{}", status::name(level))>
                <Icon glyph=status::glyph(level) />
                <span>{message.with(&[("who", &who)])}</span>
            </h2>
            {next.map(|next| view! { <p>{t(next)}</p> })}
            <dl class="key-values">{facts}</dl>
            <Rules rules=explained.rules />
        </div>
    }
}

#[component]
fn Rules(rules: Vec<ExplainedRule>) -> impl IntoView {
    if rules.is_empty() {
        return view! { <p class="muted">{t(Msg::NoRules)}</p> }.into_any();
    }
    let mut columns = vec![NAME, OUTCOME];
    if rules.iter().any(|rule| rule.to.is_some()) {
        columns.push(TO);
    }
    if rules.iter().any(|rule| rule.place.is_some()) {
        columns.push(PLACE);
    }
    view! {
        <div class="table-box">
            <DataTable
                caption=t(Msg::RulesCaption)
                show_caption=true
                columns=Signal::stored(columns)
                rows=Signal::stored(rows(rules))
                key=|(place, _)| place.to_string()
            />
        </div>
    }
    .into_any()
}

/// A rule and its place in the list: names need not be unique.
type Row = (usize, ExplainedRule);

fn rows(rules: Vec<ExplainedRule>) -> Vec<Row> {
    rules.into_iter().enumerate().collect()
}

const NAME: Column<Row> = Column {
    key: "name",
    label: Msg::Rule,
    sorts: false,
    importance: Importance::Text,
    cell: |(_, rule)| view! { <span>{rule.name.clone()}</span> }.into_any(),
};

const OUTCOME: Column<Row> = Column {
    key: "outcome",
    label: Msg::Outcome,
    sorts: false,
    importance: Importance::Text,
    cell: |(_, rule)| {
        let (level, message) = outcome(rule.outcome);
        view! { <Status level=level text=t(message) /> }.into_any()
    },
};

const TO: Column<Row> = Column {
    key: "to",
    label: Msg::ForWhom,
    sorts: false,
    importance: Importance::Text,
    cell: |(_, rule)| match &rule.to {
        Some(to) => view! { <span>{to.join(", ")}</span> }.into_any(),
        None => table::none(),
    },
};

const PLACE: Column<Row> = Column {
    key: "place",
    label: Msg::WrittenIn,
    sorts: false,
    importance: Importance::Text,
    cell: |(_, rule)| match &rule.place {
        Some(place) => view! { <span class="mono">{place.clone()}</span> }.into_any(),
        None => table::none(),
    },
};

fn verdict(explained: &PolicyExplanation) -> Verdict {
    let for_some = || explained.rules.iter().any(|rule| rule.outcome == RuleOutcome::SomeEntities);
    match explained.allowed {
        true => Verdict::Allowed,
        false if explained.entity_ref.is_none() && for_some() => Verdict::Sometimes,
        false => Verdict::Denied,
    }
}

fn outcome(outcome: RuleOutcome) -> (Level, Msg) {
    match outcome {
        RuleOutcome::Gives => (Level::Ok, Msg::RuleGives),
        RuleOutcome::SomeEntities => (Level::Info, Msg::RuleSomeEntities),
        RuleOutcome::OtherEntities => (Level::Neutral, Msg::RuleOtherEntities),
        RuleOutcome::ForOthers => (Level::Neutral, Msg::RuleForOthers),
        RuleOutcome::NotAboutEntities => (Level::Neutral, Msg::RuleNotAboutEntities),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let check = |allowed: bool, entity: bool, outcomes: &[RuleOutcome], expected: Verdict| {
            let rule =
                |outcome: &RuleOutcome| ExplainedRule { name: "r".into(), place: None, outcome: *outcome, to: None };
            let explained = PolicyExplanation {
                principal: "user:default/ada".into(),
                ownership: Vec::new(),
                permission: "catalog.entity.delete".into(),
                entity_ref: entity.then(|| "api:default/a".to_owned()),
                allowed,
                reason: String::new(),
                rules: outcomes.iter().map(rule).collect(),
            };
            assert_eq!(super::verdict(&explained), expected, "{allowed} {entity} {outcomes:?}");
        };
        check(true, false, &[RuleOutcome::Gives], Verdict::Allowed);
        check(false, false, &[], Verdict::Denied);
        check(false, false, &[RuleOutcome::ForOthers, RuleOutcome::SomeEntities], Verdict::Sometimes);
        check(false, false, &[RuleOutcome::ForOthers], Verdict::Denied);
        check(false, true, &[RuleOutcome::OtherEntities], Verdict::Denied);
    }
}
