//! What a call looks like in a trace: a span for the call, below that of whoever asked for it, and one for each request
//! that it sends.
//!
//! Names and attributes are those of OpenTelemetry's conventions where these have one. No span says more than the
//! portal's log does: no path, no query, no words of the guest's.

use tracing::Span;
use tracing::field::Empty;
use url::Url;

use crate::call::Target;
use crate::error::ErrorKind;
use crate::plugin::Inner;

/// The target of the spans that are for traces alone: log lines leave them out, and an exporter takes no others.
pub const TARGET: &str = "callboard::spans";

/// A call that begins.
pub(crate) fn call(plugin: &Inner, target: &Target<'_>) -> Span {
    let Target { extension_point, function, .. } = target;
    tracing::info_span!(
        target: TARGET,
        "plugin call",
        otel.name = format_args!("{} {extension_point}.{function}", plugin.id),
        otel.status_code = Empty,
        plugin.id = plugin.id,
        plugin.version = &*plugin.stats.version,
        plugin.extension_point = extension_point,
        plugin.function = function,
        plugin.request = Empty,
        error.type = Empty,
    )
}

/// The call is over.
pub(crate) fn ended(span: &Span, request: &str, error: Option<&(ErrorKind, String)>) {
    span.record("plugin.request", request);
    if let Some((kind, _)) = error {
        failed(span, kind.class());
    }
}

/// A request of a plugin's, to where it was first sent.
pub(crate) fn request(method: &str, url: &Url) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = method,
        url.scheme = url.scheme(),
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        http.response.status_code = Empty,
        error.type = Empty,
    )
}

/// What came of the request.
pub(crate) fn answered(span: &Span, came: Result<u16, &'static str>) {
    match came {
        Ok(status) => {
            span.record("http.response.status_code", status);
            if status >= 400 {
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(class) => failed(span, class),
    }
}

fn failed(span: &Span, class: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", class);
}
