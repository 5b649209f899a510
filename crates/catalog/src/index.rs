//! The index: what of the documents can be filtered, ordered and counted by.
//!
//! Values that many entities share are terms, and the entities that have one are a roaring bitmap per kind, kept in
//! chunks of 65,536 numbers; values of which nearly every entity has its own are rows of the tables `wide` and `long`.
//! Counters say how many entities each bitmap has. All of it is derived from the documents, kept in the transaction that
//! changes them ([`changes::Changes`]), and made anew when the rule of [`extract`] changes ([`rebuild`]).
//!
//! Queries fetch the bitmaps that a condition names and join them in the process, as [`sets::Sets`].

pub(crate) mod changes;
pub(crate) mod extract;
pub(crate) mod id;
mod names;
pub(crate) mod posting;
pub(crate) mod rebuild;
pub(crate) mod sets;
