//! Where the things of a graph stand: each in a layer behind all that lead to it.

use std::collections::BTreeMap;

/// Layer and row of each thing. Circles are cut where they would lead back.
pub(super) fn places<'a>(ids: &[&'a str], edges: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, (usize, usize)> {
    let mut layers: BTreeMap<&str, usize> = ids.iter().map(|id| (*id, 0)).collect();
    let forward = without_circles(ids, edges);
    // Each round carries a thing at least one layer further, and without circles there are no more rounds than things.
    for _ in 0..ids.len() {
        let mut moved = false;
        for (from, to) in &forward {
            let behind = layers.get(from).copied().unwrap_or_default() + 1;
            if let Some(layer) = layers.get_mut(to).filter(|layer| **layer < behind) {
                *layer = behind;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
    ids.iter()
        .filter_map(|id| {
            let layer = *layers.get(id)?;
            let row = filled.entry(layer).or_default();
            *row += 1;
            Some((*id, (layer, *row - 1)))
        })
        .collect()
}

/// The edges but for those that lead back to where one came from. Goes in depth, with a stack of its own.
fn without_circles<'a>(ids: &[&'a str], edges: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Entered,
        Left,
    }
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges.iter().filter(|(from, to)| from != to) {
        next.entry(from).or_default().push(to);
    }
    let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
    let mut forward = Vec::new();
    for id in ids {
        if seen.contains_key(id) {
            continue;
        }
        seen.insert(id, Seen::Entered);
        let mut open = vec![(*id, 0)];
        while let Some((here, at)) = open.last_mut() {
            let here = *here;
            let Some(to) = next.get(here).and_then(|next| next.get(*at)).copied() else {
                seen.insert(here, Seen::Left);
                open.pop();
                continue;
            };
            *at += 1;
            match seen.get(to) {
                Some(Seen::Entered) => {}
                Some(Seen::Left) => forward.push((here, to)),
                None => {
                    forward.push((here, to));
                    seen.insert(to, Seen::Entered);
                    open.push((to, 0));
                }
            }
        }
    }
    forward
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_stand_behind_what_leads_to_them() {
        fn check(ids: &[&str], edges: &[(&str, &str)], expected: &[(&str, (usize, usize))]) {
            assert_eq!(places(ids, edges), expected.iter().copied().collect(), "{edges:?}");
        }
        check(&[], &[], &[]);
        check(&["a", "b"], &[], &[("a", (0, 0)), ("b", (0, 1))]);
        check(
            &["a", "b", "c", "d"],
            &[("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")],
            &[("a", (0, 0)), ("b", (1, 0)), ("c", (2, 0)), ("d", (1, 1))],
        );
        check(&["a", "b"], &[("a", "b"), ("b", "a"), ("a", "a")], &[("a", (0, 0)), ("b", (1, 0))]);
        check(&["a", "b", "c"], &[("a", "b"), ("b", "c"), ("c", "a")], &[("a", (0, 0)), ("b", (1, 0)), ("c", (2, 0))]);
    }
}
