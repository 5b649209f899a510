//! What a monitoring system reads at `/metrics`, as OpenMetrics text.
//!
//! The names of series begin with `callboard_`. No label has a value that somebody outside can make up without end:
//! routes are those of the API's description, origins those that a plugin's statistics keep apart, kinds the largest.

use std::fmt::Error;
use std::time::SystemTime;

use callboard_model::access::Access;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::http::App;

mod plugins;
mod requests;

pub(crate) use requests::{Requests, RequestsOfRoute, known_method};

/// Kinds of entities that are counted apart; the rest is together under `other`. Catalogs have ten, and whoever may
/// register a location can bring in as many as they like.
const KINDS: usize = 50;

/// Numbers of the process that only it knows.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) requests: Requests,
    started: SystemTime,
}

impl Metrics {
    /// The process begins.
    pub(crate) fn new() -> Metrics {
        Metrics { requests: Requests::default(), started: SystemTime::now() }
    }

    /// All that there is to read now. What the database does not tell is left out: that it does not answer is what the
    /// rest is needed for most.
    ///
    /// # Errors
    /// A number could not be written as text.
    pub(crate) async fn text(&self, app: &App) -> Result<String, Error> {
        let mut registry = Registry::with_prefix("callboard");
        let build = ConstGauge::new(1_u64);
        let version = [("version".into(), env!("CARGO_PKG_VERSION").into())];
        registry.sub_registry_with_labels(version.into_iter()).register("build_info", "The version that runs", build);
        self.requests.register(&mut registry);
        if let Some(entities) = entities(app).await {
            registry.register("catalog_entities", "Entities in the catalog", entities);
        }
        registry.register_collector(Box::new(plugins::Plugins::new(app.host.all_statistics())));
        let mut text = String::new();
        self.process(&mut text).await?;
        encode(&mut text, &registry)?;
        Ok(text)
    }

    /// Under the names that every program's have.
    async fn process(&self, text: &mut String) -> Result<(), Error> {
        let mut registry = Registry::with_prefix("process");
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let help = "Start time of the process since unix epoch in seconds";
        registry.register("start_time_seconds", help, ConstGauge::new(started.as_secs_f64()));
        if let Some(bytes) = resident_memory().await {
            registry.register("resident_memory_bytes", "Resident memory size in bytes", ConstGauge::new(bytes));
        }
        prometheus_client::encoding::text::encode_registry(text, &registry)
    }
}

async fn entities(app: &App) -> Option<Family<Vec<(&'static str, String)>, Gauge>> {
    let facets = app.catalog.facets(&Access::All, &["kind".to_owned()], None).await;
    let facets = facets.inspect_err(|error| tracing::warn!(%error, "metrics lack the catalog's numbers")).ok()?;
    let mut kinds = facets.facets.into_values().next().unwrap_or_default();
    kinds.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
    let family = Family::<Vec<(&'static str, String)>, Gauge>::default();
    for (index, kind) in kinds.into_iter().enumerate() {
        let name = if index < KINDS { kind.value } else { "other".to_owned() };
        let count = i64::try_from(kind.count).unwrap_or(i64::MAX);
        family.get_or_create(&vec![("kind", name)]).inc_by(count);
    }
    Some(family)
}

/// Only Linux tells, and that in KiB.
async fn resident_memory() -> Option<u64> {
    let status = tokio::fs::read_to_string("/proc/self/status").await.ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
