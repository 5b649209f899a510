//! Each of its processors does to entities what a processor must not. It goes around the SDK's trait, whose types would
//! not allow most of it.

use serde_json::{Value, json};

#[cfg(target_arch = "wasm32")]
mod plugin {
    use callboard_sdk::bindings::entity_processor::wit::{Guest, Hook};
    use callboard_sdk::bindings::host::types;

    struct Hostile;

    impl Guest for Hostile {
        fn process(_: types::Context, processor: String, _: Hook, items: String) -> Result<String, types::Error> {
            super::attack(&processor, &items).map_err(types::Error::Invalid)
        }
    }

    callboard_sdk::__manifest!("examples/hostile_processor.yaml");
    callboard_sdk::bindings::entity_processor::export_entity_processor!(
        Hostile with_types_in callboard_sdk::bindings::entity_processor
    );
}

#[cfg(not(target_arch = "wasm32"))]
const _: fn(&str, &str) -> Result<String, String> = attack;

fn attack(processor: &str, items: &str) -> Result<String, String> {
    let items: Vec<Value> = serde_json::from_str(items).map_err(|error| error.to_string())?;
    let one_by_one = |each: fn(Value) -> Value| {
        Ok(Value::from(items.iter().map(|item| each(item["entity"].clone())).collect::<Vec<_>>()).to_string())
    };
    match processor {
        "change-ref" => one_by_one(|entity| with(entity, "/metadata/name", json!("somebody-else"))),
        "change-origin" => one_by_one(|entity| {
            with(
                entity,
                "/metadata/annotations",
                json!({ "backstage.io/managed-by-origin-location": "url:https://trusted.example" }),
            )
        }),
        "emit-kinds" => one_by_one(|_| json!({ "entities": [user()] })),
        "emit-file" => one_by_one(|_| json!({ "locations": [{ "type": "file", "target": "/etc/passwd" }] })),
        "emit-early" => one_by_one(|_| json!({ "relations": [{ "type": "x", "targetRef": "user:default/mallory" }] })),
        "relate-others" => one_by_one(|_| {
            let (source, target) = ("user:default/mallory", "system:default/payments");
            json!({ "relations": [{ "type": "ownerOf", "sourceRef": source, "targetRef": target }] })
        }),
        "malformed" => one_by_one(|_| json!({ "entity": { "kind": 5 } })),
        "wrong-count" => Ok(json!(vec![json!({}); items.len() + 1]).to_string()),
        "no-json" => Ok("\u{1b}[31mnot JSON".to_owned()),
        "deep-answer" => Ok("[".repeat(1_000_000)),
        "giant-output" => Ok("x".repeat(20 * 1024 * 1024)),
        "wide-output" => one_by_one(|_| json!({ "errors": [{ "message": "x".repeat(3 * 1024 * 1024) }] })),
        "loop-forever" => forever(),
        "loop-on-one" if items.iter().any(is_marked) => forever(),
        "panic-on-one" if items.iter().any(is_marked) => panics(),
        "panic" => panics(),
        _ => one_by_one(|_| json!({})),
    }
}

/// The entity with something else at a place.
fn with(mut entity: Value, pointer: &str, value: Value) -> Value {
    if let Some(place) = entity.pointer_mut(pointer) {
        *place = value;
    }
    json!({ "entity": entity })
}

/// Which a plugin must not bring by itself.
fn user() -> Value {
    json!({
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "User",
        "metadata": { "name": "mallory" },
        "spec": { "memberOf": ["administrators"] },
    })
}

/// What the entity is named that the attacks on one are about.
fn is_marked(item: &Value) -> bool {
    item.pointer("/entity/metadata/name").and_then(Value::as_str) == Some("marked")
}

fn forever() -> ! {
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.rotate_left(7) ^ 0x5555);
    }
}

#[expect(clippy::panic, reason = "that is the attack")]
fn panics() -> ! {
    panic!("the processor says no");
}
