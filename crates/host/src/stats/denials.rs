//! What a plugin asked for and may not have.

use std::sync::Arc;
use std::time::SystemTime;

use callboard_model::api::Denial;

use crate::limits::REMEMBERED_DENIALS;
use crate::stats::told;

/// One refusal. Two with the same right, message and line are the same one, twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// As in `rights`.
    pub(crate) right: &'static str,
    /// What was refused: harmless text, without what could be secret.
    pub(crate) message: String,
    /// The YAML that would grant it, where a line does.
    pub(crate) line: Option<String>,
    /// Where that belongs.
    pub(crate) place: Option<String>,
    /// Whether it is the manifest that does not ask for it.
    pub(crate) by_author: bool,
}

#[derive(Debug, Default)]
pub(super) struct Denials {
    /// The one that was refused last is at the end.
    known: Vec<Known>,
    count: u64,
}

#[derive(Debug)]
struct Known {
    refusal: Refusal,
    count: u64,
    first: SystemTime,
    last: SystemTime,
    version: Arc<str>,
}

impl Denials {
    pub(super) fn add(&mut self, refusal: Refusal, version: &Arc<str>, now: SystemTime) {
        self.count += 1;
        let index = self.known.iter().position(|known| known.refusal == refusal);
        let mut known = match index {
            Some(index) => self.known.remove(index),
            None => Known { refusal, count: 0, first: now, last: now, version: version.clone() },
        };
        (known.count, known.last) = (known.count + 1, now);
        known.version.clone_from(version);
        if self.known.len() >= REMEMBERED_DENIALS {
            self.known.remove(0);
        }
        self.known.push(known);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The last one first.
    pub(super) fn told(&self) -> Vec<Denial> {
        let told = |known: &Known| {
            let Refusal { right, message, line, place, by_author } = known.refusal.clone();
            Denial {
                right: right.to_owned(),
                message,
                line,
                place,
                by_author,
                count: known.count,
                first: told(known.first),
                last: told(known.last),
                version: known.version.to_string(),
            }
        };
        self.known.iter().rev().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_are_counted_and_bounded() {
        let mut denials = Denials::default();
        let refusal = |index: usize| Refusal {
            right: "http",
            message: format!("GET https://{index}.example"),
            line: None,
            place: None,
            by_author: false,
        };
        let version = Arc::from("1.0.0");
        let mut add = |index: usize| denials.add(refusal(index), &version, SystemTime::now());
        (0..REMEMBERED_DENIALS).for_each(&mut add);
        // What comes again is the newest, so it is the second that goes.
        add(0);
        add(REMEMBERED_DENIALS);
        let told = denials.told();
        assert_eq!((told.len(), denials.count()), (REMEMBERED_DENIALS, REMEMBERED_DENIALS as u64 + 2));
        assert_eq!((told[1].message.as_str(), told[1].count), ("GET https://0.example", 2));
        assert!(told.iter().all(|denial| denial.message != "GET https://1.example"));
    }
}
