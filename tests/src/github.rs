//! GitHub's sign-in, as it is published in "Authorizing OAuth apps" and in the reference of `GET /user`, at the addresses
//! that an Enterprise Server has: `<base>/login/oauth/…` and `<base>/api/v3/…`.
//!
//! It is stricter than GitHub in one thing: the redirect URI must be the registered one to the letter, while GitHub
//! allows paths below it.

mod api;
mod oauth;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::Response;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use crate::visitor::{Arrival, Visitor};

const CLIENT_ID: &str = "Iv1.0123456789abcdef";
const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdef01234567";

/// A running GitHub. Dropped, it ends.
pub struct GitHub {
    address: SocketAddr,
    shared: Shared,
    task: JoinHandle<()>,
}

/// Whoever is signed in to GitHub in the browser.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    pub login: String,
    pub id: u64,
    pub node_id: String,
    pub name: Option<String>,
    /// The one that the profile shows, if it shows one.
    pub email: Option<String>,
    /// All of them; needs the scope `user:email`.
    #[serde(skip)]
    pub emails: Vec<Email>,
}

/// An address as `GET /user/emails` has it.
#[derive(Clone, Debug, Serialize)]
pub struct Email {
    pub email: String,
    pub primary: bool,
    pub verified: bool,
    /// `public`, `private`, or null for those that are not the primary one.
    pub visibility: Option<&'static str>,
}

/// What becomes of a wish to be signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// The person has approved the portal before: it is sent back at once.
    Approves,
    /// The person is asked, by a page with a button.
    Asks,
    /// The person says no.
    Denies,
    /// GitHub has suspended the portal.
    Suspends,
    /// GitHub gives no token, because the person has no verified address.
    Unverified,
    /// GitHub's API takes no token any more.
    Revokes,
    /// GitHub's API answers 503 with a page.
    Down,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// The body, where it is a form.
    pub form: BTreeMap<String, String>,
    /// The header of that name.
    pub authorization: Option<String>,
}

/// What all routes know.
#[derive(Clone)]
struct Shared {
    redirect_uri: Arc<Url>,
    state: Arc<Mutex<Known>>,
}

struct Known {
    account: Account,
    mood: Mood,
    /// Codes that nobody has exchanged yet.
    codes: HashMap<String, Code>,
    tokens: HashMap<String, Token>,
    seen: Vec<Seen>,
}

/// What a code is for.
struct Code {
    token: Token,
    redirect_uri: String,
    challenge: Option<String>,
}

#[derive(Clone)]
struct Token {
    account: Account,
    scopes: Vec<String>,
}

impl Account {
    /// Somebody with one address, which is private, as GitHub suggests.
    #[must_use]
    pub fn new(login: &str, id: u64, email: &str) -> Self {
        let primary = Email { email: email.to_owned(), primary: true, verified: true, visibility: Some("private") };
        Self { login: login.to_owned(), id, node_id: format!("U_{id}"), name: None, email: None, emails: vec![primary] }
    }
}

impl GitHub {
    /// Starts one that sends people back to exactly this address. Ada is signed in there, and has approved the portal.
    pub async fn start(redirect_uri: &Url) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("GitHub cannot listen")?;
        let address = listener.local_addr()?;
        let known = Known {
            account: Account::new("ada", 1815, "ada@example.com"),
            mood: Mood::Approves,
            codes: HashMap::new(),
            tokens: HashMap::new(),
            seen: Vec::new(),
        };
        let shared = Shared { redirect_uri: Arc::new(redirect_uri.clone()), state: Arc::new(Mutex::new(known)) };
        let routes = Router::new()
            .nest("/login/oauth", oauth::routes())
            .nest("/api/v3", api::routes())
            .layer(middleware::from_fn_with_state(shared.clone(), note))
            .with_state(shared.clone());
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "GitHub ended");
            }
        });
        Ok(Self { address, shared, task })
    }

    /// For `enterpriseInstanceUrl`: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the portal is called there.
    #[must_use]
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    /// Goes into the form of the exchange: that it may be sent as `Authorization: Basic` is not published.
    #[must_use]
    pub fn client_secret(&self) -> &'static str {
        CLIENT_SECRET
    }

    /// Somebody else signs in to GitHub.
    pub fn is_used_by(&self, account: Account) {
        self.shared.known().account = account;
    }

    /// What becomes of the next wishes.
    pub fn mood(&self, mood: Mood) {
        self.shared.known().mood = mood;
    }

    /// Every request so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.known().seen.clone()
    }

    /// Does what a person does who was sent to GitHub. Returns where they are sent then, without going there.
    pub async fn sign_in(&self, visitor: &mut Visitor, authorize: &Url) -> Result<Url> {
        let mut answer = visitor.get(authorize.as_str()).await?;
        if self.shared.known().mood == Mood::Asks {
            answer = visitor.submit(authorize.as_str(), &[("authorize", "1")]).await?;
        }
        match visitor.follow(authorize, answer, |_| true).await? {
            Arrival::Stopped(back) => Ok(back),
            Arrival::Page(url, answer) => bail!("GitHub keeps people at {url}: {} {}", answer.status, answer.text()),
        }
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes each request down, and hands it on with its body.
async fn note(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let pairs = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect::<BTreeMap<_, _>>();
    let is_form = parts.headers.get(header::CONTENT_TYPE).is_some_and(|of| of.as_bytes().ends_with(b"urlencoded"));
    let authorization = parts.headers.get(header::AUTHORIZATION);
    shared.known().seen.push(Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        form: if is_form { pairs(&body) } else { BTreeMap::new() },
        authorization: authorization.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
    });
    next.run(Request::from_parts(parts, body.into())).await
}
