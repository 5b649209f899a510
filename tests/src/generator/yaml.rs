//! Entities as people write them: block style, plain where that is safe.

use std::fmt::Write;

use serde_json::Value;

/// One entity as a document of its own.
#[must_use]
pub fn document(entity: &Value) -> String {
    let mut text = String::new();
    write(&mut text, entity);
    text
}

/// Adds an entity to a file.
pub fn write(text: &mut String, entity: &Value) {
    value(text, entity, 0);
}

fn value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                blank(text, indent);
                scalar(text, key);
                text.push(':');
                nested(text, item, indent + 2);
            }
        }
        Value::Array(items) => {
            for item in items {
                blank(text, indent);
                text.push('-');
                nested(text, item, indent + 2);
            }
        }
        _ => {}
    }
}

fn nested(text: &mut String, item: &Value, indent: usize) {
    match item {
        Value::Object(map) if map.is_empty() => text.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => text.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            text.push('\n');
            value(text, item, indent);
        }
        Value::String(item) => {
            text.push(' ');
            scalar(text, item);
            text.push('\n');
        }
        other => {
            let _ = writeln!(text, " {other}");
        }
    }
}

fn blank(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// A text as it is where nothing else can be meant, otherwise in quotes. A JSON string is a YAML one.
fn scalar(text: &mut String, item: &str) {
    let plain = item.len() > 5
        && item.starts_with(|first: char| first.is_ascii_alphabetic())
        && item.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/ ".contains(&byte))
        && !item.ends_with(' ');
    if plain {
        text.push_str(item);
    } else {
        text.push_str(&Value::from(item).to_string());
    }
}
