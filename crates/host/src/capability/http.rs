//! `callboard:host/http`: outgoing requests to what is granted, through the portal's one HTTP client.

use std::time::{Duration, Instant};

use bytes::Bytes;
use callboard_egress as egress;
use callboard_model::rights::{self, HttpRight, Origin, Side};
use futures::future::join_all;
use http::{HeaderMap, Method};
use tracing::Instrument;
use url::Url;
use wasmtime::component::Resource;

use crate::bindings::http as wit;
use crate::bindings::types::Error;
use crate::call::CallState;
use crate::extension::scaffolder_actions::secret;
use crate::plugin::Inner;
use crate::stats::Refusal;
use crate::{limits, spans};

/// What is left of an answer's body. It counts what the guest reads of it, and knows its own deadline.
#[expect(unreachable_pub, reason = "the generated bindings re-export it from their own private module")]
pub struct Body(egress::Body);

impl wit::Host for CallState {
    async fn send(&mut self, requests: Vec<wit::Request>) -> wasmtime::Result<Vec<Result<wit::Response, Error>>> {
        self.has_asked = true;
        self.plugin.stats.host_call("http.send");
        let plugin = self.plugin.clone();
        let count = requests.len();
        if count > limits::REQUESTS_PER_SEND {
            let message = format!("{count} requests at once; at most {} go together", limits::REQUESTS_PER_SEND);
            return Ok((0..count).map(|_| Err(Error::TooLarge(message.clone()))).collect());
        }
        let (deadline, user) = (self.deadline, self.acting.user.clone());
        let secrets = self.carried.secrets.clone();
        let all = async move {
            let sent = requests.into_iter().map(|request| send(&plugin, &secrets, user.as_deref(), deadline, request));
            join_all(sent).await
        };
        let answers = self.ask(all).await?;
        Ok(answers
            .into_iter()
            .map(|answer| {
                let answer = answer?;
                let body = self.table.push(Body(answer.body)).map_err(|_| {
                    Error::TooLarge(format!(
                        "more than {} answers are open; read or drop them first",
                        limits::RESOURCES
                    ))
                })?;
                Ok(wit::Response {
                    status: answer.status.as_u16(),
                    headers: passed_on(&answer.headers),
                    url: answer.url.to_string(),
                    body,
                })
            })
            .collect())
    }
}

impl wit::HostBody for CallState {
    async fn read(&mut self, body: Resource<Body>, max: u32) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let plugin = self.plugin.clone();
        let time = answer_time(self.deadline);
        let Body(body) = self.table.get_mut(&body)?;
        let max = usize::try_from(max).unwrap_or(usize::MAX).min(limits::RESPONSE_PART_BYTES);
        // A turn for each part, and not for the whole body: a guest that reads nothing must not hold up its others.
        let part = tokio::time::timeout(time, async {
            let _turn = plugin.outbound.acquire().await;
            body.read(max).await
        });
        Ok(match part.await {
            Err(_) => Err(Error::Unavailable(format!("nothing more of the answer came within {time:?}"))),
            Ok(Err(error)) => Err(told(&error)),
            Ok(Ok(part)) => Ok(part.map(|part| part.to_vec())),
        })
    }

    async fn drop(&mut self, body: Resource<Body>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

async fn send(
    plugin: &Inner,
    secrets: &[egress::Credential],
    user: Option<&str>,
    deadline: Instant,
    request: wit::Request,
) -> Result<egress::Response, Error> {
    let url: Url = request
        .url
        .parse()
        .map_err(|error| Error::Invalid(format!("`{}` is no URL: {error}", shown_text(&request.url))))?;
    let body = request.body.unwrap_or_default();
    if body.len() > limits::BATCH_BYTES {
        return Err(Error::TooLarge(format!(
            "the request's body has {} bytes; at most {} are sent",
            body.len(),
            limits::BATCH_BYTES
        )));
    }
    let method = method(request.method);
    // Before anything is asked about a credential, so that a refusal costs nothing and tells nothing.
    egress::Policy::check(&plugin.policy, &method, &url).map_err(|refused| {
        plugin.stats.denied(plugin.policy.refusal(&method, &url));
        Error::Denied(refused.to_string())
    })?;
    let credential = match &request.credential {
        None => None,
        Some(handle) => Some(credential(plugin, secrets, handle).await?),
    };
    let time = answer_time(deadline);
    let mut outgoing = egress::Request::new(method.clone(), url.clone());
    for header in &request.headers {
        outgoing.header(&header.name, &header.value).map_err(|error| told(&error))?;
    }
    outgoing.body = Bytes::from(body);
    outgoing.timeout = time;
    outgoing.max_redirects = limits::REDIRECTS;
    outgoing.max_body = u64::try_from(plugin.limits.response_bytes).unwrap_or(u64::MAX);
    outgoing.profile = egress::HeaderProfile::Plugin;
    outgoing.credential = credential;
    outgoing.revalidate = request.revalidate.then(|| scope(plugin, user));
    let span = spans::request(method.as_str(), &url);
    let begun = Instant::now();
    let sent = tokio::time::timeout(time, async {
        let _turn = plugin.outbound.acquire().await;
        plugin.egress.send(outgoing, &plugin.policy).await
    });
    let sent = sent.instrument(span.clone()).await;
    let came = match &sent {
        Ok(Ok(answer)) => Ok(answer.status.as_u16()),
        Ok(Err(error)) => Err(error.class()),
        Err(_) => Err("timeout"),
    };
    spans::answered(&span, came);
    plugin.stats.sent(&url.origin().ascii_serialization(), came, begun.elapsed());
    match sent {
        Err(_) => Err(Error::Unavailable(format!("{} did not answer within {time:?}", self::shown(&url)))),
        Ok(answer) => answer.map_err(|error| {
            if let Some(refusal) = refused_on_its_way(&plugin.policy, &method, &error) {
                plugin.stats.denied(refusal);
            }
            told(&error)
        }),
    }
}

/// What refused a request after the grant had let it begin: the grant again, at a redirect, or the address.
fn refused_on_its_way(policy: &GrantPolicy, method: &Method, error: &egress::Error) -> Option<Refusal> {
    match error {
        egress::Error::Refused { url, .. } => Some(policy.refusal(method, &url.parse().ok()?)),
        egress::Error::Address { host, addr, reason, .. } => Some(Refusal {
            right: "http",
            message: crate::call::output::clean(&format!("{host} is {addr}, which {reason}"), 300),
            line: None,
            place: None,
            by_author: false,
        }),
        _ => None,
    }
}

/// What is behind a handle that came with the call, or with the plugin's part of app-config.
async fn credential(plugin: &Inner, secrets: &[egress::Credential], handle: &str) -> Result<egress::Credential, Error> {
    if let Some(credential) = secret(secrets, handle) {
        return Ok(credential.clone());
    }
    let binding = plugin.config.binding(handle).ok_or_else(|| {
        Error::Invalid("there is no such credential; a handle comes from config.get, or with the call".to_owned())
    })?;
    binding.credential(&plugin.egress).await.map_err(|error| told(&error))
}

/// What one user sees through one plugin must not be another's answer.
fn scope(plugin: &Inner, user: Option<&str>) -> egress::CacheScope {
    egress::CacheScope(format!("{} {}", plugin.id, user.unwrap_or_default()))
}

/// A tenth of the call's time stays for the guest, so that it can say that the upstream is slow, rather than be
/// stopped as if it were at fault.
fn answer_time(deadline: Instant) -> Duration {
    const LONGEST: Duration = Duration::from_secs(30);
    (deadline.saturating_duration_since(Instant::now()) * 9 / 10).min(LONGEST)
}

fn method(method: wit::Method) -> Method {
    match method {
        wit::Method::Get => Method::GET,
        wit::Method::Head => Method::HEAD,
        wit::Method::Post => Method::POST,
        wit::Method::Put => Method::PUT,
        wit::Method::Patch => Method::PATCH,
        wit::Method::Delete => Method::DELETE,
        wit::Method::Options => Method::OPTIONS,
    }
}

/// What an upstream tells a browser to keep is not the guest's.
fn passed_on(headers: &HeaderMap) -> Vec<wit::Header> {
    const KEPT_BACK: [&str; 2] = ["set-cookie", "set-cookie2"];
    headers
        .iter()
        .filter(|(name, _)| !KEPT_BACK.contains(&name.as_str()))
        .map(|(name, value)| wit::Header {
            name: name.as_str().to_owned(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        })
        .collect()
}

fn told(error: &egress::Error) -> Error {
    let message = error.to_string();
    match error {
        egress::Error::Url { .. } | egress::Error::Header { .. } => Error::Invalid(message),
        egress::Error::TooLarge { .. } => Error::TooLarge(message),
        error if error.is_refusal() => Error::Denied(message),
        egress::Error::Credential(_) => Error::Denied(message),
        _ => Error::Unavailable(message),
    }
}

/// Without the query, which may carry a signature.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn shown_text(text: &str) -> String {
    crate::call::output::clean(text, 200)
}

/// The grant as a policy: asked for the first request and again for every redirect.
#[derive(Debug)]
pub(crate) struct GrantPolicy {
    pub(crate) plugin: String,
    /// With every `config:` replaced by what app-config has there.
    pub(crate) declared: Vec<HttpRight>,
    pub(crate) granted: Vec<HttpRight>,
    pub(crate) effective: Vec<HttpRight>,
}

impl GrantPolicy {
    /// A request that is not allowed, for the statistics: without its path, which is the guest's to choose.
    fn refusal(&self, method: &Method, url: &Url) -> Refusal {
        let missing = rights::refusal(&self.declared, &self.granted, method.as_str(), url);
        let by_author = missing.as_ref().is_some_and(|missing| missing.side == Side::Declared);
        let place = match by_author {
            true => "rights.http".to_owned(),
            false => format!("plugins.{}.grant.http", self.plugin),
        };
        Refusal {
            right: "http",
            message: format!("{method} {}", url.origin().ascii_serialization()),
            place: missing.is_some().then_some(place),
            line: missing.map(|missing| missing.line_to_add),
            by_author,
        }
    }
}

impl egress::Policy for GrantPolicy {
    fn check(&self, method: &Method, url: &Url) -> Result<egress::Reach, egress::Refused> {
        let mut allowing = self.effective.iter().filter(|right| right.allows(method.as_str(), url)).peekable();
        if allowing.peek().is_some() {
            let named = allowing.any(|right| matches!(right.origin, Origin::Exact { .. }));
            return Ok(if named { egress::Reach::Named } else { egress::Reach::Public });
        }
        let what = format!("{method} {}", shown(url));
        let plugin = &self.plugin;
        Err(match rights::refusal(&self.declared, &self.granted, method.as_str(), url) {
            Some(refusal) if refusal.side == Side::Declared => egress::Refused::new(format!(
                "the manifest of the plugin `{plugin}` does not declare {what}"
            ))
            .with_fix(format!(
                "its author adds `{}` below `rights.http` in plugin.yaml, and then you grant it",
                refusal.line_to_add
            )),
            Some(refusal) => egress::Refused::new(format!("app-config does not grant {what} to the plugin `{plugin}`"))
                .with_fix(format!("add `{}` below `plugins.{plugin}.grant.http` in app-config", refusal.line_to_add)),
            None => egress::Refused::new(format!(
                "no single right that the plugin `{plugin}` declares and app-config grants covers {what}"
            )),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn rights(texts: &[&str]) -> Vec<HttpRight> {
        texts.iter().map(|&text| HttpRight::parse(text).unwrap()).collect()
    }

    #[test]
    fn the_grant_decides() {
        let policy = GrantPolicy {
            plugin: "test".to_owned(),
            declared: rights(&[
                "GET https://*.example.com",
                "GET https://only-declared.org",
                "GET http://127.0.0.1:9000",
            ]),
            granted: rights(&["GET https://*.example.com", "GET http://127.0.0.1:9000"]),
            effective: rights(&["GET https://*.example.com", "GET http://127.0.0.1:9000"]),
        };
        let check = |method: Method, url: &str, expected: Result<egress::Reach, &str>| {
            let result = egress::Policy::check(&policy, &method, &url.parse().unwrap());
            match (result, expected) {
                (Ok(reach), Ok(expected)) => assert_eq!(reach, expected, "{url}"),
                (Err(refused), Err(part)) => assert!(refused.to_string().contains(part), "{refused}"),
                (result, _) => panic!("{method} {url}: {result:?}"),
            }
        };
        check(Method::GET, "https://api.example.com/x", Ok(egress::Reach::Public));
        check(Method::GET, "http://127.0.0.1:9000/x", Ok(egress::Reach::Named));
        check(Method::GET, "http://127.0.0.1:9001/x", Err("does not declare GET http://127.0.0.1:9001/x"));
        check(
            Method::POST,
            "https://api.example.com/x",
            Err("- \"POST https://api.example.com\"` below `rights.http`"),
        );
        check(
            Method::GET,
            "https://only-declared.org/?secret=1",
            Err("app-config does not grant GET https://only-declared.org/ to"),
        );
        check(Method::GET, "https://only-declared.org/", Err("below `plugins.test.grant.http`"));
    }

    #[test]
    fn cookies_are_kept_back() {
        let mut map = HeaderMap::new();
        map.append("set-cookie", HeaderValue::from_static("a=b"));
        map.append("etag", HeaderValue::from_static("\"1\""));
        let names: Vec<_> = passed_on(&map).into_iter().map(|header| header.name).collect();
        assert_eq!(names, ["etag"]);
    }
}
