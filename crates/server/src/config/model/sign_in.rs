//! `auth.providers`: the services where people sign in.

use std::fmt;
use std::time::Duration;

use url::Url;

/// A service where people sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignInProvider {
    /// Its key in `auth.providers`.
    pub id: String,
    /// For people.
    pub title: String,
    /// What the service knows the portal by.
    pub client_id: String,
    /// What the portal proves that with.
    pub client_secret: ClientSecret,
    /// Where the service sends people back to; where absent, a path below `backend.baseUrl`.
    pub callback_url: Option<Url>,
    /// What is asked for beyond what sign-in needs.
    pub additional_scopes: Vec<String>,
    /// How long a session may last; where absent, as long as any other.
    pub session_duration: Option<Duration>,
    /// How somebody is found in the catalog, in the order in which that is tried.
    pub resolvers: Vec<Resolver>,
    /// Which service it is.
    pub service: SignInService,
}

/// What came out of the environment is left out.
impl fmt::Debug for SignInProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInProvider")
            .field("id", &self.id)
            .field("resolvers", &self.resolvers)
            .finish_non_exhaustive()
    }
}

/// Which service it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInService {
    /// GitHub, which speaks OAuth 2 alone.
    GitHub {
        /// `https://github.com/`, or an Enterprise Server.
        instance: Url,
        /// Its API, with a `/` at the end.
        api: Url,
    },
    /// A service that speaks OpenID Connect.
    Oidc(OidcService),
}

/// A service that speaks OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcService {
    /// Who signs its tokens, without the `/` that may be at the end.
    pub issuer: String,
    /// Where it describes itself.
    pub metadata_url: Url,
    /// How the portal sends its secret; where absent, as the service's description says.
    pub authentication: Option<ClientAuthentication>,
    /// Parameters of its own that go along when somebody is sent there.
    pub parameters: Vec<(String, String)>,
    /// The claim with the id that its directory plugin writes into the catalog.
    pub user_id_claim: UserIdClaim,
}

/// Where in an ID token the id of a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserIdClaim {
    /// `sub`, as the specification has it.
    Sub,
    /// `oid`, which is the same for all of a tenant's applications, where `sub` is not.
    Oid,
}

/// How a secret is sent to a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in the header `Authorization`.
    Basic,
    /// `client_secret_post`: in the body.
    Post,
}

/// One way to find somebody in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// What is compared.
    pub matching: Matching,
    /// The domains that an address may have, in lower case; only for those that compare addresses.
    pub allowed_domains: Vec<String>,
    /// Whether somebody who is not in the catalog is signed in as well.
    pub without_user: bool,
}

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// The user's name at the service, with the name of a user in the catalog's default namespace.
    Username,
    /// The user's id at the service, with an annotation.
    UserId {
        /// The annotation's name.
        annotation: String,
    },
    /// The subject of the service's tokens, with an annotation.
    Subject {
        /// The annotation's name.
        annotation: String,
    },
    /// A verified address, with `spec.profile.email`.
    ProfileEmail,
    /// A verified address, with an annotation.
    AnnotatedEmail {
        /// The annotation's name.
        annotation: String,
    },
    /// The part of a verified address before the `@`, with the name of a user in the catalog's default namespace.
    EmailLocalPart,
}

impl Matching {
    /// Whether it compares addresses, which somebody must have verified.
    #[must_use]
    pub fn needs_email(&self) -> bool {
        matches!(self, Matching::ProfileEmail | Matching::AnnotatedEmail { .. } | Matching::EmailLocalPart)
    }
}

/// The secret that a service gave the portal. It is only ever shown to that service.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Wraps one.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> ClientSecret {
        ClientSecret(secret.into())
    }

    /// For the request to the service's token endpoint, and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}
