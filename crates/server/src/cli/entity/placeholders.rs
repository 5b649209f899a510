//! Placeholders of a file that is checked without a catalog: what stands beside the file is read, what stands
//! elsewhere is taken for good.

use std::path::Path;

use callboard_model::yaml;
use serde_json::Value;
use url::Url;

/// What becomes of a placeholder that names something elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// A text of no meaning takes its place, where it stands for a text.
    Assumed,
    /// It stays, for whoever can read it.
    Left,
}

/// What came of a document's placeholders.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// JSON pointers and what is wrong there.
    pub(super) problems: Vec<(String, String)>,
    /// JSON pointers of data that is only known once it is read from somewhere else.
    pub(super) unknown: Vec<String>,
}

/// Replaces the placeholders of a document. `dir` is the folder of its file; none for standard input.
pub(super) fn resolve(value: &mut Value, dir: Option<&Path>, elsewhere: Elsewhere) -> Outcome {
    let mut outcome = Outcome::default();
    walk(value, dir, elsewhere, "", &mut outcome);
    outcome
}

fn walk(value: &mut Value, dir: Option<&Path>, elsewhere: Elsewhere, pointer: &str, outcome: &mut Outcome) {
    if let Some((key, parameter)) = placeholder(value) {
        let resolved = match parameter {
            Value::String(target) => read(key, &target, dir, elsewhere),
            _ => Err(format!(
                "Placeholder ${key} expected a string value parameter, in the form of an absolute URL or a relative path"
            )),
        };
        match resolved {
            Ok(Some(resolved)) => *value = resolved,
            Ok(None) => outcome.unknown.push(pointer.to_owned()),
            Err(problem) => {
                outcome.problems.push((pointer.to_owned(), problem));
                outcome.unknown.push(pointer.to_owned());
            }
        }
        return;
    }
    let below = |key: &str| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(entries) => {
            entries.iter_mut().for_each(|(key, item)| walk(item, dir, elsewhere, &below(key), outcome));
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, dir, elsewhere, &below(&index.to_string()), outcome);
            }
        }
        _ => {}
    }
}

/// The name and the parameter of a placeholder: a mapping with one key, which begins with `$` and is known.
fn placeholder(value: &Value) -> Option<(&'static str, Value)> {
    let entries = value.as_object().filter(|entries| entries.len() == 1)?;
    let (key, parameter) = entries.iter().next()?;
    let name =
        ["text", "json", "yaml", "openapi", "asyncapi"].into_iter().find(|name| key.strip_prefix('$') == Some(name))?;
    Some((name, parameter.clone()))
}

/// What stands in the placeholder's place; none where that is data from elsewhere.
fn read(key: &str, target: &str, dir: Option<&Path>, elsewhere: Elsewhere) -> Result<Option<Value>, String> {
    let is_text = ["text", "openapi", "asyncapi"].contains(&key);
    let file = match dir {
        Some(dir) if Url::parse(target).is_err() && !target.starts_with('/') => dir.join(target),
        _ if is_text && elsewhere == Elsewhere::Assumed => return Ok(Some(Value::from("(read from elsewhere)"))),
        _ => return Ok(None),
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| format!("Placeholder ${key} could not read {}: {error}", file.display()))?;
    if is_text {
        return Ok(Some(Value::String(text)));
    }
    let parsed = match key {
        "json" => serde_json::from_str(&text).map_err(|error| error.to_string()),
        _ => yaml::value(&text).map_err(|error| error.to_string()),
    };
    parsed.map(Some).map_err(|error| format!("Placeholder ${key} could not parse {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholders() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("a.txt"), "text").expect("a file");
        std::fs::write(dir.path().join("a.json"), r#"{"a": [1]}"#).expect("a file");
        let check = |mut value: Value, expected: Value, unknown: &[&str], problems: &[(&str, &str)]| {
            let outcome = resolve(&mut value, Some(dir.path()), Elsewhere::Assumed);
            assert_eq!(value, expected);
            assert_eq!(outcome.unknown, unknown);
            assert_eq!(outcome.problems.len(), problems.len(), "{outcome:?}");
            for ((pointer, problem), (at, part)) in outcome.problems.iter().zip(problems) {
                assert_eq!(pointer, at);
                assert!(problem.contains(part), "{problem}");
            }
        };
        check(json!({"a": {"$text": "./a.txt"}}), json!({"a": "text"}), &[], &[]);
        check(json!({"a": [{"$json": "a.json"}]}), json!({"a": [{"a": [1]}]}), &[], &[]);
        check(json!({"a": {"$yaml": "a.json"}}), json!({"a": {"a": [1]}}), &[], &[]);
        check(json!({"a": {"$text": "https://x.example/a"}}), json!({"a": "(read from elsewhere)"}), &[], &[]);
        let mut left = json!({"a": {"$text": "https://x.example/a"}, "b": {"$text": "./a.txt"}});
        resolve(&mut left, Some(dir.path()), Elsewhere::Left);
        assert_eq!(left, json!({"a": {"$text": "https://x.example/a"}, "b": "text"}));
        let elsewhere = json!({"a/b": {"$json": "https://x.example/a"}});
        check(elsewhere.clone(), elsewhere, &["/a~1b"], &[]);
        let reference = json!({"a": {"$ref": "#/x"}, "b": {"$text": "a.txt", "c": 1}});
        check(reference.clone(), reference, &[], &[]);
        let missing = json!({"a": {"$text": "b.txt"}});
        check(missing.clone(), missing, &["/a"], &[("/a", "could not read")]);
        let wrong = json!({"a": {"$text": 5}});
        check(wrong.clone(), wrong, &["/a"], &[("/a", "expected a string value")]);
    }
}
