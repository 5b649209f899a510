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
