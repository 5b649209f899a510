//! Payloads of `/api/user-settings`: what a user keeps for themselves.

use serde::{Deserialize, Serialize};

/// `GET` and `PUT /api/user-settings/buckets/{bucket}/keys/{key}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSetting<T = serde_json::Value> {
    /// What groups keys: a part of the page, or a plugin.
    pub bucket: String,
    /// The name within it; it may contain slashes.
    pub key: String,
    /// Any JSON, `null` included.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
    pub value: T,
}

/// The body of `PUT`, and what one of many keys has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSettingValue<T = serde_json::Value> {
    /// Any JSON, `null` included.
    #[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
    pub value: T,
}

/// `POST /api/user-settings/multiget`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSettingsRequest {
    /// Which.
    pub items: Vec<UserSettingName>,
}

/// One of [`UserSettingsRequest::items`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSettingName {
    /// What groups keys.
    pub bucket: String,
    /// The name within it.
    pub key: String,
}

/// What `POST /api/user-settings/multiget` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserSettingsAnswer<T = serde_json::Value> {
    /// In the order of the request; `null` where there is nothing.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Option<UserSettingValue>>))]
    pub items: Vec<Option<UserSettingValue<T>>>,
}
