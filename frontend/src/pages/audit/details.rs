//! All that the log has of one row.

use callboard_model::api::AuditEntry;
use leptos::prelude::*;

use super::entries;
use crate::audit_state::AuditState;
use crate::browser;
use crate::format;
use crate::messages::{Msg, t};
use crate::permissions;
use crate::ui::{CopyButton, Dialog, Status};

/// All that the log has of one row, and the ways to what is like it.
#[component]
pub(crate) fn Details(entry: RwSignal<Option<AuditEntry>>, open: RwSignal<bool>) -> impl IntoView {
    let title =
        Signal::derive(move || entry.with(|entry| entry.as_ref().map_or_else(String::new, |entry| row(entry.seq))));
    let content = move || entry.get().map(facts);
    let foot = move || {
        entry.get().map(|entry| {
            let json = serde_json::to_string_pretty(&entry).unwrap_or_default();
            view! { <CopyButton text=move || json.clone() label=t(Msg::CopyJson) /> }
        })
    };
    // A link in it leads to another state of the page, which must not lie behind the dialog.
    view! { <div on:click=move |_| close_for_link(open)><Dialog title=title open=open content=content foot=foot wide=true /></div> }
}

fn close_for_link(open: RwSignal<bool>) {
    if browser::focused_is("dialog a") {
        open.set(false);
    }
}

fn facts(entry: AuditEntry) -> AnyView {
    let (level, result) = entries::result(&entry);
    let exact = browser::parse_time(&entry.at).map_or_else(|| entry.at.clone(), browser::exact_time);
    let mono = |text: String| view! { <span class="mono break">{text}</span> }.into_any();
    let mut facts: Vec<(Msg, AnyView)> = vec![
        (Msg::Result, view! { <Status level=level text=result /> }.into_any()),
        (Msg::When, exact.into_any()),
        (Msg::Who, entries::actor(&entry.actor)),
        (Msg::SignedInBy, mono(entries::credential(&entry.credential))),
        (Msg::Permission, permissions::line(&entry.permission).into_any()),
        (Msg::ErrorRequest, mono(entries::request(&entry))),
    ];
    facts.extend(entry.resource.as_deref().map(|about| (Msg::ToWhat, entries::resource(about))));
    facts.push((Msg::Rule, entry.rule.clone().into_any()));
    facts.extend(entry.remote.clone().map(|remote| (Msg::FromWhere, mono(remote))));
    if entry.count > 1 {
        facts.push((Msg::Attempts, format::number(entry.count).into_any()));
    }
    facts.extend(entry.follows.map(|seq| (Msg::EndOf, row(seq).into_any())));
    facts.push((Msg::ErrorId, mono(entry.request_id.clone())));
    facts.push((Msg::Hash, mono(entry.hash.clone())));
    facts.push((Msg::HashBefore, mono(entry.previous.clone())));
    let facts = facts.into_iter().map(|(label, fact)| view! { <dt>{t(label)}</dt><dd>{fact}</dd> }).collect_view();
    let others = others(&entry)
        .into_iter()
        .map(|(label, state)| view! { <a class="button" href=state.href()>{t(label)}</a> })
        .collect_view();
    view! {
        <div class="stack">
            <dl class="key-values">{facts}</dl>
            <div class="alert__actions">{others}</div>
        </div>
    }
    .into_any()
}

/// Lists of what has something in common with it.
fn others(entry: &AuditEntry) -> Vec<(Msg, AuditState)> {
    let by = |actor: &String| (Msg::AllByThem, AuditState { actor: actor.clone(), ..AuditState::default() });
    let about =
        |resource: &String| (Msg::AllAboutIt, AuditState { resource: resource.clone(), ..AuditState::default() });
    let actor = Some(&entry.actor).filter(|actor| *actor != entries::SEVERAL);
    actor.map(by).into_iter().chain(entry.resource.as_ref().map(about)).collect()
}

fn row(seq: u64) -> String {
    Msg::AuditRow.with(&[("n", &format::number(seq))])
}
