//! `/api/proxy`, against services on this machine.

mod failing;
mod paths;
mod people;
mod secrets;
mod streaming;
mod wire;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::Client;
use crate::portal::TestPortal;

/// What a service was asked.
#[derive(Clone, Debug)]
struct Asked {
    /// Method, path and query.
    line: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A service that remembers what it was asked, and answers with the headers that the query names (`?name=value`), after
/// which `status` is the status.
struct Upstream {
    host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Upstream {
    async fn start() -> Upstream {
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let router = Router::new().fallback(answer).with_state(asked.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Upstream { host, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// What it was asked since the last time, in order.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The one request since the last time.
    fn one(&self) -> Asked {
        let [one] = self.asked().try_into().expect("one request");
        one
    }
}

async fn answer(State(asked): State<Arc<Mutex<Vec<Asked>>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let line = format!("{} {}", parts.method, parts.uri);
    asked.lock().unwrap().push(Asked { line, headers: parts.headers, body });
    let mut response = "an answer that is long enough to be compressed".into_response();
    for (name, value) in url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "status" => *response.status_mut() = StatusCode::from_u16(value.parse().unwrap()).unwrap(),
            "empty" => *response.body_mut() = axum::body::Body::empty(),
            _ => {
                let name = axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                response.headers_mut().append(name, value.parse().unwrap());
            }
        }
    }
    response
}

/// A portal with these endpoints.
async fn portal(endpoints: Value) -> TestPortal {
    TestPortal::start(&json!({ "proxy": { "endpoints": endpoints } }), "").await
}

/// The same, and somebody who may read all of them.
async fn reader(endpoints: Value) -> (TestPortal, Client) {
    let portal = portal(endpoints).await;
    let reader = portal.signed_in("user:default/guest").await;
    (portal, reader)
}
