//! Ids of refs, and the uids of entities.
//!
//! An id is `kind << 32 | number`, so that the entities of a kind are a range of ids and a set of them is a bitmap of
//! numbers. The first 48 bits of a uid are the id: "by uid" is "by id", and no index is needed to find one.

use uuid::{Builder, Uuid, Variant};

/// The largest id of a kind: a uid has 16 bits for it.
pub(crate) const MAX_KIND: i64 = 0xffff;

/// The id of a number within a kind.
pub(crate) fn of(kind: i64, number: u32) -> i64 {
    kind << 32 | i64::from(number)
}

/// The kind of an id.
pub(crate) fn kind(id: i64) -> i64 {
    id >> 32
}

/// The number of an id within its kind.
pub(crate) fn number(id: i64) -> u32 {
    u32::try_from(id & 0xffff_ffff).unwrap_or(u32::MAX)
}

/// A new uid for an entity. Beside the id it is random, so that nobody takes one entity for an earlier one.
pub(crate) fn new_uid(id: i64) -> String {
    with(id, Uuid::new_v4().as_u128())
}

/// What stands for an entity in a cursor: the uid but for what is random, for which nobody need look.
pub(crate) fn place(id: i64) -> String {
    with(id, 0)
}

/// The id that a uid was made for; none where we did not make it.
pub(crate) fn of_uid(uid: &str) -> Option<i64> {
    let parsed = Uuid::try_parse(uid).ok()?;
    let ours = parsed.get_version_num() == VERSION && parsed.get_variant() == Variant::RFC4122;
    ours.then(|| i64::try_from(parsed.as_u128() >> 80).ok()).flatten()
}

/// A version for layouts of one's own.
const VERSION: usize = 8;

fn with(id: i64, random: u128) -> String {
    let head = u128::try_from(id).unwrap_or_default() << 80;
    let bytes = (head | (random & ((1 << 80) - 1))).to_be_bytes();
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids() {
        for (kind, number) in [(1, 0), (1, 1), (2, u32::MAX), (MAX_KIND, u32::MAX)] {
            let id = of(kind, number);
            assert_eq!((super::kind(id), super::number(id)), (kind, number));
            for uid in [new_uid(id), place(id)] {
                assert_eq!(of_uid(&uid), Some(id), "{uid}");
            }
            assert_ne!(new_uid(id), new_uid(id));
        }
        // In the order of the ids, whatever is random.
        let mut uids: Vec<String> =
            (0..300).map(|number| new_uid(of(number / 100, u32::try_from(number).unwrap()))).collect();
        let before = uids.clone();
        uids.sort();
        assert_eq!(uids, before);
        for foreign in ["", "nobody", &Uuid::new_v4().to_string()] {
            assert_eq!(of_uid(foreign), None, "{foreign}");
        }
    }
}
