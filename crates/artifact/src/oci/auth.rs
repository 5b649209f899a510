//! Answers a registry's challenge.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use callboard_egress::{Credential, Request, Secret};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use url::Url;

use super::{Registry, RegistryError, Repository, call::Access, challenge::Challenge, registry::Login};
use crate::{limits, source::shown};

/// A credential that was accepted or handed out, until it is asked for anew.
#[derive(Clone)]
pub(super) struct Held {
    credential: Credential,
    until: Option<Instant>,
}

/// A token that would run out while it is on its way is not used any more.
const SLACK: Duration = Duration::from_secs(5);

impl Registry {
    /// What to send along, where it is known already.
    pub(super) fn credential(&self, repository: &Repository, access: Access) -> Option<Credential> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.get(&access.scope(repository))?;
        held.until.is_none_or(|until| Instant::now() < until).then(|| held.credential.clone())
    }

    /// Gets a credential as the registry's challenge asks for one.
    pub(super) async fn authorise(
        &self,
        repository: &Repository,
        access: Access,
        headers: &HeaderMap,
    ) -> Result<(), RegistryError> {
        let malformed = |reason| RegistryError::Challenge { host: self.host.clone(), reason };
        let held = match (Challenge::read(headers).map_err(malformed)?, &self.login) {
            (Challenge::Basic, Some(Login { username, password })) => {
                Held { credential: Credential::basic(&self.origin, username, password)?, until: None }
            }
            (Challenge::Basic, None) => {
                return Err(RegistryError::LoginNeeded {
                    host: self.host.clone(),
                    what: repository.to_string(),
                    message: String::new(),
                });
            }
            (Challenge::Bearer { realm, service }, _) => {
                self.token(&realm, service.as_deref(), repository, access).await?
            }
        };
        let scope = access.scope(repository);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(scope, held);
        Ok(())
    }

    /// Asks the token server.
    ///
    /// The scope is ours and not the challenge's: a registry must not be able to have a token made that is good for more
    /// than was asked of it.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        repository: &Repository,
        access: Access,
    ) -> Result<Held, RegistryError> {
        let refuse = |reason: &str| RegistryError::Challenge { host: self.host.clone(), reason: reason.to_owned() };
        let mut url = Url::parse(realm).map_err(|_| refuse("its token server (realm) is no address"))?;
        let origin = url.origin().ascii_serialization();
        let mut credential = None;
        if let Some(Login { username, password }) = &self.login {
            if !self.reaching.is_own(&url) {
                return Err(RegistryError::RealmElsewhere { host: self.host.clone(), realm: origin });
            }
            credential = Some(Credential::basic(&url, username, password)?);
        }
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = service {
                query.append_pair("service", service);
            }
            query.append_pair("scope", &access.scope(repository));
        }
        let request = Request {
            credential,
            timeout: limits::REQUEST_TIME,
            max_redirects: 0,
            max_body: limits::TOKEN_BYTES,
            retry: true,
            ..Request::get(url.clone())
        };
        let what = format!("a token for {repository} from {origin}");
        let response = self.egress.send(request, &self.reaching).await?;
        match response.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(self.not_let_in(what, super::call::message(response).await));
            }
            status => {
                let message = super::call::message(response).await;
                return Err(RegistryError::Status { what, status, message });
            }
        }
        let body = response.body.collect(limits::TOKEN_BYTES).await?;
        let token: Token = serde_json::from_slice(&body).map_err(|_| RegistryError::Malformed {
            what: what.clone(),
            reason: format!("{} did not answer with a token", shown(&url)),
        })?;
        let no_token = || RegistryError::Malformed { what, reason: "it holds no token".to_owned() };
        let value = token.token.or(token.access_token).ok_or_else(no_token)?;
        let life = token.expires_in.map_or(limits::TOKEN_LIFE, Duration::from_secs).min(limits::LONGEST_TOKEN_LIFE);
        Ok(Held {
            credential: Credential::bearer(&self.origin, &value)?,
            until: Some(Instant::now() + life.saturating_sub(SLACK)),
        })
    }

    /// Why nothing was given, which depends on whether we said who we are.
    pub(super) fn not_let_in(&self, what: String, message: String) -> RegistryError {
        let host = self.host.clone();
        match self.login {
            None => RegistryError::LoginNeeded { host, what, message },
            Some(_) => RegistryError::LoginRefused { host, what, message },
        }
    }
}

/// What a token server answers. Some name it in the one way and some in the other.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<Secret>,
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    expires_in: Option<u64>,
}
