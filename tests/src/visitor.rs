//! Somebody with a browser, without the browser: keeps cookies as one does, and goes where a redirect leads, one step at
//! a time, so that a test may look at each.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use cookie_store::{CookieError, CookieStore};
use http::{Method, header};
use http_body_util::Full;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::client::{Answer, Client};

/// More redirects than any sign-in needs.
const MAX_REDIRECTS: usize = 10;

/// Visits the portal and whoever it sends people to.
pub struct Visitor {
    client: Client,
    /// As browsers have them: for a host, whichever its port.
    cookies: CookieStore,
}

/// Where redirects led to.
#[derive(Debug)]
pub enum Arrival {
    /// The address that was not to be visited.
    Stopped(Url),
    /// A page, and where it is.
    Page(Url, Answer),
}

impl Visitor {
    /// Paths are those of the portal at `base`.
    #[must_use]
    pub fn new(base: &Url) -> Self {
        Self { client: Client::new(base.clone()), cookies: CookieStore::default() }
    }

    /// `GET` of a path or an address. A redirect is an answer like any other.
    pub async fn get(&mut self, to: &str) -> Result<Answer> {
        let url = self.client.base().join(to)?;
        self.send(http::Request::get(url.as_str()), &url, Bytes::new()).await
    }

    /// Any request to a path or an address, with the cookies that belong there.
    pub async fn request(&mut self, method: Method, to: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let url = self.client.base().join(to)?;
        let request = http::Request::builder().method(method).uri(url.as_str());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request, &url, Bytes::new()).await
    }

    /// `POST` of a form, as the page that is at the same address would send it.
    pub async fn submit(&mut self, to: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let url = self.client.base().join(to)?;
        let request = http::Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, url.origin().ascii_serialization());
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(request, &url, form.into()).await
    }

    /// Goes on from an answer that came from `at` until there is a page, or until an address is not to be visited.
    pub async fn follow(&mut self, at: &Url, answer: Answer, stop: impl Fn(&Url) -> bool) -> Result<Arrival> {
        let (mut at, mut answer) = (at.clone(), answer);
        for _ in 0..MAX_REDIRECTS {
            if !answer.status.is_redirection() {
                return Ok(Arrival::Page(at, answer));
            }
            at = at.join(answer.header("location").context("a redirect without a location")?)?;
            if stop(&at) {
                return Ok(Arrival::Stopped(at));
            }
            answer = self.get(at.as_str()).await?;
        }
        bail!("redirected again and again, at last to {at}")
    }

    /// A cookie that would be sent to a path or an address.
    pub fn cookie(&self, to: &str, name: &str) -> Result<Option<String>> {
        let url = self.client.base().join(to)?;
        let found = self.cookies.get_request_values(&url).find(|(known, _)| *known == name);
        Ok(found.map(|(_, value)| value.to_owned()))
    }

    /// Holds a cookie for the portal, `name=value; …` as the portal would set it, whoever has put it there.
    pub fn hold(&mut self, cookie: &str) -> Result<()> {
        let url = self.client.base().clone();
        self.cookies.parse(cookie, &url).with_context(|| format!("no cookie: {cookie}"))?;
        Ok(())
    }

    /// Forgets every cookie, as a browser that was started anew.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    async fn send(&mut self, mut request: http::request::Builder, url: &Url, body: Bytes) -> Result<Answer> {
        let cookies: Vec<_> =
            self.cookies.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let answer = self.client.request(request.body(Full::new(body))?).await.with_context(|| url.to_string())?;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().context("a cookie that is not text")?;
            match self.cookies.parse(cookie, url) {
                // Taking back what was never there is nothing.
                Ok(_) | Err(CookieError::Expired) => {}
                Err(error) => return Err(error).with_context(|| format!("{url} set the cookie {cookie}")),
            }
        }
        Ok(answer)
    }
}
