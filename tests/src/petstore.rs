//! A pet store: the sample API of the Swagger world, as a server that runs here.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running pet store. Dropped, it ends.
pub struct Petstore {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
}

#[derive(Clone)]
struct Store {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Petstore {
    /// Listens on a loopback port of its own.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("the pet store cannot listen")?;
        let address = listener.local_addr()?;
        let seen = Arc::default();
        let store = Store { address, seen: Arc::clone(&seen) };
        let routes = Router::new()
            .route("/v2/swagger.json", get(|State(store): State<Store>| async move { Json(definition(store.address)) }))
            .route("/v2/pet/findByStatus", get(find_by_status))
            .route("/v2/pet", get(missing).post(add_pet))
            .layer(middleware::from_fn_with_state(store.clone(), note))
            .with_state(store);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the pet store ended");
            }
        });
        Ok(Self { address, seen, task })
    }

    /// `127.0.0.1:<port>`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Where the definition is.
    #[must_use]
    pub fn definition_url(&self) -> String {
        format!("http://{}/v2/swagger.json", self.address)
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Petstore {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn note(State(store): State<Store>, request: Request, next: Next) -> Response {
    let seen = Seen {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        headers: request.headers().clone(),
    };
    store.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    next.run(request).await
}

#[derive(Deserialize)]
struct Wanted {
    status: Option<String>,
}

async fn find_by_status(Query(wanted): Query<Wanted>) -> Response {
    let known = ["available", "pending", "sold"];
    match wanted.status.as_deref() {
        Some(status) if known.contains(&status) => {
            Json(pets().into_iter().filter(|pet| pet["status"] == status).collect::<Vec<_>>()).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "code": 400, "message": "Invalid status value" }))).into_response(),
    }
}

async fn add_pet(Json(pet): Json<Value>) -> Json<Value> {
    Json(pet)
}

async fn missing() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

fn pets() -> Vec<Value> {
    let pet = |id: u32, name: &str, status: &str| json!({ "id": id, "name": name, "photoUrls": [], "status": status });
    vec![pet(1, "Minka", "available"), pet(2, "Struppi", "sold"), pet(3, "Rosinante", "available")]
}

/// Swagger 2.0, in the shape in which the sample is published.
fn definition(address: SocketAddr) -> Value {
    let pets = json!({ "type": "array", "items": { "$ref": "#/definitions/Pet" } });
    json!({
        "swagger": "2.0",
        "info": { "title": "Swagger Petstore", "description": "A sample server.", "version": "1.0.0" },
        "host": address.to_string(),
        "basePath": "/v2",
        "schemes": ["http"],
        "tags": [{ "name": "pet", "description": "Everything about your Pets" }],
        "paths": {
            "/pet": { "post": {
                "tags": ["pet"],
                "summary": "Add a new pet to the store",
                "operationId": "addPet",
                "consumes": ["application/json"],
                "produces": ["application/json"],
                "parameters": [{
                    "in": "body", "name": "body", "required": true, "schema": { "$ref": "#/definitions/Pet" },
                }],
                "responses": { "405": { "description": "Invalid input" } },
            } },
            "/pet/findByStatus": { "get": {
                "tags": ["pet"],
                "summary": "Finds Pets by status",
                "operationId": "findPetsByStatus",
                "produces": ["application/json"],
                "parameters": [{
                    "name": "status",
                    "in": "query",
                    "description": "Status values that need to be considered for filter",
                    "required": true,
                    "type": "array",
                    "items": { "type": "string", "enum": ["available", "pending", "sold"], "default": "available" },
                    "collectionFormat": "multi",
                }],
                "responses": {
                    "200": { "description": "successful operation", "schema": pets },
                    "400": { "description": "Invalid status value" },
                },
            } },
        },
        "definitions": { "Pet": {
            "type": "object",
            "required": ["name", "photoUrls"],
            "properties": {
                "id": { "type": "integer", "format": "int64" },
                "name": { "type": "string", "example": "doggie" },
                "photoUrls": { "type": "array", "items": { "type": "string" } },
                "status": { "type": "string", "enum": ["available", "pending", "sold"] },
            },
        } },
    })
}
