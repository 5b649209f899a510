//! Numbers, sizes and times as people read them. Nothing here touches the browser, so that it is tested natively.

use crate::messages::Msg;

/// With the thousands apart: `12,345`.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// In the unit that leaves one to three digits before the point: `12.4 KiB`.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if size < 1024 {
        return Msg::Bytes.count(size);
    }
    let mut value = size as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"KiB");
    for larger in units {
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if value < 99.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// How long ago, or how far ahead, `at` is, both in milliseconds since 1970.
pub(crate) fn relative(at: f64, now: f64) -> String {
    let seconds = ((now - at) / 1000.0).round();
    let ahead = seconds < 0.0;
    let seconds = seconds.abs() as u64;
    // A clock that is a little off must not make something that has just happened lie in the future.
    if seconds < 5 {
        return Msg::TimeNow.text().to_owned();
    }
    let span = span(seconds);
    if ahead { Msg::TimeAhead.with(&[("span", &span)]) } else { Msg::TimeAgo.with(&[("span", &span)]) }
}

/// A span of time in its largest unit.
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, Msg); 6] = [
        (365 * 86_400, Msg::Years),
        (30 * 86_400, Msg::Months),
        (86_400, Msg::Days),
        (3_600, Msg::Hours),
        (60, Msg::Minutes),
        (1, Msg::Seconds),
    ];
    UNITS
        .iter()
        .find(|(length, _)| seconds >= *length)
        .map_or_else(|| Msg::Seconds.count(seconds), |(length, message)| message.count(seconds / length))
}

/// The first letters of the first and the last word, for a round picture of somebody who has none.
pub(crate) fn initials(name: &str) -> String {
    let mut words = name.split([' ', '-', '_', '.']).filter_map(|word| word.chars().next());
    let first = words.next();
    first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
}

/// An entity's kind as it is written in files, from its lower-case form: `resource` as `Resource`, `api` as `API`.
pub(crate) fn kind(lower: &str) -> String {
    if lower == "api" {
        return "API".to_owned();
    }
    let mut characters = lower.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn sizes_are_readable() {
        for (size, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1024, "1.0 KiB"),
            (12_700, "12.4 KiB"),
            (1_048_575, "1.0 MiB"),
            (5 * 1024 * 1024, "5.0 MiB"),
            (300 * 1024 * 1024, "300 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn times_are_relative() {
        let now = 1_700_000_000_000.0;
        for (seconds, text) in [
            (0.0, "just now"),
            (-3.0, "just now"),
            (59.0, "59 seconds ago"),
            (61.0, "1 minute ago"),
            (7_200.0, "2 hours ago"),
            (86_400.0, "1 day ago"),
            (-120.0, "in 2 minutes"),
            (800.0 * 86_400.0, "2 years ago"),
        ] {
            assert_eq!(relative(now - seconds * 1000.0, now), text);
        }
    }

    #[test]
    fn names_have_initials() {
        for (name, text) in [("Ada Lovelace", "AL"), ("guest", "G"), ("platform-team", "PT"), ("", ""), ("é b c", "ÉC")]
        {
            assert_eq!(initials(name), text);
        }
        for (lower, text) in [("api", "API"), ("component", "Component"), ("", "")] {
            assert_eq!(kind(lower), text);
        }
    }
}
