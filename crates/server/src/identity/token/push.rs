//! The tokens of `catalog.push`: each lets whoever has it push entities of one source, and nothing else.

use std::fmt;

use serde_json::Value;

use super::secret::Fingerprint;

/// Every token there is, by its digest.
#[derive(Clone, Default)]
pub struct PushTokens {
    tokens: Vec<(String, Fingerprint)>,
}

impl PushTokens {
    /// The tokens of app-config's `catalog`.
    #[must_use]
    pub fn new(catalog: &Value) -> PushTokens {
        let sources = catalog.get("push").and_then(Value::as_object);
        let tokens = sources.into_iter().flatten().filter_map(|(source, settings)| {
            let token = settings.get("token").and_then(Value::as_str).filter(|token| !token.is_empty())?;
            Some((source.clone(), Fingerprint::of(token.as_bytes())))
        });
        PushTokens { tokens: tokens.collect() }
    }

    /// The source that a token is for. It is compared with every token there is.
    #[must_use]
    pub fn source(&self, token: &[u8]) -> Option<&str> {
        let given = Fingerprint::of(token);
        let mut found = None;
        for (source, known) in &self.tokens {
            if known.is(&given) {
                found = Some(source.as_str());
            }
        }
        found
    }
}

/// Not even the digests: a short token could be guessed from its own.
impl fmt::Debug for PushTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.iter().map(|(source, _)| source)).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens() {
        let tokens = PushTokens::new(&json!({ "push": { "a": { "token": "one" }, "b": { "token": "two" }, "c": {} } }));
        assert_eq!(tokens.source(b"one"), Some("a"));
        assert_eq!(tokens.source(b"two"), Some("b"));
        for wrong in ["", "on", "one ", "ONE", "onetwo"] {
            assert_eq!(tokens.source(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(PushTokens::new(&Value::Null).source(b""), None);
        let debug = format!("{tokens:?}");
        assert_eq!(debug, r#"["a", "b"]"#);
    }
}
