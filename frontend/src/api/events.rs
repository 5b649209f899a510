//! `/api/events`.

use callboard_model::api::{DeadLetterPage, DeadLettersChanged};
use serde_json::json;

use super::client::{self, ApiError, query, segment};

/// A page of the events that a plugin did not take; `cursor` from the page before.
pub(crate) async fn dead_letters((plugin, cursor): (String, String)) -> Result<DeadLetterPage, ApiError> {
    let parameters = [("plugin", plugin.as_str()), ("cursor", cursor.as_str())];
    client::get(&format!("/api/events/dead-letters{}", query(parameters))).await
}

/// What becomes of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Retry,
    Discard,
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    /// The one with this delivery id.
    One(String),
    /// All of this plugin.
    All(String),
}

/// Has dead letters tried again, or removes them for good.
pub(crate) async fn settle(letters: &Letters, fate: Fate) -> Result<DeadLettersChanged, ApiError> {
    let which = match letters {
        Letters::One(id) => format!("events/dead-letters/{}", segment(id)),
        Letters::All(plugin) => format!("plugins/{}/dead-letters", segment(plugin)),
    };
    let what = match fate {
        Fate::Retry => "retry",
        Fate::Discard => "discard",
    };
    client::post(&format!("/api/{which}/{what}"), &json!({})).await
}
