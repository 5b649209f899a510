//! The form that makes a token.

use callboard_model::api::{MadePersonalToken, NewPersonalToken};
use leptos::html;
use leptos::prelude::*;
use leptos::task;

use crate::api;
use crate::api::ApiError;
use crate::browser;
use crate::live::{Habits, live};
use crate::messages::{Msg, t};
use crate::permissions;
use crate::ui::{Button, Chip, Combobox, ErrorPanel, Select, TextField, Variant};

/// Days that are offered, with words for them.
const DAYS: [(u32, Msg); 4] =
    [(7, Msg::OneWeek), (30, Msg::OneMonth), (90, Msg::ThreeMonths), (MOST_DAYS, Msg::OneYear)];

/// The choice that asks for a number.
const OTHER: &str = "other";

/// No token is valid for longer.
const MOST_DAYS: u32 = 366;

/// No name is longer, in characters.
const LONGEST_NAME: usize = 100;

const MS_PER_DAY: f64 = 86_400_000.0;

/// Name, permissions and days.
#[component]
pub(crate) fn NewToken(
    /// Called with the token, once it is made.
    #[prop(into)]
    on_made: Callback<MadePersonalToken>,
    /// Called where nobody wants one any more.
    #[prop(into)]
    on_cancel: Callback<()>,
) -> impl IntoView {
    let known = live(|| Some(()), |()| api::identity::permissions(), Habits::default());
    let choices = Signal::derive(move || match (known.data.get(), known.error.with(Option::is_some)) {
        (Some(list), _) => Some(permissions::choices_with_patterns(&list.items)),
        (None, true) => Some(Vec::new()),
        (None, false) => None,
    });
    let name = RwSignal::new(String::new());
    let scope = RwSignal::new(Vec::<String>::new());
    let length = RwSignal::new("30".to_owned());
    let other = RwSignal::new(String::new());
    let tried = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<ApiError>);
    let days = Memo::new(move |_| read_days(&length.get(), &other.get()));
    let wrong = move |wrong: bool, message: Msg| (tried.get() && wrong).then(|| t(message).to_owned());
    let name_error = Signal::derive(move || wrong(!is_name(&name.get()), Msg::TokenNameWrong));
    let scope_error = Signal::derive(move || wrong(scope.with(Vec::is_empty), Msg::TokenScopeWrong));
    let days_error = Signal::derive(move || wrong(days.get().is_none(), Msg::TokenDaysWrong));

    let form = NodeRef::<html::Form>::new();
    let first = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(first) = first.get() {
            // A field that has just come takes the focus of the button that asked for it.
            let _ = first.focus();
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        tried.set(true);
        let name = name.get_untracked().trim().to_owned();
        let scope = scope.get_untracked();
        let (true, false, Some(days)) = (is_name(&name), scope.is_empty(), days.get_untracked()) else {
            request_animation_frame(|| {
                browser::focus("#new-token [aria-invalid=true]");
            });
            return;
        };
        busy.set(true);
        failed.set(None);
        task::spawn_local(async move {
            let answer = api::identity::make_token(&NewPersonalToken { name, scope, days }).await;
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(made) => on_made.run(made),
                Err(error) => failed.set(Some(error)),
            }
        });
    };
    let lengths = Signal::derive(move || {
        let known = DAYS.iter().map(|(days, message)| (days.to_string(), t(*message).to_owned()));
        known.chain([(OTHER.to_owned(), t(Msg::OtherLength).to_owned())]).collect::<Vec<_>>()
    });
    let until = move || {
        days.get().map(|days| {
            let date = browser::exact_date(browser::now() + f64::from(days) * MS_PER_DAY);
            view! { <p class="field__hint">{Msg::ExpiresOn.with(&[("date", &date)])}</p> }
        })
    };
    let other_field = move || {
        (length.get() == OTHER).then(|| {
            view! {
                <TextField
                    label=t(Msg::DaysLabel)
                    hint=t(Msg::DaysHint)
                    value=other
                    error=days_error
                    on_input=move |value| other.set(value)
                />
            }
        })
    };
    let chips = move || {
        let chips = scope
            .get()
            .into_iter()
            .map(|permission| {
                let text = permission.clone();
                let remove = Callback::new(move |()| scope.update(|scope| scope.retain(|other| *other != permission)));
                view! { <Chip text=text on_remove=remove /> }
            })
            .collect::<Vec<_>>();
        (!chips.is_empty()).then(|| view! { <div class="chips">{chips}</div> })
    };
    view! {
        <form id="new-token" class="stack" node_ref=form on:submit=submit novalidate aria-label=t(Msg::NewToken)>
            <TextField
                label=t(Msg::Name)
                hint=t(Msg::TokenNameHint)
                value=name
                error=name_error
                node=first
                on_input=move |value| name.set(value)
            />
            <div class="stack stack--tight">
                <Combobox
                    label=t(Msg::Permissions)
                    placeholder=t(Msg::ChoosePermissions)
                    hint=t(Msg::TokenScopeHint)
                    choices=choices
                    chosen=scope
                    error=scope_error
                    on_change=move |values| scope.set(values)
                />
                {chips}
            </div>
            <div class="stack stack--tight">
                <div class="lengths">
                    <Select label=t(Msg::ValidFor) choices=lengths value=length on_change=move |value| length.set(value) />
                    {other_field}
                </div>
                {until}
            </div>
            {move || failed.get().map(|error| view! { <ErrorPanel title=t(Msg::TokenNotMade) error=error /> })}
            <div class="alert__actions">
                <Button label=t(Msg::MakeToken) kind="submit" variant=Variant::Primary busy=busy on_press=|_| {} />
                <Button label=t(Msg::Cancel) on_press=move |_| on_cancel.run(()) />
            </div>
        </form>
    }
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty() && name.chars().count() <= LONGEST_NAME
}

/// The days of a choice, or of what was typed.
fn read_days(length: &str, other: &str) -> Option<u32> {
    let text = if length == OTHER { other } else { length };
    text.trim().parse().ok().filter(|days| (1..=MOST_DAYS).contains(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (length, other, days) in [
            ("30", "", Some(30)),
            ("30", "5", Some(30)),
            ("other", " 5 ", Some(5)),
            ("other", "366", Some(366)),
            ("other", "367", None),
            ("other", "0", None),
            ("other", "-1", None),
            ("other", "soon", None),
            ("other", "", None),
        ] {
            assert_eq!(read_days(length, other), days, "{length} {other}");
        }
    }

    #[test]
    fn names() {
        for (name, good) in [("ci", true), (" ", false), ("", false)] {
            assert_eq!(is_name(name), good, "{name:?}");
        }
        assert!(is_name(&"ü".repeat(100)) && !is_name(&"a".repeat(101)));
    }
}
