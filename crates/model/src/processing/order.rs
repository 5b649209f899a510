//! In which order processors run.

use std::collections::BTreeMap;

/// Processors that wait for each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these processors name each other in `after`, so that none can come first: {}", .0.join(", "))]
pub struct Cycle(pub Vec<String>);

/// The order in which processors run, as indices: the one in which they are given, except that each comes after all
/// that it names. A name that is not among them holds nothing up.
///
/// # Errors
/// Some wait for each other.
pub fn order(processors: &[(&str, &[String])]) -> Result<Vec<usize>, Cycle> {
    let indices: BTreeMap<&str, usize> =
        processors.iter().enumerate().map(|(index, (name, _))| (*name, index)).collect();
    let mut ordered = Vec::with_capacity(processors.len());
    let mut placed = vec![false; processors.len()];
    let is_placed = |placed: &[bool], index: usize| placed.get(index).copied().unwrap_or(true);
    while ordered.len() < processors.len() {
        let ready = |name: &String| indices.get(name.as_str()).is_none_or(|index| is_placed(&placed, *index));
        let next = processors
            .iter()
            .enumerate()
            .position(|(index, (_, after))| !is_placed(&placed, index) && after.iter().all(ready));
        let Some(next) = next else {
            let waiting = processors.iter().enumerate().filter(|(index, _)| !is_placed(&placed, *index));
            return Err(Cycle(waiting.map(|(_, (name, _))| (*name).to_owned()).collect()));
        };
        if let Some(place) = placed.get_mut(next) {
            *place = true;
        }
        ordered.push(next);
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(processors: &[(&str, &[&str])], expected: Result<&str, &str>) {
        let after: Vec<Vec<String>> =
            processors.iter().map(|(_, after)| after.iter().map(|&name| name.to_owned()).collect()).collect();
        let given: Vec<(&str, &[String])> =
            processors.iter().zip(&after).map(|((name, _), after)| (*name, after.as_slice())).collect();
        let found = order(&given)
            .map(|order| order.iter().map(|&index| processors[index].0).collect::<Vec<_>>().join(" "))
            .map_err(|cycle| cycle.0.join(" "));
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{processors:?}");
    }

    #[test]
    fn processors_wait_for_what_they_name() {
        check(&[], Ok(""));
        check(&[("b", &[]), ("a", &[])], Ok("b a"));
        check(&[("b", &["a"]), ("a", &[]), ("c", &[])], Ok("a b c"));
        check(&[("d", &["b", "c"]), ("c", &["a"]), ("b", &[]), ("a", &[])], Ok("b a c d"));
        check(&[("a", &["validate", "gone/x"]), ("b", &[])], Ok("a b"));
        check(&[("a", &["b"]), ("b", &["a"]), ("c", &[])], Err("a b"));
        check(&[("a", &["a"])], Err("a"));
    }
}
