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

/// With at most two digits behind the point, and the thousands apart: `1,234.5`.
pub(crate) fn decimal(value: f64) -> String {
    fixed(value, 2).trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// With two digits behind the point, as money is written: `1,234.50`.
pub(crate) fn money(value: f64) -> String {
    fixed(value, 2)
}

fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    // What has more digits than a number of 64 bits stays as it is.
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), number);
    let sign = if value < 0.0 && text.contains(|digit: char| ('1'..='9').contains(&digit)) { "-" } else { "" };
    format!("{sign}{whole}.{rest}")
}

/// How long something took, in its two largest units: `1 hour 30 minutes`.
pub(crate) fn duration(ms: u64) -> String {
    const UNITS: [(u64, Msg); 4] = [(86_400, Msg::Days), (3_600, Msg::Hours), (60, Msg::Minutes), (1, Msg::Seconds)];
    let seconds = ms / 1000;
    let Some(at) = UNITS.iter().position(|(length, _)| seconds >= *length) else {
        return Msg::Milliseconds.count(ms);
    };
    let mut rest = seconds;
    let parts = UNITS.iter().skip(at).take(2).filter_map(|(length, message)| {
        let count = rest / length;
        rest %= length;
        (count > 0).then(|| message.count(count))
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// A short time with two or three digits: `0.35 ms`, `12 ms`, `1.2 s`.
pub(crate) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 0.995 => format!("{ms:.2} ms"),
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 99_950.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{:.0} s", ms / 1000.0),
    }
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
    fn decimals_have_two_digits_at_most() {
        for (value, text) in
            [(0.0, "0"), (1.5, "1.5"), (-1234.567, "-1,234.57"), (100.0, "100"), (-0.001, "0"), (1e6, "1,000,000")]
        {
            assert_eq!(decimal(value), text);
        }
        assert_eq!(money(1234.5), "1,234.50");
    }

    #[test]
    fn durations_have_two_units() {
        for (ms, text) in [
            (0, "0 ms"),
            (320, "320 ms"),
            (1_000, "1 second"),
            (95_500, "1 minute 35 seconds"),
            (5_400_000, "1 hour 30 minutes"),
            (86_400_000, "1 day"),
        ] {
            assert_eq!(duration(ms), text);
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
    fn short_times_are_readable() {
        for (ms, text) in [
            (0.0, "0.00 ms"),
            (0.35, "0.35 ms"),
            (0.999, "1.0 ms"),
            (9.94, "9.9 ms"),
            (9.96, "10 ms"),
            (999.4, "999 ms"),
            (999.6, "1.0 s"),
            (12_345.0, "12.3 s"),
            (120_000.0, "120 s"),
        ] {
            assert_eq!(milliseconds(ms), text);
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
