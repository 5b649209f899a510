//! No test is left out, and no lint is silenced without saying why.

use super::Finding;
use super::source::{Tree, code_lines};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust() {
        let lines: Vec<(usize, &str)> = code_lines(text).collect();
        for (index, (number, line)) in lines.iter().enumerate() {
            let place = || format!("{path}:{number}");
            let line = line.trim_start();
            if line.starts_with("#[ignore") {
                findings.push(Finding::new(place(), "an ignored test proves nothing: fix it or remove it"));
            }
            let silences = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
            if silences.iter().any(|silence| line.starts_with(silence)) {
                let attribute: String =
                    lines.iter().skip(index).map(|(_, line)| *line).scan(false, up_to_end).collect();
                if !attribute.contains("reason = \"") {
                    findings.push(Finding::new(place(), "silences a lint without a `reason = \"…\"`"));
                }
            }
        }
    }
    findings
}

/// Takes lines up to the one that closes the attribute.
fn up_to_end<'a>(ended: &mut bool, line: &'a str) -> Option<&'a str> {
    if *ended {
        return None;
    }
    *ended = line.trim_end().ends_with(")]");
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_without_a_reason_is_found() {
        for (text, found) in [
            ("#[ignore]\nfn t() {}", true),
            ("#[ignore = \"slow\"]\nfn t() {}", true),
            ("#[allow(dead_code)]\nfn f() {}", true),
            ("#[allow(dead_code)]\n#[cfg(feature = \"reason = \")]\nfn f() {}", true),
            ("#[allow(dead_code, reason = \"the macro uses it\")]\nfn f() {}", false),
            ("#[allow(\n    dead_code,\n    reason = \"the macro uses it\"\n)]\nfn f() {}", false),
            ("// #[ignore] is not for us", false),
        ] {
            assert_eq!(!check(&Tree::of(&[("a.rs", text)])).is_empty(), found, "{text}");
        }
    }
}
