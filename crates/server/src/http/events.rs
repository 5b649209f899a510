//! `/api/events`: the webhooks of plugins, and the events that could not be delivered.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use callboard_host::limits::WEBHOOK_BYTES;
use callboard_host::{Plugin, Verified};
use callboard_model::api::{DeadLetter, DeadLetterPage, DeadLettersChanged, PageInfo};
use callboard_store::outbox::{self, DeliveryName, NewEvent, Which};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json as value};
use tokio::sync::Semaphore;
use utoipa_axum::routes;

use super::audit::Asked;
use super::body::{self, Path};
use super::error::{ApiError, RETRY_AFTER, Result, json};
use super::params::{NoParams, Params};
use super::plugins;
use super::routes::Routes;
use super::state::App;
use crate::policy::Permission;

/// Webhooks whose bodies are read at a time. Whoever sends one has shown nothing until it is read, so that all of them
/// together take no more than some 50 MiB.
static READING: Semaphore = Semaphore::const_new(16);

/// Where senders post to; what follows is the topic.
pub(crate) const WEBHOOKS: &str = "/api/events/http/";

/// Dead letters of a page where nobody says how many, and the most.
const PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app)
        .add(Permission::Public, routes!(receive))
        .add(Permission::EventRead, routes!(dead_letters))
        .add(Permission::EventManage, routes!(retry))
        .add(Permission::EventManage, routes!(discard))
        .add(Permission::EventManage, routes!(retry_all))
        .add(Permission::EventManage, routes!(discard_all))
}

/// Takes what another service sends to a webhook of a plugin. It needs no permission, but the signature that the plugin's
/// manifest names. When this answers 202, the event is kept, and will be delivered.
#[utoipa::path(post, path = "/events/http/{topic}", tag = "events", operation_id = "receiveEvent",
    params(("topic" = String, Path, description = "That of a webhook in a plugin's manifest")), request_body = Object,
    responses((status = 202, description = "It is kept, now or already", body = Object),
        (status = 403, description = "There is no such webhook, or the sender did not show who they are; the audit log says which"),
        (status = 413, description = "More than 3 MiB"), (status = 415, description = "Not JSON"),
        (status = 503, description = "It cannot be kept now; send it again")))]
async fn receive(
    State(app): State<App>,
    Path(topic): Path<String>,
    headers: HeaderMap,
    asked: Asked,
    body: Body,
) -> Result<Response> {
    let told: Vec<Plugin> =
        app.plugins.current().running().filter(|plugin| plugin.has_webhook(&topic)).cloned().collect();
    if told.is_empty() {
        if plugins::is_down_with_webhook(&app, &topic) {
            return Err(busy("the plugin of this webhook does not run at the moment"));
        }
        return Err(refused(asked, &app, &topic, "no plugin has a webhook of this topic, or may be told of it"));
    }
    if !body::is_json(&headers) {
        return Err(body::not_json());
    }
    let Ok(_reading) = READING.try_acquire() else { return Err(busy("too many webhooks are received at the moment")) };
    let body = body::read(body, WEBHOOK_BYTES).await?;
    let now = Utc::now();
    let mut reasons = Vec::new();
    let mut verified: Vec<(Plugin, Verified)> = Vec::new();
    for plugin in told {
        match plugin.verify_webhook(&topic, &headers, &body, now.timestamp()) {
            Ok(known) => verified.push((plugin, known)),
            Err(refusal) => reasons.push(format!("plugin {}: {refusal}", plugin.id())),
        }
    }
    if verified.is_empty() {
        return Err(refused(asked, &app, &topic, &reasons.join("; ")));
    }
    let body = String::from_utf8(body).map_err(|_| ApiError::input("request/body is not UTF-8"))?;
    // As deep as it may be when it is handed over.
    serde_json::from_str::<Value>(&body)
        .map_err(|error| ApiError::input(format!("request/body is not JSON: {error}")))?;
    for (plugin, Verified { headers, marks }) in verified {
        let event = NewEvent {
            headers: (!headers.is_empty()).then(|| value!(headers).to_string()),
            payload: body.clone(),
            ..NewEvent::default()
        };
        if !app.outbox.receive(plugin.id(), &topic, &marks, &event, now).await? {
            tracing::info!(plugin = plugin.id(), topic, "a webhook came again, and is not delivered again");
        }
    }
    Ok((StatusCode::ACCEPTED, json(&value!({ "status": "accepted" }))).into_response())
}

/// The sender is told nothing; the operator is told why.
fn refused(asked: Asked, app: &App, topic: &str, why: &str) -> ApiError {
    // Anybody's words, of which neither a terminal nor the database has to take every character.
    let topic: String = topic.escape_default().take(100).collect();
    tracing::warn!(topic, "a webhook is refused: {why}");
    asked.unsigned(app, &topic, why);
    ApiError::not_allowed("This webhook is not for you")
}

fn busy(message: &str) -> ApiError {
    ApiError { retry_after: Some(RETRY_AFTER), ..ApiError::unavailable(message) }
}

/// Events that could not be delivered, the newest first, with what is in them.
#[utoipa::path(get, path = "/events/dead-letters", tag = "events", operation_id = "listDeadLetters",
    params(("plugin" = Option<String>, Query, description = "Only those for this plugin"),
        ("limit" = Option<u64>, Query, description = "1 to 100; 20 where it is not said"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before")),
    responses((status = 200, body = DeadLetterPage)))]
async fn dead_letters(State(app): State<App>, RawQuery(raw): RawQuery) -> Result<Response> {
    let params = Params::read(raw.as_deref(), &["plugin", "limit", "cursor"])?;
    let limit = params.integer("limit")?.unwrap_or(PAGE);
    if limit == 0 || limit > LARGEST_PAGE {
        return Err(ApiError::input(format!("request/query/limit must be 1 to {LARGEST_PAGE}")));
    }
    let cursor = params.one("cursor")?.map(str::parse::<DeliveryName>).transpose();
    let before = cursor.map_err(|_| ApiError::input("request/query/cursor must be the nextCursor of a page"))?;
    let plugin = params.one("plugin")?.filter(|plugin| !plugin.contains('\0'));
    let mut found = app.outbox.dead_letters(plugin, before, limit + 1).await?;
    let is_last = found.len() as u64 <= limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = found.last().filter(|_| !is_last).map(|letter| letter.name.to_string());
    let backlog = match plugin {
        Some(plugin) => Some(app.outbox.backlog(plugin).await?),
        None => None,
    };
    Ok(json(&DeadLetterPage {
        items: found.into_iter().map(shown).collect(),
        total_items: backlog.map(|backlog| backlog.dead),
        waiting: backlog.map(|backlog| backlog.waiting),
        page_info: PageInfo { next_cursor, prev_cursor: None },
    }))
}

/// Has one tried again, from the first attempt on.
#[utoipa::path(post, path = "/events/dead-letters/{id}/retry", tag = "events", operation_id = "retryDeadLetter",
    params(("id" = String, Path)),
    responses((status = 200, body = DeadLettersChanged), (status = 404, description = "There is none, or not any more")))]
async fn retry(State(app): State<App>, _: NoParams, Path(id): Path<String>) -> Result<Response> {
    one(app.outbox.revive(&named(&id)?, Utc::now()).await?, &id)
}

/// Removes one for good.
#[utoipa::path(post, path = "/events/dead-letters/{id}/discard", tag = "events", operation_id = "discardDeadLetter",
    params(("id" = String, Path)),
    responses((status = 200, body = DeadLettersChanged), (status = 404, description = "There is none, or not any more")))]
async fn discard(State(app): State<App>, _: NoParams, Path(id): Path<String>) -> Result<Response> {
    one(app.outbox.discard(&named(&id)?).await?, &id)
}

/// Has all of a plugin tried again. The plugin need not be in app-config any more.
#[utoipa::path(post, path = "/plugins/{id}/dead-letters/retry", tag = "events", operation_id = "retryDeadLetters",
    params(("id" = String, Path)), responses((status = 200, body = DeadLettersChanged)))]
async fn retry_all(State(app): State<App>, _: NoParams, Path(id): Path<String>) -> Result<Response> {
    let count = app.outbox.revive(&all_of(&id)?, Utc::now()).await?;
    Ok(json(&DeadLettersChanged { count }))
}

/// Removes all of a plugin for good. The plugin need not be in app-config any more.
#[utoipa::path(post, path = "/plugins/{id}/dead-letters/discard", tag = "events", operation_id = "discardDeadLetters",
    params(("id" = String, Path)), responses((status = 200, body = DeadLettersChanged)))]
async fn discard_all(State(app): State<App>, _: NoParams, Path(id): Path<String>) -> Result<Response> {
    let count = app.outbox.discard(&all_of(&id)?).await?;
    Ok(json(&DeadLettersChanged { count }))
}

fn named(id: &str) -> Result<Which> {
    id.parse().map(Which::One).map_err(|_| gone(id))
}

fn all_of(plugin: &str) -> Result<Which> {
    if plugin.contains('\0') {
        return Err(ApiError::not_found("No plugin has such an id"));
    }
    Ok(Which::Of(plugin.to_owned()))
}

fn one(count: u64, id: &str) -> Result<Response> {
    if count == 0 { Err(gone(id)) } else { Ok(json(&DeadLettersChanged { count })) }
}

fn gone(id: &str) -> ApiError {
    ApiError::not_found(format!("No dead letter '{}'", id.escape_default()))
}

fn shown(letter: outbox::DeadLetter) -> DeadLetter {
    let headers = letter.headers.as_deref().and_then(|headers| serde_json::from_str(headers).ok());
    DeadLetter {
        id: letter.name.to_string(),
        plugin_id: letter.subscriber,
        topic: letter.topic,
        happened_at: time(letter.created_at),
        died_at: time(letter.died_at),
        attempts: letter.attempts,
        error: letter.error,
        headers: headers.unwrap_or_default(),
        payload: letter.payload,
        bytes: letter.bytes,
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
