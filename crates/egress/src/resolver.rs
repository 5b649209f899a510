//! From names to addresses, through the address rule.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolving};

use crate::{
    Reach,
    address::{self, Forbidden},
};

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of the host, best first.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|addr| addr.ip()).collect())
    }
}

/// What the HTTP client resolves with: it only ever sees addresses that passed the rule, and connects to nothing else.
/// Since the client asks for each new connection, a name that changes its mind between two requests gains nothing.
pub(crate) struct Guarded {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) reach: Reach,
}

impl reqwest::dns::Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, reach) = (self.resolver.clone(), self.reach);
        Box::pin(async move {
            let host = name.as_str();
            let found = resolver.resolve(host).await.map_err(|error| Unresolved::Lookup(error.to_string()))?;
            let mut refused = None;
            let mut permitted = Vec::with_capacity(found.len());
            for addr in found {
                match address::check(addr, reach) {
                    Ok(()) => permitted.push(SocketAddr::new(addr, 0)),
                    Err(reason) => refused = Some((addr, reason)),
                }
            }
            match (permitted.is_empty(), refused) {
                (false, _) => Ok(Box::new(permitted.into_iter()) as Addrs),
                (true, Some((addr, reason))) => Err(Unresolved::Forbidden(addr, reason).into()),
                (true, None) => Err(Unresolved::Lookup("the name has no address".to_owned()).into()),
            }
        })
    }
}

/// Carried through the HTTP client's own error, and found again in its chain of sources.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unresolved {
    #[error("{0}")]
    Lookup(String),
    #[error("{0} is {1}")]
    Forbidden(IpAddr, Forbidden),
}
