//! A client of OCI registries, as far as plugins need one (OCI Distribution Specification 1.1).
//!
//! It is small and ours because every request must go through egress, whose rules about addresses hold for registries
//! as for everybody else: docs/decisions/0011-where-plugins-come-from.md.

mod auth;
mod blob;
mod call;
mod challenge;
mod error;
mod manifest;
mod push;
mod reach;
mod referrers;
mod registry;
mod repository;
mod tags;

pub use self::{
    blob::Progress,
    error::RegistryError,
    manifest::{ComponentLayer, LayoutError, Manifest, media_type},
    push::{About, Pushed},
    referrers::FoundBundles,
    registry::{Registries, Registry},
    repository::Repository,
};
pub(crate) use self::{blob::receive, error::tame, reach::Reaching, repository::is_loopback};
