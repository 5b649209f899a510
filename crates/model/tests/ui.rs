//! The samples of the UI tree, which the gallery shows and the browser tests attack: there is one of every node, each
//! reads, and each is written as it was read.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use callboard_model::ui::{Node, Tree};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Sample {
    r#type: String,
    states: Vec<State>,
}

#[derive(Deserialize)]
struct State {
    state: String,
    node: Value,
}

fn samples() -> Vec<Sample> {
    serde_json::from_str(include_str!("ui/nodes.json")).unwrap()
}

#[test]
fn every_node_has_samples() {
    let samples = samples();
    let types: Vec<_> = samples.iter().map(|sample| sample.r#type.as_str()).collect();
    let known: Vec<_> = types.iter().copied().filter(|name| Node::TYPES.contains(name)).collect();
    assert_eq!(known, Node::TYPES, "in the order of the enumeration");
    assert_eq!(types.len(), known.len() + 1, "and one that no portal knows");
}

#[test]
fn samples_are_written_as_they_were_read() {
    for Sample { r#type, states } in samples() {
        for State { state, node: json } in states {
            let node: Node =
                serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{type}/{state}: {error}"));
            assert_eq!(node == Node::Unknown, !Node::TYPES.contains(&r#type.as_str()), "{type}/{state}");
            let tree = Tree::of(node.clone());
            assert_eq!(tree.check(), Ok(()), "{type}/{state}");
            let written = serde_json::to_value(&tree).unwrap();
            let again: Tree = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(again, tree, "{type}/{state}");
            if node != Node::Unknown {
                assert_missing_is_default(&json, &written["root"], &format!("{type}/{state}"));
            }
        }
    }
}

/// All that was in the sample is in what was written; what is in addition is a default.
fn assert_missing_is_default(read: &Value, written: &Value, place: &str) {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            for (key, value) in read {
                // What is the default may be left out: an empty list, what is false, and a level without judgement.
                let default = Value::Null;
                let found = written.get(key).unwrap_or(&default);
                if found.is_null()
                    && (value == &Value::from(false)
                        || value == "neutral"
                        || value.as_array().is_some_and(Vec::is_empty))
                {
                    continue;
                }
                assert_missing_is_default(value, found, &format!("{place}/{key}"));
            }
        }
        // A row without actions is written as its cells, and a column as its heading.
        (Value::Object(read), Value::Array(_)) => assert_missing_is_default(&read["cells"], written, place),
        (Value::Object(read), Value::String(_)) => assert_missing_is_default(&read["title"], written, place),
        (Value::Array(read), Value::Array(written)) => {
            assert_eq!(read.len(), written.len(), "{place}");
            for (index, (read, written)) in read.iter().zip(written).enumerate() {
                assert_missing_is_default(read, written, &format!("{place}/{index}"));
            }
        }
        (Value::Number(read), Value::Number(written)) => assert_eq!(read.as_f64(), written.as_f64(), "{place}"),
        (read, written) => assert_eq!(read, written, "{place}"),
    }
}

/// What plugins of version 1.0 of the tree hand over.
#[test]
fn trees_of_the_first_version_read() {
    let text = r#"{ "root": { "type": "stack", "children": [
        { "type": "stack", "horizontal": true, "children": [{ "type": "badge", "text": "STANDARD" }] },
        { "type": "grid", "columns": 2, "children": [{ "type": "stat", "label": "a", "value": "1", "note": "n" }] },
        { "type": "table", "caption": "c", "columns": ["a"], "rows": [[{ "type": "bytes", "size": 1 }]], "next": "2" },
        { "type": "button", "label": "l", "action": "a", "value": 1, "confirm": "c", "destructive": true },
        { "type": "empty-state", "title": "t", "text": "x", "link": { "text": "l", "href": "/x" } },
        { "type": "log", "lines": ["a"] }, { "type": "entity-link", "entityRef": "a:b/c" },
        { "type": "progress", "label": "l", "value": 1, "max": 2 }, { "type": "code", "text": "x" }
    ] }, "poll": { "afterMs": 1000 } }"#;
    let tree: Tree = serde_json::from_str(text).unwrap();
    assert_eq!(tree.check(), Ok(()));
    assert!(!format!("{tree:?}").contains("Unknown"), "{tree:?}");
}
