//! The WIT packages exist once, in wit/, and hold one interface a file.

use super::Finding;
use super::source::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        if !path.ends_with(".wit") {
            continue;
        }
        if !path.starts_with("wit/host/") && !path.starts_with("wit/plugin/") {
            findings.push(Finding::new(path, "a copy of an API goes stale: refer to wit/ instead"));
            continue;
        }
        let package = if path.starts_with("wit/host/") { "callboard:host" } else { "callboard:plugin" };
        if !text.lines().any(|line| line.starts_with(&format!("package {package}@"))) {
            findings.push(Finding::new(path, format!("does not begin with `package {package}@…;`")));
        }
        let interfaces = interfaces(text);
        if interfaces.len() > 1 {
            findings.push(Finding::new(path, format!("holds {} interfaces: one a file", interfaces.len())));
        }
        let stem = path.rsplit('/').next().and_then(|name| name.strip_suffix(".wit")).unwrap_or_default();
        if let [interface] = interfaces.as_slice()
            && *interface != stem
        {
            findings.push(Finding::new(path, format!("holds the interface {interface}: name the file so")));
        }
    }
    findings
}

/// The names after `interface`.
pub(crate) fn interfaces(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("interface "))
        .map(|rest| rest.split([' ', '{']).next().unwrap_or(rest))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_crowded_files_are_found() {
        let good = "package callboard:host@0.1.0;\n\ninterface kv {\n}\n";
        for (path, text, found) in [
            ("wit/host/kv.wit", good, None),
            ("crates/sdk/wit/kv.wit", good, Some("goes stale")),
            ("wit/plugin/kv.wit", good, Some("package callboard:plugin@")),
            ("wit/host/store.wit", good, Some("name the file so")),
            ("wit/host/kv.wit", &format!("{good}interface log {{\n}}\n"), Some("one a file")),
        ] {
            let findings = check(&Tree::of(&[(path, text)]));
            match found {
                None => assert_eq!(findings, [], "{path}"),
                Some(text) => assert!(findings.iter().any(|finding| finding.text.contains(text)), "{findings:?}"),
            }
        }
    }
}
