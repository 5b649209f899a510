//! Writing YAML that [`super::documents`] reads as it was.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Limits, documents};

/// Deeper than any JSON value that was read gets.
const DEPTH: usize = 200;

/// What [`write`] writes, to be read with this: whoever wrote it has had a value of that size.
pub const WRITTEN: Limits =
    Limits { file_bytes: 256 << 20, document_bytes: 256 << 20, documents: 1, depth: DEPTH, values: 10_000_000 };

/// An object as one YAML document: as people write it, or on one line as JSON where that would be read as something
/// else. No line of it begins with what separates documents. None where even JSON is not read as it was, which is so of
/// 1.0: it is 1 to YAML.
///
/// Keys stand as given, one part after the other: `write(&[entity, ours])` has our keys at the end.
pub fn write(parts: &[&Map<String, Value>]) -> Option<String> {
    let whole: Map<String, Value> =
        parts.iter().flat_map(|part| part.iter().map(|(key, value)| (key.clone(), value.clone()))).collect();
    let whole = Value::Object(whole);
    let mut text = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        text.push_str(&serde_saphyr::to_string(part).unwrap_or_default());
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    let splits = |line: &str| line.starts_with("---") || line.starts_with("...") || line.starts_with('\u{feff}');
    if !text.contains('\r') && !text.lines().any(splits) && reads_as(&text, &whole) {
        return Some(text);
    }
    let text = ascii(&whole.to_string());
    reads_as(&text, &whole).then_some(text)
}

fn reads_as(text: &str, expected: &Value) -> bool {
    documents(text, &WRITTEN).is_ok_and(|found| matches!(found.as_slice(), [Ok(one)] if one.value == *expected))
}

/// JSON whose texts are printable everywhere: what is not is an escape that YAML knows.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        match c {
            ' '..='~' => text.push(c),
            // Writing to a String does not fail.
            c => _ = write!(text, "\\U{:08x}", u32::from(c)),
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn written_as_read() {
        let texts = [
            "",
            " ",
            "~",
            "null",
            "yes",
            "no",
            "true",
            "017",
            "0x1f",
            "1e3",
            ".inf",
            "1_000",
            "2026-01-01",
            "- a",
            "a: b",
            "a #b",
            "#",
            "@a",
            "`",
            "%x",
            "&a",
            "*a",
            "!t",
            "|",
            ">",
            "<<",
            "=",
            "---",
            "...",
            "--- a",
            "\t",
            "\ta",
            "a\t",
            "a\nb",
            "a\n\nb\n",
            "\na",
            "a\n",
            "a\n\n",
            "  a\n b",
            "a \nb",
            "a\r\nb",
            "\r",
            "ünï – 漢字 😀",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\u{7f}",
            "\u{1}",
            "\0",
            "a\u{a0}",
            "'",
            "\"",
            "\\",
            "'a'",
            "{",
            "[",
            "]",
            ",",
            "?",
            "? a",
            ":",
            "a:",
            "# a\n---\n...\n",
            "[a](b) **c**\n\n```yaml\n---\na: 1\n...\n```\n",
        ];
        let long = "words and more words ".repeat(40);
        for text in texts.into_iter().chain([long.as_str()]) {
            for value in [json!({"a": text}), json!({text: {"b": [text, [text]]}}), json!({"a": {"b": [{text: text}]}})]
            {
                let map = value.as_object().unwrap();
                let written = write(&[map]).unwrap();
                assert!(reads_as(&written, &value), "{text:?}:\n{written}");
                assert!(!written.lines().any(|line| line.trim_end() == "---"), "{written}");
            }
        }
        for value in [json!({"a": [1, -1, 1.5, 1e300, 0.1, u64::MAX, i64::MIN]}), json!({"a": {}, "b": [], "c": [[]]})]
        {
            assert!(write(&[value.as_object().unwrap()]).is_some(), "{value}");
        }
        assert_eq!(write(&[json!({"a": 1.0}).as_object().unwrap()]), None);
    }

    #[test]
    fn as_people_write_it() {
        let entity = json!({"kind": "API", "metadata": {"name": "a", "tags": ["x", "yes"]}, "spec": {"definition": "a: 1\nb: 2\n"}});
        let ours = json!({"x": {"z": 1}});
        let written = write(&[entity.as_object().unwrap(), ours.as_object().unwrap()]).unwrap();
        assert!(written.starts_with("kind: API\nmetadata:\n  name: a\n  tags:\n"), "{written}");
        assert!(written.ends_with("x:\n  z: 1\n"), "{written}");
        assert!(written.contains("definition: |\n"), "{written}");
    }
}
