//! The rule by which a document becomes entries of the index.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use callboard_model::filter::{SearchRow, search_rows};
use serde_json::Value;

/// Of the rule in this file. A database that was filled by another is indexed anew at the start.
pub(crate) const VERSION: &str = "2";

/// A value under a key that many entities may share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term {
    pub(crate) key: String,
    pub(crate) value: String,
    /// Empty where it is the same as the value.
    pub(crate) original: String,
    /// Whether it is a string of an array, by which `<key>.<value>` is `true` as well.
    pub(crate) member: bool,
}

/// A row of the tables `wide` and `long`, beside its key and value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wide {
    /// None where it is the same as the value; [`spelling`] where that is enough.
    pub(crate) original: Option<String>,
    /// The sum of [`SMALLEST`], [`LARGEST`], [`MEMBER`] and [`SPELLED`].
    pub(crate) flags: i64,
}

impl Wide {
    fn new(value: &str, original: Option<String>) -> Wide {
        match original.as_deref().and_then(|original| spelling(value, original)) {
            Some(spelling) => Wide { original: Some(spelling), flags: SPELLED },
            None => Wide { original, flags: 0 },
        }
    }
}

/// The entity has no smaller value under the key.
pub(crate) const SMALLEST: i64 = 1;
/// The entity has no larger value under the key.
pub(crate) const LARGEST: i64 = 2;
/// As [`Term::member`].
pub(crate) const MEMBER: i64 = 4;
/// `original` says which letters are capitals.
pub(crate) const SPELLED: i64 = 8;

/// What a step to the next capital is added to, so that it is a character that any text may have.
const STEP: u32 = 0x20;

/// Which letters of a value are capitals where it comes from: how many characters each is after the one before it, a
/// character each. Texts would be kept twice for a few of them. None where there is more to it than that.
fn spelling(value: &str, original: &str) -> Option<String> {
    let mut steps = String::new();
    let mut step = 0;
    let mut characters = original.chars();
    for lower in value.chars() {
        let character = characters.next()?;
        if character != lower {
            if !lower.to_uppercase().eq([character]) {
                return None;
            }
            steps.push(char::from_u32(STEP + step)?);
            step = 0;
        }
        step += 1;
    }
    (characters.next().is_none() && steps.len() < original.len()).then_some(steps)
}

/// A value as it is written, from what its row has.
pub(crate) fn spelled(value: String, original: Option<String>, flags: i64) -> String {
    let Some(original) = original else { return value };
    if flags & SPELLED == 0 {
        return original;
    }
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    // The first is so many characters after the beginning, the others after a capital.
    for (number, step) in original.chars().enumerate() {
        let between = u32::from(step).saturating_sub(STEP).saturating_sub(u32::from(number > 0));
        text.extend(characters.by_ref().take(usize::try_from(between).unwrap_or(usize::MAX)));
        text.extend(characters.next().into_iter().flat_map(char::to_uppercase));
    }
    text.extend(characters);
    text
}

/// What the index has of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) terms: BTreeSet<Term>,
    /// By key and value.
    pub(crate) wide: BTreeMap<(String, String), Wide>,
    /// Keys with a value.
    pub(crate) valued: BTreeSet<String>,
    /// Keys with something that equals nothing.
    pub(crate) null: BTreeSet<String>,
}

impl Entries {
    /// From the rows of a document.
    pub(crate) fn of(rows: Vec<SearchRow>) -> Entries {
        let (members, is_said) = members(&rows);
        let mut entries = Entries::default();
        for ((SearchRow { key, value, original }, member), is_said) in rows.into_iter().zip(members).zip(is_said) {
            if is_said {
                continue;
            }
            let Some(value) = value else {
                entries.null.insert(key);
                continue;
            };
            if !entries.valued.contains(&key) {
                entries.valued.insert(key.clone());
            }
            let original = original.filter(|original| *original != value);
            if is_wide(&key) {
                let mut wide = Wide::new(&value, original);
                wide.flags |= if member { MEMBER } else { 0 };
                entries.wide.insert((key, value), wide);
            } else {
                let original = original.unwrap_or_default();
                entries.terms.insert(Term { key, value, original, member });
            }
        }
        entries.mark_ends();
        entries
    }

    /// From a document as it is stored.
    pub(crate) fn of_document(text: &str) -> Result<Entries, callboard_store::Error> {
        let damaged = |error: &dyn std::fmt::Display| {
            callboard_store::Error::Failed(format!("a stored document is damaged: {error}"))
        };
        let value: Value = serde_json::from_str(text).map_err(|error| damaged(&error))?;
        Ok(Entries::of(search_rows(&value).map_err(|error| damaged(&error))?))
    }

    /// The map is in order, so that the first and the last of a key are its ends.
    fn mark_ends(&mut self) {
        let keys: Vec<String> = self.wide.keys().map(|(key, _)| key.clone()).collect();
        let count = keys.len();
        for (place, wide) in self.wide.values_mut().enumerate() {
            let at = |place: usize| keys.get(place);
            if place == 0 || at(place.wrapping_sub(1)) != at(place) {
                wide.flags |= SMALLEST;
            }
            if place + 1 == count || at(place + 1) != at(place) {
                wide.flags |= LARGEST;
            }
        }
    }
}

/// Of each row whether its value is a string of an array, and whether it is the `<key>.<value>` that is true because of
/// that. Such a row is not kept: with lists of refs, nearly every such key would be of one entity only.
fn members(rows: &[SearchRow]) -> (Vec<bool>, Vec<bool>) {
    let (mut members, mut said) = (vec![false; rows.len()], vec![false; rows.len()]);
    let truths = rows.iter().enumerate().filter(|(_, row)| row.original.as_deref() == Some("true"));
    let truths: HashMap<&str, usize> = truths.map(|(place, row)| (row.key.as_str(), place)).collect();
    if truths.is_empty() {
        return (members, said);
    }
    let mut name = String::new();
    for (row, member) in rows.iter().zip(&mut members) {
        let Some(value) = row.value.as_ref().filter(|_| may_have_members(&row.key)) else { continue };
        name.clear();
        name.extend([row.key.as_str(), ".", value]);
        if let Some(said) = truths.get(name.as_str()).and_then(|place| said.get_mut(*place)) {
            (*member, *said) = (true, true);
        }
    }
    (members, said)
}

/// Whether the values of a key are rows of a table.
///
/// That is so for what nearly every entity has of its own: names, texts, links, and lists of refs that lead everywhere. A
/// bitmap for each of those would be a bitmap of one, and an order by them a walk over as many bitmaps. A key on the
/// wrong side still works: it takes more room, or its facet takes longer. Where this changes, [`VERSION`] must.
pub(crate) fn is_wide(key: &str) -> bool {
    const KEYS: [&str; 15] = [
        "metadata.description",
        "metadata.name",
        "metadata.title",
        "metadata.uid",
        "spec.children",
        "spec.consumesapis",
        "spec.definition",
        "spec.dependencyof",
        "spec.dependson",
        "spec.implementation",
        "spec.members",
        "spec.parameters",
        "spec.providesapis",
        "spec.target",
        "spec.targets",
    ];
    const BELOW: [&str; 5] =
        ["metadata.annotations.", "metadata.links.", "spec.parameters.", "spec.profile.", "spec.steps."];
    KEYS.binary_search(&key).is_ok() || BELOW.iter().any(|prefix| key.starts_with(prefix))
}

/// The table with the rows of a key that [`is_wide`]: what people order lists by is apart from what is long, because an
/// index in the order of the values takes as much room as they do. Where this changes, [`VERSION`] must.
pub(crate) fn table(key: &str) -> &'static str {
    const ORDERED: [&str; 4] = ["metadata.name", "metadata.title", "spec.profile.displayname", "spec.profile.email"];
    if ORDERED.contains(&key) { WIDE } else { LONG }
}

/// Values by which lists are ordered.
pub(crate) const WIDE: &str = "wide";

/// The other values that are rows.
pub(crate) const LONG: &str = "long";

/// Whether every entity has a value under the key.
pub(crate) fn is_always_there(key: &str) -> bool {
    matches!(key, "kind" | "metadata.name" | "metadata.namespace" | "metadata.uid")
}

/// Whether there may be an array of strings under the key. Entities' envelope and labels have their shape by rule, and
/// leaving them out spares most queries the look. Where this changes, [`VERSION`] must.
pub(crate) fn may_have_members(key: &str) -> bool {
    key.contains('.') && !key.starts_with("metadata.annotations") && !key.starts_with("metadata.labels")
}

/// The ways to read a key as an array's and one of its strings.
pub(crate) fn as_member(key: &str) -> Vec<(&str, &str)> {
    let places = key.match_indices('.').filter_map(|(at, _)| Some((key.get(..at)?, key.get(at + 1..)?)));
    places.filter(|(array, _)| may_have_members(array)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries() {
        fn check(entity: Value, key: &str, expected: &[(&str, &str, bool)]) {
            let entries = Entries::of(search_rows(&entity).unwrap());
            let terms = entries.terms.iter().filter(|term| term.key == key);
            let found: Vec<_> = terms.map(|term| (term.value.as_str(), term.original.as_str(), term.member)).collect();
            assert_eq!(found, expected, "{entity}");
        }
        let tags = json!({"metadata": {"tags": ["Java", "x"]}});
        check(tags.clone(), "metadata.tags", &[("java", "Java", true), ("x", "", true)]);
        check(tags, "metadata.tags.java", &[]);
        check(json!({"spec": {"a": "x"}}), "spec.a", &[("x", "", false)]);
        // A key that holds dots stands for itself.
        check(json!({"spec": {"a": ["x"], "a.x": 5}}), "spec.a.x", &[("5", "", false)]);
        check(json!({"spec": {"a": ["x"], "a.x": 5}}), "spec.a", &[("x", "", true)]);
        check(json!({"spec": {"a.x": true}}), "spec.a.x", &[("true", "", false)]);
    }

    #[test]
    fn spellings() {
        for (original, expected) in [
            ("Team Quick Device", Some(" %&")),
            ("a URL at the end: X", Some("\"!!.")),
            ("Älter ÖÄ", Some(" &!")),
            // A capital of which there are two small ones, and small letters with a capital of two letters.
            ("İstanbul", None),
            ("Σας", Some(" ")),
            ("A", None),
        ] {
            let value = original.to_lowercase();
            assert_eq!(spelling(&value, original).as_deref(), expected, "{original}");
            let wide = Wide::new(&value, Some(original.to_owned()));
            assert_eq!(wide.flags, if expected.is_some() { SPELLED } else { 0 });
            assert_eq!(spelled(value, wide.original, wide.flags), original);
        }
        assert_eq!(spelled("ß".to_owned(), None, SMALLEST), "ß");
    }

    #[test]
    fn wide() {
        let rows = search_rows(&json!({"spec": {"targets": ["b", "A", "c"]}, "metadata": {"title": null}})).unwrap();
        let entries = Entries::of(rows);
        let found: Vec<_> = entries.wide.iter().filter(|((key, _), _)| key == "spec.targets").collect();
        let found: Vec<_> = found.iter().map(|((_, value), wide)| (value.as_str(), wide.flags)).collect();
        assert_eq!(found, [("a", 5), ("b", 4), ("c", 6)]);
        assert!(entries.null.contains("metadata.title") && !entries.valued.contains("metadata.title"));
        assert!(entries.terms.iter().all(|term| !term.key.starts_with("spec.targets")));
        for (key, expected) in [
            ("metadata.name", true),
            ("metadata.annotations.a/b", true),
            ("metadata.namespace", false),
            ("spec.targets", true),
            ("spec.type", false),
        ] {
            assert_eq!(is_wide(key), expected, "{key}");
        }
        for key in ["metadata.name", "metadata.title"] {
            assert!(is_wide(key) && table(key) == WIDE, "{key}");
        }
        assert_eq!(table("metadata.description"), LONG);
    }
}
