//! Denied attempts that wait to be written. Those that are alike are counted, so that whoever is refused a million times
//! has some rows written and not a million.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use callboard_model::api::AuditDecision;
use chrono::{DateTime, Utc};

use super::Entry;
use super::chain::Record;

/// How long attempts are counted that are like one which has its row. The first of a kind is written at once, so that
/// it is seen, and is not lost with the process.
pub const WINDOW: Duration = Duration::from_secs(60);

/// Kinds of attempts of one actor that are told apart within [`WINDOW`]. Somebody who meets closed doors by mistake
/// meets some; who tries every path there is, shows that in the first thirty.
pub const KINDS: usize = 30;

/// Actors that are told apart within [`WINDOW`]. All but one have signed in or have a token, so a thousand who are
/// denied something in the same minute is a policy that was just changed in a very large company.
pub const ACTORS: usize = 1_000;

/// What stands for several values that are not told apart.
pub const SEVERAL: &str = "*";

/// Each actor has room of their own: nobody can hide another's attempts behind their own.
#[derive(Default)]
pub(super) struct Attempts {
    actors: HashMap<String, Kinds>,
}

#[derive(Default)]
struct Kinds {
    /// The entry without the id of its request.
    exact: HashMap<Entry, Held>,
    /// Without path and method: those beyond [`KINDS`].
    by_place: HashMap<Entry, Held>,
    /// Without anything but the permission and the rule: those beyond [`KINDS`] once more. There are only so many.
    rest: HashMap<Entry, Held>,
}

/// Attempts that are alike.
#[derive(Default)]
struct Held {
    /// The first of those that are not written: when it came, and the id of its request.
    first: Option<(DateTime<Utc>, String)>,
    /// Those that are not written.
    count: u64,
    /// When there was a row last.
    written: Option<Instant>,
}

impl Held {
    /// When there is something to do; none where the first row may be written at once.
    fn due(&self) -> Option<Instant> {
        self.written.map(|written| written + WINDOW)
    }

    fn add(&mut self, count: u64, at: DateTime<Utc>, request_id: String) {
        self.count = self.count.saturating_add(count);
        if self.first.as_ref().is_none_or(|(first, _)| at < *first) {
            self.first = Some((at, request_id));
        }
    }
}

impl Attempts {
    /// Takes an attempt, and says whether it should be written at once.
    pub(super) fn add(&mut self, entry: Entry, at: DateTime<Utc>) -> bool {
        let held = self.held(entry.clone());
        held.add(1, at, entry.request_id);
        held.due().is_none()
    }

    /// What is to be written by now. Each of them is counted anew from here on.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Record> {
        self.take_where(now, |held| held.due().is_none_or(|due| due <= now))
    }

    /// What is not written, whenever it would be due.
    pub(super) fn take_all(&mut self, now: Instant) -> Vec<Record> {
        self.take_where(now, |_| true)
    }

    fn take_where(&mut self, now: Instant, is_due: impl Fn(&Held) -> bool) -> Vec<Record> {
        let mut records = Vec::new();
        for kinds in self.actors.values_mut() {
            for map in [&mut kinds.exact, &mut kinds.by_place, &mut kinds.rest] {
                map.retain(|entry, held| {
                    if !is_due(held) {
                        return true;
                    }
                    let Some((at, request_id)) = held.first.take() else { return false };
                    let entry = Entry { request_id, ..entry.clone() };
                    let count = std::mem::take(&mut held.count);
                    let decision = AuditDecision::Denied;
                    records.push(Record { entry, at, decision, count, follows: None, status: None });
                    held.written = Some(now);
                    true
                });
            }
        }
        self.actors
            .retain(|_, kinds| [&kinds.exact, &kinds.by_place, &kinds.rest].into_iter().any(|map| !map.is_empty()));
        // In the order in which they came, and not in that of a map.
        records.sort_by(|left, right| left.at.cmp(&right.at).then_with(|| left.entry.cmp(&right.entry)));
        records
    }

    /// Takes back what could not be written. It is due again at once.
    pub(super) fn put_back(&mut self, record: Record) {
        let Record { entry, at, count, .. } = record;
        let held = self.held(entry.clone());
        held.add(count, at, entry.request_id);
        held.written = None;
    }

    /// When to look again; none where nothing waits.
    pub(super) fn next(&self) -> Option<Instant> {
        let kinds = self.actors.values().flat_map(|kinds| [&kinds.exact, &kinds.by_place, &kinds.rest]);
        kinds.flat_map(HashMap::values).filter_map(Held::due).min()
    }

    /// Where an attempt is counted.
    fn held(&mut self, entry: Entry) -> &mut Held {
        let mut entry = Entry { request_id: String::new(), ..entry };
        if self.actors.len() >= ACTORS && !self.actors.contains_key(&entry.actor) {
            SEVERAL.clone_into(&mut entry.actor);
        }
        let kinds = self.actors.entry(entry.actor.clone()).or_default();
        if entry.actor != SEVERAL {
            if kinds.exact.len() < KINDS || kinds.exact.contains_key(&entry) {
                return kinds.exact.entry(entry).or_default();
            }
            entry = Entry { method: SEVERAL.to_owned(), path: SEVERAL.to_owned(), resource: None, ..entry };
            if kinds.by_place.len() < KINDS || kinds.by_place.contains_key(&entry) {
                return kinds.by_place.entry(entry).or_default();
            }
        }
        let Entry { actor, permission, rule, .. } = entry;
        let several = || SEVERAL.to_owned();
        let rest = Entry {
            actor,
            credential: several(),
            permission,
            method: several(),
            path: several(),
            resource: None,
            remote: None,
            rule,
            request_id: String::new(),
        };
        kinds.rest.entry(rest).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(actor: &str, path: &str, remote: &str) -> Entry {
        Entry {
            actor: actor.to_owned(),
            credential: "session".to_owned(),
            permission: "catalog.entity.delete".to_owned(),
            method: "DELETE".to_owned(),
            path: path.to_owned(),
            resource: None,
            remote: Some(remote.to_owned()),
            rule: "default".to_owned(),
            request_id: format!("{actor}{path}{remote}"),
        }
    }

    /// `actor path remote count` of each record.
    fn shown(records: &[Record]) -> Vec<String> {
        let shown = records.iter().map(|record| {
            let Entry { actor, path, remote, .. } = &record.entry;
            format!("{actor} {path} {} {}", remote.as_deref().unwrap_or("-"), record.count)
        });
        shown.collect()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn those_that_are_alike_are_counted() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        assert!(attempts.add(entry("ada", "/a", "::1"), at(1)), "the first is written at once");
        assert_eq!(attempts.next(), None);
        let first = attempts.take(start);
        assert_eq!(shown(&first), ["ada /a ::1 1"]);
        assert_eq!((first[0].at, first[0].entry.request_id.as_str()), (at(1), "ada/a::1"));
        assert_eq!((first[0].decision, first[0].follows, first[0].status), (AuditDecision::Denied, None, None));
        for second in 2..1_000 {
            let second_one = Entry { request_id: second.to_string(), ..entry("ada", "/a", "::1") };
            assert!(!attempts.add(second_one, at(second)), "the others wait");
        }
        assert!(attempts.add(entry("ada", "/b", "::1"), at(1_000)), "another path is another kind");
        assert!(attempts.add(entry("ada", "/a", "::2"), at(1_000)), "and another address");
        assert!(attempts.add(entry("bob", "/a", "::1"), at(1_000)), "and somebody else");
        assert_eq!(attempts.next(), Some(start + WINDOW));
        let now = start + WINDOW / 2;
        assert_eq!(shown(&attempts.take(now)), ["ada /a ::2 1", "ada /b ::1 1", "bob /a ::1 1"]);
        assert_eq!(attempts.next(), Some(start + WINDOW));
        let over = attempts.take(start + WINDOW);
        assert_eq!(shown(&over), ["ada /a ::1 998"]);
        assert_eq!((over[0].at, over[0].entry.request_id.as_str()), (at(2), "2"), "of several the first");
        // One more window without anything, and all is forgotten.
        assert_eq!(shown(&attempts.take(start + WINDOW * 2)), [""; 0]);
        assert_eq!(attempts.next(), None);
        assert!(attempts.actors.is_empty());
        assert!(attempts.add(entry("ada", "/a", "::1"), at(2_000)), "and the next is a first one again");
    }

    #[test]
    fn at_the_end_nothing_waits() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        attempts.add(entry("ada", "/a", "::1"), at(1));
        attempts.take(start);
        attempts.add(entry("ada", "/a", "::1"), at(2));
        assert_eq!(shown(&attempts.take(start)), [""; 0]);
        assert_eq!(shown(&attempts.take_all(start)), ["ada /a ::1 1"]);
        assert_eq!(shown(&attempts.take_all(start)), [""; 0]);
    }

    #[test]
    fn what_could_not_be_written_is_not_lost() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        attempts.add(entry("ada", "/a", "::1"), at(1));
        let taken = attempts.take(start);
        attempts.add(entry("ada", "/a", "::1"), at(2));
        for record in taken {
            attempts.put_back(record);
        }
        let again = attempts.take(start);
        assert_eq!(shown(&again), ["ada /a ::1 2"]);
        assert_eq!((again[0].at, again[0].entry.request_id.as_str()), (at(1), "ada/a::1"));
    }

    /// However different the attempts of a flood are, there are only so many rows, and none is left out of the count.
    #[test]
    fn a_flood_is_bounded() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        for number in 0..10_000 {
            attempts.add(entry("anonymous", &format!("/{number}"), &format!("10.0.0.{}", number % 250)), at(number));
        }
        let hidden = entry("eve", "/secret", "10.1.1.1");
        assert!(attempts.add(hidden, at(10_000)), "nobody's attempts are hidden behind those of others");
        let records = attempts.take(start);
        assert_eq!(records.len(), KINDS + KINDS + 1 + 1);
        assert_eq!(records.iter().map(|record| record.count).sum::<u64>(), 10_001);
        assert_eq!(shown(&records[..1]), ["anonymous /0 10.0.0.0 1"]);
        assert!(shown(&records).contains(&"anonymous * 10.0.0.30 40".to_owned()), "{:?}", shown(&records));
        assert!(shown(&records).contains(&"anonymous * - 8770".to_owned()), "{:?}", shown(&records));
        assert_eq!(shown(&records).last().unwrap(), "eve /secret 10.1.1.1 1");

        let mut attempts = Attempts::default();
        for number in 0..ACTORS * 2 {
            attempts.add(entry(&format!("user:default/{number}"), "/a", "::1"), at(0));
        }
        let records = attempts.take(start);
        assert_eq!(records.len(), ACTORS + 1);
        assert_eq!(shown(&records[..1]), [format!("* * - {ACTORS}")]);
    }
}
