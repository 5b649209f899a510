//! The software catalog: providers bring entities in, the engine processes them, and queries read them.
//!
//! [`Catalog`] is the way in. This crate alone knows its tables; which database is under them it does not know.
#![deny(missing_docs)]

mod analyze;
mod catalog;
mod engine;
mod error;
mod files;
mod freshness;
mod graph;
mod index;
mod limits;
mod location;
mod process;
mod processor;
mod provider;
mod push;
mod query;
mod reader;
mod refresh;
mod settings;
mod settled;
mod transfer;
mod validate;

pub use callboard_model::api::RegisteredLocation;
pub use catalog::Catalog;
pub use error::Error;
pub use location::{DryRun, LocationQuery, NewLocation};
pub use processor::{EntityProcessor, ProcessorError};
pub use provider::{Again, EntityProvider, Mode, ProviderError, ProviderPage};
pub use query::{Ancestry, AncestryItem, Direction, Document, FullText, ListPage, ListQuery, Order, Query, look_up};
pub use reader::{ReadFailure, Reader, Reading};
pub use settings::{
    Allow, ConfiguredLocation, LocationMatcher, OnConflict, ProcessingInterval, ProcessorOptions, ProviderOptions,
    PushSource, Rule, Scm, Settings, Strategy,
};
pub use transfer::{TransferError, Transferred, export, import};
