//! API descriptions that are written as several files, made into one.
//!
//! What a `$ref` names in another file is put where it is named first, and referred to from everywhere else. What it
//! names in the same file stays as it is written.

use std::collections::{BTreeMap, HashMap};

use callboard_model::location_ref::LocationRef;
use callboard_model::yaml;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::escaped;
use super::target::Target;
use crate::limits::{BUNDLE_DEPTH, BUNDLE_VALUES, FILE_BYTES, PLACEHOLDERS};
use crate::process::fetch::Fetch;

/// The files of a description, and what each means by the texts of its `$ref`s, without what comes after `#`.
#[derive(Default)]
struct Files {
    contents: BTreeMap<Target, Value>,
    meant: HashMap<(Target, String), Target>,
}

/// Makes one description, as YAML, of one that refers to other files.
pub(super) async fn bundle(
    root: Target,
    name: &str,
    description: Value,
    location: &LocationRef,
    fetch: &mut Fetch,
) -> Result<String, String> {
    if !description.is_object() {
        return Err(format!("expected {name} to be an API description, which is an object"));
    }
    let mut files = Files { contents: BTreeMap::from([(root.clone(), description)]), ..Files::default() };
    let (mut todo, mut bytes) = (vec![root.clone()], 0);
    while let Some(file) = todo.pop() {
        let mut found = Vec::new();
        files.contents.get(&file).into_iter().for_each(|content| other_files(content, &mut found));
        for text in found {
            let other = file.resolve(&text, fetch)?;
            files.meant.insert((file.clone(), text.clone()), other.clone());
            if files.contents.contains_key(&other) {
                continue;
            }
            if files.contents.len() >= PLACEHOLDERS {
                return Err(format!("{name} refers to more than {PLACEHOLDERS} files"));
            }
            let content = other.text(&text, location, fetch).await?;
            bytes += content.len();
            if bytes > FILE_BYTES {
                return Err(format!("the files that {name} refers to have more than {FILE_BYTES} bytes together"));
            }
            let content =
                yaml::value(&content).map_err(|error| format!("failed to parse YAML data at {text}, {error}"))?;
            files.contents.insert(other.clone(), content);
            todo.push(other);
        }
    }
    let bundled = Bundler { files: &files, root: &root, placed: HashMap::new(), values: 0 }.whole()?;
    // What YAML cannot hold as it is, JSON can, and that is YAML for whoever reads it.
    Ok(yaml::write(&[&bundled]).unwrap_or_else(|| Value::Object(bundled).to_string()))
}

/// The files that the `$ref`s of a value name.
fn other_files(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some((file, _)) = reference(map).filter(|(file, _)| !file.is_empty()) {
                found.push(file.to_owned());
            }
            map.values().for_each(|value| other_files(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| other_files(item, found)),
        _ => {}
    }
}

/// What an object's `$ref` names: a file, or nothing for its own, and a JSON pointer.
fn reference(map: &Map<String, Value>) -> Option<(&str, &str)> {
    let text = map.get("$ref")?.as_str()?;
    Some(text.split_once('#').unwrap_or((text, "")))
}

struct Bundler<'a> {
    files: &'a Files,
    root: &'a Target,
    /// Where in the result there is what a pointer into another file names.
    placed: HashMap<(&'a Target, String), String>,
    values: usize,
}

impl<'a> Bundler<'a> {
    fn whole(mut self) -> Result<Map<String, Value>, String> {
        let (root, files) = (self.root, self.files);
        match self.copy(files.contents.get(root).unwrap_or(&Value::Null), root, "", 0)? {
            Value::Object(map) => Ok(map),
            _ => Err("an API description is an object".to_owned()),
        }
    }

    /// A value of `file` as it is at `place` of the result.
    fn copy(&mut self, value: &'a Value, file: &'a Target, place: &str, depth: usize) -> Result<Value, String> {
        self.values += 1;
        if depth > BUNDLE_DEPTH || self.values > BUNDLE_VALUES {
            return Err(format!(
                "an API description may be {BUNDLE_DEPTH} levels deep and have {BUNDLE_VALUES} values when its files are \
                 put together"
            ));
        }
        match value {
            Value::Object(map) => {
                if let Some(named) = reference(map) {
                    return self.named(map, named, file, place, depth);
                }
                let copied = map.iter().map(|(key, value)| {
                    let place = format!("{place}/{}", escaped(key));
                    Ok((key.clone(), self.copy(value, file, &place, depth + 1)?))
                });
                copied.collect::<Result<Map<_, _>, String>>().map(Value::Object)
            }
            Value::Array(items) => {
                let copied = items.iter().enumerate();
                let copied = copied.map(|(index, item)| self.copy(item, file, &format!("{place}/{index}"), depth + 1));
                copied.collect::<Result<_, String>>().map(Value::Array)
            }
            scalar => Ok(scalar.clone()),
        }
    }

    /// What an object with a `$ref` becomes.
    fn named(
        &mut self,
        map: &'a Map<String, Value>,
        (text, pointer): (&str, &str),
        file: &'a Target,
        place: &str,
        depth: usize,
    ) -> Result<Value, String> {
        let files = self.files;
        let other = match text {
            "" => file,
            text => files.meant.get(&(file.clone(), text.to_owned())).ok_or_else(|| format!("{text} is not there"))?,
        };
        let beside = |map: &'a Map<String, Value>| map.iter().filter(|(key, _)| key.as_str() != "$ref");
        let refer = |to: &str| {
            let mut new: Map<String, Value> = beside(map).map(|(key, value)| (key.clone(), value.clone())).collect();
            new.insert("$ref".to_owned(), Value::String(format!("#{to}")));
            Value::Object(new)
        };
        if other == self.root {
            return Ok(refer(pointer));
        }
        let pointer = percent_decode_str(pointer).decode_utf8_lossy().into_owned();
        if let Some(place) = self.place_of(other, &pointer) {
            return Ok(refer(&place.replace('%', "%25")));
        }
        let content = files.contents.get(other).and_then(|content| content.pointer(&pointer));
        let content = content.ok_or_else(|| format!("{text}#{pointer} is not there"))?;
        if map.len() == 1 {
            self.placed.insert((other, pointer), place.to_owned());
            return self.copy(content, other, place, depth + 1);
        }
        // What stands beside it holds here only, so that nobody else may refer to this place.
        let mut copied = match content {
            Value::Object(inner) if reference(inner).is_none() => {
                let rest = inner.iter().filter(|(key, _)| !map.contains_key(*key));
                let rest = rest.map(|(key, value)| {
                    let place = format!("{place}/{}", escaped(key));
                    Ok((key.clone(), self.copy(value, other, &place, depth + 1)?))
                });
                Value::Object(rest.collect::<Result<_, String>>()?)
            }
            content => self.copy(content, other, place, depth + 1)?,
        };
        if let Value::Object(copied) = &mut copied {
            copied.extend(beside(map).map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(copied)
    }

    /// Where there is what a pointer into a file names: by itself, or as part of something larger.
    fn place_of(&self, file: &'a Target, pointer: &str) -> Option<String> {
        let starts = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
        starts.into_iter().find_map(|at| {
            let (head, rest) = pointer.split_at_checked(at)?;
            let place = self.placed.get(&(file, head.to_owned()))?;
            Some(format!("{place}{rest}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn url(name: &str) -> Target {
        Target::Url(format!("https://x.example/{name}").parse().unwrap())
    }

    /// The files by name; the first is the description.
    fn bundled(contents: &[(&str, Value)]) -> Result<Value, String> {
        let mut files = Files::default();
        for (name, content) in contents {
            let mut found = Vec::new();
            other_files(content, &mut found);
            files.meant.extend(found.into_iter().map(|text| ((url(name), text.clone()), url(&text))));
            files.contents.insert(url(name), content.clone());
        }
        let root = url(contents[0].0);
        Bundler { files: &files, root: &root, placed: HashMap::new(), values: 0 }.whole().map(Value::Object)
    }

    #[test]
    fn several_files_become_one() {
        fn check(contents: &[(&str, Value)], expected: Value) {
            assert_eq!(bundled(contents), Ok(expected));
        }
        // Of one file nothing changes.
        let own = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "other"}});
        let other = json!({"x": 1});
        check(&[("root", json!({"a": {"$ref": "#/b"}}))], json!({"a": {"$ref": "#/b"}}));
        check(&[("root", own), ("other", other)], json!({"a": {"$ref": "#/b"}, "b": {"x": 1}}));
        // The second time, and for a part of it, there is a reference to the first.
        let other = json!({"s": {"t": [{"type": "string"}]}, "u": {"$ref": "#/s/t/0"}});
        check(
            &[
                (
                    "root",
                    json!({
                        "a": {"$ref": "other#/s"},
                        "b": [{"$ref": "other#/s"}, {"$ref": "other#/s/t/0"}],
                        "c/d": {"$ref": "other#/u"},
                    }),
                ),
                ("other", other),
            ],
            json!({
                "a": {"t": [{"type": "string"}]},
                "b": [{"$ref": "#/a"}, {"$ref": "#/a/t/0"}],
                "c/d": {"$ref": "#/a/t/0"},
            }),
        );
        // Circles: within another file, between files, and back to the description.
        let other = json!({"node": {"next": {"$ref": "#/node"}, "all": {"$ref": "root#/a"}}});
        check(
            &[("root", json!({"a": {"$ref": "other#/node"}})), ("other", other)],
            json!({"a": {"next": {"$ref": "#/a"}, "all": {"$ref": "#/a"}}}),
        );
        // What stands beside a reference stays, and holds for that place only.
        let other = json!({"s": {"type": "string", "description": "theirs"}});
        let root = json!({"a": {"$ref": "other#/s", "description": "ours"}, "b": {"$ref": "other#/s"}});
        check(
            &[("root", root), ("other", other)],
            json!({
                "a": {"type": "string", "description": "ours"},
                "b": {"type": "string", "description": "theirs"},
            }),
        );
        // Pointers are encoded as parts of URLs.
        let other = json!({"/pets/{id}": {"get": {}}});
        let root = json!({"a": {"$ref": "other#/~1pets~1%7Bid%7D"}, "b": {"$ref": "other#/~1pets~1{id}/get"}});
        check(&[("root", root), ("other", other)], json!({"a": {"get": {}}, "b": {"$ref": "#/a/get"}}));
        // A property of that name is none.
        let root = json!({"properties": {"$ref": {"type": "string"}}});
        check(&[("root", root.clone())], root);
    }

    #[test]
    fn mistakes() {
        fn check(contents: &[(&str, Value)], expected: &str) {
            let error = bundled(contents).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        let root = |text: &str| ("root", json!({"a": {"$ref": text}}));
        check(&[root("other#/none"), ("other", json!({}))], "other#/none is not there");
        // Each part contains the next, so that the result is deeper than each file.
        let chain: Map<String, Value> = (0..BUNDLE_DEPTH)
            .map(|number| (format!("s{number}"), json!({"x": {"$ref": format!("#/s{}", number + 1)}})))
            .chain([(format!("s{BUNDLE_DEPTH}"), json!({}))])
            .collect();
        check(&[root("other#/s0"), ("other", Value::Object(chain))], "levels deep");
        // What stands beside references has them copied again and again, each time twice as much.
        let doubling: Map<String, Value> = (0..40)
            .map(|number| {
                let twice = json!({"$ref": format!("#/s{}", number + 1), "description": "d"});
                (format!("s{number}"), json!([twice.clone(), twice]))
            })
            .chain([("s40".to_owned(), json!({}))])
            .collect();
        check(&[root("other#/s0"), ("other", Value::Object(doubling))], "values");
    }
}
