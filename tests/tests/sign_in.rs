//! Signing in with somebody else's word for who it is: an OIDC provider that is real, and GitHub.
//!
//! What ends well ends with a session and at the page that was asked for. What does not end well leaves nobody signed
//! in, and says why: to the page by a code, of which it knows all, and in full to the log.

mod addresses;
mod attacks;
pub(crate) mod github;
mod oidc;
pub(crate) mod tokens;

use anyhow::{Context, Result, ensure};
use callboard::identity::session::NAME as SESSION;
use callboard_model::api::SignInError;
use callboard_tests::client::Answer;
use callboard_tests::github::GitHub;
use callboard_tests::oidc::OidcProvider;
use callboard_tests::portal::{KINDS, Reserved, TestPortal, merge};
use callboard_tests::visitor::Visitor;
use serde_json::{Value, json};
use url::Url;

/// Where everybody wants to go.
const PAGE: &str = "catalog?filters[kind]=api";

/// Whom the catalog knows.
const USERS: &str = r"
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: readers }
spec: { type: team, children: [] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: ada, annotations: { github.com/user-id: U_1815 } }
spec: { memberOf: [readers], profile: { email: ada@example.com, displayName: Ada Lovelace } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: grace }
spec: { memberOf: [], profile: { email: grace@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: mallory }
spec: { memberOf: [], profile: { email: mallory@elsewhere.example } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: twin-one }
spec: { memberOf: [], profile: { email: twin@example.com } }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: twin-two }
spec: { memberOf: [], profile: { email: twin@example.com } }
";

/// Whom the portal asks.
pub(crate) enum Peer {
    Oidc(Box<OidcProvider>),
    GitHub(GitHub),
}

/// A portal, and whom it asks.
pub(crate) struct Scene {
    pub(crate) portal: TestPortal,
    peer: Peer,
    /// Holds the portal's port.
    _reserved: Reserved,
}

/// How an attempt to sign in ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// As whom.
    SignedIn(String),
    /// For this reason.
    Refused(SignInError),
}

impl Peer {
    /// Its key below `auth.providers`, and in the portal's addresses.
    fn id(&self) -> &'static str {
        match self {
            Self::Oidc(_) => "oidc",
            Self::GitHub(_) => "github",
        }
    }

    fn base(&self) -> String {
        match self {
            Self::Oidc(provider) => provider.issuer().to_owned(),
            Self::GitHub(github) => github.base(),
        }
    }

    /// How it is configured, with these ways to tell who somebody is.
    fn config(&self, resolvers: &Value) -> Value {
        let provider = match self {
            Self::Oidc(provider) => json!({
                "metadataUrl": provider.metadata_url(),
                "clientId": provider.client_id(),
                "clientSecret": provider.client_secret(),
            }),
            Self::GitHub(github) => json!({
                "clientId": github.client_id(),
                "clientSecret": github.client_secret(),
                "enterpriseInstanceUrl": github.base(),
            }),
        };
        let mut environment = json!({ "signIn": { "resolvers": resolvers } });
        merge(&mut environment, provider);
        json!({ "auth": { "environment": "development", "providers": { self.id(): { "development": environment } } } })
    }

    /// What a person does there. Returns where they are sent then.
    async fn sign_in(&self, visitor: &mut Visitor, authorize: &Url, login: &str) -> Result<Url> {
        match self {
            Self::Oidc(provider) => provider.sign_in(visitor, authorize, login).await,
            Self::GitHub(github) => github.sign_in(visitor, authorize).await,
        }
    }

    /// What has reached it that is not for everybody to know: the path and the form.
    async fn exchanges(&self) -> Result<Vec<std::collections::BTreeMap<String, String>>> {
        Ok(match self {
            Self::Oidc(provider) => {
                let seen = provider.seen().await?;
                seen.into_iter().filter(|seen| seen.path == "/token").map(|seen| seen.form).collect()
            }
            Self::GitHub(github) => {
                let seen = github.seen();
                seen.into_iter().filter(|seen| seen.path.ends_with("/access_token")).map(|seen| seen.form).collect()
            }
        })
    }
}

impl Scene {
    /// Asks the OIDC provider, and knows people by their address.
    pub(crate) async fn oidc() -> Result<Self> {
        let by_email = json!({ "resolver": "emailMatchingUserEntityProfileEmail", "allowedDomains": ["example.com"] });
        Self::oidc_with(&json!([by_email])).await
    }

    async fn oidc_with(resolvers: &Value) -> Result<Self> {
        let reserved = Reserved::new()?;
        let provider = OidcProvider::start(&callback(&reserved, "oidc")?).await?;
        Self::start(reserved, Peer::Oidc(Box::new(provider)), resolvers).await
    }

    /// Asks GitHub, and knows people by what they are called there.
    pub(crate) async fn github() -> Result<Self> {
        Self::github_with(&json!([{ "resolver": "usernameMatchingUserEntityName" }])).await
    }

    async fn github_with(resolvers: &Value) -> Result<Self> {
        let reserved = Reserved::new()?;
        let github = GitHub::start(&callback(&reserved, "github")?).await?;
        Self::start(reserved, Peer::GitHub(github), resolvers).await
    }

    async fn start(reserved: Reserved, peer: Peer, resolvers: &Value) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("users.yaml"), USERS)?;
        let mut config = json!({ "catalog": {
            "rules": [{ "allow": KINDS }],
            "locations": [{ "type": "file", "target": "users.yaml" }],
        } });
        merge(&mut config, reserved.config());
        merge(&mut config, peer.config(resolvers));
        let portal = TestPortal::start_in(folder, config).await?;
        for user in ["ada", "grace", "mallory", "twin-one", "twin-two"] {
            portal.until_entity(&format!("user:default/{user}")).await?;
        }
        portal
            .until("Ada's group", async || {
                let ada = portal.entity("user:default/ada").await?.context("Ada")?;
                Ok(ada["relations"].as_array().is_some_and(|relations| !relations.is_empty()))
            })
            .await?;
        Ok(Self { portal, peer, _reserved: reserved })
    }

    /// The provider, where it is one of OIDC.
    pub(crate) fn provider(&self) -> Result<&OidcProvider> {
        match &self.peer {
            Peer::Oidc(provider) => Ok(provider),
            Peer::GitHub(_) => anyhow::bail!("this scene has no OIDC provider"),
        }
    }

    /// GitHub, where it is that.
    pub(crate) fn hub(&self) -> Result<&GitHub> {
        match &self.peer {
            Peer::GitHub(github) => Ok(github),
            Peer::Oidc(_) => anyhow::bail!("this scene has no GitHub"),
        }
    }

    /// Starts the portal anew, which then knows nothing of what the provider has said before.
    async fn restart(self) -> Result<Self> {
        let config = std::fs::read_to_string(self.portal.folder().join("app-config.yaml"))?;
        Ok(Self { portal: self.portal.restart(config).await?, ..self })
    }

    /// Somebody who has never been here.
    fn visitor(&self) -> Visitor {
        Visitor::new(self.portal.url())
    }

    /// An address of the portal.
    pub(crate) fn at(&self, path: &str) -> Result<Url> {
        Ok(self.portal.url().join(path)?)
    }

    /// Where signing in begins.
    pub(crate) fn start_at(&self, page: &str) -> Result<Url> {
        let mut url = self.at(&format!("api/auth/{}/start", self.peer.id()))?;
        url.query_pairs_mut().extend_pairs([("env", "development"), ("flow", "redirect"), ("redirectUrl", page)]);
        Ok(url)
    }

    /// Begins, and returns where the portal sends people to be asked who they are. None: it does not send them there,
    /// and this is what it says.
    async fn begin(&self, visitor: &mut Visitor) -> Result<std::result::Result<Url, Answer>> {
        let answer = visitor.get(self.start_at(self.at(PAGE)?.as_str())?.as_str()).await?;
        let to = answer.header("location").and_then(|to| Url::parse(to).ok());
        Ok(match to {
            Some(to) if answer.status == 302 && to.as_str().starts_with(&self.peer.base()) => Ok(to),
            _ => Err(answer),
        })
    }

    /// Begins and is asked; returns where the peer sends people to, which they have not visited yet.
    async fn callback(&self, visitor: &mut Visitor, login: &str) -> Result<Url> {
        let authorize = self.begin(visitor).await?.map_err(|answer| anyhow::anyhow!("{}", answer.text()))?;
        self.peer.sign_in(visitor, &authorize, login).await
    }

    /// The whole way.
    async fn attempt(&self, visitor: &mut Visitor, login: &str) -> Result<Outcome> {
        let answer = match self.begin(visitor).await? {
            Ok(authorize) => {
                let callback = self.peer.sign_in(visitor, &authorize, login).await?;
                visitor.get(callback.as_str()).await?
            }
            Err(answer) => answer,
        };
        self.outcome(visitor, &answer).await
    }

    /// How it ended, by what the last answer says and by what the portal says afterwards, which must be the same.
    async fn outcome(&self, visitor: &mut Visitor, answer: &Answer) -> Result<Outcome> {
        let user = self.user(visitor).await?;
        let sets_session = answer.headers.get_all("set-cookie").iter().any(|cookie| {
            let cookie = String::from_utf8_lossy(cookie.as_bytes());
            cookie.strip_prefix(SESSION).is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("=;"))
        });
        if answer.status == 302 && answer.header("location") == Some(self.at(PAGE)?.as_str()) {
            ensure!(sets_session, "there is no session, and all looks well");
            return Ok(Outcome::SignedIn(user.context("nobody is signed in, and all looks well")?));
        }
        ensure!(!sets_session, "there is a session, and it looks refused: {answer:?}");
        ensure!(user.is_none(), "{user:?} is signed in, and it looks refused: {answer:?}");
        Ok(Outcome::Refused(self.reason(answer)?))
    }

    /// Why somebody was not signed in, as the page is told it that they are sent to. It is told nothing else.
    fn reason(&self, answer: &Answer) -> Result<SignInError> {
        ensure!(answer.status == 302, "{answer:?}");
        let to = answer.header("location").context("a redirect without a location")?;
        let code = to.strip_prefix("/sign-in?error=").with_context(|| format!("they are sent to {to}"))?;
        SignInError::of_code(code).with_context(|| format!("no page knows {code}"))
    }

    /// Who is signed in, as the portal has it.
    async fn user(&self, visitor: &mut Visitor) -> Result<Option<String>> {
        let session: Value = visitor.get("api/session").await?.ok()?.json()?;
        Ok(session.pointer("/user/entityRef").and_then(Value::as_str).map(str::to_owned))
    }
}

impl Outcome {
    fn ada() -> Self {
        Self::SignedIn("user:default/ada".to_owned())
    }

    /// The reason of a refusal.
    fn refused(self) -> Result<SignInError> {
        match self {
            Self::Refused(reason) => Ok(reason),
            Self::SignedIn(user) => anyhow::bail!("{user} is signed in"),
        }
    }
}

fn callback(reserved: &Reserved, provider: &str) -> Result<Url> {
    Ok(reserved.url.join(&format!("api/auth/{provider}/handler/frame"))?)
}

/// A parameter of an address; none where there is none.
fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The address with a parameter that is another; without it where there is no other.
fn with_parameter(url: &Url, name: &str, value: Option<&str>) -> Url {
    let others =
        url.query_pairs().filter(|(key, _)| key != name).map(|(key, value)| (key.into_owned(), value.into_owned()));
    let others: Vec<_> = others.collect();
    let mut changed = url.clone();
    changed.query_pairs_mut().clear().extend_pairs(others).extend_pairs(value.map(|value| (name, value)));
    changed
}
