//! `/api/audit`: what was changed or attempted. And how a route records that.

mod coming;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams, RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use callboard_model::api::{AuditDecision, AuditEntry, AuditPage, PageInfo};
use callboard_model::entity_ref::EntityRef;
use chrono::{DateTime, Utc};
use futures::stream;
use utoipa_axum::routes;

pub(crate) use self::coming::Asked;
use super::caller::Caller;
use super::error::{ApiError, RETRY_AFTER, Result, json};
use super::params::Params;
use super::remote::Remote;
use super::routes::Routes;
use super::state::App;
use super::trace::RequestId;
use crate::audit::{AuditError, AuditLog, Entry, Filter};
use crate::policy::Permission;

/// Entries of a page where nobody says how many.
const PAGE: u64 = 50;

/// The most entries of a page: with all their texts at their longest some MiB, and usually a tenth of one.
const LARGEST_PAGE: u64 = 500;

/// Entries of an export that are read at once.
const BATCH: u64 = 1_000;

const FILTERS: [&str; 7] = ["actor", "permission", "decision", "resource", "path", "since", "until"];

pub(crate) fn routes(app: &App) -> Routes {
    Routes::new(app).add(Permission::AuditRead, routes!(list)).add(Permission::AuditRead, routes!(export))
}

/// A page of what was changed or attempted, the newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", operation_id = "listAudit",
    params(
        ("actor" = Option<String>, Query, description = "Who, such as `user:default/ada`"),
        ("permission" = Option<String>, Query, description = "A permission, in whose name `*` stands for any text"),
        ("decision" = Option<AuditDecision>, Query),
        ("resource" = Option<String>, Query, description = "What it was about: an entity's ref or another id"),
        ("path" = Option<String>, Query, description = "What the path begins with"),
        ("since" = Option<String>, Query, description = "At this time or later, RFC 3339"),
        ("until" = Option<String>, Query, description = "Before this time, RFC 3339"),
        ("limit" = Option<u64>, Query, description = "1 to 500; 50 where it is not said"),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before; the other parameters must be the same"),
    ),
    responses((status = 200, body = AuditPage)))]
async fn list(State(app): State<App>, RawQuery(raw): RawQuery) -> Result<Response> {
    let known: Vec<&str> = FILTERS.into_iter().chain(["limit", "cursor"]).collect();
    let params = Params::read(raw.as_deref(), &known)?;
    let filter = filter(&params)?;
    let limit = params.integer("limit")?.unwrap_or(PAGE);
    if limit == 0 || limit > LARGEST_PAGE {
        return Err(ApiError::input(format!("request/query/limit must be 1 to {LARGEST_PAGE}")));
    }
    let cursor = params.one("cursor")?.map(str::parse).transpose();
    let before = cursor.map_err(|_| ApiError::input("request/query/cursor must be the nextCursor of a page"))?;
    let mut items = app.audit.newest(&filter, before, limit + 1).await?;
    let is_last = items.len() as u64 <= limit;
    items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = items.last().filter(|_| !is_last).map(|entry| entry.seq.to_string());
    Ok(json(&AuditPage { items, page_info: PageInfo { next_cursor, prev_cursor: None } }))
}

/// All that was changed or attempted up to now, the oldest first: one JSON object a line.
#[utoipa::path(get, path = "/audit/export", tag = "audit", operation_id = "exportAudit",
    params(
        ("actor" = Option<String>, Query, description = "Who, such as `user:default/ada`"),
        ("permission" = Option<String>, Query, description = "A permission, in whose name `*` stands for any text"),
        ("decision" = Option<AuditDecision>, Query),
        ("resource" = Option<String>, Query, description = "What it was about: an entity's ref or another id"),
        ("path" = Option<String>, Query, description = "What the path begins with"),
        ("since" = Option<String>, Query, description = "At this time or later, RFC 3339"),
        ("until" = Option<String>, Query, description = "Before this time, RFC 3339"),
    ),
    responses((status = 200, content_type = "application/x-ndjson", body = AuditEntry)))]
async fn export(State(app): State<App>, RawQuery(raw): RawQuery) -> Result<Response> {
    let filter = filter(&Params::read(raw.as_deref(), &FILTERS)?)?;
    let last = app.audit.head().await?.seq;
    // The first lines are read before there is an answer, so that what is wrong from the start is an error.
    let first = lines(&app.audit, &filter, 0, last).await?;
    let log = app.audit.clone();
    let rest = stream::try_unfold(first, move |batch| {
        let (log, filter) = (log.clone(), filter.clone());
        async move {
            let Some((lines, after)) = batch else { return Ok::<_, AuditError>(None) };
            // Broken off where the database fails: nobody takes half an export for a whole one.
            let next = self::lines(&log, &filter, after, last).await.inspect_err(|error| tracing::error!(%error))?;
            Ok(Some((lines, next)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    Ok((headers, Body::from_stream(rest)).into_response())
}

/// Some lines of an export, and the row after which it goes on; none at its end.
async fn lines(log: &AuditLog, filter: &Filter, after: u64, last: u64) -> Result<Option<(Bytes, u64)>, AuditError> {
    let entries = log.oldest(filter, after, last, BATCH).await?;
    let Some(newest) = entries.last().map(|entry| entry.seq) else { return Ok(None) };
    Ok(Some((crate::audit::ndjson(&entries).into(), newest)))
}

fn filter(params: &Params) -> Result<Filter> {
    let text = |name| {
        let text = params.one(name)?;
        match text.filter(|text| text.contains('\0')) {
            Some(_) => Err(ApiError::input(format!("request/query/{name} must not hold the character NUL"))),
            None => Ok(text.map(ToOwned::to_owned)),
        }
    };
    let decision = params.word("decision", &["allowed", "denied"])?.map(|word| match word {
        "denied" => AuditDecision::Denied,
        _ => AuditDecision::Allowed,
    });
    Ok(Filter {
        actor: text("actor")?,
        permission: text("permission")?,
        decision,
        resource: text("resource")?,
        path: text("path")?,
        since: time(params, "since")?,
        until: time(params, "until")?,
    })
}

fn time(params: &Params, name: &str) -> Result<Option<DateTime<Utc>>> {
    let time = params.one(name)?.map(DateTime::parse_from_rfc3339).transpose();
    let expected = |_| ApiError::input(format!("request/query/{name} must be a time such as 2026-11-21T10:00:00Z"));
    Ok(time.map_err(expected)?.map(|time| time.to_utc()))
}

impl From<AuditError> for ApiError {
    fn from(error: AuditError) -> ApiError {
        match error {
            AuditError::Store(error) => error.into(),
            // Whoever may read the log should know, and there is no secret in it.
            AuditError::Unreadable(_) => {
                tracing::error!("{error}");
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Error", error.to_string())
            }
            _ => ApiError::internal(&error),
        }
    }
}

/// Whether what a route does goes into the log: what changes something, and what somebody does about their own tokens
/// and sessions. What only they see, such as their theme, does not.
pub(crate) fn is_change(permission: &Permission, method: &Method) -> bool {
    permission.is_audited() || (*permission == Permission::Own && !method.is_safe())
}

/// What is recorded of a request, and the request again.
pub(crate) async fn entry(
    request: Request,
    app: &App,
    permission: &Permission,
    caller: Option<&Caller>,
) -> (Entry, Request) {
    let (mut parts, body) = request.into_parts();
    let mut entry = Entry { permission: permission.name().to_owned(), ..asked(&parts) };
    if let Some(caller) = caller {
        entry.actor = caller.principal.to_string();
        entry.credential = caller.credential.to_string();
        entry.rule = caller.reason.to_string();
    }
    if let Ok(params) = RawPathParams::from_request_parts(&mut parts, app).await {
        entry.resource = resource(&params);
    }
    (entry, Request::from_parts(parts, body))
}

/// What a URL is about: an entity by its name, or what its parameters say.
fn resource(params: &RawPathParams) -> Option<String> {
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    match (param("kind"), param("namespace"), param("name")) {
        (Some(kind), Some(namespace), Some(name)) => Some(EntityRef::new(kind, namespace, name).to_string()),
        _ => {
            let values: Vec<&str> = params.iter().map(|(_, value)| value).collect();
            (!values.is_empty()).then(|| values.join("/"))
        }
    }
}

/// What a request says of itself, for an [`Entry`]; who asked and what the policy said of it is for the caller to add.
fn asked(parts: &Parts) -> Entry {
    let extensions = &parts.extensions;
    // Below a mount the request has the rest of its path only.
    let whole = extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
    let remote = extensions.get::<Remote>().map(|Remote(address)| address.to_string());
    Entry {
        actor: "anonymous".to_owned(),
        credential: "none".to_owned(),
        permission: String::new(),
        method: parts.method.to_string(),
        path: whole.path().to_owned(),
        resource: None,
        remote,
        rule: String::new(),
        request_id: extensions.get::<RequestId>().map_or_else(String::new, |RequestId(id)| id.clone()),
    }
}

/// Answers a request that changes something and is permitted, with a record of it from before it began. Where that
/// cannot be written, nothing is changed.
pub(crate) async fn recorded(app: &App, entry: Entry, run: impl Future<Output = Response>) -> Response {
    recorded_in(&app.audit, entry, run).await
}

async fn recorded_in(log: &AuditLog, entry: Entry, run: impl Future<Output = Response>) -> Response {
    let begun = match log.allowed(entry).await {
        Ok(begun) => begun,
        Err(error) => return unrecorded(&error).into_response(),
    };
    let response = run.await;
    match response.extensions().get::<ApiError>().filter(|error| error.is_denial()) {
        Some(error) => begun.denied(error.status.as_u16(), "no rule gives it for this one"),
        None => begun.ended(response.status().as_u16()),
    }
    response
}

/// Records a request that is refused.
pub(crate) fn denied(app: &App, entry: Entry) {
    app.audit.denied(entry);
}

fn unrecorded(error: &AuditError) -> ApiError {
    tracing::error!(%error, "a change is refused, because it cannot be recorded");
    let (advice, retry_after) = match error {
        AuditError::Store(error) if error.is_retryable() => ("Try again in a few seconds", Some(RETRY_AFTER)),
        _ => ("The server's log says why", None),
    };
    let message = format!("The change was not made, because it cannot be recorded in the audit log. {advice}");
    ApiError { retry_after, ..ApiError::unavailable(message) }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use callboard_store::{DatabaseConfig, Db, Error};

    use super::*;

    async fn log() -> (Db, AuditLog) {
        let db = Db::open(&DatabaseConfig::Memory).await.unwrap();
        (db.clone(), AuditLog::open(db).await.unwrap())
    }

    fn entry() -> Entry {
        let mut request = Request::delete("/entities/by-uid/x?secret=1").body(Body::empty()).unwrap();
        let whole = OriginalUri("/api/catalog/entities/by-uid/x?secret=1".parse().unwrap());
        request.extensions_mut().insert(whole);
        request.extensions_mut().insert(Remote("10.0.0.7".parse().unwrap()));
        request.extensions_mut().insert(RequestId("00ff".to_owned()));
        asked(&request.into_parts().0)
    }

    /// `seq status follows` of what was written, once nothing waits.
    async fn written(log: &AuditLog) -> Vec<(u64, Option<u16>, Option<u64>)> {
        log.start().finish().await;
        let entries = log.oldest(&Filter::default(), 0, u64::MAX, 100).await.unwrap();
        entries.into_iter().map(|entry| (entry.seq, entry.status, entry.follows)).collect()
    }

    #[test]
    fn what_a_request_says() {
        let Entry { method, path, remote, request_id, .. } = entry();
        assert_eq!((method.as_str(), path.as_str()), ("DELETE", "/api/catalog/entities/by-uid/x"));
        assert_eq!((remote.as_deref(), request_id.as_str()), (Some("10.0.0.7"), "00ff"));
        let bare = asked(&Request::get("/a").body(Body::empty()).unwrap().into_parts().0);
        assert_eq!((bare.path.as_str(), bare.remote, bare.request_id.as_str()), ("/a", None, ""));
    }

    #[tokio::test]
    async fn a_change_is_recorded_before_it_begins() {
        let (_, log) = log().await;
        let run = async {
            let rows = log.newest(&Filter::default(), None, 10).await.unwrap();
            assert_eq!((rows.len(), rows[0].decision), (1, AuditDecision::Allowed));
            StatusCode::CREATED.into_response()
        };
        let response = recorded_in(&log, entry(), run).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(written(&log).await, [(1, None, None)], "a success is one row");
    }

    #[tokio::test]
    async fn a_change_that_fails_has_a_second_row() {
        let (_, log) = log().await;
        for status in [StatusCode::FOUND, StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
            recorded_in(&log, entry(), ready(status.into_response())).await;
        }
        let expected = [
            (1, None, None),
            (2, None, None),
            (3, None, None),
            (4, None, None),
            (5, Some(400), Some(2)),
            (6, Some(404), Some(3)),
            (7, Some(502), Some(4)),
        ];
        assert_eq!(written(&log).await, expected);
    }

    #[tokio::test]
    async fn a_change_that_nobody_waits_for_any_more_has_one_too() {
        let (_, log) = log().await;
        let (begin, has_begun) = tokio::sync::oneshot::channel();
        let mut change = Box::pin(recorded_in(&log, entry(), async {
            begin.send(()).unwrap();
            pending().await
        }));
        tokio::select! {
            _ = &mut change => panic!("it waits for ever"),
            begun = has_begun => begun.unwrap(),
        }
        drop(change);
        assert_eq!(written(&log).await, [(1, None, None), (2, Some(499), Some(1))]);
    }

    #[tokio::test]
    async fn nothing_is_changed_that_cannot_be_recorded() {
        let (db, log) = log().await;
        db.close().await;
        let response = recorded_in(&log, entry(), async { panic!("the change was made") }).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let error = response.extensions().get::<ApiError>().unwrap();
        assert!(error.message.starts_with("The change was not made, because it cannot be recorded"), "{error:?}");
    }

    #[test]
    fn it_says_whether_to_try_again() {
        for (error, advice, again) in [
            (Error::Unavailable("10.0.0.7".to_owned()), "Try again in a few seconds", true),
            (Error::Busy("10.0.0.7".to_owned()), "Try again in a few seconds", true),
            (Error::Failed("10.0.0.7".to_owned()), "The server's log says why", false),
        ] {
            let found = unrecorded(&error.into());
            assert!(found.message.ends_with(advice) && !found.message.contains("10.0.0.7"), "{}", found.message);
            assert_eq!((found.status.as_u16(), found.retry_after.is_some()), (503, again));
        }
        assert_eq!(unrecorded(&AuditError::BehindHead(7)).status.as_u16(), 503);
    }
}
