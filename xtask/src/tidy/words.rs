//! What no file of the clone says: where it was made, and what is not done.

use super::Finding;
use super::source::Tree;

/// In pieces, so that this file passes its own check.
const NEVER: &[(&[&str], &str)] = &[
    (&["index.", "crates.io"], "a registry's host belongs in the configuration of a machine"),
    (&["static.", "crates.io"], "a registry's host belongs in the configuration of a machine"),
    (&["registry.", "npmjs.org"], "a registry's host belongs in the configuration of a machine"),
    (&["/wo", "rk/main"], "a path of one machine"),
    (&["/wo", "rk/shared"], "a path of one machine"),
    (&["/ro", "ot/."], "a path of one machine"),
    (&["FIX", "ME"], "do it, or write an issue"),
    (&["TO", "DO:"], "do it, or write an issue"),
    (&["unimple", "mented!("], "do it, or write an issue"),
    (&["<<<<", "<<< "], "a merge that is not done"),
    (&[">>>>", ">>> "], "a merge that is not done"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let never: Vec<(String, &str)> = NEVER.iter().map(|(pieces, why)| (pieces.concat(), *why)).collect();
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (index, line) in text.lines().enumerate() {
            for (word, why) in never.iter().filter(|(word, _)| contains_word(line, word)) {
                findings.push(Finding::new(format!("{path}:{}", index + 1), format!("says `{word}`: {why}")));
            }
        }
    }
    findings
}

/// A path counts only where it begins one, not inside another: `/src/work/` is nobody's machine.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !word.starts_with('/') || !before.is_some_and(|char| char.is_alphanumeric() || "-_.}/".contains(char))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_not_be_said_is_found() {
        for (text, found) in [
            (["cd /wo", "rk/main"].concat(), true),
            (["see \"/ro", "ot/.cargo\""].concat(), true),
            (["target/wo", "rk/main"].concat(), false),
            (["value.pointer(\"/ro", "ot/text\")"].concat(), false),
            (["https://index.", "crates.io/config.json"].concat(), true),
            (["// TO", "DO: later"].concat(), true),
            (["<<<<", "<<< HEAD"].concat(), true),
            ("nothing to see".to_owned(), false),
        ] {
            assert_eq!(!check(&Tree::of(&[("a.md", &text)])).is_empty(), found, "{text}");
        }
    }
}
