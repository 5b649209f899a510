//! Services that speak OpenID Connect.

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreClientAuthMethod, CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    EmptyExtraTokenFields, IdTokenFields, IssuerUrl, OAuth2TokenResponse as _, StandardClaims, TokenResponse as _,
};
use tokio::sync::Mutex;
use url::Url;

use super::ask::Ask;
use super::code::{Endpoints, Tokens};
use super::id_token::{self, Expected, Extra, IdToken, NotVerified, Unverified};
use crate::config::{ClientAuthentication, Matching, OidcService, SignInProvider, UserIdClaim};
use crate::identity::clock::Clock;
use crate::identity::sign_in::failure::{Failure, quoted};
use crate::identity::sign_in::flow::Flow;
use crate::identity::sign_in::profile::{Email, Profile};

/// How long a service's description and keys are believed in. A key that it withdrew is out after this; a new one is in at
/// once, because it is asked for.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// The most keys that a service may have. Some have a dozen, while they change them.
const KEYS: usize = 100;

/// What sign-in needs to know, and `openid`, without which there is no ID token.
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

/// A service.
pub(super) struct Oidc {
    service: OidcService,
    clock: Clock,
    described: Mutex<Option<Kept<Described>>>,
    keys: Mutex<Option<Kept<CoreJsonWebKeySet>>>,
}

/// What was read, and when.
struct Kept<T> {
    value: Arc<T>,
    at: Instant,
}

/// What a service says of itself.
struct Described {
    issuer: IssuerUrl,
    authorize: Url,
    token: Url,
    user_info: Option<Url>,
    keys: Url,
    authentication: ClientAuthentication,
}

type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

impl Oidc {
    pub(super) fn new(service: &OidcService, clock: Clock) -> Oidc {
        Oidc { service: service.clone(), clock, described: Mutex::default(), keys: Mutex::default() }
    }

    pub(super) fn scopes() -> Vec<&'static str> {
        SCOPES.to_vec()
    }

    /// What goes along to the service: the nonce that its token must repeat, and what app-config adds.
    pub(super) fn parameters<'a>(&'a self, nonce: &'a str) -> Vec<(&'a str, &'a str)> {
        let own = self.service.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        std::iter::once(("nonce", nonce)).chain(own).collect()
    }

    pub(super) async fn endpoints(&self, ask: &Ask) -> Result<Endpoints, Failure> {
        let described = self.described(ask).await?;
        Ok(Endpoints {
            authorize: described.authorize.clone(),
            token: described.token.clone(),
            authentication: described.authentication,
        })
    }

    /// Whether an `iss` that came back with a code is the service (RFC 9207). Few send one.
    pub(super) async fn is_issuer(&self, ask: &Ask, issuer: &str) -> Result<bool, Failure> {
        Ok(self.described(ask).await?.issuer.as_str() == issuer)
    }

    pub(super) async fn profile(
        &self,
        ask: &Ask,
        provider: &SignInProvider,
        callback: &Url,
        code: &str,
        flow: &Flow,
    ) -> Result<Profile, Failure> {
        let endpoints = self.endpoints(ask).await?;
        let tokens: Tokens<Fields> = endpoints.exchange(ask, provider, callback, code, &flow.verifier).await?;
        let token = tokens.id_token().ok_or_else(|| Failure::Unproven("there is no ID token".to_owned()))?;
        let token = self.verified(ask, token, &provider.client_id, &flow.nonce).await?;
        tracing::debug!(provider = provider.id, "an ID token is believed: {token}");
        let mut profile = Profile {
            user_id: match self.service.user_id_claim {
                UserIdClaim::Sub => Some(token.subject.clone()),
                UserIdClaim::Oid => token.oid.clone(),
            },
            username: token.username.clone(),
            emails: token.email.clone().into_iter().collect(),
            display_name: token.name.clone(),
            issuer: token.issuer.clone(),
            subject: token.subject.clone(),
        };
        let described = self.described(ask).await?;
        if let Some(url) = described.user_info.as_ref().filter(|_| is_wanting(&token, provider)) {
            let claims: StandardClaims<CoreGenderClaim> = ask.json(url, Some(tokens.access_token().secret())).await?;
            add(&mut profile, &claims)?;
        }
        Ok(profile)
    }

    async fn verified(&self, ask: &Ask, token: &Unverified, client_id: &str, nonce: &str) -> Result<IdToken, Failure> {
        let described = self.described(ask).await?;
        let expected = Expected { issuer: &described.issuer, client_id, nonce, now: self.clock.now() };
        let (keys, are_new) = self.keys(ask, &described, None).await?;
        match id_token::verify(token, &keys, &expected) {
            // The service may have a new key since; that is asked for once.
            Err(NotVerified::UnknownKey) if !are_new => {
                let (keys, _) = self.keys(ask, &described, Some(&keys)).await?;
                Ok(id_token::verify(token, &keys, &expected)?)
            }
            verdict => Ok(verdict?),
        }
    }

    /// What the service says of itself. Who is first asks for all.
    async fn described(&self, ask: &Ask) -> Result<Arc<Described>, Failure> {
        let mut described = self.described.lock().await;
        if let Some(kept) = described.as_ref().filter(|kept| kept.at.elapsed() < FRESH) {
            return Ok(kept.value.clone());
        }
        let metadata: CoreProviderMetadata = ask.json(&self.service.metadata_url, None).await?;
        let value = Arc::new(self.describe(&metadata)?);
        *described = Some(Kept { value: value.clone(), at: Instant::now() });
        Ok(value)
    }

    fn describe(&self, metadata: &CoreProviderMetadata) -> Result<Described, Failure> {
        let issuer = metadata.issuer().clone();
        // Both are described at the same address, and the one that the description names is the one that signs.
        if issuer.as_str() != self.service.issuer && issuer.as_str().strip_suffix('/') != Some(&self.service.issuer) {
            let found = quoted(issuer.as_str());
            return Err(Failure::Unproven(format!(
                "{} describes the issuer {found} and not {}",
                self.service.metadata_url, self.service.issuer
            )));
        }
        let token =
            metadata.token_endpoint().ok_or_else(|| Failure::Unproven("it has no token endpoint".to_owned()))?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method: &CoreClientAuthMethod| methods.is_none_or(|methods| methods.contains(method));
        let only_post =
            !takes(&CoreClientAuthMethod::ClientSecretBasic) && takes(&CoreClientAuthMethod::ClientSecretPost);
        let usual = if only_post { ClientAuthentication::Post } else { ClientAuthentication::Basic };
        Ok(Described {
            authorize: self.endpoint(metadata.authorization_endpoint().url())?,
            token: self.endpoint(token.url())?,
            user_info: metadata.userinfo_endpoint().map(|url| self.endpoint(url.url())).transpose()?,
            keys: self.endpoint(metadata.jwks_uri().url())?,
            authentication: self.service.authentication.unwrap_or(usual),
            issuer,
        })
    }

    /// An endpoint may be on another host, and is as safe as the issuer: who has TLS has it everywhere.
    fn endpoint(&self, url: &Url) -> Result<Url, Failure> {
        let is_safe =
            url.scheme() == "https" || (url.scheme() == "http" && self.service.metadata_url.scheme() == "http");
        match is_safe {
            true => Ok(url.clone()),
            false => Err(Failure::Unproven(format!("its endpoint {} is not https", quoted(url.as_str())))),
        }
    }

    /// The service's keys, and whether they were read just now; others than these, where these lack one.
    async fn keys(
        &self,
        ask: &Ask,
        described: &Described,
        other_than: Option<&Arc<CoreJsonWebKeySet>>,
    ) -> Result<(Arc<CoreJsonWebKeySet>, bool), Failure> {
        let mut keys = self.keys.lock().await;
        let is_good = |kept: &&Kept<CoreJsonWebKeySet>| {
            kept.at.elapsed() < FRESH && other_than.is_none_or(|other| !Arc::ptr_eq(other, &kept.value))
        };
        if let Some(kept) = keys.as_ref().filter(is_good) {
            return Ok((kept.value.clone(), false));
        }
        let found: CoreJsonWebKeySet = ask.json(&described.keys, None).await?;
        if found.keys().len() > KEYS {
            return Err(Failure::Unproven(format!("it has {} keys, and {KEYS} are read", found.keys().len())));
        }
        let value = Arc::new(found);
        *keys = Some(Kept { value: value.clone(), at: Instant::now() });
        Ok((value, true))
    }
}

/// Whether something is compared that the token does not say.
fn is_wanting(token: &IdToken, provider: &SignInProvider) -> bool {
    provider.resolvers.iter().any(|resolver| match resolver.matching {
        Matching::Username => token.username.is_none(),
        Matching::ProfileEmail | Matching::AnnotatedEmail { .. } | Matching::EmailLocalPart => {
            !token.email.as_ref().is_some_and(|email| email.is_verified)
        }
        Matching::UserId { .. } | Matching::Subject { .. } => false,
    })
}

/// Adds what the service's `userinfo` says, where that is about the same user.
fn add(profile: &mut Profile, claims: &StandardClaims<CoreGenderClaim>) -> Result<(), Failure> {
    if claims.subject().as_str() != profile.subject {
        return Err(Failure::Unproven("its userinfo is about somebody else than its ID token".to_owned()));
    }
    let username = claims.preferred_username().map(|name| name.as_str().to_owned());
    profile.username = profile.username.take().or(username);
    // An address and whether it was verified are said in one breath, or they say nothing.
    if let Some(address) = claims.email() {
        let is_verified = claims.email_verified() == Some(true);
        profile.emails = vec![Email { address: address.as_str().to_owned(), is_verified }];
    }
    let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
    profile.display_name = profile.display_name.take().or(name);
    Ok(())
}
