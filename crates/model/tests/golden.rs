//! Golden cases: each `cases/**/*.yaml` is read, and what comes out is compared with the file beside it, `.json` where
//! it is accepted and `.err` where it is not.
//!
//! A new case is two new files. With `UPDATE_GOLDEN=1` the expectations are written anew: read the difference before
//! it is committed, for the expectation is the catalog's specification, not whatever the code says.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use callboard_model::entity::Entity;
use callboard_model::entity_ref::EntityRef;
use callboard_model::location_ref::LocationRef;
use callboard_model::{relations, stable_json, validate, yaml};
use serde_json::{Value, json};

#[test]
fn cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let cases = files(&root, "yaml");
    assert!(cases.len() > 300, "only {} cases are there", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let area = case.strip_prefix(&root).unwrap().components().next().unwrap();
        let read = match area.as_os_str().to_str().unwrap() {
            "ref" => entity_ref,
            "location" => location,
            "stable" => stable,
            _ => entities,
        };
        let found = read(&fs::read_to_string(case).unwrap());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            update(case, &found);
        } else if let Err(difference) = compare(case, &found) {
            wrong.push(format!("{}: {difference}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_expectation_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let expectations = [files(&root, "json"), files(&root, "err")].concat();
    let stray: Vec<_> = expectations.iter().filter(|file| !file.with_extension("yaml").exists()).collect();
    assert!(stray.is_empty(), "without a case: {stray:?}");
}

/// A file of entities, through everything that happens to one before it is stored.
fn entities(text: &str) -> Result<Value, String> {
    let mut entities = Vec::new();
    let mut errors = Vec::new();
    for document in yaml::documents(text, &yaml::Limits::default()).map_err(|error| format!("{error}\n"))? {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                errors.push(report(error.document.unwrap(), error.line, None, &error.message));
                continue;
            }
        };
        let index = document.index;
        let at = |pointer: &str| yaml::line_of(text, &yaml::Limits::default(), index, pointer);
        match Entity::from_value(document.value) {
            Err(error) => errors.push(report(index, at(&error.pointer), Some(&error.pointer), &error.to_string())),
            Ok(mut entity) => match validate::check(&mut entity) {
                Err(error) => errors.push(report(index, at(&error.field), Some(&error.field), &error.to_string())),
                Ok(()) => match relations::of(&entity) {
                    Err(error) => errors.push(report(index, None, None, &error.to_string())),
                    Ok(relations) => entities.push(json!({ "entity": entity, "relations": edges(&relations) })),
                },
            },
        }
    }
    if errors.is_empty() { Ok(Value::Array(entities)) } else { Err(errors.join("\n")) }
}

fn report(document: usize, line: Option<usize>, pointer: Option<&str>, message: &str) -> String {
    let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
    let pointer = match pointer {
        Some("") => ", <root>".to_owned(),
        Some(pointer) => format!(", {pointer}"),
        None => String::new(),
    };
    format!("document {}{line}{pointer}\n{message}\n", document + 1)
}

fn edges(relations: &[relations::Relation]) -> Vec<String> {
    let mut edges: Vec<_> =
        relations.iter().map(|edge| format!("{} {} {}", edge.source, edge.kind, edge.target)).collect();
    edges.sort();
    edges
}

/// `ref`, and perhaps `defaultKind` and `defaultNamespace`.
fn entity_ref(text: &str) -> Result<Value, String> {
    let input: BTreeMap<String, Value> = serde_json::from_value(yaml::value(text).unwrap()).unwrap();
    let default = |key: &str| input.get(key).and_then(Value::as_str);
    EntityRef::from_value(&input["ref"], default("defaultKind"), default("defaultNamespace"))
        .map(|found| Value::from(found.to_string()))
        .map_err(|error| format!("{error}\n"))
}

/// `location`.
fn location(text: &str) -> Result<Value, String> {
    let input = yaml::value(text).unwrap();
    LocationRef::parse(input["location"].as_str().unwrap())
        .map(|found| json!({ "type": found.kind, "target": found.target, "name": found.generated_name() }))
        .map_err(|error| format!("{error}\n"))
}

/// Anything.
fn stable(text: &str) -> Result<Value, String> {
    let input = yaml::value(text).unwrap();
    Ok(json!({ "text": stable_json::to_string(&input), "sha1": stable_json::sha1_hex(&input) }))
}

fn compare(case: &Path, found: &Result<Value, String>) -> Result<(), String> {
    let (good, bad) = (case.with_extension("json"), case.with_extension("err"));
    match (good.exists(), bad.exists(), found) {
        (true, true, _) => Err("there are two expectations".to_owned()),
        (false, false, _) => {
            Err("there is no expectation; write it, or run with UPDATE_GOLDEN=1 and read it".to_owned())
        }
        (true, false, Ok(found)) => {
            let expected: Value = serde_json::from_str(&fs::read_to_string(good).unwrap()).unwrap();
            if *found == expected { Ok(()) } else { Err(format!("\nexpected {expected:#}\nfound {found:#}")) }
        }
        (false, true, Err(found)) => {
            let expected = fs::read_to_string(bad).unwrap();
            if *found == expected { Ok(()) } else { Err(format!("\nexpected\n{expected}\nfound\n{found}")) }
        }
        (true, false, Err(found)) => Err(format!("is refused\n{found}")),
        (false, true, Ok(found)) => Err(format!("is accepted\n{found:#}")),
    }
}

fn update(case: &Path, found: &Result<Value, String>) {
    let (good, bad) = (case.with_extension("json"), case.with_extension("err"));
    let (file, stale, text) = match found {
        Ok(found) => (good, bad, format!("{found:#}\n")),
        Err(found) => (bad, good, found.clone()),
    };
    fs::write(file, text).unwrap();
    if stale.exists() {
        fs::remove_file(stale).unwrap();
    }
}

/// All files below a folder with an extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
