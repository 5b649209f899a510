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

/// How long a request may wait for the portal to start, as in Backstage.
const STARTUP_PAUSE: Duration = Duration::from_secs(5);

/// What answers once the portal has started.
#[derive(Clone)]
pub(crate) struct Front {
    lifecycle: Lifecycle,
    portal: Arc<OnceLock<Router>>,
}

impl Front {
    pub(crate) fn new(lifecycle: Lifecycle) -> Front {
        Front { lifecycle, portal: Arc::new(OnceLock::new()) }
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
            .layer(middleware::from_fn(trace::log))
    }
}

async fn forward(State(front): State<Front>, request: Request) -> Response {
    let mut phase = front.lifecycle.watch();
    let begun = async { phase.wait_for(|phase| *phase != Phase::Starting).await.map(|_| ()) };
    let started = tokio::time::timeout(STARTUP_PAUSE, begun).await;
    match (started, front.portal.get()) {
        (Ok(Ok(_)), Some(portal)) => match portal.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        (Ok(_), _) => ApiError::unavailable("Service is shutting down").into_response(),
        (Err(_), _) => ApiError::unavailable("Service has not started up yet").into_response(),
    }
}
