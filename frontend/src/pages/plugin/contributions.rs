//! What a plugin adds to the portal.

use callboard_model::api::{ActionInfo, EventInfo, PluginInfo, ProcessorInfo, RouteInfo};
use callboard_model::manifest::AttachmentPoint;
use leptos::prelude::*;

use crate::messages::{Msg, t};
use crate::session::use_portal;
use crate::ui::Card;

/// Where the plugin shows something.
#[component]
pub(super) fn Extensions(plugin: PluginInfo) -> impl IntoView {
    let rows = plugin
        .extensions
        .into_iter()
        .map(|extension| {
            let (place, href) = match extension.at {
                AttachmentPoint::EntityTab => (Msg::AtEntityTab, None),
                AttachmentPoint::EntityCard => (Msg::AtEntityCard, None),
                AttachmentPoint::Page => {
                    (Msg::AtPage, Some(format!("/plugins/{}/pages/{}", extension.plugin_id, extension.id)))
                }
                AttachmentPoint::NavigationItem => (Msg::AtNavigation, extension.href.map(|href| href.to_string())),
            };
            let title = match href {
                Some(href) => view! { <a href=href>{extension.title}</a> }.into_any(),
                None => extension.title.into_any(),
            };
            view! { <dt>{t(place)}</dt><dd>{title}</dd> }
        })
        .collect::<Vec<_>>();
    (!rows.is_empty()).then(|| view! { <Card title=t(Msg::Extensions)><dl class="key-values">{rows}</dl></Card> })
}

/// What the plugin does to entities on their way into the catalog.
#[component]
pub(super) fn Processors(processors: Vec<ProcessorInfo>) -> impl IntoView {
    let rows = processors
        .into_iter()
        .map(|processor| {
            let text = match (processor.description, processor.after.as_slice()) {
                (text, []) => text,
                (text, after) => Msg::ProcessorAfter.with(&[("text", &text), ("after", &after.join(", "))]),
            };
            view! { <dt><code>{processor.name}</code></dt><dd>{text}</dd> }
        })
        .collect::<Vec<_>>();
    (!rows.is_empty()).then(|| view! { <Card title=t(Msg::Processors)><dl class="key-values">{rows}</dl></Card> })
}

/// What the plugin answers below its own part of the API.
#[component]
pub(super) fn Routes(routes: Vec<RouteInfo>) -> impl IntoView {
    let rows = routes
        .into_iter()
        .map(|route| {
            let needs = Msg::NeedsPermission.with(&[("permission", &route.permission)]);
            let text = if route.description.is_empty() { needs } else { format!("{} ({needs})", route.description) };
            view! { <dt class="break"><code>{format!("{} {}", route.method, route.path)}</code></dt><dd>{text}</dd> }
        })
        .collect::<Vec<_>>();
    (!rows.is_empty()).then(|| view! { <Card title=t(Msg::Routes)><dl class="key-values">{rows}</dl></Card> })
}

/// What the plugin does in templates.
#[component]
pub(super) fn Actions(actions: Vec<ActionInfo>) -> impl IntoView {
    let rows = actions
        .into_iter()
        .map(|action| {
            let traits = [(action.supports_dry_run, Msg::ActionDryRun), (action.idempotent, Msg::ActionIdempotent)];
            let traits = traits.into_iter().filter(|(has, _)| *has).map(|(_, words)| t(words).to_owned());
            let texts = (!action.description.is_empty()).then_some(action.description).into_iter().chain(traits);
            view! { <dt class="break"><code>{action.id}</code></dt><dd>{texts.collect::<Vec<_>>().join(" · ")}</dd> }
        })
        .collect::<Vec<_>>();
    (!rows.is_empty())
        .then(|| view! { <Card title=t(Msg::ScaffolderActions)><dl class="key-values">{rows}</dl></Card> })
}

/// What the plugin is told of, and the way to what it did not take.
#[component]
pub(super) fn Events(plugin: String, events: Vec<EventInfo>) -> impl IntoView {
    let portal = use_portal();
    let rows = events
        .into_iter()
        .map(|event| {
            let text = match (&event.webhook, event.description.as_str()) {
                (Some(path), "") => Msg::EventWebhook.with(&[("path", path)]),
                (Some(path), text) => format!("{text} {}", Msg::EventWebhook.with(&[("path", path)])),
                (None, "") => t(Msg::EventAllKinds).to_owned(),
                (None, kinds) => Msg::EventKinds.with(&[("kinds", &kinds)]),
            };
            let text = if event.granted { text } else { Msg::EventNotGranted.with(&[("text", &text)]) };
            view! { <dt><code>{event.topic}</code></dt><dd class="break">{text}</dd> }
        })
        .collect::<Vec<_>>();
    let href = format!("/plugins/{plugin}/events");
    let link = move || {
        let href = href.clone();
        portal.may("event.read").then(|| view! { <a class="button" href=href>{t(Msg::ShowDeadLetters)}</a> })
    };
    (!rows.is_empty()).then(|| {
        view! {
            <Card title=t(Msg::Events)>
                <div class="stack">
                    <dl class="key-values">{rows}</dl>
                    <div class="alert__actions">{link}</div>
                </div>
            </Card>
        }
    })
}
