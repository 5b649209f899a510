//! Upstream services that do not wish us well: they redirect, echo what they are sent, and never finish.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running upstream. Dropped, it ends.
pub struct Hostile {
    address: SocketAddr,
    requests: Requests,
    task: JoinHandle<()>,
}

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Such as `GET /echo`.
    pub line: String,
    /// The header of that name.
    pub authorization: Option<String>,
}

type Requests = Arc<Mutex<Vec<Received>>>;

impl Hostile {
    /// Listens on a loopback port of its own: `/echo` answers with what it was sent, `/redirect?to=URL` sends
    /// there, `/silent` accepts and never answers, `/endless` never stops answering, anything else is 404.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("the upstream cannot listen")?;
        let address = listener.local_addr()?;
        let requests = Requests::default();
        let routes = Router::new()
            .route("/echo", any(echo))
            .route("/redirect", any(redirect))
            .route("/silent", any(silent))
            .route("/endless", any(endless))
            .fallback(nothing)
            .with_state(Arc::clone(&requests));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the upstream ended");
            }
        });
        Ok(Self { address, requests, task })
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An upstream that accepts connections and says nothing. Dropped, it is gone.
pub async fn mute() -> Result<(String, TcpListener)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("the upstream cannot listen")?;
    // The system accepts connections for a listener, whether somebody takes them or not.
    Ok((format!("http://{}", listener.local_addr()?), listener))
}

/// The address of an upstream that is not there.
pub async fn dead() -> Result<String> {
    let (address, listener) = mute().await?;
    drop(listener);
    Ok(address)
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn note(requests: &Requests, request: &Request) {
    let authorization = request.headers().get(header::AUTHORIZATION);
    let received = Received {
        line: format!("{} {}", request.method(), request.uri()),
        authorization: authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
    };
    requests.lock().unwrap_or_else(PoisonError::into_inner).push(received);
}

async fn echo(State(requests): State<Requests>, request: Request) -> Json<Value> {
    note(&requests, &request);
    let headers: Vec<Value> = request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    Json(json!({ "method": request.method().as_str(), "uri": request.uri().to_string(), "headers": headers }))
}

#[derive(Deserialize)]
struct To {
    to: Option<String>,
}

async fn redirect(State(requests): State<Requests>, Query(to): Query<To>, request: Request) -> Response {
    note(&requests, &request);
    match to.to {
        Some(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        None => "arrived".into_response(),
    }
}

async fn silent(State(requests): State<Requests>, request: Request) -> Response {
    note(&requests, &request);
    std::future::pending().await
}

async fn endless(State(requests): State<Requests>, request: Request) -> Response {
    note(&requests, &request);
    let part = Bytes::from_static(&[b'x'; 64 * 1024]);
    let parts = futures::stream::repeat_with(move || Ok::<_, std::convert::Infallible>(part.clone()));
    Body::from_stream(parts).into_response()
}

async fn nothing(State(requests): State<Requests>, request: Request) -> StatusCode {
    note(&requests, &request);
    StatusCode::NOT_FOUND
}
