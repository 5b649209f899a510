//! The listener of a bucket: dropped, it takes every connection with it.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::service::S3Service;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub(super) struct Serving {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Serving {
    pub(super) async fn start(listen: SocketAddr, service: S3Service) -> Result<Self> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("the bucket cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // The set belongs to this task, so that ending the task ends the connections.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a client went away");
                    }
                });
            }
        });
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
