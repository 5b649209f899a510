//! A server that does what a test says, and the pieces that most tests need.

pub(crate) mod sigv4;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use callboard_egress::{Egress, Limits, Policy, Reach, Refused, Request, Settings};
use futures::StreamExt as _;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{body::Frame, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use url::Url;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query as they came.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// A header's value, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What to answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) chunks: Vec<Bytes>,
    /// Never ends the body.
    pub(crate) open: bool,
    /// Never answers.
    pub(crate) silent: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, chunks: vec![Bytes::from(body.into())], ..Self::default() }
    }

    pub(crate) fn to(status: u16, location: impl Into<String>) -> Self {
        Self::new(status, "moved").with("location", location)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A server on a free port of this machine, until it is dropped.
pub(crate) struct Server {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
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
        Self { url, seen, task }
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        Url::parse(&format!("{}{}", self.url.as_str().trim_end_matches('/'), path)).unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.url.port().unwrap()
    }

    /// All requests so far.
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
    let seen = Seen {
        method: parts.method,
        target: parts.uri.path_and_query().unwrap().to_string(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    };
    log.lock().unwrap().push(seen.clone());
    let reply = answer(&seen);
    if reply.silent {
        futures::future::pending::<()>().await;
    }
    let mut response = http::Response::builder().status(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let chunks = futures::stream::iter(reply.chunks.into_iter().map(|chunk| Ok(Frame::data(chunk))));
    let body = if reply.open {
        BodyExt::boxed(StreamBody::new(chunks.chain(futures::stream::pending())))
    } else {
        BodyExt::boxed(StreamBody::new(chunks))
    };
    Ok(response.body(body).unwrap())
}

/// Permits everything, with one reach.
pub(crate) struct Any(pub(crate) Reach);

impl Policy for Any {
    fn check(&self, _method: &Method, _url: &Url) -> Result<Reach, Refused> {
        Ok(self.0)
    }
}

pub(crate) const NAMED: Any = Any(Reach::Named);

/// Permits some origins, as if each were named.
pub(crate) struct Origins(pub(crate) Vec<Url>);

impl Policy for Origins {
    fn check(&self, method: &Method, url: &Url) -> Result<Reach, Refused> {
        if self.0.iter().any(|one| one.origin() == url.origin()) {
            return Ok(Reach::Named);
        }
        Err(Refused::new(format!("{method} {url} is not granted")).with_fix("add a right"))
    }
}

/// Limits under which no test waits.
pub(crate) fn quick() -> Limits {
    Limits { backoff: Duration::from_millis(1), longest_wait: Duration::from_millis(20), ..Limits::default() }
}

pub(crate) fn egress() -> Egress {
    Egress::new(Settings { limits: quick(), ..Settings::default() }).unwrap()
}

pub(crate) fn get(url: Url) -> Request {
    Request { timeout: Duration::from_secs(20), ..Request::get(url) }
}

pub(crate) async fn text(egress: &Egress, request: Request, policy: &dyn Policy) -> String {
    let response = egress.send(request, policy).await.unwrap();
    String::from_utf8(response.body.collect(1 << 20).await.unwrap().to_vec()).unwrap()
}
