//! Requests, many at once: as many as are answered, for a bounded time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use http::Method;
use serde_json::Value;

use super::machine;
use super::timing::Times;
use crate::client::Client;

/// Connections at once, as the leader was measured with.
pub const CONNECTIONS: usize = 16;

/// What is asked again and again.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    /// With one it is a POST.
    pub body: Option<Value>,
}

impl Request {
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), body: None }
    }

    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { path: path.into(), body: Some(body) }
    }

    pub async fn send(&self, client: &Client) -> Result<bytes::Bytes> {
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        Ok(client.send(method, &self.path, self.body.as_ref()).await?.ok()?.body)
    }
}

/// How long it goes on: until either is reached.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub requests: usize,
    pub time: Duration,
}

impl Bounds {
    pub const WARMING: Bounds = Bounds { requests: 2_000, time: Duration::from_secs(2) };
    pub const COUNTED: Bounds = Bounds { requests: 100_000, time: Duration::from_secs(10) };
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Load {
    pub times: Times,
    pub per_second: f64,
    /// Requests for each second of processor time that the server used.
    pub per_core: f64,
}

/// Asks the requests in turn, each connection its next as soon as it has an answer. Only good answers count; another
/// one ends it.
pub async fn load(client: &Client, requests: &[Request], server: u32, bounds: Bounds) -> Result<Load> {
    ensure!(!requests.is_empty(), "there is nothing to ask");
    ensure!(client.base().host_str().is_some_and(is_loopback), "only this machine is asked");
    let (next, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(requests.to_vec()));
    let (begun, cpu) = (Instant::now(), machine::cpu(server)?);
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (client, next, requests) = (client.clone(), Arc::clone(&next), Arc::clone(&requests));
            tokio::spawn(async move {
                let mut times = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(number % requests.len()) else { break };
                    if number >= bounds.requests || begun.elapsed() > bounds.time {
                        break;
                    }
                    let sent = Instant::now();
                    request.send(&client).await?;
                    times.push(sent.elapsed());
                }
                anyhow::Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for connection in connections {
        times.extend(connection.await??);
    }
    let (took, cpu) = (begun.elapsed().as_secs_f64(), machine::cpu(server)? - cpu);
    let count = times.len() as f64;
    Ok(Load { times: Times::new(times), per_second: count / took, per_core: count / cpu.max(0.01) })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
