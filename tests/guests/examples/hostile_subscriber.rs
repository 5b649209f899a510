//! Does to events what a subscriber must not; what exactly, the event says. It goes around the SDK's trait, whose types
//! would not allow most of it.

use serde_json::{Value, json};

#[cfg(target_arch = "wasm32")]
mod plugin {
    use callboard_sdk::bindings::event_subscriber::wit::Guest;
    use callboard_sdk::bindings::host::types;

    struct Hostile;

    impl Guest for Hostile {
        fn on_events(_: types::Context, events: String) -> Result<String, types::Error> {
            super::attack(&events).map_err(types::Error::Unavailable)
        }
    }

    callboard_sdk::__manifest!("examples/hostile_subscriber.yaml");
    callboard_sdk::bindings::event_subscriber::export_event_subscriber!(
        Hostile with_types_in callboard_sdk::bindings::event_subscriber
    );
}

#[cfg(not(target_arch = "wasm32"))]
const _: fn(&str) -> Result<String, String> = attack;

fn attack(events: &str) -> Result<String, String> {
    let events: Vec<Value> = serde_json::from_str(events).map_err(|error| error.to_string())?;
    let word = |event: &Value| event.pointer("/payload/word").and_then(Value::as_str).unwrap_or_default().to_owned();
    let words: Vec<String> = events.iter().map(word).collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    let all = |outcome: Value| json!(vec![outcome; events.len()]).to_string();
    Ok(match () {
        () if has("panic") => panics(),
        () if has("loop-forever") => forever(),
        () if has("error") => return Err("\u{1b}[31mthe upstream is away".to_owned()),
        () if has("no-json") => "\u{1b}[31mnot JSON".to_owned(),
        () if has("deep-answer") => "[".repeat(1_000_000),
        () if has("giant-output") => "x".repeat(20 * 1024 * 1024),
        () if has("too-many") => json!(vec!["ok"; events.len() + 1]).to_string(),
        () if has("none") => "[]".to_owned(),
        () if has("other-word") => all(json!("fine")),
        () if has("wide-reason") => all(json!({ "dead": { "reason": "x".repeat(100_000) } })),
        () if has("coloured-reason") => all(json!({ "dead": { "reason": "\u{1b}[31mred\r\nline" } })),
        () if has("far-future") => all(json!({ "retry": { "reason": "later", "afterMs": u64::MAX } })),
        () if has("at-once") => all(json!({ "retry": { "reason": "again", "afterMs": 0 } })),
        () => all(json!("ok")),
    })
}

fn forever() -> ! {
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(number.rotate_left(7) ^ 0x5555);
    }
}

#[expect(clippy::panic, reason = "that is the attack")]
fn panics() -> ! {
    panic!("the subscriber says no");
}
