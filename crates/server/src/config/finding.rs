//! What there is to say about a configuration.

use std::fmt;

use super::node::Origin;

/// Something wrong with a key. It names the key, the place and the fix, and never a value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the portal starts all the same.
    pub severity: Severity,
    /// The key, such as `plugins.s3.source`; empty where it is about a whole layer.
    pub path: String,
    /// Where it is written.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub message: String,
    /// What to do; empty where the message says it.
    pub fix: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The portal does not start.
    Error,
    /// The portal starts.
    Warning,
}

impl Finding {
    /// A finding with which the portal does not start.
    pub fn error(path: &str, origin: Option<Origin>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Error, path: path.to_owned(), origin, message: message.into(), fix: fix.into() }
    }

    /// A finding with which it starts.
    pub fn warning(path: &str, origin: Option<Origin>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, origin, message, fix) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.message)?;
        if !self.fix.is_empty() {
            write!(f, ". {}", self.fix)?;
        }
        Ok(())
    }
}

/// A key that Backstage knows and that has no effect here, yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhonoured {
    /// The key.
    pub path: String,
    /// Where it is written.
    pub origin: Origin,
    /// What it would do, as the end of a sentence.
    pub would: String,
}

impl fmt::Display for Unhonoured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.origin, self.path, self.would)
    }
}

/// A key that counts as absent because an environment variable is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unset {
    /// The key.
    pub path: String,
    /// The variable's name.
    pub variable: String,
    /// Where it is written.
    pub origin: Origin,
}

impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: the environment variable {} is not set", self.origin, self.path, self.variable)
    }
}

/// All that there is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The layers that were read, lowest first.
    pub layers: Vec<String>,
    /// In the order of the files.
    pub findings: Vec<Finding>,
    /// Each key once.
    pub unhonoured: Vec<Unhonoured>,
    /// Keys that are absent for want of a variable.
    pub unset: Vec<Unset>,
}

impl Report {
    /// Brings everything into the order of the layers and their lines.
    pub(super) fn sort(&mut self) {
        let layers = &self.layers;
        let place = |origin: Option<&Origin>| {
            let layer = origin.and_then(|origin| layers.iter().position(|layer| **layer == *origin.layer));
            (layer.unwrap_or(layers.len()), origin.and_then(|origin| origin.line))
        };
        self.findings.sort_by_key(|finding| place(finding.origin.as_ref()));
        self.unhonoured.sort_by_key(|key| place(Some(&key.origin)));
        self.unset.sort_by_key(|key| place(Some(&key.origin)));
    }

    /// The findings with which the portal does not start.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// The findings with which it starts.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Warning)
    }

    /// Whether the portal may start.
    #[must_use]
    pub fn is_accepted(&self, strict: bool) -> bool {
        self.errors().next().is_none() && (!strict || (self.findings.is_empty() && self.unhonoured.is_empty()))
    }
}

/// `callboard config check`'s answer.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layers.as_slice() {
            [] => writeln!(f, "Read no layer.")?,
            layers => writeln!(f, "Read {}.", layers.join(", "))?,
        }
        section(f, "Errors", &self.errors().collect::<Vec<_>>())?;
        section(f, "Warnings", &self.warnings().collect::<Vec<_>>())?;
        section(f, "Keys of Backstage that have no effect here yet", &self.unhonoured.iter().collect::<Vec<_>>())?;
        section(f, "Keys that count as absent", &self.unset.iter().collect::<Vec<_>>())
    }
}

fn section<T: fmt::Display>(f: &mut fmt::Formatter<'_>, title: &str, items: &[&T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}:")?;
    items.iter().try_for_each(|item| writeln!(f, "  {item}"))
}
