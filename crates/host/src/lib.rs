//! Loads Callboard's plugins, enforces their grants and limits, and offers a typed handle per extension point.
//!
//! ```no_run
//! # use callboard_host::{Acting, HostSettings, PluginSpec};
//! # async fn example(settings: HostSettings, spec: PluginSpec, acting: Acting) -> Result<(), Box<dyn std::error::Error>> {
//! use callboard_host::PluginHost;
//!
//! let host = PluginHost::new(settings)?;
//! let plugin = host.load(spec).await?;
//! for provider in plugin.providers(&acting).await? {
//!     let page = plugin.read(&acting, &provider.name, None).await?;
//!     println!("{} brought {} items", provider.name, page.items.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A plugin is a WebAssembly component. Before any of it runs, [`inspect`] reads its manifest and its type, and
//! [`PluginHost::load`] refuses it unless every import is declared in the manifest *and* granted in app-config. Each
//! call then gets a fresh instance with bounded time, memory and output, which is dropped afterwards, so that a fault
//! costs one call and nothing else.
#![deny(missing_docs)]

mod acting;
mod bindings;
mod breaker;
mod cache;
mod call;
mod capability;
mod compile;
mod engine;
mod error;
mod extension;
mod guest_config;
mod host;
mod imports;
mod inspect;
mod interfaces;
pub mod limits;
mod manifest;
mod needs;
mod plugin;
pub mod spans;
mod stats;
mod threads;
mod ticker;
mod workspace;

pub use acting::{Acting, CatalogError, CatalogOrder, CatalogPage, CatalogQuery, CatalogReader};
pub use compile::{Compiler, compile_plugin};
pub use error::{ErrorKind, GuestError, HostError, InspectError, LoadError, LoadReason, PluginError};
pub use extension::entity_processor::Processor;
pub use extension::entity_provider::{Again, Mode, Page, Provider};
pub use extension::event_subscriber::webhook::{Refusal, Verified};
pub use extension::event_subscriber::{Topic, topics};
pub use extension::routes::{RouteRequest, RouteResponse, passes_in};
pub use extension::scaffolder_actions::{ActionRun, TaskLog, TaskSecret};
pub use guest_config::secrets::secrets;
pub use host::{HostSettings, PluginHost, PluginSpec};
pub use inspect::{Inspection, inspect};
pub use interfaces::{Functions, Interfaces, InterfacesError};
pub use limits::{LimitOverrides, Limits, LimitsError};
pub use manifest::is_id as is_plugin_id;
pub use plugin::{Plugin, Suspension};
pub use stats::Statistics;
pub use workspace::Workspace;
