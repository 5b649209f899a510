//! What the host knows of each plugin.

use std::fmt::Error;
use std::sync::Arc;

use callboard_host::Statistics;
use callboard_model::api::{Latency, PluginStatistics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The statistics at the time of a scrape.
#[derive(Debug)]
pub(super) struct Plugins(Vec<PluginStatistics>);

type Label<'a> = (&'static str, &'a str);

impl Plugins {
    pub(super) fn new(all: Vec<Arc<Statistics>>) -> Plugins {
        Plugins(all.iter().map(|each| each.numbers()).collect())
    }
}

impl Collector for Plugins {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.versions(&mut encoder)?;
        self.calls(&mut encoder)?;
        self.now(&mut encoder)?;
        self.host_calls(&mut encoder)?;
        self.requests(&mut encoder)
    }
}

impl Plugins {
    fn versions(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut info = gauge(encoder, "plugin_info", "The version of the plugin that is loaded")?;
        for plugin in &self.0 {
            let Some(version) = plugin.versions.last() else { continue };
            let labels =
                [("plugin", plugin.plugin_id.as_str()), ("version", &version.version), ("digest", &version.digest)];
            info.encode_family(&labels)?.encode_gauge(&1_u64)?;
        }
        Ok(())
    }

    fn calls(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let calls = || {
            self.0.iter().flat_map(|plugin| {
                plugin.calls.iter().map(|calls| {
                    let labels = [
                        ("plugin", plugin.plugin_id.as_str()),
                        ("extension_point", calls.extension_point.as_str()),
                        ("function", calls.function.as_str()),
                    ];
                    (labels, calls)
                })
            })
        };
        let help = "Calls of the plugin; the outcome is ok or the class of the error";
        let mut counter = counter(encoder, "plugin_calls", help)?;
        for ([plugin, point, function], calls) in calls() {
            let errors = calls.errors.iter().map(|(class, count)| (class.as_str(), *count));
            for (outcome, count) in [("ok", calls.ok)].into_iter().chain(errors) {
                count_one(&mut counter, &[plugin, point, function, ("outcome", outcome)], count)?;
            }
        }
        let help = "How long calls of the plugin took, with the time that they waited for their turn";
        let mut took = histogram(encoder, "plugin_call_duration_seconds", help)?;
        for (labels, calls) in calls() {
            observe(&mut took, &labels, &calls.latency)?;
        }
        let help = "The most bytes of memory that a call of the plugin had";
        let mut peak = gauge(encoder, "plugin_call_peak_memory_bytes", help)?;
        for (labels, calls) in calls() {
            peak.encode_family(&labels)?.encode_gauge(&calls.peak_memory)?;
        }
        Ok(())
    }

    fn now(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut running = gauge(encoder, "plugin_running_calls", "Calls of the plugin that are under way")?;
        for plugin in &self.0 {
            running.encode_family(&[("plugin", plugin.plugin_id.as_str())])?.encode_gauge(&plugin.running)?;
        }
        let mut memory = gauge(encoder, "plugin_memory_bytes", "Bytes of memory that the calls under way have")?;
        for plugin in &self.0 {
            memory.encode_family(&[("plugin", plugin.plugin_id.as_str())])?.encode_gauge(&plugin.memory_in_use)?;
        }
        let mut denials = counter(encoder, "plugin_denials", "What the plugin asked for and may not have")?;
        for plugin in &self.0 {
            count_one(&mut denials, &[("plugin", plugin.plugin_id.as_str())], plugin.denial_count)?;
        }
        Ok(())
    }

    fn host_calls(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut counter = counter(encoder, "plugin_host_calls", "What the plugin asked of the portal")?;
        for plugin in &self.0 {
            for (call, count) in &plugin.host_calls {
                count_one(&mut counter, &[("plugin", plugin.plugin_id.as_str()), ("call", call)], *count)?;
            }
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let requests = || {
            self.0.iter().flat_map(|plugin| {
                plugin
                    .outbound
                    .iter()
                    .map(|sent| ([("plugin", plugin.plugin_id.as_str()), ("origin", sent.origin.as_str())], sent))
            })
        };
        let help = "Requests of the plugin; the outcome is the status's class or the reason why there is none";
        let mut counter = counter(encoder, "plugin_requests", help)?;
        for ([plugin, origin], sent) in requests() {
            for (outcome, count) in sent.statuses.iter().chain(&sent.errors) {
                count_one(&mut counter, &[plugin, origin, ("outcome", outcome)], *count)?;
            }
        }
        let help = "How long requests of the plugin took, up to the head of the answer";
        let mut took = histogram(encoder, "plugin_request_duration_seconds", help)?;
        for (labels, sent) in requests() {
            observe(&mut took, &labels, &sent.latency)?;
        }
        Ok(())
    }
}

fn counter<'a>(encoder: &'a mut DescriptorEncoder<'_>, name: &'a str, help: &str) -> Result<MetricEncoder<'a>, Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Counter)
}

fn gauge<'a>(encoder: &'a mut DescriptorEncoder<'_>, name: &'a str, help: &str) -> Result<MetricEncoder<'a>, Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)
}

fn histogram<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
) -> Result<MetricEncoder<'a>, Error> {
    encoder.encode_descriptor(name, help, None, MetricType::Histogram)
}

fn count_one(counter: &mut MetricEncoder<'_>, labels: &[Label<'_>], count: u64) -> Result<(), Error> {
    counter.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&count, None)
}

fn observe(histogram: &mut MetricEncoder<'_>, labels: &[Label<'_>], latency: &Latency) -> Result<(), Error> {
    let bound = |up_to_ms: Option<f64>| up_to_ms.map_or(f64::INFINITY, |ms| ms / 1_000.0);
    let buckets: Vec<_> = latency.buckets.iter().map(|bucket| (bound(bucket.up_to_ms), bucket.count)).collect();
    let mut family = histogram.encode_family(&labels)?;
    family.encode_histogram::<NoLabelSet>(latency.sum_ms / 1_000.0, latency.count, &buckets, None)
}
