//! OAuth 2's code flow with PKCE (RFC 6749, 4.1 and RFC 7636), for all services.

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenUrl,
};
use url::Url;

use super::ask::{Ask, AskError};
use crate::config::{ClientAuthentication, SignInProvider};
use crate::identity::sign_in::failure::{Failure, quoted};

/// A service's endpoints, and how to authenticate there.
pub(super) struct Endpoints {
    pub(super) authorize: Url,
    pub(super) token: Url,
    pub(super) authentication: ClientAuthentication,
}

/// Sends somebody out.
pub(super) struct Departure<'a> {
    pub(super) scopes: Vec<&'a str>,
    /// Parameters of the service.
    pub(super) parameters: Vec<(&'a str, &'a str)>,
    pub(super) state: &'a str,
    pub(super) verifier: &'a PkceCodeVerifier,
}

/// What a service answers to a code, with `F` for what it adds.
pub(super) type Tokens<F> = StandardTokenResponse<F, BasicTokenType>;

type CodeClient<F> = Client<
    BasicErrorResponse,
    Tokens<F>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl Endpoints {
    /// Where the browser goes.
    pub(super) fn depart(&self, provider: &SignInProvider, callback: &Url, departure: &Departure<'_>) -> Url {
        let client = self.client::<oauth2::EmptyExtraTokenFields>(provider, callback);
        let state = CsrfToken::new(departure.state.to_owned());
        let mut request = client
            .authorize_url(|| state)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(departure.verifier));
        for scope in &departure.scopes {
            request = request.add_scope(Scope::new((*scope).to_owned()));
        }
        for (name, value) in &departure.parameters {
            request = request.add_extra_param(*name, *value);
        }
        request.url().0
    }

    /// Exchanges a code for tokens. Whoever has the code and not the verifier gets none.
    pub(super) async fn exchange<F: ExtraTokenFields>(
        &self,
        ask: &Ask,
        provider: &SignInProvider,
        callback: &Url,
        code: &str,
        verifier: &str,
    ) -> Result<Tokens<F>, Failure> {
        let client = self.client::<F>(provider, callback);
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        request.request_async(ask).await.map_err(failure)
    }

    fn client<F: ExtraTokenFields>(&self, provider: &SignInProvider, callback: &Url) -> CodeClient<F> {
        let authentication = match self.authentication {
            ClientAuthentication::Basic => AuthType::BasicAuth,
            ClientAuthentication::Post => AuthType::RequestBody,
        };
        Client::new(ClientId::new(provider.client_id.clone()))
            .set_client_secret(ClientSecret::new(provider.client_secret.expose().to_owned()))
            .set_auth_uri(AuthUrl::from_url(self.authorize.clone()))
            .set_token_uri(TokenUrl::from_url(self.token.clone()))
            .set_redirect_uri(RedirectUrl::from_url(callback.clone()))
            .set_auth_type(authentication)
    }
}

/// The answer itself is never told: it may hold tokens.
fn failure(error: RequestTokenError<AskError, BasicErrorResponse>) -> Failure {
    match error {
        RequestTokenError::ServerResponse(response) => refusal(&response),
        RequestTokenError::Request(error) => error.into(),
        // GitHub says with the status of a success that there is none.
        RequestTokenError::Parse(error, body) => match serde_json::from_slice::<BasicErrorResponse>(&body) {
            Ok(response) => refusal(&response),
            Err(_) => {
                let place = error.path().to_string();
                Failure::Unproven(format!("its tokens cannot be read at {}", quoted(&place)))
            }
        },
        RequestTokenError::Other(reason) => Failure::Unproven(quoted(&reason)),
    }
}

fn refusal(response: &BasicErrorResponse) -> Failure {
    let description = response.error_description().map(|text| quoted(text)).unwrap_or_default();
    Failure::Refused(format!("{} {description}", quoted(response.error().as_ref())))
}
