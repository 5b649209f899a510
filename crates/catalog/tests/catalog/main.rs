//! The contract of the catalog: as a program of its own on SQLite, and by `catalog_on_postgres.rs` on PostgreSQL.
//!
//! What an entity's file may say, field by field and kind by kind, is in `crates/model/tests/cases`, and what single
//! routes answer in `crates/server/tests/http`. What happens in between is here:
//!
//! | What is promised | Where |
//! |---|---|
//! | Documents of a file, where an entity says it is from, uid and etag, relations of every kind, the words of errors | `descriptors` |
//! | The last good version beside what is wrong, rules of a location, relations that change | `errors` |
//! | Providers: full and delta runs, schedules, what a provider takes back, those that are gone | `providers` |
//! | Pushes, registrations, dry runs: what is answered can be read | `pushing`, `locations`, `validating` |
//! | Files and what they may name; URLs, conditions, wildcards | `files`, `reading`, `searching`, `wire` |
//! | Placeholders and API descriptions of several files | `placeholders`, `files`, `reading` |
//! | Who has an entity that two bring | `conflicts`, `moving`, `providers`, `pushing` |
//! | What goes with what, and what stays as an orphan | `orphans`, `errors` |
//! | Refreshes, refresh keys, intervals, retries, what may be missing | `refreshing`, `processors`, `placeholders` |
//! | Processors: order, filters, hooks, what they emit, what another version redoes | `processors` |
//! | What app-config turns on and off, rules by origin, a readonly catalog | `settings` |
//! | Filters, orders, pages, facets, full text, and who may see what | `query`, `access` |
//! | How current an entity is | `freshness` |
//! | What is told of entities, and to whom | `events` |
//! | What is written and asked for, in numbers | `counting` |
//! | Migrations, the index, moves to another database | `storage`, `transfer` |
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests may stop at the first surprise; clippy.toml allows it only inside of test functions"
)]

mod access;
mod conflicts;
mod counted;
mod counting;
mod descriptors;
mod errors;
mod events;
mod files;
mod freshness;
mod locations;
mod moving;
mod orphans;
mod placeholders;
mod processors;
mod providers;
mod pushing;
mod query;
mod reading;
mod refreshing;
mod replicas;
mod searching;
mod settings;
mod storage;
pub(crate) mod support;
mod transfer;
mod validating;
mod wire;
