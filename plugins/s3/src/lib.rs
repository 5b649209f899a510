//! Brings an S3 bucket of descriptor files into the catalog: every key becomes a Location, which the portal's own
//! reader then reads. Configured as `catalog.providers.awsS3`, which is Backstage's.
//!
//! What talks to the host is in [`provider`] and [`tab`]; the rest is computation.

mod answer;
mod bucket;
mod item;
mod listing;
mod provider;
mod settings;
mod tab;

callboard_sdk::export!(entity_provider: provider::Buckets, ui: tab::ObjectTab);
