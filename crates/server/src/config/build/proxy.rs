//! The endpoints of `proxy`, and what there is to say about them.

mod advice;

use std::time::Duration;

use axum::http::HeaderValue;
use callboard_egress::Secret;

use super::{Build, texts};
use crate::config::finding::{Finding, Severity};
use crate::config::model::{Proxy, ProxyCredentials, ProxyEndpoint, ProxyHeader};
use crate::config::node::{Data, Node};
use crate::http::proxy::{Endpoint, Endpoints, Invalid};

/// For how long nothing may move where app-config says nothing. Reports of some services take most of a minute.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The most that may be asked for.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

impl Build<'_> {
    pub(super) fn proxy(&mut self) -> Proxy {
        let mut proxy = Proxy::default();
        let Some(block) = self.root.get("proxy") else { return proxy };
        let skips = block.get("skipInvalidProxies").is_some_and(|skip| skip.data == Data::Bool(true));
        let severity = if skips { Severity::Warning } else { Severity::Error };
        let mut usable = Endpoints::default();
        for (path, route, node) in listed(block) {
            if self.is_reported(&path) {
                continue;
            }
            if !route.starts_with('/') {
                let fix = format!("Write `/{route}`.");
                self.warn(&path, node, "is an endpoint that no request is for", &fix);
                continue;
            }
            let parsed = written(route, node).and_then(|written| {
                let endpoint = Endpoint::parse(&written, &HeaderValue::from_static("localhost"))?;
                usable.add(endpoint).map(|endpoint| (written, endpoint))
            });
            match parsed {
                Ok((written, endpoint)) => {
                    self.advise(&path, node, endpoint, &written);
                    proxy.endpoints.push(written);
                }
                Err(invalid) => self.invalid(&path, node, &invalid, severity),
            }
        }
        proxy
    }

    fn invalid(&mut self, path: &str, node: &Node, invalid: &Invalid, severity: Severity) {
        let (mut place, mut path) = (node, path.to_owned());
        for key in &invalid.at {
            let Some(below) = place.get(key) else { break };
            place = below;
            path = format!("{path}.{key}");
        }
        let message = match severity {
            Severity::Error => invalid.message.clone(),
            Severity::Warning => format!("{}; the endpoint is left out", invalid.message),
        };
        let finding = Finding::error(&path, Some(place.origin.clone()), message, &*invalid.fix);
        self.report.findings.push(Finding { severity, ..finding });
    }
}

/// The endpoints with their paths and keys: those of `endpoints`, and those that stand beside it as in older versions.
fn listed(block: &Node) -> Vec<(String, &str, &Node)> {
    let endpoints = block.get("endpoints").map(Node::entries).unwrap_or_default();
    let older = block
        .entries()
        .iter()
        .filter(|(key, _)| key.starts_with('/') && !endpoints.iter().any(|(known, _)| known == key));
    let endpoints = endpoints.iter().map(|(key, node)| (format!("proxy.endpoints.{key}"), key.as_str(), node));
    endpoints.chain(older.map(|(key, node)| (format!("proxy.{key}"), key.as_str(), node))).collect()
}

fn written(route: &str, node: &Node) -> Result<ProxyEndpoint, Invalid> {
    let wrong = |at: &[&str], message: &str, fix: &str| Invalid {
        at: at.iter().map(ToString::to_string).collect(),
        message: message.to_owned(),
        fix: fix.to_owned(),
    };
    let missing = || wrong(&[], "`target` is missing", "It is an http or https URL.");
    let target = node.text().or_else(|| node.get("target")?.text()).ok_or_else(missing)?;
    let rewrite = |(pattern, replacement): &(String, Node)| match replacement.text() {
        Some(replacement) => Ok((pattern.clone(), replacement.to_owned())),
        None => Err(wrong(&["pathRewrite", pattern], "is replaced with something that is not a text", "")),
    };
    let path_rewrite = node.get("pathRewrite").map(|rules| rules.entries().iter().map(rewrite).collect());
    let timeout = match node.get("proxyTimeout").map(|timeout| timeout.to_json().as_u64().map(Duration::from_millis)) {
        None => TIMEOUT,
        Some(Some(timeout)) if !timeout.is_zero() && timeout <= LONGEST_TIMEOUT => timeout,
        Some(_) => return Err(wrong(&["proxyTimeout"], "is not a time", "There may be 1 to 3600000 milliseconds.")),
    };
    let headers = node.get("headers").map(Node::entries).unwrap_or_default();
    let (hosts, headers): (Vec<_>, Vec<_>) = headers.iter().partition(|(name, _)| name.eq_ignore_ascii_case("host"));
    let header = |(name, value): &&(String, Node)| {
        let is_substituted = value.substituted;
        Some(ProxyHeader { name: name.clone(), value: Secret::new(value.text()?), is_substituted })
    };
    let methods = node.get("allowedMethods");
    Ok(ProxyEndpoint {
        route: route.to_owned(),
        target: target.to_owned(),
        host: hosts.first().and_then(|(_, host)| host.text()).map(str::to_owned),
        change_origin: node.get("changeOrigin").is_none_or(|change| change.data != Data::Bool(false)),
        path_rewrite: path_rewrite.transpose()?,
        headers: headers.iter().filter_map(header).collect(),
        allowed_methods: methods.map(|methods| texts(Some(methods))),
        allowed_headers: texts(node.get("allowedHeaders")),
        credentials: match node.get("credentials").and_then(Node::text) {
            Some("forward") => ProxyCredentials::Forward,
            Some("dangerously-allow-unauthenticated") => ProxyCredentials::DangerouslyAllowUnauthenticated,
            _ => ProxyCredentials::Require,
        },
        timeout,
    })
}
