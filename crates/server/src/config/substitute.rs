//! Substitution: `${VAR}` in texts, and mappings whose only key is `$env`, `$file` or `$include`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::finding::{Finding, Unset};
use super::node::{Data, Node, Origin, is_data_file};

/// How deep files may include files. A file that includes itself ends here.
const INCLUDE_DEPTH: usize = 16;

/// The value of a file that is written like app-config, and what of it is absent for want of a variable. `folder` is the
/// file's own.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn substituted(
    node: Node,
    folder: &Path,
    env: &BTreeMap<String, String>,
) -> Result<(Value, Vec<Unset>), Finding> {
    let mut substitution = Substitution { env, findings: Vec::new(), unset: Vec::new() };
    let value = substitution.apply(node, "", folder).map_or(Value::Null, |node| node.to_json());
    match substitution.findings.into_iter().next() {
        Some(finding) => Err(finding),
        None => Ok((value, substitution.unset)),
    }
}

/// What a file's texts may refer to.
pub(super) struct Substitution<'a> {
    /// The environment.
    pub(super) env: &'a BTreeMap<String, String>,
    /// What went wrong.
    pub(super) findings: Vec<Finding>,
    /// Variables that are not set, so that a key counts as absent.
    pub(super) unset: Vec<Unset>,
}

impl Substitution<'_> {
    /// The node with everything replaced; none where the whole of it counts as absent.
    ///
    /// `dir` is the folder of the file that the node was written in.
    pub(super) fn apply(&mut self, node: Node, path: &str, dir: &Path) -> Option<Node> {
        self.node(node, path, dir, 0)
    }

    fn node(&mut self, node: Node, path: &str, dir: &Path, depth: usize) -> Option<Node> {
        let Node { data, origin, substituted } = node;
        let data = match data {
            Data::Text(text) => {
                let (value, replaced) = self.text(&text, path, &origin)?;
                return Some(Node { data: Data::Text(value), origin, substituted: substituted || replaced });
            }
            Data::List(items) => Data::List(
                items
                    .into_iter()
                    .enumerate()
                    .filter_map(|(index, item)| self.node(item, &format!("{path}[{index}]"), dir, depth))
                    .collect(),
            ),
            Data::Mapping(entries) => match form(&entries) {
                Some(form) => return self.form(form, &entries, path, dir, depth, &origin),
                None => Data::Mapping(
                    entries
                        .into_iter()
                        .filter_map(|(key, item)| {
                            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                            Some((key, self.node(item, &below, dir, depth)?))
                        })
                        .collect(),
                ),
            },
            data => data,
        };
        Some(Node { data, origin, substituted })
    }

    fn form(
        &mut self,
        form: Form,
        entries: &[(String, Node)],
        path: &str,
        dir: &Path,
        depth: usize,
        origin: &Origin,
    ) -> Option<Node> {
        let name = form.name();
        let [(_, argument)] = entries else {
            let others: Vec<_> = entries
                .iter()
                .map(|(key, _)| key.as_str())
                .filter(|key| *key != name)
                .map(|key| format!("`{key}`"))
                .collect();
            self.fail(
                path,
                origin,
                format!("`{name}` stands beside {}", others.join(", ")),
                "Make it the only key of its mapping.",
            );
            return None;
        };
        let Some(text) = argument.text() else {
            self.fail(path, origin, format!("`{name}` is {}", argument.kind()), "Give it a text.");
            return None;
        };
        let (text, _) = self.text(text, path, origin)?;
        let data = match form {
            Form::Env => match self.variable(&text) {
                Some(value) => Data::Text(value),
                None => {
                    self.unset.push(Unset { path: path.to_owned(), variable: text, origin: origin.clone() });
                    return None;
                }
            },
            Form::File => Data::Text(self.read(name, &dir.join(&text), path, origin)?.trim_end().to_owned()),
            Form::Include => return self.include(&text, path, dir, depth, origin),
        };
        Some(Node { data, origin: origin.clone(), substituted: true })
    }

    fn include(&mut self, target: &str, path: &str, dir: &Path, depth: usize, origin: &Origin) -> Option<Node> {
        let (file, inner) = target.split_once('#').unwrap_or((target, ""));
        let file = dir.join(file);
        if depth >= INCLUDE_DEPTH {
            let message = format!("`$include` is nested more than {INCLUDE_DEPTH} files deep");
            self.fail(path, origin, message, "Look for a file that includes itself.");
            return None;
        }
        if !is_data_file(&file) {
            let message = format!("`$include` cannot read {}", file.display());
            self.fail(
                path,
                origin,
                message,
                "Its name must end in .json, .yaml or .yml; `$file` reads any file as text.",
            );
            return None;
        }
        let text = self.read("$include", &file, path, origin)?;
        let layer: Arc<str> = Arc::from(file.display().to_string());
        let mut node = match Node::parse(&text, &layer) {
            Ok(node) => node,
            Err(error) => {
                let place = Origin { layer, line: error.line };
                self.fail(path, &place, error.message, "Correct the file.");
                return None;
            }
        };
        for key in inner.split('.').filter(|key| !key.is_empty()) {
            let Some(next) = node.get(key) else {
                let message = format!("`$include` finds no `{key}` of `{inner}` in {}", file.display());
                self.fail(path, origin, message, "Correct the path after `#`.");
                return None;
            };
            node = next.clone();
        }
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        self.node(node, path, &folder, depth + 1)
    }

    fn read(&mut self, name: &str, file: &Path, path: &str, origin: &Origin) -> Option<String> {
        match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) => {
                let message = format!("`{name}` cannot read {}: {error}", file.display());
                self.fail(path, origin, message, "A relative path starts at the folder of the file that it stands in.");
                None
            }
        }
    }

    /// The text with its `${…}` replaced and whether there were any; none where one of them has no value.
    fn text(&mut self, text: &str, path: &str, origin: &Origin) -> Option<(String, bool)> {
        let mut result = String::with_capacity(text.len());
        let mut replaced = false;
        for part in parts(text) {
            match part {
                Part::Plain(plain) => result.push_str(plain),
                Part::Variable { name, fallback } => {
                    replaced = true;
                    let fallback = fallback.map(str::trim).filter(|fallback| !fallback.is_empty());
                    let value = match fallback {
                        Some(fallback) => Some(
                            self.variable(name)
                                .filter(|value| !value.is_empty())
                                .unwrap_or_else(|| fallback.to_owned()),
                        ),
                        None => self.variable(name),
                    };
                    let Some(value) = value else {
                        let variable = name.trim().to_owned();
                        self.unset.push(Unset { path: path.to_owned(), variable, origin: origin.clone() });
                        return None;
                    };
                    result.push_str(&value);
                }
            }
        }
        Some((result, replaced))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.env.get(name.trim()).map(|value| value.trim().to_owned())
    }

    fn fail(&mut self, path: &str, origin: &Origin, message: String, fix: &str) {
        self.findings.push(Finding::error(path, Some(origin.clone()), message, fix));
    }
}

#[derive(Clone, Copy)]
enum Form {
    Env,
    File,
    Include,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Env => "$env",
            Self::File => "$file",
            Self::Include => "$include",
        }
    }
}

/// The form that a mapping is; a key such as `$all` is data.
fn form(entries: &[(String, Node)]) -> Option<Form> {
    entries
        .iter()
        .find_map(|(key, _)| [Form::Env, Form::File, Form::Include].into_iter().find(|form| form.name() == key))
}

#[derive(Debug, PartialEq)]
enum Part<'a> {
    Plain(&'a str),
    Variable { name: &'a str, fallback: Option<&'a str> },
}

/// Splits a text at its `${…}` without braces inside; `$${…}` is plain and loses its first `$`.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(open) = rest.get(from..).and_then(|tail| tail.find("${")).map(|at| at + from) {
        let inner = rest.get(open + 2..).unwrap_or_default();
        let Some(close) = inner.find(['{', '}']).filter(|at| inner.get(*at..=*at) == Some("}")) else {
            from = open + 2;
            continue;
        };
        let inner = inner.get(..close).unwrap_or_default();
        let end = open + 2 + close + 1;
        let before = rest.get(..open).unwrap_or_default();
        if let Some(escaped) = before.strip_suffix('$') {
            parts.push(Part::Plain(escaped));
            parts.push(Part::Plain(rest.get(open..end).unwrap_or_default()));
        } else {
            parts.push(Part::Plain(before));
            parts.push(match inner.split_once(":-") {
                Some((name, fallback)) => Part::Variable { name, fallback: Some(fallback) },
                None => Part::Variable { name: inner, fallback: None },
            });
        }
        rest = rest.get(end..).unwrap_or_default();
        from = 0;
    }
    parts.push(Part::Plain(rest));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(yaml: &str, expected: Option<Value>) {
        let env = BTreeMap::from(
            [("A", "one"), ("B", "  two  "), ("EMPTY", ""), ("NAME", "A"), ("SECRETS", "values")]
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("sub")).expect("a folder");
        for (name, text) in [
            ("note.txt", "hello ${A}\n\n"),
            ("values.yaml", "a: {b: [1, '${A}']}\nnested: {$include: sub/more.json#x}"),
            ("sub/more.json", r#"{"x": {"$file": "deep.txt"}}"#),
            ("sub/deep.txt", "deep "),
            ("loop.yaml", "x: {$include: loop.yaml}"),
        ] {
            std::fs::write(dir.path().join(name), text).expect("a file");
        }
        let mut substitution = Substitution { env: &env, findings: Vec::new(), unset: Vec::new() };
        let node = Node::parse(yaml, &Arc::from("test.yaml")).expect("YAML");
        let found = substitution.apply(node, "", dir.path()).map(|node| node.to_json());
        match expected {
            Some(expected) => {
                assert_eq!(substitution.findings, [], "{yaml}");
                assert_eq!(found, Some(expected), "{yaml}");
            }
            None => assert!(!substitution.findings.is_empty(), "{yaml} should fail, and is {found:?}"),
        }
    }

    #[test]
    fn the_forms_of_substitution() {
        for (yaml, expected) in [
            ("k: plain", Some(json!({"k": "plain"}))),
            ("k: ${A}", Some(json!({"k": "one"}))),
            ("k: x-${ A }-${B}-y", Some(json!({"k": "x-one-two-y"}))),
            ("k: ${MISSING}\nl: 1", Some(json!({"l": 1}))),
            ("k: a${MISSING}b\nl: 1", Some(json!({"l": 1}))),
            ("k: [1, '${MISSING}', 2]", Some(json!({"k": [1, 2]}))),
            ("k: ${MISSING:- five }", Some(json!({"k": "five"}))),
            ("k: ${EMPTY:-five}", Some(json!({"k": "five"}))),
            ("k: ${A:-five}", Some(json!({"k": "one"}))),
            ("k: ${MISSING:-}\nl: 1", Some(json!({"l": 1}))),
            ("k: ${MISSING:-http://x:1/y}", Some(json!({"k": "http://x:1/y"}))),
            ("k: ${EMPTY}", Some(json!({"k": ""}))),
            ("k: $${A}", Some(json!({"k": "${A}"}))),
            ("k: a$${A}b${A}c", Some(json!({"k": "a${A}bonec"}))),
            ("k: '${{ parameters.name }} ${A}'", Some(json!({"k": "${{ parameters.name }} one"}))),
            ("k: 'open ${A'", Some(json!({"k": "open ${A"}))),
            ("k: '$A $ {A}'", Some(json!({"k": "$A $ {A}"}))),
            ("k: {$env: A}", Some(json!({"k": "one"}))),
            ("k: {$env: '${NAME}'}", Some(json!({"k": "one"}))),
            ("k: {$env: MISSING}\nl: 1", Some(json!({"l": 1}))),
            ("k: {$env: A, other: 1}", None),
            ("k: {$env: [A]}", None),
            ("k: {$file: note.txt}", Some(json!({"k": "hello ${A}"}))),
            ("k: {$file: ./sub/../note.txt}", Some(json!({"k": "hello ${A}"}))),
            ("k: {$file: missing.txt}", None),
            ("k: {$include: values.yaml#a.b}", Some(json!({"k": [1, "one"]}))),
            ("k: {$include: '${SECRETS}.yaml#a.b'}", Some(json!({"k": [1, "one"]}))),
            ("k: {$include: values.yaml}", Some(json!({"k": {"a": {"b": [1, "one"]}, "nested": "deep"}}))),
            ("k: {$include: values.yaml#a.c}", None),
            ("k: {$include: note.txt}", None),
            ("k: {$include: loop.yaml}", None),
            ("k: {$all: [{a: '${A}'}]}", Some(json!({"k": {"$all": [{"a": "one"}]}}))),
            ("k: {$unknown: 1}", Some(json!({"k": {"$unknown": 1}}))),
            ("$include: values.yaml#a", Some(json!({"b": [1, "one"]}))),
        ] {
            check(yaml, expected);
        }
    }
}
