//! What a request asks for: `filter` parameters, or a predicate in JSON. The first byte says which.
#![no_main]

use callboard_model::filter::{Predicate, SearchRows, parse_filters};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|input: (bool, &str)| {
    let (is_json, text) = input;
    let predicate = if is_json {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return };
        Predicate::from_value(&value).ok()
    } else {
        let filters: Vec<&str> = text.split('&').collect();
        parse_filters(&filters).ok().flatten()
    };
    let Some(predicate) = predicate else { return };
    // A cursor carries the predicate as JSON: what comes back must mean the same.
    let written = predicate.to_value();
    let again = Predicate::from_value(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
    for rows in [SearchRows::default(), some_rows()] {
        assert_eq!(predicate.matches(&rows), again.matches(&rows), "{written}");
    }
});

fn some_rows() -> SearchRows {
    let entity = json!({
        "apiVersion": "a", "kind": "b", "metadata": { "name": "c", "tags": ["d", "e"], "f": null },
        "relations": [{ "type": "ownedBy", "targetRef": "group:default/g" }],
    });
    SearchRows::of(&entity).expect("its keys are distinct")
}
