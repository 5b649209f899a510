//! What the log is narrowed down by.

use leptos::prelude::*;

use super::Log;
use crate::api;
use crate::audit_state::AuditState;
use crate::browser;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::permissions;
use crate::ui::{Combobox, Segments, TextField};

const MS_PER_DAY: f64 = 86_400_000.0;

/// Who, which permission, about what, from when to when, allowed or denied.
#[component]
pub(crate) fn Filters(log: Log) -> impl IntoView {
    let opened = RwSignal::new(false);
    let known = live(move || opened.get().then_some(()), |()| api::identity::permissions(), Habits::default());
    let choices = Signal::derive(move || match (known.data.get(), known.error.with(Option::is_some)) {
        (Some(list), _) => Some(permissions::choices_with_patterns(&list.items)),
        (None, true) => Some(Vec::new()),
        (None, false) => None,
    });
    let permission = Signal::derive(move || {
        let permission = log.state.with(|state| state.permission.clone());
        Vec::from_iter(Some(permission).filter(|permission| !permission.is_empty()))
    });
    let choose = move |values: Vec<String>| {
        let permission = values.into_iter().next().unwrap_or_default();
        log.change(|state| AuditState { permission, ..state });
    };
    let decisions = [("", Msg::All), ("allowed", Msg::Allowed), ("denied", Msg::Denied)]
        .map(|(value, label)| (value.to_owned(), t(label).to_owned(), None))
        .to_vec();
    view! {
        <div class="audit-filters" role="search" aria-label=t(Msg::Filters)>
            <ExactField
                label=Msg::Who
                placeholder=Msg::WhoExample
                text=Signal::derive(move || log.state.with(|state| state.actor.clone()))
                on_commit=move |actor| log.change(|state| AuditState { actor, ..state })
            />
            <Combobox
                label=t(Msg::Permission)
                placeholder=t(Msg::Any)
                choices=choices
                chosen=permission
                words=permissions::line
                single=true
                on_open=Callback::new(move |()| opened.set(true))
                on_change=choose
            />
            <ExactField
                label=Msg::ToWhat
                placeholder=Msg::ToWhatExample
                text=Signal::derive(move || log.state.with(|state| state.resource.clone()))
                on_commit=move |resource| log.change(|state| AuditState { resource, ..state })
            />
            <TextField
                label=t(Msg::FromDay)
                date=true
                value=Signal::derive(move || log.state.with(|state| day(&state.since, 0.0)))
                on_input=move |value: String| since(log, &value)
            />
            <TextField
                label=t(Msg::ToDay)
                date=true
                value=Signal::derive(move || log.state.with(|state| day(&state.until, 1.0)))
                on_input=move |value: String| until(log, &value)
            />
            <div class="field">
                <span class="field__label" aria-hidden="true">{t(Msg::Result)}</span>
                <Segments
                    label=t(Msg::Result)
                    choices=decisions
                    value=Signal::derive(move || log.state.with(|state| state.decision.clone()))
                    on_change=move |decision| log.change(|state| AuditState { decision, ..state })
                />
            </div>
        </div>
    }
}

impl Log {
    /// Shows the newest rows of another state.
    fn change(self, change: impl FnOnce(AuditState) -> AuditState) {
        let state = self.state.get_untracked();
        let changed = change(state.clone()).newest();
        if changed != state {
            self.show.run(changed);
        }
    }
}

/// A text that is looked for as it is: when it is finished, not while it is typed.
#[component]
fn ExactField(
    label: Msg,
    placeholder: Msg,
    #[prop(into)] text: Signal<String>,
    #[prop(into)] on_commit: Callback<String>,
) -> impl IntoView {
    let typed = RwSignal::new(text.get_untracked());
    Effect::new(move |_| typed.set(text.get()));
    view! {
        <TextField
            label=t(label)
            placeholder=t(placeholder)
            value=typed
            on_input=move |value| typed.set(value)
            on_commit=Callback::new(move |value: String| on_commit.run(value.trim().to_owned()))
        />
    }
}

/// The reader's day of a time; `less` is 1 where the time is the end of the day.
fn day(time: &str, less: f64) -> String {
    browser::parse_time(time).map(|moment| browser::day_of(moment - less)).unwrap_or_default()
}

fn since(log: Log, day: &str) {
    if let Some(since) = begin(day, 0.0) {
        log.change(|state| AuditState { since, ..state });
    }
}

fn until(log: Log, day: &str) {
    // A day and an hour after its beginning is in the next day, however long it is.
    if let Some(until) = begin(day, MS_PER_DAY + 3_600_000.0) {
        log.change(|state| AuditState { until, ..state });
    }
}

/// The beginning of the day that is some milliseconds after the beginning of another; empty where none is given, and
/// none while somebody is still typing its year.
fn begin(day: &str, after: f64) -> Option<String> {
    if day.is_empty() {
        return Some(String::new());
    }
    let first = browser::begin_of_day(day)?;
    if first < 0.0 {
        return None;
    }
    let begin = browser::begin_of_day(&browser::day_of(first + after))?;
    Some(browser::written_time(begin))
}
