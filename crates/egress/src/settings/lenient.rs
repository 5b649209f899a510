//! Reading values as app-config's consumers do: a number where a text is meant, a text where a boolean is meant.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// A text that is not empty; a number counts as one, because an account id without quotes is a number in YAML.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text.trim().to_owned())),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(D::Error::custom("expected a text")),
    }
}

/// A secret text that is not empty.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<crate::Secret>, D::Error> {
    Ok(text(deserializer)?.map(crate::Secret::new))
}

/// A boolean, or one of the words that app-config takes for one.
pub(super) fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let word = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(false),
        Value::Bool(value) => return Ok(value),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => return Err(D::Error::custom("expected true or false")),
    };
    match word.as_str() {
        "y" | "yes" | "true" | "1" | "on" => Ok(true),
        "n" | "no" | "false" | "0" | "off" => Ok(false),
        _ => Err(D::Error::custom("expected true or false")),
    }
}

/// One value or a list of them.
pub(super) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let items = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        item => vec![item],
    };
    items.into_iter().map(|item| T::deserialize(item).map_err(D::Error::custom)).collect()
}

/// Takes quoted values out of a message of serde's, since the value may be a secret.
pub(super) fn without_values(message: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for part in message.split('"') {
        if inside {
            kept.push_str("(a text)");
        } else {
            kept.push_str(part);
        }
        inside = !inside;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_leave_messages() {
        assert_eq!(
            without_values("invalid type: string \"hunter2\", expected a map"),
            "invalid type: string (a text), expected a map"
        );
        assert_eq!(without_values("missing field `host`"), "missing field `host`");
    }
}
