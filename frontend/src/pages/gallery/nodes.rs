//! Each node of the UI tree, from the JSON that a plugin would send.

use callboard_model::ui::Node;
use leptos::prelude::*;

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
    let nodes = match samples() {
        Ok(nodes) => nodes.into_iter().map(|node| render::tree(node, host)).collect::<Vec<_>>(),
        // A sample that does not read is a mistake of this page, and has to show on it.
        Err(error) => vec![error.to_string().into_any()],
    };
    item("Nodes of the UI tree", view! { <div class="stack gallery__wide">{nodes}</div> })
}

/// One of each, and one that no portal knows.
fn samples() -> Result<Vec<Node>, serde_json::Error> {
    serde_json::from_str(include_str!("nodes.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_read_as_nodes() {
        let nodes = samples().unwrap();
        assert_eq!(nodes.last(), Some(&Node::Unknown));
        assert_eq!(nodes.iter().filter(|node| **node == Node::Unknown).count(), 1);
    }
}
