//! Signing in with a service: GitHub, or whatever speaks OpenID Connect.
//!
//! The browser goes to the service and comes back with a code, which the portal exchanges for what the service knows of
//! somebody. A session begins where that is proven and means one user of the catalog.

pub mod failure;
pub mod flow;
pub mod landing;
pub mod profile;
pub mod provider;
pub mod resolver;

use callboard_catalog::Catalog;
use callboard_egress::Egress;
use callboard_model::entity_ref::EntityRef;
use callboard_store::Db;
use url::Url;

use self::failure::{Failure, quoted};
use self::flow::{Browser, Flows};
use self::landing::Landing;
use self::provider::{Outbound, Provider};
use super::clock::Clock;
use crate::config::{self, DEFAULT_ENVIRONMENT};

/// All services, and who is on the way.
pub struct SignIn {
    /// What `env` must be in the address that begins to sign in.
    pub environment: String,
    providers: Vec<Provider>,
    flows: Flows,
}

/// Somebody who came back, and is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Who they are.
    pub user: EntityRef,
    /// For people, as the service calls them.
    pub display_name: String,
    /// Where their browser goes.
    pub landing: Landing,
}

/// What a browser brings back.
#[derive(Clone, Debug, Default)]
pub struct Return {
    /// What it was sent out with.
    pub state: Option<String>,
    /// What the service gave it.
    pub code: Option<String>,
    /// Who the service says that it is.
    pub issuer: Option<String>,
    /// What the service says went wrong.
    pub error: Option<String>,
    /// The same, in more words.
    pub error_description: Option<String>,
}

impl SignIn {
    /// The services of app-config. They reach the portal at `base`.
    #[must_use]
    pub fn new(auth: &config::Auth, base: &Url, egress: &Egress, db: Db, clock: Clock) -> SignIn {
        let providers = auth.providers.iter().cloned();
        SignIn {
            environment: auth.environment.clone().unwrap_or_else(|| DEFAULT_ENVIRONMENT.to_owned()),
            providers: providers.map(|config| Provider::new(config, base, egress.clone(), clock.clone())).collect(),
            flows: Flows::new(db, clock),
        }
    }

    /// The service with this key in `auth.providers`.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.config.id == id)
    }

    /// The services that somebody can sign in with.
    pub fn offered(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().filter(|provider| !provider.config.resolvers.is_empty())
    }

    /// Sends a browser to a service.
    ///
    /// # Errors
    /// The service cannot be asked, or nobody can sign in with it.
    pub async fn begin(&self, provider: &Provider, browser: &Browser, landing: Landing) -> Result<Url, Failure> {
        if provider.config.resolvers.is_empty() {
            return Err(Failure::NotConfigured(provider.config.id.clone()));
        }
        let Outbound { url, state, flow } = provider.depart(landing).await?;
        self.flows.keep(&state, browser, &flow).await?;
        Ok(url)
    }

    /// Finds out who came back.
    ///
    /// # Errors
    /// It is not certain who it is, or they are nobody in the catalog.
    pub async fn finish(
        &self,
        provider: &Provider,
        browser: Option<&Browser>,
        back: &Return,
        catalog: &Catalog,
    ) -> Result<Arrival, Failure> {
        let state = back.state.as_deref().ok_or(Failure::Mismatch("they came back without a state"))?;
        let flow = self.flows.take(state, browser, &provider.config.id).await?;
        if let Some(error) = &back.error {
            let description = back.error_description.as_deref().map(quoted).unwrap_or_default();
            return Err(Failure::Refused(format!("{} {description}", quoted(error))));
        }
        let code = back.code.as_deref().ok_or_else(|| Failure::Refused("it gave no code".to_owned()))?;
        let profile = provider.profile(code, back.issuer.as_deref(), &flow).await?;
        let user = resolver::resolve(catalog, &provider.config.resolvers, &profile).await?;
        // A text of somebody else's, which is kept: one line, of a length that a page has room for.
        let display_name = profile.display_name.unwrap_or_default();
        let display_name: String = display_name.chars().filter(|c| !c.is_control()).take(100).collect();
        let display_name = if display_name.is_empty() { user.name().to_owned() } else { display_name };
        Ok(Arrival { user, display_name, landing: flow.landing })
    }
}
