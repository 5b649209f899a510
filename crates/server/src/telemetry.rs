//! Traces, sent to where `backend.telemetry` says.
//!
//! OpenTelemetry's own library collects spans and packs them; what it packed goes out through egress like every other
//! request of the portal. Only spans whose target is [`spans::TARGET`] are taken: those of libraries are for whoever
//! works on the portal, and may say more than an operator wants to hand on.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use callboard_egress::{Credential, Egress, HeaderProfile, OnlyOrigin, Request, SetHeader, Settings};
use callboard_host::spans;
use http::HeaderName;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue, propagation::TextMapPropagator};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::config::Telemetry;

/// How long a receiver may take. What it did not take by then is lost, as traces may be.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What a receiver answers is a few bytes.
const ANSWER_BYTES: u64 = 1 << 20;
/// How long the end of the process waits for what was not sent yet.
const FLUSH: Duration = Duration::from_secs(5);

/// Traces that are being sent. Dropped without [`Exporting::finish`], the last ones are lost.
pub(crate) struct Exporting(SdkTracerProvider);

/// Why no traces are sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    /// A header, most likely.
    #[error("backend.telemetry in app-config: {0}")]
    Egress(#[from] callboard_egress::Error),
    /// The HTTP client does not start.
    #[error("backend.telemetry in app-config: {0}")]
    Settings(#[from] callboard_egress::SettingsError),
    /// OpenTelemetry's library refuses the settings.
    #[error("backend.telemetry in app-config: {0}")]
    Exporter(String),
}

/// Begins to collect and send. Call it within a Tokio runtime: the requests run there.
///
/// # Errors
/// [`TelemetryError`], for the operator.
pub(crate) fn start<S>(
    settings: &Telemetry,
) -> Result<(Exporting, impl Layer<S> + Send + Sync + 'static), TelemetryError>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let url = traces_url(&settings.endpoint);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(ThroughEgress::new(&url, settings)?)
        .with_endpoint(url.as_str())
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| TelemetryError::Exporter(error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        // By the trace's id and by nothing that a caller says: whoever sends a `traceparent` with the flag set must not
        // decide what is stored.
        .with_sampler(Sampler::TraceIdRatioBased(settings.sampling))
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("callboard"))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == spans::TARGET));
    Ok((Exporting(provider), layer))
}

impl Exporting {
    /// Sends what was not sent yet.
    pub(crate) async fn finish(self) {
        // It waits for a thread of its own, which waits for this runtime.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FLUSH)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Has a span continue the trace that a request says it belongs to, by W3C's `traceparent`. Without one, or where no
/// traces are sent, it stays as it is.
pub(crate) fn continue_trace(span: &tracing::Span, headers: &http::HeaderMap) {
    if span.is_disabled() || !headers.contains_key("traceparent") {
        return;
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
    // It fails where nobody collects spans, and then there is nothing to continue.
    if span.set_parent(context).is_err() {
        tracing::trace!("no traces are sent");
    }
}

/// Names a span that has begun. The field `otel.name` does so only until something of its context was asked for.
pub(crate) fn name(span: &tracing::Span, name: String) {
    span.context().span().update_name(name);
}

/// `/v1/traces` below the endpoint, as OTLP's specification has it.
fn traces_url(endpoint: &Url) -> Url {
    let mut url = endpoint.clone();
    url.set_path(&format!("{}/v1/traces", endpoint.path().trim_end_matches('/')));
    url
}

/// Sends what the exporter packed, to the endpoint and nowhere else.
#[derive(Debug)]
struct ThroughEgress {
    egress: Egress,
    only: OnlyOrigin,
    credential: Option<Credential>,
    /// The exporter runs on a thread of its own.
    runtime: Handle,
}

impl ThroughEgress {
    fn new(url: &Url, settings: &Telemetry) -> Result<ThroughEgress, TelemetryError> {
        let set = |(name, value): &(HeaderName, callboard_egress::Secret)| SetHeader {
            name: name.clone(),
            value: value.clone(),
            is_masked: true,
        };
        let headers: Vec<_> = settings.headers.iter().map(set).collect();
        let credential = (!headers.is_empty()).then(|| Credential::headers(url, headers)).transpose()?;
        Ok(ThroughEgress {
            egress: Egress::new(Settings::default())?,
            only: OnlyOrigin::of(url),
            credential,
            runtime: Handle::current(),
        })
    }

    fn request(&self, packed: http::Request<Bytes>) -> Result<Request, HttpError> {
        let (parts, body) = packed.into_parts();
        let mut request = Request::new(parts.method, parts.uri.to_string().parse()?);
        request.headers = parts.headers;
        request.body = body;
        request.timeout = TIMEOUT;
        request.max_redirects = 0;
        request.max_body = ANSWER_BYTES;
        request.profile = HeaderProfile::Portal;
        request.credential.clone_from(&self.credential);
        Ok(request)
    }
}

#[async_trait]
impl HttpClient for ThroughEgress {
    async fn send_bytes(&self, packed: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let request = self.request(packed)?;
        let (egress, only) = (self.egress.clone(), self.only.clone());
        let sent = self.runtime.spawn(async move {
            let answer = egress.send(request, &only).await?;
            let (status, headers) = (answer.status, answer.headers);
            Ok::<_, callboard_egress::Error>((status, headers, answer.body.collect(ANSWER_BYTES).await?))
        });
        let (status, headers, body) = sent.await??;
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_below_the_endpoint() {
        let check = |endpoint: &str, expected: &str| {
            assert_eq!(traces_url(&endpoint.parse().unwrap()).as_str(), expected);
        };
        check("http://collector:4318", "http://collector:4318/v1/traces");
        check("https://api.example.com/otlp/", "https://api.example.com/otlp/v1/traces");
    }
}
