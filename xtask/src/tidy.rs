//! `cargo xtask tidy`: the rules that no compiler checks.
//!
//! Each check is a function from what it looks at to the findings, so that its tests can hand it something broken.
//! `docs/architecture.md` says why the rules are there.

mod attributes;
mod dependencies;
mod docs;
mod guests;
mod names;
mod openings;
mod sizes;
mod source;
mod wit;
mod words;

use anyhow::{Result, bail};

use source::Tree;

/// Something that breaks a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// A file, a line of it, or a package.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) text: String,
}

impl Finding {
    pub(crate) fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

pub(crate) fn run() -> Result<()> {
    let tree = Tree::read()?;
    let graph = dependencies::Graph::read()?;
    let checks: [(&str, Vec<Finding>); 10] = [
        ("who may depend on whom", dependencies::check(&graph)),
        ("who may open connections", openings::check(&tree)),
        ("plugins are all alike", openings::check_plugins(&tree)),
        ("one name, five places", names::check(&tree)),
        ("every guest has its test", guests::check(&tree)),
        ("sizes of files", sizes::check(&tree)),
        ("one copy of the WIT packages", wit::check(&tree)),
        ("attributes", attributes::check(&tree)),
        ("wording", words::check(&tree)),
        ("pages of docs/", docs::check(&tree)),
    ];
    let mut count = 0;
    for (rule, findings) in checks {
        for finding in findings {
            println!("{}: {} [{rule}]", finding.place, finding.text);
            count += 1;
        }
    }
    if count > 0 {
        bail!("tidy has {count} finding{}", if count == 1 { "" } else { "s" });
    }
    Ok(())
}
