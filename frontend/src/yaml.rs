//! JSON as YAML, for people to read.

use serde_json::{Map, Value};

/// A value as a YAML document, keys in the order in which people write them.
pub(crate) fn to_string(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (at, (key, value)) in in_order(map).into_iter().enumerate() {
                if at > 0 {
                    indent(depth, out);
                }
                out.push_str(&scalar(key));
                out.push(':');
                nested(value, depth, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    indent(depth, out);
                }
                out.push_str("- ");
                block(item, depth + 1, out);
            }
        }
        Value::String(text) if text.contains('\n') && literal(text) => {
            // Keep, clip or strip, as many line ends as the text has.
            let (mark, lines) = match text.strip_suffix('\n') {
                Some(lines) if lines.ends_with('\n') => ("|+", lines),
                Some(lines) => ("|", lines),
                None => ("|-", text.as_str()),
            };
            out.push_str(mark);
            out.push('\n');
            for line in lines.split('\n') {
                if !line.is_empty() {
                    indent(depth.max(1), out);
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        Value::String(text) => line(&scalar(text), out),
        other => line(&other.to_string(), out),
    }
}

/// What follows a key: on its line where it is one, below it otherwise.
fn nested(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            indent(depth + 1, out);
            block(value, depth + 1, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            indent(depth + 1, out);
            block(value, depth + 1, out);
        }
        _ => {
            out.push(' ');
            block(value, depth + 1, out);
        }
    }
}

fn line(text: &str, out: &mut String) {
    out.push_str(text);
    out.push('\n');
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// The envelope's keys first, as in every file; the others as they come.
fn in_order(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    const FIRST: [&str; 8] = ["apiVersion", "kind", "metadata", "name", "namespace", "title", "description", "spec"];
    let place = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| place(key));
    entries
}

/// Whether a text of several lines can stand as it is.
fn literal(text: &str) -> bool {
    !text.starts_with([' ', '\n', '\t']) && text.chars().all(|c| c == '\n' || c == '\t' || !c.is_control())
}

/// A text of one line, in quotes where it would not be read back as this text.
fn scalar(text: &str) -> String {
    // What begins with a digit or a sign may be a number, a date, a time …: quotes are never wrong.
    let plain = text.chars().next().is_some_and(|first| first.is_alphabetic() || "/_$".contains(first))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && text.chars().all(|c| !c.is_control() && c != '\u{feff}')
        && !is_word_of_yaml(text);
    if plain { text.to_owned() } else { Value::from(text).to_string() }
}

fn is_word_of_yaml(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_reads_as_yaml() {
        let value = json!({
            "kind": "API",
            "apiVersion": "backstage.io/v1alpha1",
            "spec": { "type": "openapi", "definition": "a: 1\n\nb: 2\n", "tags": ["x", "true"], "none": [], "deep": [{ "a": 1, "b": [2] }] },
            "metadata": { "name": "pet" },
        });
        let text = to_string(&value);
        assert_eq!(
            text,
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: pet\nspec:\n  deep:\n    - a: 1\n      b:\n        - 2\n  \
             definition: |\n    a: 1\n\n    b: 2\n  none: []\n  tags:\n    - x\n    - \"true\"\n  type: openapi\n"
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "",
            " ",
            "a",
            "a: b",
            "a #b",
            "- a",
            "1",
            "1.5",
            "1e3",
            "0x1F",
            "2024-01-01",
            "12:30",
            "yes",
            "~",
            "null",
            "*a",
            "&a",
            "!a",
            "'a'",
            "\"a\"",
            "a\nb",
            "a\nb\n",
            "a\nb\n\n",
            "\na",
            "  a\n  b",
            "a\tb\nc",
            "{a}",
            "[a]",
            "@a",
            "`a`",
            "%a",
            "a:",
            "é",
            "a\u{7}b",
            "|",
            ">",
        ] {
            let value = json!({ "k": text, "l": [text] });
            let yaml = to_string(&value);
            let read = callboard_model::yaml::value(&yaml);
            assert_eq!(read.ok(), Some(value), "{text:?} became\n{yaml}");
        }
    }
}
