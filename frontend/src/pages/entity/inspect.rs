//! An entity as it is stored.

use leptos::prelude::*;

use crate::entity::Item;
use crate::messages::{Msg, t};
use crate::ui::{Code, Dialog, Segments};
use crate::yaml;

/// A dialog with the entity as YAML or JSON.
#[component]
pub(crate) fn Inspect(item: RwSignal<Option<Item>>, open: RwSignal<bool>) -> impl IntoView {
    let format = RwSignal::new("yaml".to_owned());
    let title = Signal::derive(move || {
        let reference = item.with(|item| item.as_ref().map(|item| item.reference().to_string())).unwrap_or_default();
        Msg::InspectTitle.with(&[("ref", &reference)])
    });
    let code = move || {
        let value = item.with(|item| item.as_ref().map(|item| item.value().clone()))?;
        Some(if format.get() == "yaml" {
            view! { <Code label="YAML" text=yaml::to_string(&value) /> }
        } else {
            view! { <Code label="JSON" text=serde_json::to_string_pretty(&value).unwrap_or_default() /> }
        })
    };
    let content = move || {
        let choices = ["YAML", "JSON"].map(|name| (name.to_lowercase(), name.to_owned(), None)).to_vec();
        view! {
            <div class="stack">
                <div>
                    <Segments label=t(Msg::Format) choices=choices value=format on_change=move |value| format.set(value) />
                </div>
                {code}
            </div>
        }
    };
    view! { <Dialog title=title open=open content=content wide=true /> }
}
