//! What app-config wishes of one plugin.

use std::cell::RefCell;

use callboard_artifact::Held;
use callboard_model::rights::Rights;
use callboard_store::plugins::MadeOf;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::origin::Origin;
use crate::config::{Config, PluginConfig};

/// A wish, as it is compared with what was decided.
pub(super) struct Wish<'a> {
    pub(super) plugin: &'a PluginConfig,
    /// Changes with what app-config says of the plugin, the plugin's own config aside.
    pub(super) text: String,
    /// Changes with what the plugin could read of app-config. It is a digest: secrets are among it.
    pub(super) config: String,
    /// Changes with who must have signed it.
    pub(super) trust: String,
    /// A newer version that waits for somebody to agree.
    pub(super) held: Option<Held>,
}

impl<'a> Wish<'a> {
    pub(super) fn of(config: &Config, origin: &Origin, plugin: &'a PluginConfig) -> Wish<'a> {
        let locked = match plugin.from.is_remote() {
            true => origin.locked(plugin).map(Some),
            false => Ok(None),
        };
        let trust = if plugin.from.is_remote() { at(&config.raw, "plugins.trust") } else { Value::Null };
        let trust = digest(&trust);
        let pinned = match &locked {
            Ok(locked) => json!(locked.map(|locked| locked.digest.to_string())),
            Err(reason) => json!(reason),
        };
        let text = json!([plugin.source, plugin.from.requirement(), pinned, trust, plugin.grant, plugin.limits]);
        let held = locked.ok().flatten().and_then(|locked| locked.held.clone());
        Wish { plugin, text: digest(&text), config: config_digest(config, &plugin.grant), trust, held }
    }

    /// What a component that was found at the source would be made into.
    pub(super) fn made_of(&self, digest_of_component: &str, version: String) -> MadeOf {
        let plugin = self.plugin;
        MadeOf {
            wish: digest(&json!([self.text, digest_of_component])),
            source: plugin.source.clone(),
            version,
            digest: digest_of_component.to_owned(),
            rights: json!(plugin.grant).to_string(),
            limits: plugin.limits.to_string(),
        }
    }
}

/// Changes with all of app-config that rights give access to: what they name to be read, and what an origin is read from.
pub(super) fn config_digest(config: &Config, rights: &Rights) -> String {
    let read = RefCell::new(rights.config.iter().map(|path| at(&config.raw, path)).collect::<Vec<Value>>());
    // Resolving asks for each path that an origin is read from; what it finds is of no use here.
    _ = rights.resolve_config(&|path| {
        read.borrow_mut().push(at(&config.raw, path));
        Vec::new()
    });
    digest(&Value::Array(read.into_inner()))
}

/// What is at a dotted path; from a list on, all of the list.
fn at(value: &Value, path: &str) -> Value {
    let mut value = value;
    for key in path.split('.') {
        match value {
            Value::Object(fields) => match fields.get(key) {
                Some(below) => value = below,
                None => return Value::Null,
            },
            list @ Value::Array(_) => return list.clone(),
            _ => return Value::Null,
        }
    }
    value.clone()
}

fn digest(value: &Value) -> String {
    hex::encode(Sha256::digest(value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read() {
        let config = json!({ "a": { "b": 1, "c": [{ "url": "x" }, { "url": "y" }] }, "d": 2 });
        assert_eq!(at(&config, "a.b"), json!(1));
        assert_eq!(at(&config, "a.c.url"), config["a"]["c"]);
        assert_eq!(at(&config, "a.b.c"), Value::Null);
        assert_eq!(at(&config, "e"), Value::Null);
    }
}
