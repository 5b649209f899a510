//! What the hostile guests share. Each of them, in `examples/`, is a plugin that tries one thing that a plugin must
//! not be able to do, whenever its provider is read or its extension is rendered. What came of it is its answer: the
//! text of the tree, or the message of the error `outcome` that ends the provider's run.
//!
//! Processors do what they try to the entities that they are handed. So there is one of them that tries nothing, to
//! show that the others fail for what they do.

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::expect_used, reason = "a guest that cannot be made is a mistake in its text")]
mod generated;
#[cfg(not(target_family = "wasm"))]
pub mod made;
#[cfg(not(target_family = "wasm"))]
#[expect(clippy::expect_used, clippy::panic, reason = "a guest that cannot be made is a mistake in its text")]
mod written;

use callboard_sdk::http::{Method, Request};
use callboard_sdk::{Error, config};
use serde::Deserialize;

/// What the tests tell a guest, below `hostile` in app-config.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where to send requests.
    pub url: String,
    /// A handle that the host gave for a token.
    pub token: Option<String>,
    /// URLs to ask, one after the other.
    pub urls: Vec<String>,
}

/// Reads them.
///
/// # Errors
/// The host does not grant `hostile`.
pub fn settings() -> Result<Settings, Error> {
    Ok(config::get("hostile")?.unwrap_or_default())
}

/// Sends one request and says what came of it.
pub fn outcome_of(method: Method, url: &str) -> String {
    match Request::new(method, url).send() {
        Ok(answer) => match answer.bytes(1024 * 1024) {
            Ok(body) => format!("{} {} {}", answer.status, answer.url, String::from_utf8_lossy(&body)),
            Err(error) => format!("{} {} body: {error}", answer.status, answer.url),
        },
        Err(error) => format!("{error:?}"),
    }
}

/// Makes a crate such a plugin: `hostile!("examples/name.yaml", attack)`, where `attack` is a
/// `fn() -> Result<String, Error>`.
#[macro_export]
macro_rules! hostile {
    ($manifest:literal, $attack:expr) => {
        struct Hostile;

        impl callboard_sdk::EntityProvider for Hostile {
            fn providers(
                context: &callboard_sdk::Context,
            ) -> Result<Vec<callboard_sdk::Provider>, callboard_sdk::Error> {
                Ok(vec![callboard_sdk::Provider {
                    name: context.plugin_id.clone(),
                    schedule: $crate::schedule()?,
                }])
            }

            fn read(
                _: &callboard_sdk::Context,
                _: &str,
                _: Option<&str>,
            ) -> Result<callboard_sdk::Page, callboard_sdk::Error> {
                let outcome: String = $attack()?;
                Err(callboard_sdk::Error::other("outcome", outcome))
            }
        }

        impl callboard_sdk::Ui for Hostile {
            fn render(
                _: &callboard_sdk::Context,
                _: &str,
                _: &callboard_sdk::ui::Input,
            ) -> Result<callboard_sdk::ui::Tree, callboard_sdk::Error> {
                let text = $attack()?;
                Ok(callboard_sdk::ui::Tree::of(text))
            }
        }

        callboard_sdk::export!(manifest: $manifest, entity_provider: Hostile, ui: Hostile);
    };
}

/// Seldom, so that a test decides when it runs.
///
/// # Errors
/// None that anybody should see.
pub fn schedule() -> Result<callboard_sdk::Schedule, Error> {
    serde_json::from_value(serde_json::json!({ "frequency": { "hours": 24 }, "timeout": { "minutes": 2 } }))
        .map_err(|error| Error::Invalid(error.to_string()))
}
