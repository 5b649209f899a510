//! Invariant 8: small files.

use super::Finding;
use super::source::Tree;

/// A file that holds one idea fits.
const MOST: usize = 800;
/// Files that may be longer, each with its reason. There is none.
const EXCUSED: &[(&str, &str)] = &[];

/// Aims for all files together.
const MEDIAN: usize = 200;
const NINETIETH: usize = 500;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lengths = Vec::new();
    for (path, text) in tree.rust() {
        let lines = text.lines().count();
        lengths.push(lines);
        if lines > MOST && !EXCUSED.iter().any(|(excused, _)| *excused == path) {
            findings
                .push(Finding::new(path, format!("{lines} lines, more than {MOST}: which two ideas does it hold?")));
        }
    }
    lengths.sort_unstable();
    for (share, most) in [(50, MEDIAN), (90, NINETIETH)] {
        let length = lengths.get(lengths.len() * share / 100).copied().unwrap_or(0);
        if length > most {
            findings
                .push(Finding::new("*.rs", format!("{share} % of the files reach {length} lines; aim below {most}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found() {
        let long = "x\n".repeat(MOST + 1);
        let middling = "x\n".repeat(NINETIETH + 1);
        assert_eq!(check(&Tree::of(&[("a.rs", "x"), ("b.rs", "x")])), []);
        let findings = check(&Tree::of(&[("a.rs", &long)]));
        assert_eq!(findings[0].place, "a.rs");
        let findings = check(&Tree::of(&[("a.rs", &middling), ("b.rs", &middling)]));
        assert!(findings.iter().all(|finding| finding.place == "*.rs") && findings.len() == 2, "{findings:?}");
    }
}
