//! What an endpoint does that its author may not have meant, or could have from a plugin.

use axum::http::HeaderName;
use url::{Host, Url};

use super::Build;
use crate::config::model::{ProxyCredentials, ProxyEndpoint};
use crate::config::node::Node;
use crate::http::proxy::{Endpoint, kept_from_targets};

impl Build<'_> {
    pub(super) fn advise(&mut self, path: &str, node: &Node, endpoint: &Endpoint, written: &ProxyEndpoint) {
        let within = |key: &str| (format!("{path}.{key}"), node.get(key).unwrap_or(node));
        if !path.starts_with("proxy.endpoints.") {
            self.warn(path, node, "stands where older versions had it", "Move it to `proxy.endpoints`.");
        }
        if endpoint.is_open() {
            let (path, node) = within("credentials");
            let with = match endpoint.lends_secrets() {
                true => ", with the secrets in its `headers`",
                false => "",
            };
            let message = format!(
                "lets everybody who reaches the portal use the target{with}, whether they are signed in or not and \
                 whatever the policy says"
            );
            self.warn(&path, node, &message, "Leave `credentials` out, and only those with its permission may.");
        }
        let target = endpoint.target();
        if target.scheme() == "http" && endpoint.sends_secrets() && !is_this_machine(target) {
            let what = match written.credentials {
                ProxyCredentials::Forward => "the callers' own credentials",
                _ => "the secrets in `headers`",
            };
            let message = format!("sends {what} in clear text, so that whoever is in between can read them");
            let (path, node) = within("target");
            self.warn(&path, node, &message, "Use https.");
        }
        for name in &written.allowed_headers {
            let kept = HeaderName::from_bytes(name.as_bytes()).ok().as_ref().and_then(kept_from_targets);
            if let Some(reason) = kept {
                let (path, node) = within("allowedHeaders");
                self.warn(
                    &path,
                    node,
                    &format!("does not let `{name}` through to the target: {reason}"),
                    "Leave it out.",
                );
            }
        }
        if let Some((service, plugin)) = better_asked_by(target) {
            let message = format!(
                "hands {service} on as it is. The plugin `{plugin}`, where there is one, asks it for what it shows and \
                 for nothing else"
            );
            let (path, node) = within("target");
            self.warn(&path, node, &message, "");
        }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(addr)) => addr.is_loopback(),
        Some(Host::Ipv6(addr)) => addr.is_loopback(),
        None => false,
    }
}

/// The service behind a target, and the id of the plugin for it.
fn better_asked_by(target: &Url) -> Option<(&'static str, &'static str)> {
    let host = target.host_str()?;
    let ends = |end: &str| host == end || host.strip_suffix(end).is_some_and(|start| start.ends_with('.'));
    let has_label = |label: &str| host.split('.').any(|part| part == label);
    let path = target.path();
    let is_kubernetes = ends("gke.goog")
        || ends("azmk8s.io")
        || ends("eks.amazonaws.com")
        || host.starts_with("kubernetes.default")
        || target.port() == Some(6443);
    let is_s3 = ends("amazonaws.com") && host.split(['.', '-']).any(|service| service == "s3");
    let known = [
        (host == "api.github.com" || path.starts_with("/api/v3") && has_label("github"), "GitHub", "github"),
        (ends("pagerduty.com"), "PagerDuty", "pagerduty"),
        (is_kubernetes, "a Kubernetes API", "kubernetes"),
        (is_s3, "S3", "s3"),
        (ends("sonarcloud.io") || has_label("sonarqube"), "SonarQube", "sonarqube"),
        (ends("grafana.net") || has_label("grafana"), "Grafana", "grafana"),
    ];
    known.into_iter().find(|(is_it, ..)| *is_it).map(|(_, service, plugin)| (service, plugin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_with_plugins() {
        fn check(target: &str, expected: Option<&str>) {
            let found = better_asked_by(&Url::parse(target).unwrap()).map(|(_, plugin)| plugin);
            assert_eq!(found, expected, "{target}");
        }
        check("https://api.github.com", Some("github"));
        check("https://github.acme.example/api/v3/", Some("github"));
        check("https://github.acme.example/", None);
        check("https://api.pagerduty.com", Some("pagerduty"));
        check("https://api.eu.pagerduty.com/", Some("pagerduty"));
        check("https://notpagerduty.com/", None);
        check("https://kubernetes.default.svc", Some("kubernetes"));
        check("https://10.0.0.1:6443", Some("kubernetes"));
        check("https://ABC.gr7.eu-west-1.eks.amazonaws.com", Some("kubernetes"));
        check("https://bucket.s3.eu-west-1.amazonaws.com", Some("s3"));
        check("https://sqs.eu-west-1.amazonaws.com", None);
        check("https://grafana.acme.example", Some("grafana"));
        check("https://acme.example", None);
    }
}
