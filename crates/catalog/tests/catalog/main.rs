//! The contract of the catalog, on SQLite.

mod access;
mod errors;
mod files;
mod locations;
mod providers;
mod query;
mod reading;
mod support;
