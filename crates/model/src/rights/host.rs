//! Hosts with wildcards.

use std::fmt;

use url::{Host, Url};

/// A host name with at least one `*`, each of which stands for one or more whole labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    labels: Vec<Label>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Label {
    Any,
    Literal(String),
}

/// Second-level names below which anybody can register one: with such a name at the end, a wildcard needs three
/// literal labels after it.
const SHARED_SECOND_LEVEL: [&str; 10] = ["ac", "co", "com", "edu", "gob", "gov", "ne", "net", "or", "org"];

impl HostPattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // URLs know how names are normalised, but no wildcards: they go through as a label of their own.
        let filled: Vec<_> = text.split('.').map(|label| if label == "*" { "any" } else { label }).collect();
        if let Some(label) = filled.iter().find(|label| label.contains('*')) {
            return Err(format!("\"*\" stands for whole labels of a host; \"{label}\" is only partly one"));
        }
        let url = Url::parse(&format!("https://{}/", filled.join(".")))
            .map_err(|error| format!("\"{text}\" is no host: {error}"))?;
        let Some(Host::Domain(domain)) = url.host() else {
            return Err(format!("\"{text}\" is no host name; addresses are written out"));
        };
        let labels: Vec<_> = domain
            .split('.')
            .zip(text.split('.'))
            .map(|(label, written)| match written {
                "*" => Label::Any,
                _ => Label::Literal(label.to_owned()),
            })
            .collect();
        if labels.len() != filled.len() || domain.split('.').count() != filled.len() {
            return Err(format!("\"{text}\" is no host name"));
        }
        let pattern = Self { labels };
        pattern.refuse_everybody(text)?;
        Ok(pattern)
    }

    /// A pattern must end with a name that belongs to somebody.
    fn refuse_everybody(&self, text: &str) -> Result<(), String> {
        let end: Vec<_> = self
            .labels
            .iter()
            .rev()
            .map_while(|label| match label {
                Label::Any => None,
                Label::Literal(label) => Some(label.as_str()),
            })
            .collect();
        let needed = match end.as_slice() {
            [country, second, ..] if country.len() == 2 && SHARED_SECOND_LEVEL.contains(second) => 3,
            _ => 2,
        };
        if end.len() >= needed && end.iter().all(|label| !label.is_empty()) {
            return Ok(());
        }
        Err(format!(
            "\"{text}\" would allow hosts that belong to anybody; a \"*\" must be followed by a registered name, as in \
             \"*.example.com\""
        ))
    }

    /// Whether a host name, as URLs have it, is meant.
    pub fn matches(&self, domain: &str) -> bool {
        let labels: Vec<_> = domain.split('.').map(Some).collect();
        labels.iter().flatten().all(|label| !label.is_empty()) && self.consumes(&labels)
    }

    /// Whether every host that `other` matches is matched by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let labels: Vec<_> = other
            .labels
            .iter()
            .map(|label| match label {
                Label::Any => None,
                Label::Literal(label) => Some(label.as_str()),
            })
            .collect();
        self.consumes(&labels)
    }

    /// Matches labels, of which a none is a wildcard itself and matched by a wildcard only. Takes at most
    /// labels times pattern steps: when a literal does not fit, only the last wildcard takes one label more.
    fn consumes(&self, labels: &[Option<&str>]) -> bool {
        let (mut at, mut label) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while let Some(found) = labels.get(label) {
            let fits = match self.labels.get(at) {
                Some(Label::Any) => {
                    retry = Some((at, label));
                    true
                }
                Some(Label::Literal(literal)) => *found == Some(literal.as_str()),
                None => false,
            };
            if fits {
                at += 1;
                label += 1;
            } else if let Some((wildcard, taken)) = retry {
                retry = Some((wildcard, taken + 1));
                at = wildcard + 1;
                label = taken + 2;
                if label > labels.len() {
                    return false;
                }
            } else {
                return false;
            }
        }
        at == self.labels.len()
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels.iter().enumerate() {
            let dot = if index > 0 { "." } else { "" };
            match label {
                Label::Any => write!(f, "{dot}*")?,
                Label::Literal(label) => write!(f, "{dot}{label}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse() {
        let anybody = "would allow hosts that belong to anybody";
        for (text, reason) in [
            ("*", anybody),
            ("*.*", anybody),
            ("*.com", anybody),
            ("s3.*", anybody),
            ("*.example.*", anybody),
            ("a.*.com", anybody),
            ("*.co.uk", anybody),
            ("*.com.au", anybody),
            ("*.internal", anybody),
            ("a*.example.com", "is only partly one"),
            ("**.example.com", "is only partly one"),
            ("*.exa*mple.com", "is only partly one"),
            ("*.0.0.1", "is no host"),
            ("*.example.com.", anybody),
            ("*..example.com", ""),
            ("*.exam ple.com", "is no host"),
        ] {
            let error = HostPattern::parse(text).map(|found| found.to_string());
            match error {
                Err(error) => assert!(error.contains(reason), "{text}: {error}"),
                // An empty label in the middle matches no host, as no host has one.
                Ok(found) => assert_eq!((text, found.as_str()), ("*..example.com", "*..example.com")),
            }
        }
        for text in ["*.example.com", "*.s3.*.amazonaws.com", "a.*.example.co.uk", "*.xn--bcher-kva.example"] {
            assert_eq!(HostPattern::parse(text).map(|found| found.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(HostPattern::parse("*.BÜCHER.example").unwrap().to_string(), "*.xn--bcher-kva.example");
    }

    #[test]
    fn matches() {
        fn check(pattern: &str, host: &str, expected: bool) {
            assert_eq!(HostPattern::parse(pattern).unwrap().matches(host), expected, "{pattern} {host}");
        }
        check("*.example.com", "a.example.com", true);
        check("*.example.com", "a.b.example.com", true);
        check("*.example.com", "example.com", false);
        check("*.example.com", ".example.com", false);
        check("*.example.com", "aexample.com", false);
        check("*.example.com", "a.example.com.", false);
        check("*.example.com", "example.com.example.com", true);
        check("a.*.example.com", "a.b.example.com", true);
        check("a.*.example.com", "a.b.c.example.com", true);
        check("a.*.example.com", "a.example.com", false);
        check("a.*.example.com", "b.a.b.example.com", false);
        check("*.s3.*.amazonaws.com", "s3.s3.s3.amazonaws.com", true);
        check("*.s3.*.amazonaws.com", "a.s3.b.s3.c.amazonaws.com", true);
        check("*.s3.*.amazonaws.com", "a.s3.amazonaws.com", false);
        check("*.s3.*.amazonaws.com", "a.s4.b.amazonaws.com", false);
        check("*.*.example.com", "a.example.com", false);
        check("*.*.example.com", "a.b.example.com", true);
        let long = vec!["a"; 120].join(".");
        check("*.a.*.a.*.a.*.a.*.b.example.com", &format!("{long}.example.com"), false);
    }

    #[test]
    fn covers() {
        fn check(left: &str, right: &str, expected: bool) {
            let covers = HostPattern::parse(left).unwrap().covers(&HostPattern::parse(right).unwrap());
            assert_eq!(covers, expected, "{left} {right}");
        }
        check("*.amazonaws.com", "*.s3.*.amazonaws.com", true);
        check("*.s3.*.amazonaws.com", "*.amazonaws.com", false);
        check("*.example.com", "*.example.com", true);
        check("*.*.example.com", "*.example.com", false);
        check("*.example.com", "*.*.example.com", true);
        check("a.*.example.com", "*.b.example.com", false);
    }
}
