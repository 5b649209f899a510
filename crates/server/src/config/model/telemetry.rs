//! `backend.telemetry`: where traces are sent.

use callboard_egress::Secret;
use http::HeaderName;
use url::Url;

/// A receiver of traces.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Its URL, without `/v1/traces`.
    pub endpoint: Url,
    /// What it wants to see.
    pub headers: Vec<(HeaderName, Secret)>,
    /// Which share of the traces it gets, from 0 to 1.
    pub sampling: f64,
    /// What the portal is called there.
    pub service_name: String,
}
