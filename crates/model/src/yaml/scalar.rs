//! What a scalar stands for, by the core schema of YAML 1.2.

use serde_json::{Number, Value};
use serde_saphyr::granit_parser::{ScalarStyle, Tag};

/// The value of a scalar; none where JSON has no such value.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<Value> {
    match tag.map(|tag| tag.core_suffix()) {
        None if style == ScalarStyle::Plain => plain(text),
        None => Some(Value::from(text)),
        // A tag that asks for a type reads the text as that type where it can; other tags are ignored.
        Some(Some("null")) => Some(null(text).unwrap_or_else(|| Value::from(text))),
        Some(Some("bool")) => Some(boolean(text).unwrap_or_else(|| Value::from(text))),
        Some(Some("int")) => Some(integer(text).unwrap_or_else(|| Value::from(text))),
        Some(Some("float")) => match float(text) {
            Float::Number(value) => Some(value),
            Float::NotFinite => None,
            Float::Other => Some(integer(text).unwrap_or_else(|| Value::from(text))),
        },
        Some(_) => Some(Value::from(text)),
    }
}

fn plain(text: &str) -> Option<Value> {
    if let Some(value) = null(text).or_else(|| boolean(text)).or_else(|| integer(text)) {
        return Some(value);
    }
    match float(text) {
        Float::Number(value) => Some(value),
        Float::NotFinite => None,
        Float::Other => Some(Value::from(text)),
    }
}

fn null(text: &str) -> Option<Value> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Value::Null)
}

fn boolean(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// `[-+]?[0-9]+`, `0o[0-7]+` or `0x[0-9a-fA-F]+`
fn integer(text: &str) -> Option<Value> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let signed = text.strip_prefix('+').unwrap_or(text);
    let exact = signed.parse::<i64>().map(Number::from).or_else(|_| signed.parse::<u64>().map(Number::from)).ok();
    exact.or_else(|| finite(signed)).map(Value::Number)
}

/// Beyond 64 bits the text is kept: nothing sensible is so large.
fn radix(digits: &str, radix: u32) -> Option<Value> {
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    if plain { u64::from_str_radix(digits, radix).ok().map(Value::from) } else { None }
}

enum Float {
    Number(Value),
    NotFinite,
    Other,
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, or an infinity or not-a-number.
fn float(text: &str) -> Float {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Float::NotFinite;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = digits(whole)
        && digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    if !is_number {
        return Float::Other;
    }
    finite(text).map_or(Float::NotFinite, |number| Float::Number(Value::Number(number)))
}

/// The number, as an integer where it is one: JSON written by JavaScript says `1`, never `1.0`.
fn finite(text: &str) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value: f64 = text.parse().ok()?;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        // Integers of this size print without an exponent and read back as they are.
        return format!("{value:.0}").parse::<i64>().ok().map(Number::from);
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn core_schema() {
        fn check(text: &str, expected: impl Into<Option<Value>>) {
            assert_eq!(resolve(text, ScalarStyle::Plain, None), expected.into(), "{text}");
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            check(text, Value::Null);
        }
        for (text, value) in [("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false)] {
            check(text, json!(value));
        }
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "Yes",
            "nULL",
            "tRUE",
            "1_000",
            "0b11",
            "0o8",
            "0xg",
            "-0x1",
            "+0o7",
            "0O7",
            "0X1",
            "1e",
            "e1",
            "1e+",
            ".",
            "-",
            "+",
            "-.",
            "1.2.3",
            "12:30",
            "12:30:45",
            "2024-01-01",
            "inf",
            "nan",
            ".iNf",
            "+.nan",
            "1 2",
            "½",
            "٣",
        ] {
            check(text, json!(text));
        }
        check("0", json!(0));
        check("-0", json!(0));
        check("017", json!(17));
        check("-12", json!(-12));
        check("+12", json!(12));
        check("0o17", json!(15));
        check("0x1F", json!(31));
        check("123456789012", json!(123_456_789_012_u64));
        check("18446744073709551615", json!(u64::MAX));
        check("18446744073709551616", json!(18_446_744_073_709_551_616.0));
        check("1.", json!(1));
        check(".5", json!(0.5));
        check("-1.50", json!(-1.5));
        check("1e3", json!(1000));
        check("-0.0", json!(0));
        check("1.5E-3", json!(0.0015));
        for text in [".inf", "-.inf", "+.Inf", ".INF", ".nan", ".NaN", ".NAN", "1e999", "-1e999"] {
            check(text, None);
        }
    }

    #[test]
    fn tags() {
        fn check(suffix: &str, text: &str, expected: impl Into<Option<Value>>) {
            let tag = Tag::new("tag:yaml.org,2002:", suffix);
            assert_eq!(resolve(text, ScalarStyle::Plain, Some(&tag)), expected.into(), "!!{suffix} {text}");
        }
        check("str", "5", json!("5"));
        check("int", "5", json!(5));
        check("int", "x", json!("x"));
        check("float", "5", json!(5));
        check("float", ".inf", None);
        check("bool", "true", json!(true));
        check("null", "", Value::Null);
        check("binary", "aGk=", json!("aGk="));
        check("timestamp", "2024-01-01", json!("2024-01-01"));
        assert_eq!(resolve("5", ScalarStyle::Plain, Some(&Tag::new("!", "custom"))), Some(json!("5")));
        assert_eq!(resolve("5", ScalarStyle::DoubleQuoted, None), Some(json!("5")));
        assert_eq!(resolve("", ScalarStyle::SingleQuoted, None), Some(json!("")));
    }
}
