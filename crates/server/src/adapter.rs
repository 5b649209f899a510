//! Where the plugin host meets the features: each file turns a handle of the host into the trait that a feature
//! consumes. Nothing else knows both.

pub(crate) mod catalog_reader;
pub(crate) mod entity_processor;
pub(crate) mod entity_provider;
pub(crate) mod event_subscriber;
