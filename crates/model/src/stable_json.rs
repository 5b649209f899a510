//! JSON text in one form only: keys sorted, no whitespace, numbers as JavaScript prints them.
//!
//! This is what the npm package `fast-json-stable-stringify` writes, which entity tags are computed from.

use std::cmp::Ordering;
use std::fmt::Write;

use serde_json::{Map, Number, Value};
use sha1::{Digest, Sha1};

/// The stable text of a value. Needs no more stack for a deep value than for a flat one.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    let mut open = vec![Step::Value(value)];
    while let Some(step) = open.pop() {
        match step {
            Step::Text(text) => out.push_str(text),
            Step::Key(key) => {
                write_text(&mut out, key);
                out.push(':');
            }
            Step::Value(Value::Null) => out.push_str("null"),
            Step::Value(Value::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
            Step::Value(Value::Number(value)) => out.push_str(&number(value)),
            Step::Value(Value::String(value)) => write_text(&mut out, value),
            Step::Value(Value::Array(items)) => push_array(&mut open, items),
            Step::Value(Value::Object(map)) => push_object(&mut open, map),
        }
    }
    out
}

/// The SHA-1 of [`to_string`], in lower-case hexadecimal.
pub fn sha1_hex(value: &Value) -> String {
    sha1_hex_of(to_string(value).as_bytes())
}

/// The SHA-1 of some bytes, in lower-case hexadecimal.
pub fn sha1_hex_of(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().fold(String::with_capacity(40), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// The order of JavaScript's default sort: by UTF-16 code units.
pub fn compare_utf16(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// A number as JavaScript's `String()` prints it. Beyond 2^53 that is the nearest double.
pub fn number(value: &Number) -> String {
    const EXACT: u64 = 1 << 53;
    if let Some(integer) = value.as_i64()
        && integer.unsigned_abs() <= EXACT
    {
        return integer.to_string();
    }
    value.as_f64().map_or_else(|| value.to_string(), double)
}

/// What is still to be written, last first.
enum Step<'a> {
    Text(&'static str),
    Key(&'a str),
    Value(&'a Value),
}

fn push_array<'a>(open: &mut Vec<Step<'a>>, items: &'a [Value]) {
    open.push(Step::Text("]"));
    for (index, item) in items.iter().enumerate().rev() {
        open.push(Step::Value(item));
        if index > 0 {
            open.push(Step::Text(","));
        }
    }
    open.push(Step::Text("["));
}

fn push_object<'a>(open: &mut Vec<Step<'a>>, map: &'a Map<String, Value>) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|(left, _), (right, _)| compare_utf16(left, right));
    open.push(Step::Text("}"));
    for (index, (key, value)) in entries.into_iter().enumerate().rev() {
        open.push(Step::Value(value));
        open.push(Step::Key(key));
        if index > 0 {
            open.push(Step::Text(","));
        }
    }
    open.push(Step::Text("{"));
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// ECMAScript's Number::toString, out of the shortest digits that read back as the same double.
fn double(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The decimal point stands after this many digits.
    let point = exponent.saturating_add(1);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let text = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, part) = digits.split_at(usize::try_from(point).unwrap_or_default());
        format!("{whole}.{part}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let plus = if exponent > 0 { "+" } else { "" };
        format!("{first}{dot}{rest}e{plus}{exponent}")
    };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stable() {
        fn check(value: &Value, expected: &str) {
            assert_eq!(to_string(value), expected);
        }
        check(
            &json!({"b": [1, null, true, {}], "a": {"d": [], "c": "x"}}),
            r#"{"a":{"c":"x","d":[]},"b":[1,null,true,{}]}"#,
        );
        check(
            &json!("\"\\/\u{8}\u{c}\n\r\t\u{1f}\u{7f}é\u{2028}😀"),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\u{7f}é\u{2028}😀\"",
        );
        // A supplementary character sorts before U+FFFD: its first code unit is a surrogate.
        check(&json!({"\u{fffd}": 1, "😀": 2}), "{\"😀\":2,\"\u{fffd}\":1}");
    }

    #[test]
    fn numbers() {
        // The right side is what node prints for String(Number(left)).
        fn check(value: &str, expected: &str) {
            assert_eq!(to_string(&serde_json::from_str(value).unwrap()), expected, "{value}");
        }
        check("0", "0");
        check("-0.0", "0");
        check("1.0", "1");
        check("-1.5", "-1.5");
        check("100", "100");
        check("1e2", "100");
        check("1e21", "1e+21");
        check("1e20", "100000000000000000000");
        check("1.5e300", "1.5e+300");
        check("123456789012345678901234567890", "1.2345678901234568e+29");
        check("0.1", "0.1");
        check("0.000001", "0.000001");
        check("0.0000001", "1e-7");
        check("1.25e-7", "1.25e-7");
        check("123.456", "123.456");
        check("9007199254740991", "9007199254740991");
        check("9007199254740993", "9007199254740992");
        check("12345678901234567890", "12345678901234567000");
        check("-9223372036854775808", "-9223372036854776000");
        check("5e-324", "5e-324");
    }

    #[test]
    fn deep() {
        let value = (0..2_000).fold(json!(1), |inner, _| Value::Array(vec![inner]));
        assert_eq!(to_string(&value).len(), 4_001);
    }

    #[test]
    fn sha1() {
        // `printf '{"a":1}' | sha1sum`
        assert_eq!(sha1_hex(&json!({"a": 1})), "9f89c740ceb46d7418c924a78ac57941d5e96520");
    }
}
