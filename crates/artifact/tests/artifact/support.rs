//! A server that does what a test says, and a fetcher.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use callboard_artifact::{
    Digest, FetchError, Fetched, Fetcher, Source,
    oci::{About, Manifest, Registries, Registry, Repository},
};
use callboard_egress::{Egress, Limits, Settings};
use futures::StreamExt as _;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{body::Frame, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// What to answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// How often the body is sent again, without a length; none for once, with it.
    pub(crate) again: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, value.to_string())
    }

    pub(crate) fn to(location: impl Into<String>) -> Self {
        Self::new(307, "").with("location", location)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A server on a free port of this machine, until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (seen.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, answer) = (log.clone(), answer.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let (log, answer) = (log.clone(), answer.clone());
                        async move { serve(request, &log, &*answer).await }
                    });
                    // A client that leaves early is part of some tests.
                    let _gone = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    request: http::Request<hyper::body::Incoming>,
    log: &Mutex<Vec<Seen>>,
    answer: &(dyn Fn(&Seen) -> Reply + Send + Sync),
) -> Result<http::Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (parts, body) = request.into_parts();
    body.collect().await.unwrap();
    let target = parts.uri.path_and_query().unwrap().to_string();
    let seen = Seen { method: parts.method, target, headers: parts.headers };
    log.lock().unwrap().push(seen.clone());
    let reply = answer(&seen);
    let mut response = http::Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = match reply.again {
        None => BodyExt::boxed(http_body_util::Full::new(reply.body)),
        Some(times) => {
            let chunks = futures::stream::iter(std::iter::repeat_n(reply.body, times));
            BodyExt::boxed(StreamBody::new(chunks.map(|chunk| Ok(Frame::data(chunk)))))
        }
    };
    Ok(response.body(body).unwrap())
}

/// A registry with one plugin, `acme/s3:1.2.3`, which a test may spoil.
#[derive(Clone)]
pub(crate) struct Plugin {
    pub(crate) component: Bytes,
    pub(crate) manifest: Bytes,
}

impl Plugin {
    pub(crate) fn new(component: &'static [u8]) -> Self {
        Self::with(component, |_| {})
    }

    pub(crate) fn with(component: &'static [u8], spoil: impl FnOnce(&mut Value)) -> Self {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": Digest::of(b"{}"), "size": 2},
            "layers": [{"mediaType": "application/wasm", "digest": Digest::of(component), "size": component.len()}],
        });
        spoil(&mut manifest);
        Self { component: Bytes::from_static(component), manifest: manifest.to_string().into() }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// What a proper registry answers; 404 for what is not there.
    pub(crate) fn answer(&self, seen: &Seen) -> Reply {
        let by_digest = format!("/v2/acme/s3/manifests/{}", self.digest());
        let blob = format!("/v2/acme/s3/blobs/{}", Digest::of(&self.component));
        match seen.path() {
            "/v2/acme/s3/tags/list" => Reply::json(&json!({"name": "acme/s3", "tags": ["1.2.3", "latest"]})),
            "/v2/acme/s3/manifests/1.2.3" => Reply::new(200, self.manifest.clone()),
            path if path == by_digest => Reply::new(200, self.manifest.clone()),
            path if path == blob => Reply::new(200, self.component.clone()),
            _ => {
                Reply::json(&json!({"errors": [{"code": "NAME_UNKNOWN", "message": "not\u{1b}[2J here"}]})).status(404)
            }
        }
    }
}

impl Reply {
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

pub(crate) fn egress() -> Egress {
    let limits =
        Limits { backoff: Duration::from_millis(1), longest_wait: Duration::from_millis(20), ..Limits::default() };
    Egress::new(Settings { limits, ..Settings::default() }).unwrap()
}

/// A fetcher with `plugins.registries`.
pub(crate) fn fetcher(settings: Value) -> Fetcher {
    Fetcher::new(Registries::new(egress(), serde_json::from_value(settings).unwrap()).unwrap())
}

pub(crate) async fn fetch(fetcher: &Fetcher, source: &str, version: Option<&str>) -> Result<Fetched, FetchError> {
    fetcher.fetch(&Source::parse(source, version).unwrap(), &|_, _| {}).await
}

/// The message of what failed, which holds no secret and nothing that a terminal obeys.
pub(crate) async fn failure(fetcher: &Fetcher, source: &str) -> String {
    let error = fetch(fetcher, source, None).await.expect_err(source).to_string();
    assert!(!error.contains('\u{1b}') && !error.contains("hunter2"), "{error:?}");
    error
}

/// Pushes a component as a version.
pub(crate) async fn push(
    registry: &Registry,
    repository: &Repository,
    version: &str,
    bytes: &'static [u8],
) -> Manifest {
    let about = About { title: "s3.wasm".to_owned(), created: "2026-11-22T00:00:00Z".to_owned(), ..About::default() };
    let version = version.parse().unwrap();
    registry.push(repository, &version, Bytes::from_static(bytes), &about).await.unwrap().manifest
}

/// A private key that was just made, as PEM.
pub(crate) fn ecdsa_key() -> String {
    let key = p256::ecdsa::SigningKey::from_slice(&random()).unwrap();
    p256::pkcs8::EncodePrivateKey::to_pkcs8_pem(&key, p256::pkcs8::LineEnding::LF).unwrap().to_string()
}

/// The same, of the other kind.
pub(crate) fn ed25519_key() -> String {
    let key = ed25519_dalek::SigningKey::from_bytes(&random());
    let der = p256::pkcs8::EncodePrivateKey::to_pkcs8_der(&key).unwrap();
    der.to_pem("PRIVATE KEY", p256::pkcs8::LineEnding::LF).unwrap().to_string()
}

pub(crate) fn random() -> [u8; 32] {
    ring::rand::generate(&ring::rand::SystemRandom::new()).unwrap().expose()
}
