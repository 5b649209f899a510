//! The requests that were answered.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The names and values of labels.
type Labels = Vec<(&'static str, String)>;

/// By method, route and status. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    answered: Family<Labels, Histogram, fn() -> Histogram>,
}

/// In a request's extensions: which route it is for. Whoever finds out says so once.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestsOfRoute(Arc<OnceLock<String>>);

impl RequestsOfRoute {
    /// The route, as the API's description has it.
    pub(crate) fn is(&self, route: &str) {
        // The outer of two would say the same.
        self.0.get_or_init(|| route.to_owned());
    }

    /// Pages, files, and what is not there.
    pub(crate) fn get(&self) -> &str {
        self.0.get().map_or("other", String::as_str)
    }
}

/// In seconds: from an answer out of memory to one that a person gives up on.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

impl Default for Requests {
    fn default() -> Self {
        Self { answered: Family::new_with_constructor(|| Histogram::new(BOUNDS)) }
    }
}

impl Requests {
    /// A request was answered; the time is that to the head of the answer.
    pub(crate) fn answered(&self, method: &Method, route: &RequestsOfRoute, status: StatusCode, took: Duration) {
        let labels = vec![
            ("method", known_method(method).to_owned()),
            ("route", route.get().to_owned()),
            ("status", known_status(status)),
        ];
        self.answered.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "How long requests took, up to the head of the answer";
        registry.register("http_request_duration_seconds", help, self.answered.clone());
    }
}

/// Whoever asks can make up methods.
pub(crate) fn known_method(method: &Method) -> &str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if KNOWN.contains(method) { method.as_str() } else { "other" }
}

/// A service behind the proxy can make up statuses.
fn known_status(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(_) => status.as_u16().to_string(),
        None => "other".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded() {
        let check = |method: &str, expected: &str| {
            assert_eq!(known_method(&Method::from_bytes(method.as_bytes()).unwrap()), expected);
        };
        check("GET", "GET");
        check("PURGE", "other");
        check("get", "other");
        let check = |status: u16, expected: &str| {
            assert_eq!(known_status(StatusCode::from_u16(status).unwrap()), expected);
        };
        check(200, "200");
        check(299, "other");
        check(999, "other");
        assert_eq!(RequestsOfRoute::default().get(), "other");
    }
}
