//! What the portal's tests stand on: the portal itself with real plugins, and fakes of the services around it.

pub mod bench;
pub mod browser;
pub mod bucket;
pub mod client;
pub mod environment;
pub mod example;
pub mod generations;
pub mod generator;
pub mod github;
pub mod hostile;
pub mod kills;
pub mod oidc;
pub mod petstore;
pub mod portal;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod registry;
pub mod s3;
pub mod terminal;
pub mod visitor;
pub mod webhook;
pub mod written;
