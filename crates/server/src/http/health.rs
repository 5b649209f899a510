//! Whether the server is up, and whether it is ready. Both are there before anything else is.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use callboard_store::{Db, args, query};
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::policy::Permission;

/// How long the database may take to answer. An orchestrator gives the whole probe a second or a few.
const DATABASE: Duration = Duration::from_secs(1);

/// How far the portal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Running,
    Stopping,
}

/// Shared between whoever starts the portal and whoever answers for it.
#[derive(Clone)]
pub(crate) struct Lifecycle {
    phase: Arc<watch::Sender<Phase>>,
    db: Arc<OnceLock<Db>>,
}

impl Lifecycle {
    pub(crate) fn new() -> Lifecycle {
        Lifecycle { phase: Arc::new(watch::Sender::new(Phase::Starting)), db: Arc::default() }
    }

    /// From now on the portal is ready only while the database answers.
    pub(crate) fn depends_on(&self, db: Db) {
        self.db.get_or_init(|| db);
    }

    async fn reaches_database(&self) -> bool {
        let Some(db) = self.db.get() else { return true };
        let asked = db.fetch_optional(query("SELECT 1", args![]));
        matches!(tokio::time::timeout(DATABASE, asked).await, Ok(Ok(_)))
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }
}

/// An answer about health.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `error`.
    status: &'static str,
    /// Why it is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

pub(crate) fn router(lifecycle: Lifecycle) -> Router {
    Router::new()
        .route("/.backstage/health/v1/liveness", routing::get(liveness))
        .route("/.backstage/health/v1/readiness", routing::get(readiness))
        .route("/healthcheck", routing::get(readiness))
        .with_state(lifecycle)
}

/// Whether the server is up.
#[utoipa::path(get, path = "/.backstage/health/v1/liveness", tag = "health", operation_id = "getLiveness",
    extensions(("x-permission" = json!(Permission::Public.name()))),
    responses((status = 200, description = "It is up", body = Health)))]
pub(super) async fn liveness() -> Response {
    answer(StatusCode::OK, "ok", None)
}

/// Whether the portal has started, is not about to end, and reaches its database. `/healthcheck` says the same.
#[utoipa::path(get, path = "/.backstage/health/v1/readiness", tag = "health", operation_id = "getReadiness",
    extensions(("x-permission" = json!(Permission::Public.name()))),
    responses((status = 200, description = "It has", body = Health), (status = 503, description = "Not yet, or not any more", body = Health)))]
pub(super) async fn readiness(State(lifecycle): State<Lifecycle>) -> Response {
    let phase = *lifecycle.watch().borrow();
    match phase {
        Phase::Running if !lifecycle.reaches_database().await => {
            answer(StatusCode::SERVICE_UNAVAILABLE, "error", Some("The database cannot be reached"))
        }
        Phase::Running => answer(StatusCode::OK, "ok", None),
        Phase::Starting => answer(StatusCode::SERVICE_UNAVAILABLE, "error", Some("Backend has not started yet")),
        Phase::Stopping => answer(StatusCode::SERVICE_UNAVAILABLE, "error", Some("Backend is shutting down")),
    }
}

fn answer(code: StatusCode, status: &'static str, message: Option<&'static str>) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (code, headers, super::error::json(&Health { status, message })).into_response()
}
