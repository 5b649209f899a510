//! The forms of single fields. Lengths count UTF-16 code units.

use url::Url;

/// A form that a text may have, with the words in which an error describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    ApiVersion,
    Kind,
    Name,
    Namespace,
    Key,
    LabelValue,
    Tag,
    Url,
    NonBlank,
}

impl Format {
    pub(super) fn accepts(self, text: &str) -> bool {
        match self {
            Self::ApiVersion => is_prefixed(text, |suffix| is_of(suffix, 63, |c| c.is_ascii_alphanumeric())),
            Self::Kind => {
                text.starts_with(|c: char| c.is_ascii_alphabetic()) && is_of(text, 63, |c| c.is_ascii_alphanumeric())
            }
            Self::Name => is_name(text),
            Self::Namespace => is_dns_label(text),
            Self::Key => is_prefixed(text, is_name),
            Self::LabelValue => text.is_empty() || is_name(text),
            Self::Tag => is_tag(text),
            Self::Url => Url::parse(text).is_ok(),
            Self::NonBlank => !text.chars().all(is_js_space),
        }
    }

    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::ApiVersion | Self::Key => "a valid prefix and/or suffix",
            Self::Kind => "a string that is a sequence of [a-zA-Z][a-z0-9A-Z], at most 63 characters in total",
            Self::Name | Self::LabelValue => {
                "a string that is sequences of [a-zA-Z0-9] separated by any of [-_.], at most 63 characters in total"
            }
            Self::Namespace => {
                "a string that is sequences of [a-z0-9] separated by [-], at most 63 characters in total"
            }
            Self::Tag => "a string that is sequences of [a-z0-9+#] separated by [-], at most 63 characters in total",
            Self::Url => "a string that is a valid url",
            Self::NonBlank => "a non empty string",
        }
    }
}

/// `suffix` or `prefix/suffix`, where the prefix is a DNS subdomain.
fn is_prefixed(text: &str, is_suffix: impl Fn(&str) -> bool) -> bool {
    match text.split_once('/') {
        Some((prefix, suffix)) => is_dns_subdomain(prefix) && is_suffix(suffix),
        None => is_suffix(text),
    }
}

/// `^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$`
fn is_name(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    is_of(text, 63, |c| alphanumeric(c) || matches!(c, '-' | '_' | '.'))
        && text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
}

/// `^[a-z0-9:+#]+(\-[a-z0-9:+#]+)*$`
fn is_tag(text: &str) -> bool {
    let is_group = |group: &str| {
        is_of(group, 63, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '+' | '#'))
    };
    utf16_len(text) <= 63 && text.split('-').all(is_group)
}

/// `^[a-z0-9]+(?:\-+[a-z0-9]+)*$`
fn is_dns_label(text: &str) -> bool {
    is_of(text, 63, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_dns_subdomain(text: &str) -> bool {
    utf16_len(text) <= 253 && text.split('.').all(is_dns_label)
}

/// Whether the text has 1 to `max` characters, all of them accepted.
fn is_of(text: &str, max: usize, accepts: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && utf16_len(text) <= max && text.chars().all(accepts)
}

fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What JavaScript's `trim` takes away.
fn is_js_space(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') || (c.is_whitespace() && c != '\u{85}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        fn check(format: Format, good: &[&str], bad: &[&str]) {
            for text in good {
                assert!(format.accepts(text), "{format:?} refuses {text:?}");
            }
            for text in bad {
                assert!(!format.accepts(text), "{format:?} accepts {text:?}");
            }
        }
        let a63 = "a".repeat(63);
        let a64 = "a".repeat(64);
        let prefix_253 = format!("{}.{}.{}.{}", &a63, &a63, &a63, "a".repeat(61));
        let prefix_254 = format!("{}.{}.{}.{}", &a63, &a63, &a63, "a".repeat(62));
        check(
            Format::ApiVersion,
            &[
                "v1",
                "backstage.io/v1alpha1",
                "1",
                "A-b.c/v1".to_lowercase().as_str(),
                &a63,
                &format!("{prefix_253}/v1"),
            ],
            &[
                "",
                "/",
                "a/",
                "/v1",
                "a/b/c",
                "v-1",
                "v_1",
                "v.1",
                "A.io/v1",
                "a..b/v1",
                "-a/v1",
                &a64,
                &format!("{prefix_254}/v1"),
            ],
        );
        check(Format::Kind, &["Component", "api", "A1", &a63], &["", "1A", "A-b", "A_b", "A.b", "A b", "Ä", &a64]);
        check(
            Format::Name,
            &["a", "A", "0", "a-b", "a--b", "a._-b", "A.B_c-9", &a63],
            &["", "-a", "a-", ".a", "a.", "_a", "a_", "a b", "a/b", "a:b", "é", "..", &a64],
        );
        check(Format::Namespace, &["a", "a-b", "a--b", "0", &a63], &["", "A", "-a", "a-", "a.b", "a_b", &a64]);
        check(
            Format::Key,
            &["a", "A.b_c-d", "backstage.io/managed-by", "a.b.c/X", &format!("a/{a63}"), &format!("{prefix_253}/x")],
            &[
                "",
                "/",
                "a/",
                "/a",
                "a/b/c",
                "A.io/x",
                "a..b/x",
                "a_b/x",
                "-a",
                "a/-b",
                &a64,
                &format!("{prefix_254}/x"),
            ],
        );
        check(Format::LabelValue, &["", "a", "a_b"], &["-", "a b", &a64]);
        check(
            Format::Tag,
            &["java", "c++", "c#", "a:b", "a-b-c", "1", &a63],
            &["", "Java", "a--b", "-a", "a-", "a.b", "a_b", "a b", &a64],
        );
        check(
            Format::Url,
            &["https://example.com", "mailto:x", "ftp://x", "HTTP://EXAMPLE.COM/a b", "javascript:x"],
            &["", "foo", "/foo", "//example.com", "http://", "https://[::"],
        );
        check(Format::NonBlank, &["a", " a ", "\u{85}"], &["", " ", "\t\r\n", "\u{a0}\u{3000}\u{feff}\u{2028}"]);
        // A character outside the basic plane is two units long; none is allowed here, so that only bounds differ.
        assert_eq!(utf16_len("😀é"), 3);
    }
}
