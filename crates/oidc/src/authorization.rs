//! Where a browser is sent: to sign in, and to sign out.

use openidconnect::core::{CoreAuthenticationFlow, CoreClient};
use openidconnect::{
    AuthUrl, ClientId, CsrfToken, EndSessionUrl, IssuerUrl, JsonWebKeySet, LogoutRequest, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl, Scope,
};
use stratora_federation::{Authorization, FlowError, ProviderSettings, TransactionSecrets};
use stratora_token::{Entropy, EntropyError, Secret};
use url::Url;

use crate::flaw::unavailable;

/// The longest URL that a browser is sent to, in bytes: everybody should take as much (RFC 9110 §4.1; ASVS 4.2.5).
const MAX_URL: usize = 8000;

/// What ties a sign-in to its browser and to its ID token: 256 random bits each. `openidconnect` would make them with a
/// generator of its own.
pub(crate) fn secrets(entropy: &dyn Entropy) -> Result<TransactionSecrets, EntropyError> {
    let text = || Secret::generate(entropy).map(|secret| secret.expose().to_string());
    Ok(TransactionSecrets { nonce: text()?, pkce_verifier: text()? })
}

/// The request for a code (OpenID Connect Core 1.0 §3.1.2.1, RFC 7636 §4.3).
pub(crate) fn authorization(
    endpoint: &str,
    settings: &ProviderSettings,
    redirect_uri: &RedirectUrl,
    state: &str,
    secrets: TransactionSecrets,
) -> Result<Authorization, FlowError> {
    let no_url = |_| unavailable("endpoints", "an endpoint of the provider is no URL: run the provider's test");
    let issuer = IssuerUrl::new(settings.issuer.to_string()).map_err(no_url)?;
    let client = CoreClient::new(ClientId::new(settings.client_id.to_string()), issuer, JsonWebKeySet::default())
        .set_auth_uri(AuthUrl::new(endpoint.to_owned()).map_err(no_url)?)
        .set_redirect_uri(redirect_uri.clone())
        // The settings hold it.
        .disable_openid_scope();
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(secrets.pkce_verifier.clone()));
    let (state, nonce) = (state.to_owned(), secrets.nonce.clone());
    let request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || CsrfToken::new(state), || Nonce::new(nonce))
        .add_scopes(settings.scopes.iter().map(|scope| Scope::new(scope.to_string())))
        .set_pkce_challenge(challenge);
    let (url, ..) = request.url();
    if url.as_str().len() > MAX_URL {
        return Err(unavailable("url", "the request is too long for browsers and servers: ask for fewer scopes"));
    }
    Ok(Authorization { url: url.into(), secrets })
}

/// Where the session at the provider ends (OpenID Connect RP-Initiated Logout 1.0 §2). Without `id_token_hint`: no token of a
/// provider leaves this server (ASVS 10.1.1). The provider may therefore ask the person.
pub(crate) fn end_session(
    endpoint: &str,
    settings: &ProviderSettings,
    back_to: &PostLogoutRedirectUrl,
) -> Option<String> {
    let request = LogoutRequest::from(EndSessionUrl::from_url(Url::parse(endpoint).ok()?))
        .set_client_id(ClientId::new(settings.client_id.to_string()))
        .set_post_logout_redirect_uri(back_to.clone());
    let url = String::from(request.http_get_url());
    (url.len() <= MAX_URL).then_some(url)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use stratora_federation::{ClientId, Issuer, Scope};
    use stratora_token::testing::BreakableEntropy;

    use super::*;

    fn settings() -> ProviderSettings {
        ProviderSettings::new(
            Issuer::parse("https://id.example.com").unwrap(),
            ClientId::parse("stratora & co").unwrap(),
        )
    }

    fn ask(endpoint: &str, settings: &ProviderSettings, state: &str) -> Result<Authorization, FlowError> {
        let redirect_uri =
            RedirectUrl::new("https://stratora.example.com/api/v1/auth/oidc/callback".to_owned()).unwrap();
        let secrets = secrets(&BreakableEntropy::default()).unwrap();
        authorization(endpoint, settings, &redirect_uri, state, secrets)
    }

    fn parameters(url: &str) -> BTreeMap<String, String> {
        let url = Url::parse(url).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(map.len(), pairs.len(), "a parameter comes twice: {url}");
        map
    }

    #[test]
    fn a_code_is_asked_for_with_pkce_state_and_nonce_and_nothing_else() {
        let authorization = ask("https://id.example.com/authorize?p=b2c", &settings(), "the state").unwrap();
        let parameters = parameters(&authorization.url);
        let names: Vec<_> = parameters.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "client_id",
                "code_challenge",
                "code_challenge_method",
                "nonce",
                "p",
                "redirect_uri",
                "response_type",
                "scope",
                "state"
            ]
        );
        assert_eq!(parameters["response_type"], "code");
        assert_eq!(parameters["code_challenge_method"], "S256");
        assert_eq!(parameters["state"], "the state");
        assert_eq!(parameters["client_id"], "stratora & co");
        assert_eq!(parameters["nonce"], authorization.secrets.nonce);
        assert_eq!(parameters["p"], "b2c");
        assert_ne!(parameters["code_challenge"], authorization.secrets.pkce_verifier);
    }

    #[test]
    fn scopes_are_those_of_the_settings() {
        let mut settings = settings();
        settings.set_scopes(["groups", "offline_access"].map(|scope| Scope::parse(scope).unwrap())).unwrap();
        let authorization = ask("https://id.example.com/authorize", &settings, "state").unwrap();
        assert_eq!(parameters(&authorization.url)["scope"], "groups offline_access openid");
    }

    #[test]
    fn each_sign_in_has_secrets_of_its_own() {
        let ask = || ask("https://id.example.com/authorize", &settings(), "state").unwrap().secrets;
        let (one, other) = (ask(), ask());
        assert_ne!(one.nonce, other.nonce);
        assert_ne!(one.pkce_verifier, other.pkce_verifier);
        assert_ne!(one.nonce, one.pkce_verifier);
        assert!((43..=128).contains(&one.pkce_verifier.len()));
    }

    #[test]
    fn without_randomness_there_is_no_sign_in() {
        let entropy = BreakableEntropy::default();
        entropy.break_down();
        assert!(secrets(&entropy).is_err());
    }

    #[test]
    fn a_url_that_is_too_long_is_refused_and_not_sent() {
        let mut settings = settings();
        settings.client_id = ClientId::parse(&"&".repeat(255)).unwrap();
        let scope = |number: usize| Scope::parse(&format!("{number:02}{}", "&".repeat(126))).unwrap();
        settings.set_scopes((0..19).map(scope)).unwrap();
        let endpoint = format!("https://id.example.com/{}", "a".repeat(1000));
        let refused = ask(&endpoint, &settings, &"s".repeat(43)).unwrap_err();
        assert_eq!(refused.check, "url");
        // With what an administrator really enters there is room enough.
        settings.set_scopes((0..10).map(scope)).unwrap();
        assert!(ask("https://id.example.com/authorize", &settings, &"s".repeat(43)).is_ok());
    }

    #[test]
    fn signing_out_names_the_client_and_the_way_back_and_hands_out_no_token() {
        let back = PostLogoutRedirectUrl::new("https://stratora.example.com/login".to_owned()).unwrap();
        let url = end_session("https://id.example.com/logout?x=1", &settings(), &back).unwrap();
        let parameters = parameters(&url);
        assert_eq!(
            parameters.keys().map(String::as_str).collect::<Vec<_>>(),
            ["client_id", "post_logout_redirect_uri", "x"]
        );
        assert_eq!(parameters["post_logout_redirect_uri"], "https://stratora.example.com/login");
        assert_eq!(end_session("nowhere", &settings(), &back), None);
    }
}
