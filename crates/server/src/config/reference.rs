//! `docs/config.md` and `docs/config.schema.json`, out of the description of the keys.

use serde_json::{Map, Value, json};

use super::check::words;
use super::keys::{Branch, Key, Kind, OWN_BLOCKS, State, all, segments, sign_in, tree};

/// What holds for every key.
const INTRODUCTION: &str = include_str!("reference.md");

/// The page for people.
#[must_use]
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n## Keys\n");
    let mut block = "";
    for key in all().filter(|key| matches!(key.state, State::Honoured | State::Plugin(_))) {
        let root = segments(key.path).next().unwrap_or_default();
        if root != block {
            block = root;
            write_block(&mut page, key);
            if key.path == root {
                continue;
            }
        }
        write_row(&mut page, key);
    }
    page.push_str(
        "\n## Keys of Backstage that have no effect yet\n\n\
         They are listed once when the portal starts, and by `callboard config check`.\n\n\
         | Key | What it would do |\n| --- | --- |\n",
    );
    let mut later: Vec<&Key> = all().filter(|key| key.state == State::Later).collect();
    later.sort_by_key(|key| key.path);
    for key in later {
        let text = key.text.strip_prefix("would ").unwrap_or(key.text);
        write_line(&mut page, &[&code(key.path), text]);
    }
    page
}

fn write_block(page: &mut String, key: &Key) {
    let root = segments(key.path).next().unwrap_or_default();
    page.push_str(&format!("\n### `{root}`\n\n{}.\n", key.text));
    if OWN_BLOCKS.contains(&root) {
        page.push_str("This block is Callboard's own: an unknown key in it is an error.\n");
    }
    page.push_str("\n| Key | Value | Where absent | Meaning |\n| --- | --- | --- | --- |\n");
}

fn write_row(page: &mut String, key: &Key) {
    let kind = match (key.kind, key.state) {
        (Kind::Choice(choices), _) => choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", "),
        (Kind::Any, State::Plugin(_)) => "as the plugin's manifest says".to_owned(),
        (kind, _) => words(kind).to_owned(),
    };
    let absent = match key.required {
        true => "required",
        false => key.default.unwrap_or(""),
    };
    let text = match key.state {
        State::Plugin(id) => format!("Read by the plugin `{id}`: {}", key.text),
        _ => key.text.to_owned(),
    };
    write_line(page, &[&code(key.path), &kind, absent, &text]);
}

fn write_line(page: &mut String, cells: &[&str]) {
    for cell in cells {
        page.push_str("| ");
        page.push_str(&cell.replace('|', "\\|"));
        page.push(' ');
    }
    page.push_str("|\n");
}

fn code(path: &str) -> String {
    format!("`{}`", path.replace('*', "<id>"))
}

/// The schema for editors. It takes what the checks take; what they only warn of it does not report.
#[must_use]
pub fn json_schema() -> String {
    let mut root = schema(tree(), "", false);
    if let Some(root) = root.as_object_mut() {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".to_owned(), json!("Callboard's app-config"));
        let form = |text: &str| json!({"type": "string", "description": text});
        root.insert(
            "$defs".to_owned(),
            json!({"substitution": {
                "type": "object",
                "properties": {
                    "$env": form("The name of an environment variable"),
                    "$file": form("A file whose text this is"),
                    "$include": form("A YAML or JSON file that stands here, with # and a path for a part of it"),
                },
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            }}),
        );
    }
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

fn schema(branch: &Branch, path: &str, own: bool) -> Value {
    if let Some(described) = branch.key.and_then(|key| sign_in::described(key, path)) {
        return json!({"$ref": format!("#/properties/{}", described.replace('.', "/anyOf/0/properties/"))});
    }
    let own = own || OWN_BLOCKS.contains(&path);
    let mut result = match branch.key {
        Some(key) if key.state != State::Honoured => json!({}),
        Some(key) => of_kind(key.kind, branch, path, own),
        None => mapping(branch, path, own),
    };
    if let (Some(key), Some(result)) = (branch.key, result.as_object_mut()) {
        result.insert("description".to_owned(), Value::String(description(key)));
        if let State::Removed = key.state {
            result.insert("not".to_owned(), json!({}));
        }
    }
    result
}

fn description(key: &Key) -> String {
    match key.state {
        State::Later => format!("No effect yet: {}.", key.text),
        State::Plugin(id) => format!("Read by the plugin `{id}`: {}.", key.text),
        State::Honoured | State::Removed => match key.default {
            Some(default) => format!("{}. Where absent: {default}.", key.text),
            None => format!("{}.", key.text),
        },
    }
}

fn of_kind(kind: Kind, branch: &Branch, path: &str, own: bool) -> Value {
    let text = json!({"type": "string", "minLength": 1});
    let any_of = |mut options: Vec<Value>| {
        options.push(json!({"$ref": "#/$defs/substitution"}));
        json!({"anyOf": options})
    };
    let list = |items: Value| json!({"type": "array", "items": items});
    let items = || list(branch.item.as_deref().map_or(json!({}), |item| schema(item, &format!("{path}[]"), own)));
    let single = || mapping(branch.item.as_deref().unwrap_or(branch), path, own);
    match kind {
        Kind::Any => json!({}),
        Kind::Text | Kind::Secret | Kind::Url | Kind::EntityRef => any_of(vec![text]),
        Kind::Boolean => any_of(vec![json!({"type": ["boolean", "string"]})]),
        Kind::Number => any_of(vec![json!({"type": ["number", "string"]})]),
        Kind::Duration => any_of(vec![text, json!({"type": "object"})]),
        Kind::DurationOrFalse => any_of(vec![text, json!({"type": "object"}), json!({"const": false})]),
        Kind::Choice(choices) => any_of(vec![json!({"enum": choices}), json!({"type": "string", "pattern": r"\$\{"})]),
        Kind::Texts => any_of(vec![list(any_of(vec![text]))]),
        Kind::Mapping => any_of(vec![mapping(branch, path, own)]),
        Kind::List => any_of(vec![items()]),
        Kind::MappingOrList => any_of(vec![single(), items()]),
        Kind::TextOrMapping => any_of(vec![text, mapping(branch, path, own)]),
        Kind::BooleanOrMapping => any_of(vec![json!({"type": ["boolean", "string"]}), mapping(branch, path, own)]),
    }
}

fn mapping(branch: &Branch, path: &str, own: bool) -> Value {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let properties: Map<String, Value> =
        branch.children.iter().map(|(name, child)| ((*name).to_owned(), schema(child, &below(name), own))).collect();
    let required: Vec<&str> = branch
        .children
        .iter()
        .filter(|(_, child)| child.key.is_some_and(|key| key.required))
        .map(|(name, _)| *name)
        .collect();
    let mut result = json!({"type": "object", "properties": properties});
    if let Some(result) = result.as_object_mut() {
        match &branch.any {
            Some(any) => result.insert("additionalProperties".to_owned(), schema(any, &below("*"), own)),
            None if own => result.insert("additionalProperties".to_owned(), json!(false)),
            None => None,
        };
        if let Some(routes) = &branch.routes {
            result.insert("patternProperties".to_owned(), json!({ "^/": schema(routes, &below("*"), own) }));
        }
        if !required.is_empty() {
            result.insert("required".to_owned(), json!(required));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::node::Node;
    use std::path::Path;
    use std::sync::Arc;

    #[test]
    fn the_pages_are_those_of_the_description() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        for (name, text) in [("config.md", markdown()), ("config.schema.json", json_schema())] {
            let written = std::fs::read_to_string(docs.join(name)).unwrap_or_default();
            assert!(written == text, "docs/{name} is stale: run `cargo run -p callboard -- config docs`");
        }
    }

    #[test]
    fn the_schema_takes_what_the_checks_take() {
        let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let check = |yaml: &str, expected: bool| {
            let value = Node::parse(yaml, &Arc::from("app-config.yaml")).expect("YAML").to_json();
            let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors.is_empty(), expected, "{yaml}\n{errors:#?}");
        };
        check("app: {title: {$env: TITLE}}", true);
        check("app: {title: 5}", false);
        check("plugins: {s3: {source: a, grant: {log: true, http: [GET https://a.example]}}}", true);
        check("plugins: {s3: {source: a, grnt: {}}}", false);
        check("plugins: {s3: {}}", false);
        check("plugins: {$include: plugins.yaml}", true);
        check("integrations: {awsS3: {endpoint: x}}\nacme: 1", true);
        check("integrations: {awsS3: [{endpoint: 5}]}", false);
        check("catalog: {rules: [{allow: [API, {kind: Component, spec.type: library}]}]}", true);
        check("catalog: {orphanStrategy: '${STRATEGY}'}", true);
        check("catalog: {orphanStrategy: burn}", false);
        check("catalog: {processors: {github: {}}}", false);
        check("proxy: {endpoints: {/a: 'https://a.example', /b: {target: '${B}', headers: {X-Key: k}}}}", true);
        check("proxy: {/a: {target: 'https://a.example', allowedMethods: [GET]}}", true);
        check("proxy: {/a: {target: 'https://a.example', allowedMethods: GET}}", false);
        check("proxy: {endpoints: {/a: {target: a, credentials: none}}}", false);
        check(include_str!("../../../../app-config.yaml"), true);
    }
}
