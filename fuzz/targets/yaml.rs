//! A catalog file from anybody's repository: read, checked as an entity, related and indexed.
#![no_main]

use callboard_model::entity::Entity;
use callboard_model::filter::search_rows;
use callboard_model::yaml::{self, Limits};
use callboard_model::{relations, stable_json, validate};
use libfuzzer_sys::fuzz_target;

// Small enough for the fuzzer to get past them.
const LIMITS: Limits = Limits { file_bytes: 16_384, document_bytes: 8_192, documents: 64, depth: 16, values: 2_000 };

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(documents) = yaml::documents(text, &LIMITS) else { return };
    for document in documents.into_iter().flatten() {
        // What was read can be written as JSON, which is YAML, and is the same when it is read again.
        let written = escaped(&document.value.to_string());
        let again = yaml::value(&written);
        assert_eq!(again.as_ref().ok(), Some(&document.value), "{written}");
        assert!(yaml::line_of(text, &LIMITS, document.index, "").is_some());
        let Ok(mut entity) = Entity::from_value(document.value) else { continue };
        if validate::check(&mut entity).is_err() {
            continue;
        }
        // A check that passed passes again, and changes nothing more.
        let checked = entity.clone();
        assert!(validate::check(&mut entity).is_ok());
        assert_eq!(stable_json::to_string(&entity.to_value()), stable_json::to_string(&checked.to_value()));
        let _ = relations::of(&entity);
        let _ = search_rows(&entity.to_value());
    }
});

/// JSON in ASCII: a text of it may hold what YAML only has as an escape, such as U+FFFE.
fn escaped(json: &str) -> String {
    let mut units = [0; 2];
    let mut text = String::new();
    for c in json.chars() {
        match c.is_ascii() {
            true => text.push(c),
            false => c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    text
}
