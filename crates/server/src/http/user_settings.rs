//! `/api/user-settings`: the user settings API of Backstage, to the letter.

use std::convert::Infallible;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use callboard_model::api::{UserSetting, UserSettingName, UserSettingValue, UserSettingsAnswer, UserSettingsRequest};
use callboard_model::entity_ref::EntityRef;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa_axum::router::UtoipaMethodRouterExt as _;
use utoipa_axum::routes;

use super::body::{BodyLimit, Json, Path, Sent};
use super::caller::Caller;
use super::error::{ApiError, Result, json};
use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;
use crate::user_settings::{SettingError, VALUE_BYTES};

/// A value, and what is around it.
const BODY_BYTES: usize = VALUE_BYTES + 1024;

pub(crate) fn routes(app: &App) -> Routes {
    let one = routes!(get, put, delete).layer::<_, Infallible>(Extension(BodyLimit(BODY_BYTES)));
    Routes::new(app).add(Permission::OwnSettings, one).add(Permission::OwnSettings, routes!(multiget))
}

/// What the caller keeps under a key.
#[utoipa::path(get, path = "/buckets/{bucket}/keys/{*key}", tag = "user-settings", operation_id = "getUserSetting",
    params(("bucket" = String, Path), ("key" = String, Path, description = "It may contain slashes")),
    responses((status = 200, body = UserSetting), (status = 404, description = "There is nothing")))]
async fn get(State(app): State<App>, caller: Caller, Path((bucket, key)): Path<(String, String)>) -> Result<Response> {
    let name = UserSettingName { bucket, key };
    let found = app.user_settings.get(user(&caller)?, &name).await?;
    let UserSettingName { bucket, key } = name;
    match found {
        Some(value) => Ok(json(&UserSetting { bucket, key, value })),
        None => Err(ApiError::not_found(format!("Unable to find '{key}' in bucket '{bucket}'"))),
    }
}

/// Keeps a value for the caller.
#[utoipa::path(put, path = "/buckets/{bucket}/keys/{*key}", tag = "user-settings", operation_id = "putUserSetting",
    params(("bucket" = String, Path), ("key" = String, Path, description = "It may contain slashes")),
    request_body = UserSettingValue,
    responses((status = 200, body = UserSetting), (status = 413, description = "The value is larger than 100 KiB")))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((bucket, key)): Path<(String, String)>,
    body: Sent,
) -> Result<Response> {
    let body: Value = body.read()?;
    let value = body.value.ok_or_else(|| ApiError::input("Missing required field \"value\""))?;
    let name = UserSettingName { bucket, key };
    app.user_settings.set(user(&caller)?, &name, value).await?;
    let UserSettingName { bucket, key } = name;
    Ok(json(&UserSetting { bucket, key, value }))
}

/// [`UserSettingValue`] as it was sent: the order of keys is the page's own business, and so are its numbers.
#[derive(Deserialize)]
struct Value<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    value: Option<&'a RawValue>,
}

/// `null` is a value, too.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

/// Forgets a key of the caller's.
#[utoipa::path(delete, path = "/buckets/{bucket}/keys/{*key}", tag = "user-settings", operation_id = "deleteUserSetting",
    params(("bucket" = String, Path), ("key" = String, Path, description = "It may contain slashes")),
    responses((status = 204, description = "There is nothing any more")))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((bucket, key)): Path<(String, String)>,
) -> Result<StatusCode> {
    app.user_settings.delete(user(&caller)?, &UserSettingName { bucket, key }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the caller keeps under several keys, in the order of the request.
#[utoipa::path(post, path = "/multiget", tag = "user-settings", operation_id = "getUserSettings",
    request_body = UserSettingsRequest, responses((status = 200, body = UserSettingsAnswer)))]
async fn multiget(
    State(app): State<App>,
    caller: Caller,
    Json(UserSettingsRequest { items }): Json<UserSettingsRequest>,
) -> Result<Response> {
    let values = app.user_settings.get_many(user(&caller)?, &items).await?;
    let items = values.into_iter().map(|value| value.map(|value| UserSettingValue { value })).collect();
    Ok(json(&UserSettingsAnswer { items }))
}

/// Whose settings they are: what a service or a pipeline would keep is nobody's.
fn user(caller: &Caller) -> Result<&EntityRef> {
    let user = caller.principal.user().map(|user| &user.entity_ref);
    user.ok_or_else(|| ApiError::not_allowed("only users have settings, and this request is not a user's"))
}

impl From<SettingError> for ApiError {
    fn from(error: SettingError) -> ApiError {
        match error {
            SettingError::Store(error) => error.into(),
            SettingError::Value(_) => {
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError", error.to_string())
            }
            _ => ApiError::input(error.to_string()),
        }
    }
}
