//! Each node of the UI tree in each of its states, from the JSON that a plugin would send, and the states of the slot
//! that a plugin's tree stands in.

use std::time::Duration;

use callboard_model::ui::{Node, TableState};
use leptos::prelude::*;
use serde::Deserialize;

use super::item;
use crate::api::ApiError;
use crate::browser;
use crate::plugin_view::{Slow, StaleSlot};
use crate::render::{self, Host, Memory};
use crate::ui::{ErrorPanel, use_toasts};

/// A node, by its type.
#[derive(Deserialize)]
struct Sample {
    r#type: String,
    states: Vec<State>,
}

#[derive(Deserialize)]
struct State {
    state: String,
    node: Node,
}

pub(super) fn all() -> Vec<AnyView> {
    let toasts = use_toasts();
    let memory = Memory::new();
    let host = Host {
        act: Callback::new(move |action: render::Action| toasts.ok(action.name)),
        table: Callback::new(move |(id, _): (String, TableState)| toasts.ok(id)),
        again: Callback::new(move |()| toasts.ok("again")),
        busy: Signal::stored(false),
        memory,
    };
    let mut items = match samples() {
        Ok(samples) => samples.into_iter().map(|sample| shown(sample, host)).collect(),
        // A sample that does not read is a mistake of this page, and has to show on it.
        Err(error) => vec![error.to_string().into_any()],
    };
    items.push(slots());
    items
}

fn shown(sample: Sample, host: Host) -> AnyView {
    let name = sample.r#type;
    let states = sample
        .states
        .into_iter()
        .map(|State { state, node }| {
            let at = format!("{name}-{state}");
            // What one does is done for a while: the same node, waiting.
            let waits =
                matches!(node, Node::Button(_) | Node::Menu(_) | Node::Form(_) | Node::Table(_)) && state == "normal";
            let busy = waits.then(|| {
                let host = Host { busy: Signal::stored(true), memory: Memory::new(), ..host };
                state_box("loading", render::tree(node.clone(), host, &at))
            });
            view! { {state_box(&state, render::tree(node, host, &at))}{busy} }
        })
        .collect_view();
    item(format!("{name} (UI tree)"), view! { <div class="gallery__states" data-node=name>{states}</div> })
}

fn state_box(state: &str, node: AnyView) -> AnyView {
    view! {
        <div class="gallery__state" data-state=state.to_owned()>
            <p class="gallery__name">{state.to_owned()}</p>
            {node}
        </div>
    }
    .into_any()
}

/// What the place of a plugin's tree shows while there is none, or an old one.
fn slots() -> AnyView {
    let error = || ApiError {
        message: "the plugin metrics did not answer within 5 s (ui, render)".to_owned(),
        name: "PluginError".to_owned(),
        status: Some(502),
        request: "POST /api/plugins/metrics/ui/load/render".to_owned(),
        id: Some("0b6c7f1e".to_owned()),
        permission: None,
    };
    let old = browser::now() - 7_400_000.0;
    item(
        "A plugin's slot",
        view! {
            <div class="gallery__states">
                {state_box("loading", view! { <Slow plugin="metrics".to_owned() after=Duration::from_secs(3_600) /> }.into_any())}
                {state_box("slow", view! { <Slow plugin="metrics".to_owned() after=Duration::ZERO /> }.into_any())}
                {state_box("placeholder", view! { <ErrorPanel title="The plugin metrics did not answer as it should" error=error() on_retry=|()| {} /> }.into_any())}
                {state_box("stale", view! { <StaleSlot plugin="metrics".to_owned() at=Some(old) error=error() on_retry=|()| {} /> }.into_any())}
            </div>
        },
    )
}

fn samples() -> Result<Vec<Sample>, serde_json::Error> {
    serde_json::from_str(include_str!("../../../../crates/model/tests/ui/nodes.json"))
}
