//! Each node of the UI tree, from the JSON that a plugin would send.

use callboard_model::ui::Node;
use leptos::prelude::*;
use serde_json::{Value, json};

use super::item;
use crate::render::{self, Host};
use crate::ui::use_toasts;

pub(super) fn all() -> AnyView {
    let toasts = use_toasts();
    let host = Host {
        act: Callback::new(move |action: render::Action| toasts.ok(action.name)),
        more: Callback::new(move |cursor| toasts.ok(cursor)),
        busy: Signal::stored(false),
    };
    let nodes = samples().into_iter().map(|sample| match serde_json::from_value::<Node>(sample) {
        Ok(node) => render::tree(node, host),
        // A sample that does not read is a mistake of this page, and has to show on it.
        Err(error) => error.to_string().into_any(),
    });
    item("Nodes of the UI tree", view! { <div class="stack gallery__wide">{nodes.collect::<Vec<_>>()}</div> })
}

/// One of each.
fn samples() -> Vec<Value> {
    let levels = ["neutral", "info", "ok", "warning", "error", "running"];
    let statuses = levels.map(|level| json!({ "type": "status", "level": level, "text": level }));
    let alerts =
        levels.map(|level| json!({ "type": "alert", "level": level, "title": level, "text": "What it means." }));
    vec![
        json!({ "type": "stack", "horizontal": true, "children": statuses }),
        json!({ "type": "stack", "children": alerts }),
        json!({ "type": "grid", "columns": 3, "children": [
            { "type": "stat", "label": "Objects", "value": "12,345", "note": "3 more than yesterday" },
            { "type": "stat", "label": "Size", "value": "1.2 GiB" },
            { "type": "progress", "label": "Quota", "value": 61.0, "max": 100.0 },
        ] }),
        json!({ "type": "card", "title": "A card", "children": [
            { "type": "text", "text": "Text is text: <b>not bold</b>, &amp; neither." },
            { "type": "markdown", "text": "Some **Markdown**: _emphasis_, `code`, [a link](https://example.org/), <i>no HTML</i>.\n\n- one\n- two\n\n> A quote\n\n```\nfn main() {}\n```" },
        ] }),
        json!({ "type": "key-values", "items": [
            { "key": "Bucket", "value": { "type": "text", "text": "sample-bucket" } },
            { "key": "Size", "value": { "type": "bytes", "size": 123_456 } },
            { "key": "Modified", "value": { "type": "time", "at": "2024-05-01T12:00:00Z" } },
            { "key": "Owner", "value": { "type": "entity-link", "entityRef": "group:default/team-a" } },
            { "key": "Console", "value": { "type": "link", "text": "Open in the console", "href": "https://example.org/" } },
            { "key": "Class", "value": { "type": "badge", "text": "STANDARD" } },
        ] }),
        json!({ "type": "table", "caption": "Versions of the object", "columns": ["Version", "Size", "State"], "next": "2", "rows": [
            [{ "type": "text", "text": "3" }, { "type": "bytes", "size": 2_048 }, { "type": "status", "level": "ok", "text": "current" }],
            [{ "type": "text", "text": "2" }, { "type": "bytes", "size": 1_024 }, { "type": "status", "text": "old" }],
        ] }),
        json!({ "type": "timeline", "items": [
            { "at": "2024-05-01T12:00:00Z", "title": "Rolled out", "level": "ok", "text": "Version 3 to all regions" },
            { "at": "2024-05-01T11:00:00Z", "title": "Paused", "level": "warning" },
        ] }),
        json!({ "type": "code", "language": "json", "text": "{ \"a\": 1 }" }),
        json!({ "type": "log", "lines": ["begin", "end"] }),
        json!({ "type": "stack", "horizontal": true, "children": [
            { "type": "button", "label": "Do it", "action": "do" },
            { "type": "button", "label": "Delete it", "action": "delete", "confirm": "Delete it for good?", "destructive": true },
        ] }),
        json!({ "type": "empty-state", "title": "No versions", "text": "The bucket keeps none.", "link": { "text": "How to keep versions", "href": "https://example.org/" } }),
        json!({ "type": "hologram", "beam": 7 }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_read_as_nodes() {
        let nodes: Vec<Node> = samples().into_iter().map(|sample| serde_json::from_value(sample).unwrap()).collect();
        assert_eq!(nodes.last(), Some(&Node::Unknown));
        assert_eq!(nodes.iter().filter(|node| **node == Node::Unknown).count(), 1);
    }
}
