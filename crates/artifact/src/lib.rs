//! What a plugin is before it runs: where it comes from, which version, which bytes, who signed it.
//!
//! [`Source`] is what `plugins.<id>.source` of app-config says. [`Fetcher`] gets the component from there, by way of
//! [`callboard_egress`] alone, and knows nothing but digests: what does not have the one that was asked for is refused
//! while it arrives. [`Lock`] is the file that says which version, digest and rights were approved, and [`decide`] what
//! becomes of another one. [`trust`] says who signed it.
//!
//! Nothing here runs a component or looks into one.
#![deny(missing_docs)]

pub mod limits;
pub mod oci;
pub mod registries;
pub mod trust;

mod digest;
mod fetch;
mod lock;
mod resolve;
mod source;

pub use self::{
    digest::{Digest, DigestError},
    fetch::{FetchError, Fetched, Fetcher, Progress},
    lock::{Candidate, Decision, Held, Lock, LockError, Locked, NotPinned, SignedBy, decide},
    resolve::{Resolved, highest, tag_for, version_of},
    source::{Source, SourceError, Wanted},
};
