//! The rows of the log: who did what, to what, and what came of it.

use callboard_model::api::{AuditDecision, AuditEntry};
use callboard_model::ui::Level;
use leptos::prelude::*;

use super::Open;
use crate::entity;
use crate::format;
use crate::messages::{Msg, t};
use crate::permissions;
use crate::ui::{Button, Column, EntityLink, Importance, Status, Time, table};

/// What stands for several of something that was put into one row.
pub(super) const SEVERAL: &str = "*";

/// The status of an answer that was cut off.
const CUT_OFF: u16 = 499;

pub(super) const COLUMNS: [Column<AuditEntry>; 8] = [
    Column {
        key: "what",
        label: Msg::What,
        sorts: false,
        importance: Importance::Always,
        cell: |entry| view! { <span title=request(entry)>{what(entry)}</span> }.into_any(),
    },
    Column {
        key: "at",
        label: Msg::When,
        sorts: false,
        importance: Importance::Always,
        cell: |entry| view! { <Time at=entry.at.clone() /> }.into_any(),
    },
    Column {
        key: "actor",
        label: Msg::Who,
        sorts: false,
        importance: Importance::Always,
        cell: |entry| actor(&entry.actor),
    },
    Column {
        key: "resource",
        label: Msg::ToWhat,
        sorts: false,
        importance: Importance::Always,
        cell: |entry| match &entry.resource {
            Some(about) => resource(about),
            None => table::none(),
        },
    },
    Column {
        key: "outcome",
        label: Msg::Result,
        sorts: false,
        importance: Importance::Always,
        cell: |entry| {
            let (level, text) = result(entry);
            view! { <Status level=level text=text /> }.into_any()
        },
    },
    Column {
        key: "rule",
        label: Msg::Rule,
        sorts: false,
        importance: Importance::Less,
        cell: |entry| view! { <span class="rule" title=entry.rule.clone()>{entry.rule.clone()}</span> }.into_any(),
    },
    Column {
        key: "remote",
        label: Msg::FromWhere,
        sorts: false,
        importance: Importance::Less,
        cell: |entry| match &entry.remote {
            Some(remote) => view! { <span class="mono">{remote.clone()}</span> }.into_any(),
            None => table::none(),
        },
    },
    Column {
        key: "details",
        label: Msg::Details,
        sorts: false,
        importance: Importance::Always,
        cell: |entry| {
            let Some(Open(open)) = use_context::<Open>() else { return table::none() };
            let opened = entry.clone();
            let name = Msg::DetailsOf.with(&[("n", &format::number(entry.seq))]);
            view! { <Button label=t(Msg::Details) name=name small=true on_press=move |_| open.run(opened.clone()) /> }
                .into_any()
        },
    },
];

/// What was done, in words where there are any.
pub(super) fn what(entry: &AuditEntry) -> String {
    permissions::words(&entry.permission).map_or_else(|| entry.permission.clone(), str::to_owned)
}

/// Method and path.
pub(super) fn request(entry: &AuditEntry) -> String {
    match (entry.method.as_str(), entry.path.as_str()) {
        (SEVERAL, SEVERAL) => t(Msg::Several).to_owned(),
        (method, path) => format!("{method} {path}"),
    }
}

/// What said who it was.
pub(super) fn credential(credential: &str) -> String {
    match credential {
        SEVERAL => t(Msg::Several),
        "session" => t(Msg::ASession),
        "none" => t(Msg::NothingAtAll),
        _ => return credential.to_owned(),
    }
    .to_owned()
}

pub(super) fn actor(actor: &str) -> AnyView {
    match actor {
        SEVERAL => view! { <span class="muted">{t(Msg::Several)}</span> }.into_any(),
        "anonymous" => view! { <span class="muted">{t(Msg::Anonymous)}</span> }.into_any(),
        // Services and sources are named like refs, but are in no catalog.
        _ if actor.starts_with("user:") => view! { <EntityLink entity_ref=actor.to_owned() /> }.into_any(),
        _ => view! { <span class="break">{actor.to_owned()}</span> }.into_any(),
    }
}

pub(super) fn resource(about: &str) -> AnyView {
    match entity::parse_ref(about) {
        Some(_) => view! { <EntityLink entity_ref=about.to_owned() /> }.into_any(),
        None => view! { <span class="break">{about.to_owned()}</span> }.into_any(),
    }
}

/// What came of it.
pub(super) fn result(entry: &AuditEntry) -> (Level, String) {
    match (entry.decision, entry.status) {
        (_, Some(CUT_OFF)) => (Level::Warning, t(Msg::CutOff).to_owned()),
        (_, Some(status)) => (Level::Error, Msg::FailedWith.with(&[("status", &status)])),
        (AuditDecision::Allowed, None) => (Level::Ok, t(Msg::Allowed).to_owned()),
        (AuditDecision::Denied, None) if entry.count > 1 => {
            (Level::Warning, Msg::DeniedTimes.with(&[("n", &format::number(entry.count))]))
        }
        (AuditDecision::Denied, None) => (Level::Warning, t(Msg::Denied).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_in_words() {
        let entry = |more: serde_json::Value| -> AuditEntry {
            let mut entry = json!({
                "seq": 1, "at": "2026-11-21T10:00:00.000Z", "actor": "anonymous", "credential": "none",
                "permission": "api.try", "method": "POST", "path": "/api/apis/try", "decision": "allowed",
                "rule": "r", "requestId": "1", "count": 1, "previous": "0", "hash": "1",
            });
            entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(entry).unwrap()
        };
        for (more, level, text) in [
            (json!({}), Level::Ok, "Allowed"),
            (json!({ "decision": "denied" }), Level::Warning, "Denied"),
            (json!({ "decision": "denied", "count": 1240 }), Level::Warning, "Denied 1,240 times"),
            (json!({ "follows": 1, "status": 409 }), Level::Error, "Failed (409)"),
            (json!({ "follows": 1, "status": 499 }), Level::Warning, "Cut off"),
        ] {
            assert_eq!(result(&entry(more)), (level, text.to_owned()));
        }
        assert_eq!(what(&entry(json!({}))), "Try out an API");
        assert_eq!(what(&entry(json!({ "permission": "s3.bucket.empty" }))), "s3.bucket.empty");
        assert_eq!(request(&entry(json!({}))), "POST /api/apis/try");
        assert_eq!(request(&entry(json!({ "method": "*", "path": "*" }))), "several");
    }
}
