//! What a plugin may not do: what it asks for and is not granted, and what it was refused.

use callboard_model::api::{Denial, PluginInfo, PluginStatistics};
use callboard_model::rights;
use leptos::prelude::*;

use crate::messages::{Msg, t};
use crate::ui::{Card, Code, Time};

/// What it was refused while it ran, each with the line that would grant it.
#[component]
pub(crate) fn Denials(statistics: Memo<Option<PluginStatistics>>) -> impl IntoView {
    let denials =
        Memo::new(move |_| statistics.with(|all| all.as_ref().map(|all| all.denials.clone()).unwrap_or_default()));
    let body = move || {
        let denials = denials.get();
        if denials.is_empty() {
            return view! { <p class="muted">{t(Msg::NoDenials)}</p> }.into_any();
        }
        let items = denials.into_iter().map(|denial| view! { <li class="denial">{item(denial)}</li> }).collect_view();
        view! { <ul class="denials">{items}</ul> }.into_any()
    };
    view! { <Card title=t(Msg::Denials)>{body}</Card> }
}

fn item(denial: Denial) -> impl IntoView {
    let Denial { right, message, line, place, by_author, count, last, .. } = denial;
    let line = line.map(|line| {
        let label = match (&place, by_author) {
            (Some(place), true) => Msg::AuthorAdds.with(&[("place", place)]),
            (Some(place), false) => Msg::OperatorAdds.with(&[("place", place)]),
            (None, _) => right.clone(),
        };
        view! { <Code label=label text=line /> }
    });
    view! {
        <p class="denial__head">
            <code>{right}</code>
            <span class="break">{message}</span>
            <span class="muted nowrap">{Msg::CountTimes.count(count)} ", " <Time at=last /></span>
        </p>
        {line}
    }
}

/// What the manifest asks for and app-config does not grant, to copy.
#[component]
pub(crate) fn Missing(plugin: PluginInfo) -> impl IntoView {
    let missing = rights::beyond(&plugin.declared, &plugin.granted);
    let count = missing.each().len();
    (count > 0).then(|| {
        let label = Msg::OperatorAdds.with(&[("place", &format!("plugins.{}.grant", plugin.id))]);
        view! {
            <div class="rights__missing">
                <p>{Msg::CountMissing.count(count as u64)}</p>
                <Code label=label text=missing.to_yaml() />
            </div>
        }
    })
}
