//! The pages of the project: what they link to exists, and what is generated is not stale.

use super::Finding;
use super::source::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        for (index, line) in text.lines().enumerate() {
            for link in links(line) {
                let Some(target) = resolve(path, link) else { continue };
                if !exists(tree, &target) {
                    let place = format!("{path}:{}", index + 1);
                    findings.push(Finding::new(place, format!("links to {link}, which is not there")));
                }
            }
        }
    }
    findings
}

/// The targets of Markdown links and pictures in a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

/// The path in the clone that a link leads to; none where it leads elsewhere.
fn resolve(page: &str, link: &str) -> Option<String> {
    let link = link.split('#').next().unwrap_or_default();
    if link.is_empty() || link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let mut segments: Vec<&str> = page.split('/').collect();
    segments.pop();
    for segment in link.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}

/// Pictures are no text, so they are looked for where they are.
fn exists(tree: &Tree, target: &str) -> bool {
    tree.get(target).is_some()
        || tree.below(&format!("{target}/")).next().is_some()
        || crate::project::root().join(target).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nowhere_is_found() {
        let page = "See [a](other.md#part), [b](../README.md), [c](https://example.org/x), [d](gone.md).";
        let tree = Tree::of(&[("docs/page.md", page), ("docs/other.md", ""), ("README.md", "")]);
        let findings = check(&tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].text.contains("gone.md"), "{findings:?}");
    }
}
