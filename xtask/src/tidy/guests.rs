//! Every hostile guest has a test, and every guest that a test names exists: those that are built of Rust, those that
//! are written as WebAssembly, and those that are generated.

use std::collections::BTreeMap;

use super::Finding;
use super::source::Tree;

const FOLDER: &str = "tests/guests/";
const GENERATED: &str = "tests/guests/src/generated.rs";
const TESTS: [&str; 2] = ["tests/", "crates/host/tests/"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut guests: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    let files = tree.below(FOLDER).filter_map(|(path, _)| Some((name(path)?, path)));
    let listed = tree.get(GENERATED).into_iter().flat_map(generated).map(|name| (name, GENERATED));
    for (name, place) in files.chain(listed) {
        if let Some(other) = guests.insert(name, place) {
            findings.push(Finding::new(place, format!("there is a guest `{name}` in {other} as well")));
        }
    }
    let tests: BTreeMap<&str, &str> = TESTS
        .into_iter()
        .flat_map(|folder| tree.below(folder))
        .filter(|(path, _)| path.ends_with(".rs") && !path.starts_with(FOLDER))
        .flat_map(|(path, text)| guest_calls(text).map(move |guest| (guest, path)))
        .collect();
    let missing = tests
        .iter()
        .filter(|(guest, _)| !guests.contains_key(*guest))
        .map(|(guest, path)| Finding::new(*path, format!("there is no guest `{guest}` in {FOLDER}")));
    let untested = guests.iter().filter(|(guest, _)| !tests.contains_key(*guest)).map(|(guest, place)| {
        Finding::new(*place, format!("no test loads `{guest}`: call guest(\"{guest}\") in one, or remove it"))
    });
    findings.into_iter().chain(missing).chain(untested).collect()
}

/// Of a guest that is a file.
fn name(path: &str) -> Option<&str> {
    let path = path.strip_prefix(FOLDER)?;
    let rust = path.strip_prefix("examples/").and_then(|file| file.strip_suffix(".rs"));
    rust.or_else(|| path.strip_prefix("components/")?.strip_suffix(".wat"))
}

/// The names in the lines `("name", function),` of the list.
fn generated(text: &str) -> impl Iterator<Item = &str> {
    let list = text.split("const GENERATED").nth(1).and_then(|rest| rest.split("];").next()).unwrap_or_default();
    list.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next())
}

/// The names in `guest("name")`.
fn guest_calls(text: &str) -> impl Iterator<Item = &str> {
    text.split("guest(\"").skip(1).filter_map(|rest| rest.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_without_a_test_and_a_test_without_a_guest_are_found() {
        let tree = Tree::of(&[
            ("tests/guests/examples/loop.rs", ""),
            ("tests/guests/examples/forgotten.rs", ""),
            ("tests/guests/components/bad_text.wat", ""),
            ("tests/guests/components/lost.wat", ""),
            ("tests/guests/components/loop.wat", ""),
            (
                "tests/guests/src/generated.rs",
                "pub const GENERATED: &[(&str, fn())] = &[\n    (\"large\", large),\n    (\"larger\", larger),\n];\n    (\"x\")",
            ),
            ("tests/tests/sandbox.rs", "portal(guest(\"loop\")); portal(guest(\"gone\"));"),
            ("crates/host/tests/guests/attacks.rs", "guest(\"bad_text\") guest(\"large\")"),
        ]);
        let findings: Vec<String> =
            check(&tree).into_iter().map(|finding| format!("{}: {}", finding.place, finding.text)).collect();
        let expected = [
            ("tests/guests/examples/loop.rs", "in tests/guests/components/loop.wat as well"),
            ("tests/tests/sandbox.rs", "no guest `gone`"),
            ("tests/guests/examples/forgotten.rs", "`forgotten`"),
            ("tests/guests/src/generated.rs", "`larger`"),
            ("tests/guests/components/lost.wat", "`lost`"),
        ];
        assert_eq!(findings.len(), expected.len(), "{findings:#?}");
        for (place, words) in expected {
            assert!(findings.iter().any(|it| it.starts_with(place) && it.contains(words)), "{place}: {findings:#?}");
        }
    }
}
