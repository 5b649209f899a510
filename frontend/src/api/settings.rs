//! `/api/user-settings`: what is remembered for the reader wherever they sign in.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{self, ApiError, segment};

/// Where a setting is kept. Backstage's own storage puts `default.` before the name of each bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    /// Such as `default.starredEntities`.
    pub bucket: &'static str,
    /// The name within it.
    pub key: &'static str,
}

impl Setting {
    fn url(self) -> String {
        format!("/api/user-settings/buckets/{}/keys/{}", segment(self.bucket), segment(self.key))
    }
}

/// A setting; none where there is none. Asked for so that its absence is no error.
pub(crate) async fn read(setting: Setting) -> Result<Option<Value>, ApiError> {
    #[derive(Deserialize)]
    struct Found {
        value: Value,
    }
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<Option<Found>>,
    }
    let answer: Answer = client::post("/api/user-settings/multiget", &json!({ "items": [setting] })).await?;
    Ok(answer.items.into_iter().next().flatten().map(|found| found.value))
}

/// Keeps a setting.
pub(crate) async fn keep(setting: Setting, value: &Value) -> Result<(), ApiError> {
    client::put_only(&setting.url(), &json!({ "value": value })).await
}
