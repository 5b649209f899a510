//! What a page in Markdown has its reader do.

use anyhow::{Context, Result, bail};

/// One block of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `sh install`: what is done once, before.
    Install,
    /// `sh`: commands of one shell.
    Run(String),
    /// `sh terminal=<name>`: a command that goes on, in a terminal of its own.
    Terminal(String, String),
    /// `diff file=<path>`: a line that takes the place of another.
    Change { file: String, from: String, to: String },
    /// `text`: lines of what was said last; `…` stands for anything.
    Shown(Vec<String>),
}

/// The steps of a section, each with its line in the page.
pub(super) fn steps(page: &str, section: &str) -> Result<Vec<(usize, Step)>> {
    let mut lines = page.lines().enumerate().skip_while(|(_, line)| *line != format!("## {section}")).skip(1);
    let mut steps = Vec::new();
    while let Some((number, line)) = lines.next().filter(|(_, line)| !line.starts_with("## ")) {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        steps.push((number + 1, step(kind, &block).with_context(|| format!("the block in line {}", number + 1))?));
    }
    if steps.is_empty() {
        bail!("the page has no section {section} with a block in it");
    }
    Ok(steps)
}

fn step(kind: &str, block: &[&str]) -> Result<Step> {
    let (language, about) = kind.split_once(' ').unwrap_or((kind, ""));
    Ok(match (language, about.split_once('=').unwrap_or((about, ""))) {
        ("sh", ("install", "")) => Step::Install,
        ("sh", ("", "")) => Step::Run(block.join("\n")),
        ("sh", ("terminal", name)) => Step::Terminal(name.to_owned(), block.join("\n")),
        ("diff", ("file", file)) => {
            let [from, to] = block else { bail!("one line goes, and one comes") };
            let line = |line: &str, sign: char| {
                line.strip_prefix(sign).context("a line begins with - or +").map(str::to_owned)
            };
            Step::Change { file: file.to_owned(), from: line(from, '-')?, to: line(to, '+')? }
        }
        ("text", ("", "")) => {
            Step::Shown(block.iter().filter(|line| !line.is_empty()).map(|&line| line.to_owned()).collect())
        }
        _ => bail!("nobody knows what to do with a block `{kind}`"),
    })
}

/// Whether a line of the page is somewhere in what was said. Ports are those that were free.
pub(super) fn says(said: &str, line: &str) -> bool {
    let line = without_ports(line);
    said.lines().map(without_ports).any(|said| {
        let mut rest = said.as_str();
        line.trim().split('…').all(|part| match rest.find(part) {
            Some(at) => {
                rest = rest.get(at + part.len()..).unwrap_or_default();
                true
            }
            None => false,
        })
    })
}

fn without_ports(line: &str) -> String {
    let mut parts = line.split("http://");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (host, path) = part.split_once(':').unwrap_or((part, ""));
        text.push_str("http://");
        text.push_str(host);
        text.push_str(path.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    }
    text
}

#[test]
fn blocks_are_steps() {
    let page = "## A\n```sh\nother\n```\n## B\nText.\n```sh\ncd x\n\nmake\n```\n```sh terminal=t\nrun\n```\n\
                ```diff file=src/a.rs\n-  one\n+  two\n```\n```text\nDone in …\n\nBye\n```\n## C\n```sh\nother\n```\n";
    let text = |text: &str| text.to_owned();
    let found = steps(page, "B").unwrap();
    let expected = vec![
        (7, Step::Run(text("cd x\n\nmake"))),
        (12, Step::Terminal(text("t"), text("run"))),
        (15, Step::Change { file: text("src/a.rs"), from: text("  one"), to: text("  two") }),
        (19, Step::Shown(vec![text("Done in …"), text("Bye")])),
    ];
    assert_eq!(found, expected);
    assert!(steps(page, "D").is_err());
    assert!(steps("## A\n```toml\n```\n", "A").is_err());
}

#[test]
fn what_is_said_is_compared() {
    for (said, line, is_said) in [
        ("one\ntwo three\n", "two three", true),
        ("built in 0.6 s, running", "built in …, running", true),
        ("running built in", "built in …, running", false),
        ("at http://localhost:41123/a b", "http://localhost:7007/a", true),
        ("at http://localhost:41123/b", "http://localhost:7007/a", false),
    ] {
        assert_eq!(says(said, line), is_said, "{line} in {said}");
    }
}
