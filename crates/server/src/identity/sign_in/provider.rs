//! The services where people sign in.

mod ask;
mod code;
mod github;
mod id_token;
mod oidc;

use callboard_egress::Egress;
use oauth2::PkceCodeVerifier;
use url::Url;

use self::ask::Ask;
use self::code::Departure;
use self::github::GitHub;
use self::oidc::Oidc;
use super::failure::Failure;
use super::flow::{Flow, random};
use super::landing::Landing;
use super::profile::Profile;
use crate::config::{SignInProvider, SignInService};
use crate::identity::clock::Clock;

/// A service, as app-config has it, and where it sends people back to.
pub struct Provider {
    /// Its settings.
    pub config: SignInProvider,
    /// Where the service sends people back to, to the letter as it is registered there.
    pub callback: Url,
    ask: Ask,
    service: Service,
}

enum Service {
    GitHub(GitHub),
    Oidc(Oidc),
}

/// Somebody who goes to a service.
pub struct Outbound {
    /// Where the browser goes.
    pub url: Url,
    /// What comes back with them, under which the flow is kept.
    pub state: String,
    /// What the portal remembers meanwhile.
    pub flow: Flow,
}

impl Provider {
    /// A provider of a portal that services reach at `base`.
    #[must_use]
    pub fn new(config: SignInProvider, base: &Url, egress: Egress, clock: Clock) -> Provider {
        let service = match &config.service {
            SignInService::GitHub { instance, api } => Service::GitHub(GitHub::new(instance, api)),
            SignInService::Oidc(service) => Service::Oidc(Oidc::new(service, clock)),
        };
        let callback = config.callback_url.clone().unwrap_or_else(|| callback(base, &config.id));
        Provider { config, callback, ask: Ask::new(egress), service }
    }

    /// Whether somebody whom the catalog does not know may sign in.
    #[must_use]
    pub fn admits_strangers(&self) -> bool {
        self.config.resolvers.iter().any(|resolver| resolver.without_user)
    }

    /// Sends somebody out, who comes back with a state and a code.
    ///
    /// # Errors
    /// The service cannot be asked where that is, or its answer is not to be trusted.
    pub async fn depart(&self, landing: Landing) -> Result<Outbound, Failure> {
        let (verifier, nonce, state) = (random(), random(), random());
        let endpoints = match &self.service {
            Service::GitHub(github) => github.endpoints()?,
            Service::Oidc(oidc) => oidc.endpoints(&self.ask).await?,
        };
        let (mut scopes, parameters) = match &self.service {
            Service::GitHub(_) => (GitHub::scopes(&self.config), Vec::new()),
            Service::Oidc(oidc) => (Oidc::scopes(), oidc.parameters(&nonce)),
        };
        for scope in &self.config.additional_scopes {
            if !scopes.contains(&scope.as_str()) {
                scopes.push(scope);
            }
        }
        let pkce = PkceCodeVerifier::new(verifier.clone());
        let departure = Departure { scopes, parameters, state: &state, verifier: &pkce };
        let url = endpoints.depart(&self.config, &self.callback, &departure);
        Ok(Outbound { url, state, flow: Flow { provider: self.config.id.clone(), verifier, nonce, landing } })
    }

    /// What the service says of whoever came back with a code.
    ///
    /// # Errors
    /// The service refuses, cannot be asked, or does not prove what it says.
    pub async fn profile(&self, code: &str, issuer: Option<&str>, flow: &Flow) -> Result<Profile, Failure> {
        match &self.service {
            Service::GitHub(github) => {
                github.profile(&self.ask, &self.config, &self.callback, code, &flow.verifier).await
            }
            Service::Oidc(oidc) => {
                if let Some(issuer) = issuer
                    && !oidc.is_issuer(&self.ask, issuer).await?
                {
                    return Err(Failure::Mismatch("another service sent them back"));
                }
                oidc.profile(&self.ask, &self.config, &self.callback, code, flow).await
            }
        }
    }
}

/// Below the path that `base` may have.
fn callback(base: &Url, id: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}/api/auth/{id}/handler/frame", base.path().trim_end_matches('/')));
    url
}
