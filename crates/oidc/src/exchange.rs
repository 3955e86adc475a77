//! A code for an ID token, at the token endpoint (RFC 6749 §4.1.3).

use std::fmt;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, EmptyAdditionalClaims, EndpointNotSet,
    IdToken, IssuerUrl, JsonWebKeySet, OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardErrorResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};
use stratora_federation::{ClientAuth, FlowError, ProviderSettings};
use zeroize::Zeroizing;

use crate::flaw::{refused, unavailable};
use crate::outgoing::{Outgoing, OutgoingError};

const CHECK: &str = "token_endpoint";

/// What is read of the answer: the ID token, as it was sent. The type of `openidconnect` would read its claims at once, and
/// refuse the answer for one claim, or for an `expires_in` in quotes. The other tokens are not used: they are dropped unread.
#[derive(Deserialize, Serialize)]
struct Answer {
    #[serde(default)]
    id_token: Option<Zeroizing<String>>,
    #[serde(skip, default = "unused")]
    access_token: AccessToken,
    #[serde(skip, default = "bearer")]
    token_type: CoreTokenType,
}

fn unused() -> AccessToken {
    AccessToken::new(String::new())
}

fn bearer() -> CoreTokenType {
    CoreTokenType::Bearer
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(…)")
    }
}

impl OAuth2TokenResponse for Answer {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

type Unread =
    IdToken<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

impl TokenResponse<EmptyAdditionalClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>
    for Answer
{
    fn id_token(&self) -> Option<&Unread> {
        None
    }
}

type ErrorAnswer = StandardErrorResponse<CoreErrorResponseType>;
type Failure = RequestTokenError<OutgoingError, ErrorAnswer>;
type TokenClient = Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    ErrorAnswer,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
>;

/// A code and what has to be shown with it.
pub(crate) struct Exchange<'a> {
    pub(crate) settings: &'a ProviderSettings,
    /// The pinned token endpoint: the only place that the secret is ever sent to.
    pub(crate) endpoint: &'a str,
    pub(crate) secret: Option<&'a stratora_federation::ClientSecret>,
    pub(crate) redirect_uri: &'a RedirectUrl,
    pub(crate) code: &'a str,
    pub(crate) pkce_verifier: &'a str,
}

impl Exchange<'_> {
    /// The ID token, which nothing is proved of.
    pub(crate) async fn id_token(&self, outgoing: &Outgoing) -> Result<Zeroizing<String>, FlowError> {
        let answer = self.request(outgoing).await?.map_err(|failure| flaw(&failure))?;
        let missing =
            "the provider sends no ID token: its client must be one for OpenID Connect, with the scope openid";
        answer.id_token.ok_or_else(|| refused("id_token", missing))
    }

    /// Whether the provider knows the client, tried with a code that nobody issued: whoever is not known is told so before the
    /// code is looked at (RFC 6749 §5.2). What to fix, if anything.
    pub(crate) async fn client_is_known(&self, outgoing: &Outgoing) -> Result<(), FlowError> {
        match self.request(outgoing).await? {
            Err(RequestTokenError::ServerResponse(error)) if !concerns_client(error.error()) => Ok(()),
            Err(failure) => Err(flaw(&failure)),
            Ok(_) => Err(unavailable(CHECK, "the provider takes a code that it has not issued: do not use it")),
        }
    }

    async fn request(&self, outgoing: &Outgoing) -> Result<Result<Answer, Failure>, FlowError> {
        let no_url = |_| unavailable("endpoints", "an endpoint of the provider is no URL: run the provider's test");
        let issuer = IssuerUrl::new(self.settings.issuer.to_string()).map_err(no_url)?;
        let client_id = ClientId::new(self.settings.client_id.to_string());
        let mut client = TokenClient::new(client_id, issuer, JsonWebKeySet::default())
            .set_token_uri(TokenUrl::new(self.endpoint.to_owned()).map_err(no_url)?)
            .set_redirect_uri(self.redirect_uri.clone())
            // In a header both are percent-encoded first (RFC 6749 §2.3.1). Some providers do not decode that, which only
            // shows with secrets that hold other characters than letters and digits; with them `client_secret_post` is the way.
            .set_auth_type(match self.settings.client_auth {
                ClientAuth::Basic => AuthType::BasicAuth,
                ClientAuth::Post | ClientAuth::None => AuthType::RequestBody,
            });
        if let (ClientAuth::Basic | ClientAuth::Post, Some(secret)) = (self.settings.client_auth, self.secret) {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        let request = client
            .exchange_code(AuthorizationCode::new(self.code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(self.pkce_verifier.to_owned()));
        Ok(request.request_async(outgoing).await)
    }
}

fn concerns_client(error: &CoreErrorResponseType) -> bool {
    matches!(error, CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient)
}

/// What to fix. A description that the provider wrote is not looked at.
fn flaw(failure: &Failure) -> FlowError {
    use CoreErrorResponseType as Answered;
    match failure {
        RequestTokenError::ServerResponse(error) => match error.error() {
            Answered::InvalidClient => unavailable(
                CHECK,
                "the provider does not accept this client (invalid_client): check client_id, client_secret and token_endpoint_auth_method",
            ),
            Answered::UnauthorizedClient => unavailable(
                CHECK,
                "the client may not exchange codes (unauthorized_client): allow it the authorization code flow at the provider",
            ),
            Answered::InvalidGrant => refused(
                CHECK,
                "the provider does not take the code (invalid_grant): it was used, took too long, or was issued for another \
                 redirect URI, client or PKCE verifier",
            ),
            _ => unavailable(CHECK, "the token endpoint refuses the request: look into the provider's log"),
        },
        RequestTokenError::Request(error) => unavailable(CHECK, error.to_string()),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => unavailable(
            CHECK,
            "the token endpoint answers with something else than JSON with tokens: check what is in front of it",
        ),
    }
}
