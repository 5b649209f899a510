//! GitHub, whose OAuth 2 tells who somebody is by its API.

use oauth2::{EmptyExtraTokenFields, TokenResponse as _};
use serde::Deserialize;
use url::Url;

use super::ask::Ask;
use super::code::Endpoints;
use crate::config::{ClientAuthentication, SignInProvider};
use crate::identity::sign_in::failure::Failure;
use crate::identity::sign_in::profile::{Email, Profile};

/// What it takes to read who somebody is, and which of their addresses are verified.
const PROFILE: &str = "read:user";
const EMAILS: &str = "user:email";

/// GitHub, or an Enterprise Server.
pub(super) struct GitHub {
    instance: Url,
    api: Url,
}

#[derive(Deserialize)]
struct User {
    id: u64,
    node_id: String,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    #[serde(default)]
    primary: bool,
    verified: bool,
}

impl GitHub {
    pub(super) fn new(instance: &Url, api: &Url) -> GitHub {
        GitHub { instance: instance.clone(), api: api.clone() }
    }

    pub(super) fn endpoints(&self) -> Result<Endpoints, Failure> {
        Ok(Endpoints {
            authorize: join(&self.instance, "login/oauth/authorize")?,
            token: join(&self.instance, "login/oauth/access_token")?,
            authentication: ClientAuthentication::Post,
        })
    }

    /// Addresses are only asked for where one is compared.
    pub(super) fn scopes(provider: &SignInProvider) -> Vec<&str> {
        let mut scopes = vec![PROFILE];
        if needs_emails(provider) {
            scopes.push(EMAILS);
        }
        scopes
    }

    pub(super) async fn profile(
        &self,
        ask: &Ask,
        provider: &SignInProvider,
        callback: &Url,
        code: &str,
        verifier: &str,
    ) -> Result<Profile, Failure> {
        let endpoints = self.endpoints()?;
        let tokens = endpoints.exchange::<EmptyExtraTokenFields>(ask, provider, callback, code, verifier).await?;
        let token = tokens.access_token().secret();
        let user: User = ask.json(&join(&self.api, "user")?, Some(token)).await?;
        let mut addresses: Vec<Address> = match needs_emails(provider) {
            // The one in the profile is no proof: whoever shows it there need not have verified it.
            true => ask.json(&join(&self.api, "user/emails")?, Some(token)).await?,
            false => Vec::new(),
        };
        addresses.sort_by_key(|address| !address.primary);
        Ok(Profile {
            issuer: self.instance.as_str().trim_end_matches('/').to_owned(),
            subject: user.id.to_string(),
            user_id: Some(user.node_id),
            username: Some(user.login),
            emails: addresses
                .into_iter()
                .map(|address| Email { address: address.email, is_verified: address.verified })
                .collect(),
            display_name: user.name,
        })
    }
}

fn needs_emails(provider: &SignInProvider) -> bool {
    provider.resolvers.iter().any(|resolver| resolver.matching.needs_email())
}

fn join(base: &Url, path: &str) -> Result<Url, Failure> {
    base.join(path).map_err(|error| Failure::Internal(error.to_string()))
}
