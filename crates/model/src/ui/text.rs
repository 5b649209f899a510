//! Words of a plugin: as they are, or as a message that may be translated.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Words that a person reads. Never parsed: markup in them shows as the characters that it is.
///
/// In JSON a literal is a string. A message is `{ "key": …, "args": { … }, "text": … }`: `text` is what shows where
/// nobody has translated `key`, with each `{name}` of it filled in from `args`.
///
/// ```
/// use callboard_model::ui::Text;
///
/// let literal = Text::from("3 versions");
/// let message = Text::message("versions.count", "{n} versions").arg("n", 3);
/// assert_eq!(literal.to_string(), message.to_string());
/// assert_eq!(serde_json::to_value(&literal).unwrap(), "3 versions");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Repr", into = "Repr")]
pub struct Text {
    /// The words, in the plugin's own language.
    pub text: String,
    /// The message's name; none for a literal.
    pub key: Option<String>,
    /// What is filled in.
    pub args: BTreeMap<String, String>,
}

impl Text {
    /// A message: its name, and its words in the plugin's own language.
    pub fn message(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { text: text.into(), key: Some(key.into()), args: BTreeMap::new() }
    }

    /// Fills in `{name}`.
    #[must_use]
    pub fn arg(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.args.insert(name.into(), value.to_string());
        self
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// The words as they show. What is filled in is not looked at again, so that a value cannot name another one.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.text.as_str();
        if self.args.is_empty() {
            return f.write_str(rest);
        }
        while let Some((before, after)) = rest.split_once('{') {
            f.write_str(before)?;
            let filled = after.split_once('}').and_then(|(name, after)| Some((self.args.get(name)?, after)));
            rest = match filled {
                Some((value, after)) => {
                    f.write_str(value)?;
                    after
                }
                None => {
                    f.write_str("{")?;
                    after
                }
            };
        }
        f.write_str(rest)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Repr {
    Literal(String),
    Message {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        args: BTreeMap<String, String>,
        text: String,
    },
}

impl From<Repr> for Text {
    fn from(repr: Repr) -> Self {
        match repr {
            Repr::Literal(text) => text.into(),
            Repr::Message { key, args, text } => Self { text, key, args },
        }
    }
}

impl From<Text> for Repr {
    fn from(Text { text, key, args }: Text) -> Self {
        if key.is_none() && args.is_empty() { Self::Literal(text) } else { Self::Message { key, args, text } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_filled_in_once() {
        let check = |text: &str, expected: &str| {
            let text = Text::from(text).arg("a", "{b}").arg("b", "2");
            assert_eq!(text.to_string(), expected);
        };
        check("{a} of {b}", "{b} of 2");
        check("{c} {", "{c} {");
        check("{{a}}", "{{b}}");
        check("none", "none");
    }

    #[test]
    fn a_text_is_a_string_or_a_message() {
        let check = |json: serde_json::Value, shown: &str| {
            let text: Text = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(text.to_string(), shown);
            assert_eq!(serde_json::to_value(text).unwrap(), json);
        };
        check(serde_json::json!("x {n}"), "x {n}");
        check(serde_json::json!({ "key": "k", "text": "x" }), "x");
        check(serde_json::json!({ "key": "k", "args": { "n": "5" }, "text": "{n} rows" }), "5 rows");
        for wrong in [serde_json::json!(5), serde_json::json!({ "key": "k" })] {
            assert!(serde_json::from_value::<Text>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
