//! The outermost router: health at once, everything else as soon as the portal has started.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;

use super::error::{self, ApiError};
use super::health::{self, Lifecycle, Phase};
use super::{headers, trace};
use crate::metrics::Requests;

/// How long a request may wait for the portal to start, as in Backstage.
const STARTUP_PAUSE: Duration = Duration::from_secs(5);

/// What answers once the portal has started.
#[derive(Clone)]
pub(crate) struct Front {
    lifecycle: Lifecycle,
    portal: Arc<OnceLock<Router>>,
    /// For how long a request waits.
    pause: Duration,
    requests: Requests,
}

impl Front {
    pub(crate) fn new(lifecycle: Lifecycle, requests: Requests) -> Front {
        Front { lifecycle, portal: Arc::new(OnceLock::new()), pause: STARTUP_PAUSE, requests }
    }

    /// From now on this answers.
    pub(crate) fn open(&self, portal: Router) {
        if self.portal.set(portal).is_ok() {
            self.lifecycle.enter(Phase::Running);
        }
    }

    /// The service for the listener.
    pub(crate) fn router(&self) -> Router {
        let rest = Router::new().fallback(forward).with_state(self.clone()).layer(middleware::from_fn(error::envelope));
        Router::new()
            .merge(health::router(self.lifecycle.clone()))
            .fallback_service(rest)
            .layer(CompressionLayer::new())
            .layer(middleware::from_fn(headers::secure))
            .layer(middleware::from_fn_with_state(self.requests.clone(), trace::log))
    }
}

async fn forward(State(front): State<Front>, request: Request) -> Response {
    let mut phase = front.lifecycle.watch();
    let begun = async { phase.wait_for(|phase| *phase != Phase::Starting).await.map(|_| ()) };
    let started = tokio::time::timeout(front.pause, begun).await;
    match (started, front.portal.get()) {
        (Ok(Ok(_)), Some(portal)) => match portal.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        (Ok(_), _) => ApiError::unavailable("Service is shutting down").into_response(),
        (Err(_), _) => ApiError::unavailable("Service has not started up yet").into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing;
    use serde_json::{Value, json};

    use super::*;

    async fn ask(front: &Front, path: &str) -> (u16, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = front.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn portal() -> Router {
        Router::new().route("/api/x", routing::get(|| async { axum::Json(json!("here")) }))
    }

    #[tokio::test]
    async fn a_portal_that_does_not_start_says_so_after_a_while() {
        let front = Front { pause: Duration::from_millis(20), ..Front::new(Lifecycle::new(), Requests::default()) };
        let (status, body) = ask(&front, "/api/x?y=1").await;
        assert_eq!(status, 503);
        let error = json!({ "name": "ServiceUnavailableError", "message": "Service has not started up yet" });
        assert_eq!((&body["error"], &body["request"]["url"]), (&error, &json!("/api/x?y=1")));
        // Whoever restarts what is not alive must not have to wait, nor whoever asks for nothing else.
        assert_eq!(ask(&front, "/.backstage/health/v1/liveness").await.0, 200);
        assert_eq!(ask(&front, "/healthcheck").await.0, 503);
    }

    #[tokio::test]
    async fn who_comes_early_waits() {
        let front = Front { pause: Duration::from_secs(60), ..Front::new(Lifecycle::new(), Requests::default()) };
        let early = tokio::spawn({
            let front = front.clone();
            async move { ask(&front, "/api/x").await }
        });
        front.open(portal());
        assert_eq!(early.await.unwrap(), (200, json!("here")));
        front.lifecycle.enter(Phase::Stopping);
        assert_eq!(ask(&front, "/healthcheck").await.0, 503);
    }
}
