//! An OIDC provider on loopback: `oidc-provider` of npm, which is certified, with flaws on request (`tests/oidc/`).

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use url::Url;

use crate::environment;
use crate::visitor::{Arrival, Visitor};

const CLIENT_ID: &str = "portal";
const CLIENT_SECRET: &str = "not/to be+told:%41&";

/// A running provider. Dropped, it is killed.
pub struct OidcProvider {
    _process: Child,
    wire: Mutex<Wire>,
    hello: Hello,
    redirect_uri: Url,
}

/// A request as it arrived at the provider.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    pub method: String,
    /// Whether it came to [`OidcProvider::elsewhere`].
    pub elsewhere: bool,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// The header of that name.
    pub authorization: Option<String>,
    /// The body of a request to the token endpoint.
    pub form: BTreeMap<String, String>,
}

/// A wish goes out as a line, and its answer comes back as one.
struct Wire {
    wishes: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// What the provider says when it listens.
#[derive(Deserialize)]
struct Hello {
    issuer: String,
    elsewhere: String,
    flaws: Vec<String>,
    manners: Vec<String>,
}

impl OidcProvider {
    /// Starts one that sends people back to exactly this address.
    pub async fn start(redirect_uri: &Url) -> Result<Self> {
        let client = json!({ "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET, "redirectUri": redirect_uri });
        let mut process = Command::new("node")
            .arg(environment::oidc()?)
            .arg(client.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node did not start; `cargo xtask test` installs it where it can")?;
        let wishes = process.stdin.take().context("its input was to be piped")?;
        let answers = BufReader::new(process.stdout.take().context("its output was to be piped")?).lines();
        let mut wire = Wire { wishes, answers };
        let hello = wire.answer().await?;
        Ok(Self { _process: process, wire: Mutex::new(wire), hello, redirect_uri: redirect_uri.clone() })
    }

    /// What it calls itself: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.hello.issuer
    }

    /// Its discovery document.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer())
    }

    /// Another host, where flaws send those who follow a redirect. All is sound there.
    #[must_use]
    pub fn elsewhere(&self) -> &str {
        &self.hello.elsewhere
    }

    /// What the portal is called there.
    #[must_use]
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// With signs in it that have a meaning in URLs and in forms: they are to be encoded where it is sent as
    /// `Authorization: Basic` ([RFC 6749, section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)), which
    /// is the one way that the provider takes.
    #[must_use]
    pub fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// What can be wrong with it. Nobody may be signed in by such a provider.
    #[must_use]
    pub fn flaws(&self) -> &[String] {
        &self.hello.flaws
    }

    /// In what providers differ. Everybody can be signed in by such a provider.
    #[must_use]
    pub fn manners(&self) -> &[String] {
        &self.hello.manners
    }

    /// Has this flaw, or these manners, from now on, instead of those before.
    pub async fn flaw(&self, name: &str) -> Result<()> {
        self.wish(json!({ "flaw": name })).await
    }

    /// Has no flaw any more.
    pub async fn flawless(&self) -> Result<()> {
        self.wish(json!({ "flaw": null })).await
    }

    /// Every request so far.
    pub async fn seen(&self) -> Result<Vec<Seen>> {
        let mut wire = self.wire.lock().await;
        wire.ask(json!({ "requests": true })).await?;
        let mut answer: BTreeMap<String, Vec<Seen>> = wire.answer().await?;
        answer.remove("requests").context("the requests")
    }

    /// Does what a person does who was sent to the provider: says who they are, and that the portal may know. Returns
    /// where they are sent then, without going there.
    pub async fn sign_in(&self, visitor: &mut Visitor, authorize: &Url, login: &str) -> Result<Url> {
        self.decide(visitor, authorize, &[("login", login), ("decision", "allow")]).await
    }

    /// The same for somebody who says no.
    pub async fn refuse(&self, visitor: &mut Visitor, authorize: &Url) -> Result<Url> {
        self.decide(visitor, authorize, &[("decision", "deny")]).await
    }

    async fn decide(&self, visitor: &mut Visitor, authorize: &Url, fields: &[(&str, &str)]) -> Result<Url> {
        ensure!(authorize.as_str().starts_with(self.issuer()), "{authorize} is not at the provider");
        let answer = visitor.get(authorize.as_str()).await?;
        let (page, question) = match visitor.follow(authorize, answer, |url| self.is_back(url)).await? {
            // The provider has asked this visitor before.
            Arrival::Stopped(back) => return Ok(back),
            Arrival::Page(url, answer) => (url, answer.ok()?),
        };
        ensure!(page.path().starts_with("/sign-in/"), "the provider shows no form: {}", question.text());
        let answer = visitor.submit(page.as_str(), fields).await?;
        match visitor.follow(&page, answer, |url| self.is_back(url)).await? {
            Arrival::Stopped(back) => Ok(back),
            Arrival::Page(url, answer) => bail!("the provider keeps people at {url}: {}", answer.text()),
        }
    }

    fn is_back(&self, url: &Url) -> bool {
        url.origin() == self.redirect_uri.origin() && url.path() == self.redirect_uri.path()
    }

    async fn wish(&self, wish: Value) -> Result<()> {
        let mut wire = self.wire.lock().await;
        wire.ask(wish.clone()).await?;
        let answer: Value = wire.answer().await?;
        ensure!(answer == wish, "asked for {wish}, the provider answers {answer}");
        Ok(())
    }
}

impl Wire {
    async fn ask(&mut self, wish: Value) -> Result<()> {
        self.wishes.write_all(format!("{wish}\n").as_bytes()).await.context("the provider has ended")
    }

    async fn answer<T: DeserializeOwned>(&mut self) -> Result<T> {
        let line = self.answers.next_line().await?.context("the provider has ended")?;
        serde_json::from_str(&line).with_context(|| format!("the provider says {line}"))
    }
}
