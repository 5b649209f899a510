//! Every hostile guest has a test, and every guest that a test names exists.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::Tree;

const FOLDER: &str = "tests/guests/examples/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let guests: BTreeSet<&str> =
        tree.below(FOLDER).filter_map(|(path, _)| path.strip_prefix(FOLDER)?.strip_suffix(".rs")).collect();
    let tests: BTreeMap<&str, &str> = tree
        .below("tests/")
        .filter(|(path, _)| path.ends_with(".rs") && !path.starts_with(FOLDER))
        .flat_map(|(path, text)| guest_calls(text).map(move |guest| (guest, path)))
        .collect();
    let untested = guests.iter().filter(|guest| !tests.contains_key(*guest)).map(|guest| {
        let text = format!("no test loads it: call guest(\"{guest}\") in one, or remove it");
        Finding::new(format!("{FOLDER}{guest}.rs"), text)
    });
    let missing = tests
        .iter()
        .filter(|(guest, _)| !guests.contains(*guest))
        .map(|(guest, path)| Finding::new(*path, format!("there is no guest {FOLDER}{guest}.rs")));
    missing.chain(untested).collect()
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
            ("tests/tests/sandbox.rs", "portal(guest(\"loop\")); portal(guest(\"gone\"));"),
        ]);
        let findings = check(&tree);
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["tests/tests/sandbox.rs", "tests/guests/examples/forgotten.rs"], "{findings:?}");
    }
}
