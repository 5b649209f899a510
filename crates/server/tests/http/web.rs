//! A server with descriptor files, for a portal to read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Clone)]
pub(crate) struct Web {
    /// `127.0.0.1:<port>`.
    host: String,
    files: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Web {
    pub(crate) async fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = Web { host: listener.local_addr().unwrap().to_string(), files: Arc::default() };
        let router = Router::new().fallback(answer).with_state(web.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        web
    }

    /// The URL of a file with this content.
    pub(crate) fn put(&self, path: &str, text: &str) -> String {
        self.files.lock().unwrap().insert(path.to_owned(), text.to_owned());
        format!("http://{}{path}", self.host)
    }

    /// `backend.reading` that lets a portal read from here.
    pub(crate) fn reading(&self) -> Value {
        json!({ "allow": [{ "host": self.host }] })
    }
}

async fn answer(State(web): State<Web>, request: Request) -> Result<String, StatusCode> {
    web.files.lock().unwrap().get(request.uri().path()).cloned().ok_or(StatusCode::NOT_FOUND)
}

/// A component as a file has it.
pub(crate) fn component(name: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec: {{type: service, lifecycle: \
         production, owner: readers}}\n"
    )
}
