//! Requests by where they went.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::limits::REMEMBERED_ORIGINS;
use crate::stats::histogram::Histogram;

#[derive(Debug, Default)]
pub(super) struct Outbound {
    origins: BTreeMap<String, Sent>,
}

#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) statuses: BTreeMap<&'static str, u64>,
    pub(super) errors: BTreeMap<&'static str, u64>,
    pub(super) latency: Histogram,
}

/// Where requests are counted that went elsewhere than to the origins that are remembered.
const OTHER: &str = "other";

impl Outbound {
    pub(super) fn add(&mut self, origin: &str, came: Result<u16, &'static str>, took: Duration) {
        let sent = self.of(origin);
        match came {
            Ok(status) => *sent.statuses.entry(class(status)).or_default() += 1,
            Err(class) => *sent.errors.entry(class).or_default() += 1,
        }
        sent.latency.add(took);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Sent)> {
        self.origins.iter().map(|(origin, sent)| (origin.as_str(), sent))
    }

    /// A right with a wildcard covers as many origins as a guest can think of.
    fn of(&mut self, origin: &str) -> &mut Sent {
        let is_known = self.origins.contains_key(origin);
        let key = if is_known || self.origins.len() < REMEMBERED_ORIGINS { origin } else { OTHER };
        self.origins.entry(key.to_owned()).or_default()
    }
}

/// Any number may stand in a status line.
fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_bounded() {
        let mut outbound = Outbound::default();
        for index in 0..REMEMBERED_ORIGINS + 10 {
            outbound.add(&format!("https://{index}.example"), Ok(200), Duration::ZERO);
        }
        outbound.add("https://0.example", Ok(404), Duration::ZERO);
        outbound.add("https://elsewhere.example", Err("timeout"), Duration::ZERO);
        assert_eq!(outbound.origins.len(), REMEMBERED_ORIGINS + 1);
        let other = &outbound.origins[OTHER];
        assert_eq!((other.statuses["2xx"], other.errors["timeout"]), (10, 1));
        assert_eq!(outbound.origins["https://0.example"].statuses, BTreeMap::from([("2xx", 1), ("4xx", 1)]));
    }
}
