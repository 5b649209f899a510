//! Sets of entities.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::id;

/// Entities: a bitmap of numbers per kind. None of the bitmaps is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sets(BTreeMap<i64, RoaringBitmap>);

impl Sets {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.values().map(RoaringBitmap::len).sum()
    }

    pub(crate) fn contains(&self, id: i64) -> bool {
        self.0.get(&id::kind(id)).is_some_and(|numbers| numbers.contains(id::number(id)))
    }

    pub(crate) fn insert(&mut self, id: i64) -> bool {
        self.0.entry(id::kind(id)).or_default().insert(id::number(id))
    }

    /// Adds numbers of a kind.
    pub(crate) fn add(&mut self, kind: i64, numbers: RoaringBitmap) {
        if !numbers.is_empty() {
            *self.0.entry(kind).or_default() |= numbers;
        }
    }

    pub(crate) fn union(&mut self, other: &Sets) {
        for (kind, numbers) in &other.0 {
            *self.0.entry(*kind).or_default() |= numbers;
        }
    }

    pub(crate) fn intersect(&mut self, other: &Sets) {
        self.0.retain(|kind, numbers| {
            other.0.get(kind).is_some_and(|others| {
                *numbers &= others;
                !numbers.is_empty()
            })
        });
    }

    pub(crate) fn subtract(&mut self, other: &Sets) {
        self.0.retain(|kind, numbers| {
            if let Some(others) = other.0.get(kind) {
                *numbers -= others;
            }
            !numbers.is_empty()
        });
    }

    /// How many of these numbers of a kind are in the set.
    pub(crate) fn count(&self, kind: i64, numbers: &RoaringBitmap) -> u64 {
        self.0.get(&kind).map_or(0, |ours| ours.intersection_len(numbers))
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.keys().copied()
    }

    /// How many there are of a kind.
    pub(crate) fn len_of(&self, kind: i64) -> u64 {
        self.0.get(&kind).map_or(0, RoaringBitmap::len)
    }

    /// By id.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + '_ {
        self.0.iter().flat_map(|(kind, numbers)| numbers.iter().map(|number| id::of(*kind, number)))
    }

    /// By id, those after one of them or, `descending`, before it.
    pub(crate) fn beyond(&self, at: Option<i64>, descending: bool) -> Box<dyn Iterator<Item = i64> + Send + '_> {
        let Some(at) = at else {
            return if descending { Box::new(self.iter().rev()) } else { Box::new(self.iter()) };
        };
        let (kind, number) = (id::kind(at), id::number(at));
        let of = |kind: i64| move |number: u32| id::of(kind, number);
        if descending {
            let same = self.0.get(&kind).into_iter().flat_map(move |numbers| numbers.range(..number).rev());
            let below = self.0.range(..kind).rev().flat_map(move |(kind, numbers)| numbers.iter().rev().map(of(*kind)));
            Box::new(same.map(of(kind)).chain(below))
        } else {
            let same = self.0.get(&kind).into_iter().flat_map(move |numbers| {
                let rest = number.checked_add(1).map(|next| numbers.range(next..));
                rest.into_iter().flatten()
            });
            let above =
                self.0.range(kind.saturating_add(1)..).flat_map(move |(kind, numbers)| numbers.iter().map(of(*kind)));
            Box::new(same.map(of(kind)).chain(above))
        }
    }
}

impl FromIterator<i64> for Sets {
    fn from_iter<T: IntoIterator<Item = i64>>(ids: T) -> Sets {
        let mut sets = Sets::default();
        for id in ids {
            sets.insert(id);
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond() {
        let ids = [id::of(1, 0), id::of(1, 70_000), id::of(2, 5), id::of(4, u32::MAX)];
        let sets: Sets = ids.into_iter().collect();
        for place in 0..ids.len() {
            assert_eq!(sets.beyond(Some(ids[place]), false).collect::<Vec<_>>(), ids[place + 1..]);
            let mut before = sets.beyond(Some(ids[place]), true).collect::<Vec<_>>();
            before.reverse();
            assert_eq!(before, ids[..place]);
        }
        assert_eq!(sets.beyond(None, false).collect::<Vec<_>>(), ids);
        assert_eq!(sets.beyond(Some(id::of(3, 7)), false).count(), 1);
        assert_eq!(sets.beyond(Some(id::of(3, 7)), true).count(), 3);
    }

    #[test]
    fn operations() {
        let set = |ids: &[i64]| ids.iter().map(|n| id::of(n / 10, u32::try_from(n % 10).unwrap())).collect::<Sets>();
        let (a, b) = (set(&[11, 12, 21]), set(&[12, 31]));
        let with = |operation: fn(&mut Sets, &Sets)| {
            let mut sets = a.clone();
            operation(&mut sets, &b);
            sets
        };
        assert_eq!(with(Sets::union), set(&[11, 12, 21, 31]));
        assert_eq!(with(Sets::intersect), set(&[12]));
        assert_eq!(with(Sets::subtract), set(&[11, 21]));
        assert_eq!((a.len(), a.len_of(1), a.len_of(3)), (3, 2, 0));
        let mut nothing = a.clone();
        nothing.subtract(&a);
        assert!(nothing.is_empty());
    }
}
