//! Signing in through a certified provider, in a real browser, through NGINX over TLS.

use std::fs;

use serde_json::{Value, json};
use stratora_testing::{Browser, Client, OidcProvider, free_port};

use crate::support::{Installation, on_both_databases, text};

on_both_databases!(
    "oidc:\n  allow_loopback: true\n";
    people_sign_in_through_a_provider_that_only_redirects,
    people_sign_in_through_a_provider_that_shows_a_page,
    a_crafted_link_signs_nobody_in,
    a_sign_out_at_the_provider_ends_the_session_here,
    a_client_secret_is_stored_sealed_and_sealed_anew,
);

const SECRET: &str = "a client secret with +, /, % and : in it";

/// A provider with one client, that of the installation.
struct Provider {
    running: OidcProvider,
    id: String,
    admin: String,
}

fn client(installation: &Installation, more: &Value) -> Value {
    let base = format!("https://localhost:{}", installation.https_port);
    let mut client = json!({
        "client_id": "stratora",
        "client_secret": SECRET,
        "redirect_uris": [format!("{base}/api/v1/auth/oidc/callback")],
        "post_logout_redirect_uris": [format!("{base}/login")],
    });
    client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client
}

fn settings(mode: &str, client: &Value) -> Value {
    json!({
        "mode": mode,
        "accounts": [{"username": "grace", "password": "compilers", "claims": {
            "sub": "248289761001", "preferred_username": "grace", "name": "Grace Hopper", "email": "grace@example.com",
            "email_verified": true, "groups": ["all", "ops", "ops"],
        }}],
        "clients": [client],
    })
}

impl Provider {
    async fn start(installation: &mut Installation, mode: &str) -> Self {
        installation.start_nginx();
        let client = client(installation, &json!({}));
        Self::with(installation, &settings(mode, &client), json!({"client_secret": SECRET})).await
    }

    async fn with(installation: &mut Installation, settings: &Value, setup: Value) -> Self {
        let provider = OidcProvider::start(settings).unwrap();
        let admin = installation.admin().await;
        let id = create(&installation.backend(), &admin, provider.issuer(), setup).await;
        Self { running: provider, id, admin }
    }

    fn sign_in(&self, installation: &Installation, mode: &str, changes: &Value) -> Value {
        let mut parameters = json!({
            "baseUrl": format!("https://localhost:{}", installation.https_port),
            "providerId": self.id, "mode": mode, "username": "grace", "password": "compilers",
        });
        parameters.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Browser::run("oidc-sign-in", &parameters).unwrap()
    }
}

async fn create(backend: &Client, admin: &str, issuer: &str, more: Value) -> String {
    let mut body = json!({
        "name": format!("Provider {}", free_port().unwrap()), "issuer": issuer, "client_id": "stratora",
        "role_mappings": [{"group": "ops", "role": "operator"}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = backend.post("/api/v1/identity-providers/oidc").bearer(admin).json(&body).send().await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    text(&answer.json(), "id")
}

async fn people_sign_in_through_a_provider_that_only_redirects(installation: Installation) {
    people_sign_in(installation, "auto").await;
}

async fn people_sign_in_through_a_provider_that_shows_a_page(installation: Installation) {
    people_sign_in(installation, "form").await;
}

async fn people_sign_in(mut installation: Installation, mode: &str) {
    let provider = Provider::start(&mut installation, mode).await;
    let test = format!("/api/v1/identity-providers/oidc/{}/test", provider.id);
    let tested = installation.backend().post(&test).bearer(&provider.admin).send().await.unwrap().json();
    assert_eq!(tested["ok"], true, "{tested}");

    let seen = provider.sign_in(&installation, mode, &json!({"via": "link"}));
    let result = &seen["result"];
    assert_eq!(result["me"]["status"], 200, "{seen}");
    let me = &result["me"]["body"];
    let expected = json!(["grace", "Grace Hopper", "grace@example.com", "operator", "oidc"]);
    assert_eq!(json!([me["username"], me["display_name"], me["email"], me["role"], me["auth_source"]]), expected);
    for list in ["csp_violations", "page_errors"] {
        assert_eq!(seen[list], json!([]), "{seen}");
    }

    // Used first with the cookie beside it, the token works alone from then on.
    let token = text(result, "token");
    let again = installation.proxy().get("/api/v1/auth/me").bearer(&token).send().await.unwrap();
    assert_eq!(again.status, 200, "{}", again.text());
    the_token_is_nowhere(&installation, &seen, &token, &provider).await;
}

/// Neither in a log, nor in the database, nor in what a browser sends along.
async fn the_token_is_nowhere(installation: &Installation, seen: &Value, token: &str, provider: &Provider) {
    let requests = seen["requests"].to_string();
    let callback = requests.split('"').find(|text| text.contains("/oidc/callback?")).unwrap();
    let code = callback.split(['?', '&']).find_map(|pair| pair.strip_prefix("code=")).unwrap();
    let audit =
        installation.backend().get("/api/v1/audit-logs?limit=200").bearer(&provider.admin).send().await.unwrap();
    let attempts = "/api/v1/identity-providers/oidc/attempts";
    let attempts = installation.backend().get(attempts).bearer(&provider.admin).send().await.unwrap();
    assert_eq!(attempts.json()["items"][0]["code"], "signed_in", "{}", attempts.text());
    let cookies = seen["cookies"].as_array().unwrap();
    let cookie = cookies.iter().find(|cookie| cookie["name"] == "__Host-stratora_session").unwrap();
    assert_eq!(
        (&cookie["sameSite"], &cookie["httpOnly"], &cookie["secure"]),
        (&json!("Strict"), &json!(true), &json!(true))
    );
    assert!(!cookies.iter().any(|cookie| text(cookie, "name").starts_with("__Host-stratora_oidc_")), "{cookies:?}");
    let mut written = installation.all_output() + &audit.text() + &attempts.text();
    written.push_str(&installation.database_as_text());
    for secret in [token, code, SECRET, &text(cookie, "value")] {
        assert!(!written.contains(secret), "{secret} was written");
        if secret != code {
            assert!(!requests.contains(secret), "{secret} was sent in a URL or a Referer");
        }
    }
}

async fn a_crafted_link_signs_nobody_in(mut installation: Installation) {
    let provider = Provider::start(&mut installation, "auto").await;
    let seen = provider.sign_in(&installation, "auto", &json!({"use": false}));
    let token = text(&seen["result"], "token");
    let base = format!("https://localhost:{}", installation.https_port);
    let crafted = Browser::run("crafted-link", &json!({"baseUrl": base, "token": token})).unwrap();
    assert_eq!(crafted["result"]["me"]["status"], 401, "{crafted}");
    let alone = installation.proxy().get("/api/v1/auth/me").bearer(&token).send().await.unwrap();
    assert_eq!(alone.status, 401, "the attacker's own token, without the cookie");
}

async fn a_sign_out_at_the_provider_ends_the_session_here(mut installation: Installation) {
    installation.start_nginx();
    // What is registered at the provider has to be known before the provider is set up here, and holds its identifier: a
    // second registration with the identifier of the first.
    let first = Provider::start_registered(&mut installation).await;
    let seen = first.sign_in(&installation, "auto", &json!({}));
    let token = text(&seen["result"], "token");
    let proxy = installation.proxy();
    let end = proxy.get("/api/v1/auth/end-session").bearer(&token).send().await.unwrap().json();
    let url = text(&end, "end_session_url");
    assert!(url.starts_with(first.running.issuer()) && url.contains("post_logout_redirect_uri="), "{url}");
    assert!(!url.contains("id_token_hint"), "{url}");
    let left = Browser::run("visit", &json!({"url": url})).unwrap();
    let sign_in_page = format!("https://localhost:{}/login", installation.https_port);
    assert!(text(&left["result"], "url").starts_with(&sign_in_page), "{left}");
    let told = first.running.end_session("grace").await.unwrap();
    assert!(told.iter().any(|told| told.client_id == "stratora" && told.error.is_none()), "{told:?}");
    let after = proxy.get("/api/v1/auth/me").bearer(&token).send().await.unwrap();
    assert_eq!((after.status, after.error().as_str()), (401, "unauthenticated"));
    let replayed = told.iter().find_map(|told| told.logout_token.as_deref()).unwrap();
    let path = format!("/api/v1/auth/oidc/backchannel/{}", first.id);
    let form = |token: &str| format!("logout_token={token}");
    let again = proxy.post(&path).body("application/x-www-form-urlencoded", form(replayed));
    assert_eq!(again.send().await.unwrap().status, 200, "there is nothing left to end");
    let tampered = replayed.replace('.', "x");
    let refused = proxy.post(&path).body("application/x-www-form-urlencoded", form(&tampered)).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_logout_token"));
    let json = proxy.post(&path).json(&json!({"logout_token": replayed})).send().await.unwrap();
    assert_eq!(json.status, 415);
}

impl Provider {
    /// With the address for back-channel logout, which holds the identifier that the provider gets here.
    async fn start_registered(installation: &mut Installation) -> Self {
        let port = free_port().unwrap();
        let admin = installation.admin().await;
        let issuer = format!("http://127.0.0.1:{port}");
        let id = create(&installation.backend(), &admin, &issuer, json!({"client_secret": SECRET})).await;
        let logout = format!("https://localhost:{}/api/v1/auth/oidc/backchannel/{id}", installation.https_port);
        let more = json!({"backchannel_logout_uri": logout, "backchannel_logout_session_required": true});
        let mut settings = settings("auto", &client(installation, &more));
        settings["port"] = json!(port);
        let provider = OidcProvider::start(&settings).unwrap();
        assert_eq!(provider.issuer(), issuer);
        Self { running: provider, id, admin }
    }
}

async fn a_client_secret_is_stored_sealed_and_sealed_anew(mut installation: Installation) {
    let provider = Provider::start(&mut installation, "auto").await;
    let rotated = installation.run(&["secrets", "rotate"]);
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    assert!(rotated.stdout.is_empty());
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said(&rotated).contains("1 secrets were stored"), "{}", said(&rotated));
    let again = installation.run(&["secrets", "rotate", "--only", "reseal"]);
    assert!(said(&again).contains("0 secrets were stored"), "{}", said(&again));
    let keys: Value = serde_json::from_slice(&fs::read(installation.path("keys.json")).unwrap()).unwrap();
    assert_eq!(keys["master"].as_object().unwrap().keys().collect::<Vec<_>>(), ["1", "2"]);
    // The running server reads the key file anew when it meets the new key.
    let seen = provider.sign_in(&installation, "auto", &json!({}));
    assert_eq!(seen["result"]["me"]["status"], 200, "{seen}");
    let listed = installation.backend().get("/api/v1/identity-providers/oidc").bearer(&provider.admin).send().await;
    let listed = listed.unwrap();
    assert_eq!(listed.json()["items"][0]["has_client_secret"], true);
    assert!(!listed.text().contains(SECRET));
}

#[tokio::test]
async fn every_kind_of_client_and_signature_is_served_and_keys_may_change() {
    let mut installation = Installation::with_settings("oidc:\n  allow_loopback: true\n");
    installation.start_nginx();
    let admin = installation.admin().await;
    for (method, algorithm) in [
        ("client_secret_basic", "RS256"),
        ("client_secret_post", "ES256"),
        ("none", "PS256"),
        ("client_secret_basic", "EdDSA"),
    ] {
        let mut client = client(
            &installation,
            &json!({"token_endpoint_auth_method": method, "id_token_signed_response_alg": algorithm}),
        );
        let mut setup = json!({"token_endpoint_auth_method": method, "id_token_signing_algs": [algorithm]});
        if method == "none" {
            client.as_object_mut().unwrap().remove("client_secret");
        } else {
            setup["client_secret"] = json!(SECRET);
        }
        let provider = OidcProvider::start(&settings("auto", &client)).unwrap();
        let id = create(&installation.backend(), &admin, provider.issuer(), setup).await;
        let provider = Provider { running: provider, id, admin: admin.clone() };
        let seen = provider.sign_in(&installation, "auto", &json!({}));
        assert_eq!(seen["result"]["me"]["status"], 200, "{method} {algorithm}: {seen}");
        provider.running.rotate_keys().await.unwrap();
        let seen = provider.sign_in(&installation, "auto", &json!({}));
        assert_eq!(seen["result"]["me"]["status"], 200, "{method} {algorithm}, with new keys: {seen}");
    }
}

#[tokio::test]
async fn whoever_changes_their_mind_at_the_provider_is_back_on_the_sign_in_page() {
    let mut installation = Installation::with_settings("oidc:\n  allow_loopback: true\n");
    let provider = Provider::start(&mut installation, "form").await;
    let seen = provider.sign_in(&installation, "cancel", &json!({}));
    let arrival = text(&seen["result"], "url");
    assert!(arrival.contains("/login#error=provider_refused&ref="), "{seen}");
    let reference = arrival.rsplit_once("ref=").unwrap().1;
    let path = format!("/api/v1/identity-providers/oidc/attempts?reference={reference}");
    let found = installation.backend().get(&path).bearer(&provider.admin).send().await.unwrap().json();
    let steps = found["items"][0]["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    assert_eq!((&last["check"], &last["outcome"]), (&json!("response"), &json!("failed")), "{found}");
    assert!(text(last, "note").starts_with("access_denied"), "{found}");
}
