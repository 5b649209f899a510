//! A plugin that runs, as its operator sees it: statistics, metrics and traces of one and the same call.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use callboard_model::api::{PluginLog, PluginStatistics};
use callboard_tests::environment;
use callboard_tests::hostile::Hostile;
use callboard_tests::portal::{merge, with_plugin};
use callboard_tests::process::Server;
use http_body_util::Full;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const KEY: &str = "canary-of-the-receiver";

/// A receiver of OTLP over HTTP. It wants its key.
struct Receiver {
    endpoint: String,
    spans: Spans,
    arrived: watch::Receiver<usize>,
}

type Spans = Arc<Mutex<Vec<Span>>>;

impl Receiver {
    async fn start() -> Result<Receiver> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (spans, (count, arrived)) = (Spans::default(), watch::channel(0));
        let routes = Router::new().route("/v1/traces", post(take)).with_state((spans.clone(), Arc::new(count)));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Receiver { endpoint, spans, arrived })
    }

    /// The spans of one trace, once there are so many.
    async fn trace(&mut self, id: &str, count: usize) -> Result<Vec<Span>> {
        let id = hex(id)?;
        let spans = self.spans.clone();
        let of_trace = move || -> Vec<Span> {
            let spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
            spans.iter().filter(|span| span.trace_id == id).cloned().collect()
        };
        let complete = self.arrived.wait_for(|_| of_trace().len() >= count);
        tokio::time::timeout(Duration::from_secs(60), complete).await.context("the trace did not arrive")??;
        Ok(of_trace())
    }
}

async fn take(
    State((spans, count)): State<(Spans, Arc<watch::Sender<usize>>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if headers.get("x-key").is_none_or(|key| key != KEY) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let mut known = spans.lock().unwrap_or_else(PoisonError::into_inner);
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    known.extend(scopes.flat_map(|scope| scope.spans));
    count.send_replace(known.len());
    StatusCode::OK
}

fn hex(text: &str) -> Result<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    Some(match found.value.as_ref()?.value.as_ref()? {
        Attribute::StringValue(text) => text.clone(),
        Attribute::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_seen_in_statistics_metrics_and_traces() -> Result<()> {
    let (mut receiver, upstream) = (Receiver::start().await?, Hostile::start().await?);
    let folder = tempfile::tempdir()?;
    let component = environment::guest("redirect_to_private")?;
    let inspection = callboard_host::inspect(&std::fs::read(&component)?)?;
    let id = "redirect-to-private";
    let mut config = with_plugin(id, &component, &serde_json::to_value(&inspection.manifest.rights)?);
    merge(
        &mut config,
        json!({
            "backend": {
                "telemetry": { "endpoint": receiver.endpoint, "headers": { "x-key": KEY } },
                "auth": { "externalAccess": [{
                    "type": "static",
                    "options": { "token": "token-of-the-monitoring", "subject": "monitoring" },
                    "accessRestrictions": [{ "plugin": "metrics" }],
                }] },
            },
            "auth": {
                "environment": "development",
                "providers": { "guest": { "userEntityRef": "user:default/guest" } },
            },
            "permission": { "policy": [{ "allow": ["*"], "to": ["signed-in"] }] },
            "hostile": { "url": format!("{}/echo", upstream.origin()) },
        }),
    );
    std::fs::write(folder.path().join("app-config.yaml"), config.to_string())?;
    let server = Server::start(folder.path()).await?;
    let client = server.client();

    let render = http::Request::post(client.base().join(&format!("api/plugins/{id}/ui/attack/render"))?.as_str())
        .header(header::COOKIE, client.cookie.as_deref().unwrap_or_default())
        .header(header::ORIGIN, client.base().origin().ascii_serialization())
        .header(header::CONTENT_TYPE, "application/json")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    let rendered = client.request(render.body(Full::new("{}".into()))?).await?.ok()?;
    assert!(rendered.text().contains("200"), "{}", rendered.text());
    assert!(!rendered.text().contains(TRACE), "what is upstream learns nothing of the trace");

    // The request, the call below it, and what it sent below that.
    let spans = receiver.trace(TRACE, 3).await?;
    assert_eq!(spans.len(), 3, "{spans:#?}");
    let named = |name: &str| spans.iter().find(|span| span.name == name).with_context(|| format!("{name}: {spans:#?}"));
    let request = named("POST /api/plugins/{id}/ui/{extension}/render")?;
    let call = named("redirect-to-private ui.render")?;
    let sent = named("GET")?;
    assert_eq!(request.parent_span_id, hex(PARENT)?);
    assert_eq!((&call.parent_span_id, &sent.parent_span_id), (&request.span_id, &call.span_id));
    assert_eq!(attribute(request, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(attribute(call, "plugin.id").as_deref(), Some(id));
    assert_eq!(attribute(call, "plugin.version"), Some(inspection.manifest.version.to_string()));
    assert_eq!(attribute(sent, "server.address").as_deref(), Some("127.0.0.1"));
    assert_eq!(attribute(sent, "http.response.status_code").as_deref(), Some("200"));

    let statistics: PluginStatistics = client.json(&format!("api/plugins/{id}/statistics")).await?;
    let rendered = statistics.calls.iter().find(|calls| calls.function == "render").context("the call")?;
    assert_eq!((rendered.ok, rendered.errors.len()), (1, 0));
    assert_eq!(statistics.outbound.first().context("the request")?.origin, upstream.origin());
    let log: PluginLog = client.json(&format!("api/plugins/{id}/log")).await?;
    assert_eq!((log.plugin_id.as_str(), log.last_fault), (id, None));

    let scrape = http::Request::get(client.base().join("metrics")?.as_str())
        .header(header::AUTHORIZATION, "Bearer token-of-the-monitoring")
        .body(Full::default())?;
    let metrics = client.request(scrape).await?.ok()?.text();
    for line in [
        format!(
            r#"callboard_plugin_calls_total{{plugin="{id}",extension_point="ui",function="render",outcome="ok"}} 1"#
        ),
        // Its provider sends one as well, now or a little later.
        format!(r#"callboard_plugin_requests_total{{plugin="{id}",origin="{}",outcome="2xx"}} "#, upstream.origin()),
        format!(r#"callboard_plugin_host_calls_total{{plugin="{id}",call="http.send"}} "#),
        format!(r#"callboard_plugin_memory_bytes{{plugin="{id}"}} 0"#),
    ] {
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    Ok(())
}
