//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Reach;

/// Checks one address against the rule for private networks.
///
/// Every connection that [`Egress`](crate::Egress) opens goes to an address that passed here. Addresses that carry an
/// IPv4 address inside are judged by that one; forms that hide where they lead are refused.
pub fn check(addr: IpAddr, reach: Reach) -> Result<(), Forbidden> {
    match (class(addr), reach) {
        (Class::Public, _) | (Class::Private(_), Reach::Named) => Ok(()),
        (Class::Private(kind), Reach::Public) => Err(Forbidden { kind, nameable: true }),
        (Class::Never(kind), _) => Err(Forbidden { kind, nameable: false }),
    }
}

/// Why an address is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// What kind of address it is, such as `a loopback address`.
    pub kind: &'static str,
    /// Whether it could be reached if its host were named exactly instead of by a wildcard.
    pub nameable: bool,
}

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nameable {
            write!(f, "{}, which a wildcard does not reach: name the host and port themselves to permit it", self.kind)
        } else {
            write!(f, "{}, which is never reached", self.kind)
        }
    }
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Public,
    Private(&'static str),
    Never(&'static str),
}

fn class(addr: IpAddr) -> Class {
    match addr {
        IpAddr::V4(addr) => class_v4(addr),
        IpAddr::V6(addr) => class_v6(addr),
    }
}

/// After the registry of special-purpose IPv4 addresses (RFC 6890 and its successors), and the addresses at which
/// clouds hand out credentials.
fn class_v4(addr: Ipv4Addr) -> Class {
    use Class::{Never, Private, Public};
    match addr.octets() {
        [169, 254, 169, 254] | [169, 254, 170, 2 | 23] | [100, 100, 100, 200] | [168, 63, 129, 16] => {
            Never("a cloud's metadata address")
        }
        [0, ..] => Never("an unspecified address"),
        [127, ..] => Private("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private("a private address"),
        [100, 64..=127, ..] => Private("a shared (carrier-grade NAT) address"),
        [198, 18..=19, ..] => Private("a benchmarking address"),
        [169, 254, ..] => Never("a link-local address"),
        [192, 0, 0, _] => Never("a reserved address"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Never("a documentation address"),
        [192, 88, 99, _] => Never("a 6to4 relay address"),
        [224..=239, ..] => Never("a multicast address"),
        [255, 255, 255, 255] => Never("the broadcast address"),
        [240..=255, ..] => Never("a reserved address"),
        _ => Public,
    }
}

fn class_v6(addr: Ipv6Addr) -> Class {
    use Class::{Never, Private, Public};
    if let Some(inner) = addr.to_ipv4_mapped() {
        return class_v4(inner);
    }
    if addr.is_unspecified() {
        return Never("an unspecified address");
    }
    if addr.is_loopback() {
        return Private("a loopback address");
    }
    let [a, b, c, d, e, f, high, low] = addr.segments();
    match (a, b) {
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0) => Never("an IPv4-compatible address"),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => {
            // NAT64: the translator connects to the IPv4 address in the last 32 bits.
            let [[o1, o2], [o3, o4]] = [high.to_be_bytes(), low.to_be_bytes()];
            class_v4(Ipv4Addr::new(o1, o2, o3, o4))
        }
        (0x64, 0xff9b) => Never("a translation address of local meaning"),
        (0xfd00, 0x0ec2) | (0xfd20, 0x00ce) | (0xfd00, 0x0042) => Never("a cloud's metadata address"),
        (0xfc00..=0xfdff, _) => Private("a private address"),
        (0xfe80..=0xfebf, _) => Never("a link-local address"),
        (0xfec0..=0xfeff, _) => Never("a site-local address"),
        (0xff00..=0xffff, _) => Never("a multicast address"),
        (0x2002, _) => Never("a 6to4 address"),
        (0x2001, 0) => Never("a Teredo address"),
        (0x2001, 0x0db8) | (0x3fff, 0..=0x0fff) => Never("a documentation address"),
        (0x2001, 0..=0x01ff) => Never("a reserved address"),
        (0x2000..=0x3fff, _) => Public,
        _ => Never("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use url::{Host, Url};

    use super::*;

    const FREE: u8 = 0;
    const NAMED: u8 = 1;
    const NEVER: u8 = 2;

    /// The URL parser is part of the rule: it turns every spelling of an IPv4 address into the same four bytes.
    fn check(url: &str, expected: u8) {
        let url = Url::parse(url).unwrap();
        let addr: IpAddr = match url.host().unwrap() {
            Host::Ipv4(addr) => addr.into(),
            Host::Ipv6(addr) => addr.into(),
            Host::Domain(name) => panic!("{name} was not read as an address"),
        };
        let seen = match (super::check(addr, Reach::Public), super::check(addr, Reach::Named)) {
            (Ok(()), Ok(())) => FREE,
            (Err(_), Ok(())) => NAMED,
            (Err(_), Err(_)) => NEVER,
            (Ok(()), Err(_)) => panic!("{url}: naming a host reached less"),
        };
        assert_eq!(seen, expected, "{url} ({addr})");
    }

    #[test]
    fn public_addresses() {
        for host in [
            "8.8.8.8",
            "1.1.1.1",
            "93.184.216.34",
            "134744072",
            "0x08080808",
            "010.010.010.010",
            "8.8.8.8.",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "169.253.0.1",
            "192.167.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2a00:1450:4001::1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2001:4860:4860::8888]",
            "[2620:4f:8000::1]",
        ] {
            check(&format!("http://{host}/"), FREE);
        }
    }

    #[test]
    fn addresses_that_must_be_named() {
        for host in [
            // Loopback, in every spelling that a URL may use.
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.255.255.255",
            "127.0.0.0x",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "0177.0.0.1",
            "0x7f.1",
            "0x7F.0x0.0x0.0x1",
            "127.0.1",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "user:pass@127.0.0.1",
            "127.0.0.1:22",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::127.0.0.1]",
            // Private networks.
            "10.0.0.1",
            "10.255.255.255",
            "012.0.0.1",
            "167772161",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "3232235521",
            "0xc0a80001",
            "192.168.1",
            "[::ffff:10.0.0.1]",
            "[::ffff:a00:1]",
            "[64:ff9b::10.0.0.1]",
            "[fc00::1]",
            "[fd12:3456:789a::1]",
            "[fdff:ffff::1]",
            // Shared and benchmarking.
            "100.64.0.1",
            "100.127.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "[::ffff:100.64.0.1]",
        ] {
            check(&format!("http://{host}/"), NAMED);
        }
    }

    #[test]
    fn addresses_that_are_never_reached() {
        for host in [
            // Link-local and metadata.
            "169.254.169.254",
            "169.254.169.254.",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "169.254.43518",
            "0xa9.254.0251.254",
            "169.254.0.1",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::169.254.169.254]",
            "[fe80::1]",
            "[febf:ffff::1]",
            "[fec0::1]",
            "[fd00:ec2::254]",
            "[fd00:ec2::23]",
            "[fd20:ce::254]",
            "[fd00:42::42]",
            // Unspecified, multicast, broadcast, reserved.
            "0.0.0.0",
            "0",
            "0x0",
            "0.1.2.3",
            "[::]",
            "[::ffff:0.0.0.0]",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "4294967295",
            "0xffffffff",
            "240.0.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.9",
            "192.88.99.1",
            "[ff02::1]",
            "[ff0e::1]",
            // Forms that hide an IPv4 address, or mean something only to one network.
            "[::127.0.0.1]",
            "[::8.8.8.8]",
            "[2002:7f00:1::]",
            "[2002:808:808::1]",
            "[2001::1]",
            "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
            "[64:ff9b:1::a00:1]",
            "[2001:db8::1]",
            "[3fff::1]",
            "[2001:2::1]",
            "[2001:10::1]",
            "[100::1]",
            "[5f00::1]",
            "[4000::1]",
            "[::ffff:0:127.0.0.1]",
        ] {
            check(&format!("http://{host}/"), NEVER);
        }
    }

    #[test]
    fn hosts_that_are_no_addresses_at_all() {
        // What ends in a number must be an IPv4 address, or it is no URL: no resolver gets to read it in its own way.
        for host in [
            "256.0.0.1",
            "1.2.3.4.5",
            "0x100000000",
            "4294967296",
            "0x7g.1",
            "08.0.0.1",
            "1..1",
            "[fe80::1%25eth0]",
            "[::1",
            "::1",
            "[::ffff:256.0.0.1]",
            "127.0.0.1%00.example.com",
        ] {
            let parsed = Url::parse(&format!("http://{host}/"));
            assert!(parsed.is_err(), "{host} {parsed:?}");
        }
    }
}
