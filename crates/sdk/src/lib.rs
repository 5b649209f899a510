//! What the author of a Callboard plugin imports.
//!
//! A plugin is a crate of type `cdylib`, built with `cargo build --target wasm32-wasip2`, with a `plugin.yaml` beside
//! its `Cargo.toml`. It implements one trait per extension point and names them in [`export!`]; what it may do comes
//! from the modules [`log`], [`config`], [`http`], [`kv`], [`catalog`] and [`workspace`], as far as `plugin.yaml` asks for
//! it and the operator grants it.
//!
//! ```
//! use callboard_sdk::{config, http, Context, EntityProvider, Error, Mode, Page, Provider, ProvidedItem};
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     url: String,
//!     schedule: callboard_sdk::Schedule,
//! }
//!
//! struct Inventory;
//!
//! impl EntityProvider for Inventory {
//!     fn providers(_: &Context) -> Result<Vec<Provider>, Error> {
//!         let settings: Option<Settings> = config::get("inventory")?;
//!         Ok(settings
//!             .map(|settings| Provider { name: "inventory:default".to_owned(), schedule: settings.schedule })
//!             .into_iter()
//!             .collect())
//!     }
//!
//!     fn read(_: &Context, _provider: &str, _cursor: Option<&str>) -> Result<Page, Error> {
//!         let settings: Settings = config::require("inventory")?;
//!         let answer = http::Request::get(&settings.url).send()?;
//!         let items: Vec<ProvidedItem> = answer.json()?;
//!         Ok(Page::last(items, Mode::Full))
//!     }
//! }
//!
//! callboard_sdk::export!(entity_provider: Inventory);
//! # fn main() {}
//! ```
//!
//! Calls of the modules work inside the portal only; in a native test they panic. Keep what a plugin computes apart
//! from what it asks the host, and `cargo test` covers it.
#![deny(missing_docs)]

#[doc(hidden)]
pub mod bindings;
pub mod catalog;
pub mod config;
mod context;
pub mod entity_processor;
mod entity_provider;
mod error;
pub mod event_subscriber;
mod export;
pub mod http;
pub mod kv;
mod lifecycle;
pub mod log;
pub mod routes;
pub mod scaffolder_actions;
pub mod ui;
pub mod workspace;

pub use callboard_model::entity::Entity;
pub use callboard_model::entity_ref::EntityRef;
pub use callboard_model::location_ref::LocationRef;
pub use callboard_model::provided::{ProvidedEntity, ProvidedItem};
pub use callboard_model::safe_url::SafeUrl;
pub use callboard_model::schedule::Schedule;
pub use context::Context;
pub use entity_processor::EntityProcessor;
pub use entity_provider::{Again, EntityProvider, Mode, Page, Provider};
pub use error::Error;
pub use event_subscriber::EventSubscriber;
pub use lifecycle::Lifecycle;
pub use routes::Routes;
pub use scaffolder_actions::ScaffolderActions;
pub use ui::Ui;

/// What [`export!`] puts between the traits and the component's exports.
#[doc(hidden)]
pub mod glue {
    pub use crate::entity_processor::Glue as EntityProcessor;
    pub use crate::entity_provider::Glue as EntityProvider;
    pub use crate::event_subscriber::Glue as EventSubscriber;
    pub use crate::lifecycle::Glue as Lifecycle;
    pub use crate::routes::Glue as Routes;
    pub use crate::scaffolder_actions::Glue as ScaffolderActions;
    pub use crate::ui::Glue as Ui;
}
