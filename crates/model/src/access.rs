//! What a caller may see, as a value that every query takes.

use crate::filter::Predicate;

/// The decision about reading, made once per request and handed to the query.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// Everything.
    All,
    /// What satisfies the predicate.
    Where(Predicate),
    /// Nothing.
    None,
}

impl Access {
    /// What of it satisfies the predicate as well.
    #[must_use]
    pub fn and(self, predicate: Predicate) -> Access {
        match self {
            Access::All => Access::Where(predicate),
            Access::Where(own) => Access::Where(Predicate::All(vec![own, predicate])),
            Access::None => Access::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrower() {
        fn check(access: Access, expected: Access) {
            assert_eq!(access.and(Predicate::equals("kind", "api")), expected);
        }
        let api = || Predicate::equals("kind", "api");
        let service = || Predicate::equals("spec.type", "service");
        check(Access::None, Access::None);
        check(Access::All, Access::Where(api()));
        check(Access::Where(service()), Access::Where(Predicate::All(vec![service(), api()])));
    }
}
