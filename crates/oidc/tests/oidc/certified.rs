//! A provider that is not ours, and certified: what the hostile one and this relying party agree on, others do too.

use serde_json::json;
use stratora_federation::{
    Algorithm, CallbackResponse, ClientAuth, ClientSecret, FlowError, Provider, RelyingParty as _, Verified,
};
use stratora_oidc::OpenIdConnect;
use stratora_testing::{Client, OidcProvider};
use url::Url;
use zeroize::Zeroizing;

use crate::house::{CLIENT, REDIRECT_URI, clock, on_loopback, party, unpinned};

const SECRET: &str = "a+secret/of=theirs: %&";

fn start(algorithm: Algorithm, method: &str) -> OidcProvider {
    let claims = json!({
        "sub": "1815", "preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.org",
        "email_verified": true, "groups": ["ops", "admins", "ops"],
    });
    let secret = (method != "none").then_some(SECRET);
    let mut client = json!({
        "client_secret": secret, "client_id": CLIENT, "token_endpoint_auth_method": method, "redirect_uris": [REDIRECT_URI],
        "id_token_signed_response_alg": algorithm.as_str(),
        "backchannel_logout_uri": "http://127.0.0.1:1/logout", "backchannel_logout_session_required": true,
    });
    client.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let account = json!({"username": "ada", "password": "an engine", "claims": claims});
    OidcProvider::start(&json!({"mode": "auto", "accounts": [account], "clients": [client]})).unwrap()
}

/// Set up and pinned, as after an administrator's test.
async fn set_up(party: &OpenIdConnect, server: &OidcProvider, algorithm: Algorithm, auth: ClientAuth) -> Provider {
    let mut provider = unpinned(server.issuer());
    provider.settings.client_auth = auth;
    provider.settings.set_algorithms([algorithm]).unwrap();
    provider.settings.endpoints = Some(party.discover(&provider).await.unwrap());
    provider
}

fn secret(auth: ClientAuth) -> Option<ClientSecret> {
    (auth != ClientAuth::None).then(|| ClientSecret::parse(SECRET).unwrap())
}

async fn sign_in(party: &OpenIdConnect, server: &OidcProvider, provider: &Provider) -> Result<Verified, FlowError> {
    let authorization = party.start(provider, "the state").await?;
    let client = Client::new("").unwrap();
    let (mut next, mut cookies) = (Url::parse(&authorization.url).unwrap(), Vec::new());
    while !next.as_str().starts_with(REDIRECT_URI) {
        let answer = client.get(next.as_str()).header("cookie", cookies.join("; ")).send().await.unwrap();
        assert_eq!(answer.status, 303, "{} {}", answer.text(), server.output());
        cookies.extend(answer.all("set-cookie").iter().map(|cookie| cookie.split(';').next().unwrap().to_owned()));
        next = next.join(answer.header("location").unwrap()).unwrap();
    }
    let parameter = |name: &str| next.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    let response = CallbackResponse { code: Zeroizing::new(parameter("code").unwrap()), iss: parameter("iss") };
    let secret = secret(provider.settings.client_auth);
    party.finish(provider, secret.as_ref(), &authorization.secrets, response, &mut Vec::new()).await
}

#[tokio::test]
async fn people_sign_in_with_every_algorithm_and_every_way_to_bring_the_secret() {
    for (algorithm, method, auth) in [
        (Algorithm::RS256, "client_secret_basic", ClientAuth::Basic),
        (Algorithm::PS256, "client_secret_post", ClientAuth::Post),
        (Algorithm::ES256, "none", ClientAuth::None),
        (Algorithm::EdDSA, "client_secret_basic", ClientAuth::Basic),
    ] {
        let server = start(algorithm, method);
        let party = party(&clock(), on_loopback());
        let provider = set_up(&party, &server, algorithm, auth).await;
        let probe = party.probe(&provider, secret(auth).as_ref()).await;
        assert!(probe.is_good(), "{algorithm:?}: {:?}", probe.steps);
        let verified = sign_in(&party, &server, &provider).await.unwrap();
        assert_eq!(verified.claims.subject, "1815");
        assert_eq!(verified.claims.groups, ["admins", "ops"].map(str::to_owned).into());
        assert!(verified.claims.email_verified);
    }
}

#[tokio::test]
async fn new_keys_are_found_and_a_logout_is_believed() {
    let server = start(Algorithm::ES256, "client_secret_basic");
    let party = party(&clock(), on_loopback());
    let provider = set_up(&party, &server, Algorithm::ES256, ClientAuth::Basic).await;
    sign_in(&party, &server, &provider).await.unwrap();
    server.rotate_keys().await.unwrap();
    let verified = sign_in(&party, &server, &provider).await.unwrap();
    let told = server.end_session("ada").await.unwrap();
    let sids: Vec<_> = told.iter().map(|told| told.sid.clone()).collect();
    assert!(sids.contains(&verified.sid), "{sids:?}");
    for told in told {
        let said = party.verify_logout(&provider, told.logout_token.as_deref().unwrap()).await.unwrap();
        assert_eq!((said.subject.as_deref(), said.sid), (Some("1815"), told.sid));
    }
    let url = party.end_session_url(&provider).unwrap();
    assert!(url.starts_with(&format!("{}/session/end?", server.issuer())), "{url}");
}
