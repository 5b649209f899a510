//! Which proxies in front of the portal are believed.

use std::net::IpAddr;

use ipnet::IpNet;

/// `backend.trustProxy`: who may say, by `X-Forwarded-For`, which address a request comes from. It takes what Express takes
/// for `trust proxy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrustedProxies {
    /// Nobody: whoever connects is who asks.
    #[default]
    None,
    /// This many, counted from the portal.
    Nearest(usize),
    /// Those with an address in one of these networks.
    Within(Vec<IpNet>),
    /// Whoever says anything.
    All,
}

impl TrustedProxies {
    /// A list as it is written: addresses, networks, and `loopback`, `linklocal` and `uniquelocal`. Gives what is none.
    ///
    /// # Errors
    /// The first that is none of these.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<TrustedProxies, &'t str> {
        let mut networks = Vec::new();
        for text in texts.into_iter().map(str::trim).filter(|text| !text.is_empty()) {
            let named: &[&str] = match text {
                "loopback" => &["127.0.0.0/8", "::1/128"],
                "linklocal" => &["169.254.0.0/16", "fe80::/10"],
                "uniquelocal" => &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
                _ => &[text],
            };
            for network in named {
                let address = || network.parse::<IpAddr>().ok().map(IpNet::from);
                networks.push(network.parse().ok().or_else(address).ok_or(text)?);
            }
        }
        Ok(TrustedProxies::Within(networks))
    }

    /// Whether the one that is so many steps away, with this address, is believed.
    #[must_use]
    pub fn believes(&self, steps: usize, address: IpAddr) -> bool {
        match self {
            TrustedProxies::None => false,
            TrustedProxies::Nearest(count) => steps < *count,
            TrustedProxies::Within(networks) => networks.iter().any(|network| network.contains(&address)),
            TrustedProxies::All => true,
        }
    }
}
