//! Where a request comes from: the address that connected, or what proxies say that are believed.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::config::TrustedProxies;

/// Each proxy adds the address that it was asked from at the end.
const FORWARDED: &str = "x-forwarded-for";

/// In a request's extensions: where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remote(pub(crate) IpAddr);

impl Remote {
    /// The first address, from the portal on, that is not that of a proxy which is believed. What stands before that in the
    /// header anybody may have written.
    pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> Remote {
        let values = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
        let forwarded: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut remote = peer.to_canonical();
        for (steps, text) in forwarded.iter().rev().enumerate() {
            if !trusted.believes(steps, remote) {
                break;
            }
            let Ok(address) = text.parse::<IpAddr>() else { break };
            remote = address.to_canonical();
        }
        Remote(remote)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn where_requests_come_from() {
        fn check(trusted: &TrustedProxies, peer: &str, forwarded: &[&str], expected: &str) {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED, HeaderValue::from_str(value).unwrap());
            }
            let Remote(found) = Remote::of(peer.parse().unwrap(), &headers, trusted);
            assert_eq!(found.to_string(), expected, "{trusted:?} {peer} {forwarded:?}");
        }
        let none = TrustedProxies::None;
        check(&none, "10.0.0.7", &[], "10.0.0.7");
        check(&none, "10.0.0.7", &["203.0.113.9"], "10.0.0.7");
        check(&none, "::ffff:10.0.0.7", &[], "10.0.0.7");
        let one = TrustedProxies::Nearest(1);
        check(&one, "10.0.0.7", &["203.0.113.9"], "203.0.113.9");
        check(&one, "10.0.0.7", &["198.51.100.1, 203.0.113.9"], "203.0.113.9");
        check(&one, "10.0.0.7", &["198.51.100.1", "203.0.113.9"], "203.0.113.9");
        check(&one, "10.0.0.7", &[], "10.0.0.7");
        check(&one, "10.0.0.7", &["unknown"], "10.0.0.7");
        check(&one, "10.0.0.7", &["203.0.113.9:4711"], "10.0.0.7");
        check(&TrustedProxies::Nearest(2), "10.0.0.7", &["198.51.100.1, 203.0.113.9"], "198.51.100.1");
        let local = TrustedProxies::parse(["loopback", "10.0.0.0/8", "2001:db8::5"]).unwrap();
        check(&local, "10.0.0.7", &["198.51.100.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9");
        check(&local, "203.0.113.9", &["10.0.0.7"], "203.0.113.9");
        check(&local, "127.0.0.1", &["2001:db8::6, 2001:db8::5"], "2001:db8::6");
        check(&local, "127.0.0.1", &["10.0.0.1"], "10.0.0.1");
        let all = TrustedProxies::All;
        check(&all, "10.0.0.7", &["198.51.100.1, 203.0.113.9"], "198.51.100.1");
        check(&all, "10.0.0.7", &["unknown, 203.0.113.9"], "203.0.113.9");
    }

    #[test]
    fn what_is_no_proxy() {
        for text in ["anything", "10.0.0.0/33", "10.0.0", "-1"] {
            assert_eq!(TrustedProxies::parse(["loopback", text]), Err(text));
        }
        assert_eq!(TrustedProxies::parse([" ", ""]), Ok(TrustedProxies::Within(Vec::new())));
    }
}
