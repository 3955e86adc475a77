//! Providers that misbehave, each in one way while all else is right: nobody gets in, and the administrator is told why.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use stratora_testing::{Answer, Client, HostileProvider, Misbehaviour};

use crate::support::{Installation, on_both_databases, text};

on_both_databases!(
    "oidc:\n  allow_loopback: true\n";
    whatever_a_provider_does_wrong_nobody_gets_in_and_the_record_says_why,
);

/// What takes the ten seconds that a provider is given; it is tried on one database only.
const SLOW: [Misbehaviour; 3] = [Misbehaviour::TokenEndpointSlow, Misbehaviour::MetadataSlow, Misbehaviour::KeysSlow];

/// Somebody's browser, without what draws pages.
struct Person {
    backend: Client,
    provider: Client,
    /// Each has one, so that no limit gets in the way.
    address: String,
}

/// How far a sign-in came.
struct Trip {
    authorized: Answer,
    returned: Option<(String, Answer)>,
}

impl Trip {
    /// Where it ended.
    fn end(&self) -> &Answer {
        self.returned.as_ref().map_or(&self.authorized, |(_, answer)| answer)
    }
}

impl Person {
    fn new(installation: &Installation, provider: &HostileProvider, number: u32) -> Self {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 1, 0, 0)) + number).to_string();
        Self { backend: installation.backend(), provider: Client::new(provider.issuer()).unwrap(), address }
    }

    async fn sign_in(&self, id: &str) -> Trip {
        self.sign_in_at(id, &self.backend).await
    }

    /// Starts at the installation's server and returns to `other`.
    async fn sign_in_at(&self, id: &str, other: &Client) -> Trip {
        let path = format!("/api/v1/auth/oidc/authorize/{id}");
        let authorized = self.backend.get(&path).from(&self.address).send().await.unwrap();
        let location = authorized.header("location").unwrap_or_default().to_owned();
        let Some(query) = location.split_once("/authorize?").map(|(_, query)| query.to_owned()) else {
            return Trip { authorized, returned: None };
        };
        let cookie = authorized.all("set-cookie").remove(0);
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let sent_back = self.provider.get(&format!("/authorize?{query}")).send().await.unwrap();
        let back = sent_back.header("location").unwrap_or_else(|| panic!("{}", sent_back.text())).to_owned();
        let path = back.split_once("/api/").map(|(_, path)| format!("/api/{path}")).unwrap();
        let answer = other.get(&path).from(&self.address).header("cookie", &cookie).send().await.unwrap();
        Trip { authorized, returned: Some((path, answer)) }
    }
}

async fn create(installation: &Installation, admin: &str, provider: &HostileProvider) -> String {
    let body = json!({
        "name": "Hostile", "issuer": provider.issuer(), "client_id": "stratora",
        "client_secret": provider.client_secret(), "id_token_signing_algs": ["RS256", "PS256", "ES256"],
    });
    let path = "/api/v1/identity-providers/oidc";
    let answer = installation.backend().post(path).bearer(admin).json(&body).send().await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    text(&answer.json(), "id")
}

/// The record of the sign-in that ended there.
async fn record(installation: &Installation, admin: &str, end: &Answer) -> Value {
    let location = end.header("location").unwrap();
    let reference = location.rsplit_once("&ref=").unwrap_or_else(|| panic!("{location}")).1;
    let path = format!("/api/v1/identity-providers/oidc/attempts?reference={reference}");
    installation.backend().get(&path).bearer(admin).send().await.unwrap().json()["items"][0].clone()
}

async fn whatever_a_provider_does_wrong_nobody_gets_in_and_the_record_says_why(mut installation: Installation) {
    let (admin, provider) = (installation.admin().await, HostileProvider::start().unwrap());
    let users = async |installation: &Installation| {
        installation.backend().get("/api/v1/users").bearer(&admin).send().await.unwrap().json()["total"].clone()
    };
    let is_tried = |wrong: &&Misbehaviour| installation.postgres.is_none() || !SLOW.contains(*wrong);
    let (mut number, mut replays) = (0, 0);
    for wrong in Misbehaviour::ALL.iter().filter(is_tried) {
        number += 1;
        // A new one each time, of which nothing is remembered.
        let id = create(&installation, &admin, &provider).await;
        provider.misbehave(*wrong);
        let person = Person::new(&installation, &provider, number);
        let trip = person.sign_in(&id).await;
        let end = trip.end();
        let location = end.header("location").unwrap_or_default();
        assert!(end.status == 303 && location.starts_with("/login#error="), "{wrong:?}: {} {location}", end.status);
        assert!(end.all("set-cookie").iter().all(|cookie| !cookie.contains("stratora_session=")), "{wrong:?}");
        let attempt = record(&installation, &admin, end).await;
        let last = attempt["steps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["outcome"], "failed", "{wrong:?}: {attempt}");
        let note = text(&last, "note");
        assert!(note.len() > 10 && !note.contains(['\r', '\n']) && !note.contains("script"), "{wrong:?}: {note}");
        if let Some((path, _)) = &trip.returned {
            provider.behave();
            replays += 1;
            let again = person.backend.get(path).from(&person.address).send().await.unwrap();
            let location = again.header("location").unwrap_or_default();
            assert!(location.starts_with("/login#error=state_invalid"), "{wrong:?}: it is burnt, but {location}");
        }
        provider.behave();
        let path = format!("/api/v1/identity-providers/oidc/{id}");
        let deleted = installation.backend().delete(&path).bearer(&admin).send().await.unwrap();
        assert_eq!(deleted.status, 204, "{}", deleted.text());
    }
    assert_eq!(provider.decoy_requests(), 0, "somebody was sent to fetch a key");
    assert_eq!(users(&installation).await, 1, "nobody got an account");

    let id = create(&installation, &admin, &provider).await;
    let trip = Person::new(&installation, &provider, number + 1).sign_in(&id).await;
    let location = trip.end().header("location").unwrap();
    assert!(location.starts_with("/#oidc_session="), "and when all is right, somebody does: {location}");
    assert_eq!(record_count(&installation, &admin).await, u64::from(number) + replays + 1, "each has its record");
}

async fn record_count(installation: &Installation, admin: &str) -> u64 {
    let path = "/api/v1/identity-providers/oidc/attempts?limit=1";
    installation.backend().get(path).bearer(admin).send().await.unwrap().json()["total"].as_u64().unwrap()
}

#[tokio::test]
async fn a_sign_in_started_at_one_server_ends_at_another() {
    let mut installation = Installation::on_postgres_with_settings("oidc:\n  allow_loopback: true\n");
    let (admin, provider) = (installation.admin().await, HostileProvider::start().unwrap());
    let id = create(&installation, &admin, &provider).await;
    let person = Person::new(&installation, &provider, 1);
    let port = stratora_testing::free_port().unwrap();
    let _other = installation.start_beside(port);
    let other = Client::new(format!("http://127.0.0.1:{port}")).unwrap();
    let trip = person.sign_in_at(&id, &other).await;
    let end = trip.end();
    let token = end.header("location").unwrap().strip_prefix("/#oidc_session=").unwrap().to_owned();
    let cookie = end.cookie("__Host-stratora_session").unwrap();
    let me = |client: &Client| client.get("/api/v1/auth/me").bearer(&token).from(&person.address);
    assert_eq!(me(&person.backend).send().await.unwrap().status, 401, "not without the cookie at first");
    let first = me(&other).cookie("__Host-stratora_session", &cookie).send().await.unwrap();
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(me(&person.backend).send().await.unwrap().status, 200, "then alone, and at every server");
    let form = format!("logout_token={}", provider.logout_token("stratora", &json!({})).unwrap());
    let path = format!("/api/v1/auth/oidc/backchannel/{id}");
    let ended = other.post(&path).body("application/x-www-form-urlencoded", form).send().await.unwrap();
    assert_eq!(ended.status, 200, "{}", ended.text());
    for client in [&person.backend, &other] {
        assert_eq!(me(client).send().await.unwrap().status, 401, "ended everywhere before the answer");
    }
}

#[tokio::test]
async fn a_delivered_token_waits_a_minute_for_its_browser() {
    let mut installation = Installation::with_settings("oidc:\n  allow_loopback: true\n");
    let (admin, provider) = (installation.admin().await, HostileProvider::start().unwrap());
    let id = create(&installation, &admin, &provider).await;
    let person = Person::new(&installation, &provider, 1);
    let mine = person.sign_in(&id).await;
    let theirs = Person::new(&installation, &provider, 2).sign_in(&id).await;
    let token = mine.end().header("location").unwrap().strip_prefix("/#oidc_session=").unwrap().to_owned();
    let their_cookie = theirs.end().cookie("__Host-stratora_session").unwrap();
    let me = || person.backend.get("/api/v1/auth/me").bearer(&token).from(&person.address);
    let name = "__Host-stratora_session";
    let crafted = me().cookie(name, &their_cookie).send().await.unwrap();
    assert_eq!(crafted.status, 401, "a link made of somebody else's token, in a browser that is signed in");
    let own_cookie = mine.end().cookie(name).unwrap();
    let twice = me().cookie(name, &own_cookie).cookie(name, &their_cookie).send().await.unwrap();
    assert_eq!(twice.status, 401, "two cookies prove nothing");
    assert_eq!(me().cookie(name, &own_cookie).send().await.unwrap().status, 200);
}

#[tokio::test]
async fn the_first_test_already_says_that_the_client_secret_is_wrong() {
    let mut installation = Installation::with_settings("oidc:\n  allow_loopback: true\n");
    let (admin, provider) = (installation.admin().await, HostileProvider::start().unwrap());
    let id = create(&installation, &admin, &provider).await;
    provider.set_client_secret(Some("another"));
    let path = format!("/api/v1/identity-providers/oidc/{id}/test");
    let tested = installation.backend().post(&path).bearer(&admin).send().await.unwrap().json();
    let failed: Vec<_> = tested["steps"].as_array().unwrap().iter().filter(|step| step["ok"] == false).collect();
    assert!(failed.len() == 1 && failed[0]["check"] == "client_secret", "{tested}");
}

#[tokio::test]
async fn sso_leads_to_the_only_provider() {
    let mut installation = Installation::with_settings("oidc:\n  allow_loopback: true\n");
    let (admin, provider) = (installation.admin().await, HostileProvider::start().unwrap());
    let sso = async |installation: &Installation, address: &str| {
        let answer = installation.backend().get("/api/v1/auth/sso").from(address).send().await.unwrap();
        (answer.status, answer.header("location").unwrap_or_default().to_owned())
    };
    assert_eq!(sso(&installation, "10.2.0.1").await, (303, "/login".to_owned()), "there is none");
    let id = create(&installation, &admin, &provider).await;
    let (status, location) = sso(&installation, "10.2.0.1").await;
    assert!(status == 302 && location.starts_with(provider.issuer()), "{status} {location}");
    let off = json!({"enabled": false});
    let path = format!("/api/v1/identity-providers/oidc/{id}");
    let turned_off = installation.backend().patch(&path).bearer(&admin).json(&off).send().await.unwrap();
    assert_eq!(turned_off.status, 200, "{}", turned_off.text());
    assert_eq!(sso(&installation, "10.2.0.1").await, (303, "/login".to_owned()), "it is turned off");
    let listed = installation.backend().get("/api/v1/auth/providers").send().await.unwrap();
    assert_eq!(listed.json(), json!([]));
    let tile = installation.backend().get("/sso").send().await.unwrap();
    assert_eq!((tile.status, tile.header("location")), (303, Some("/api/v1/auth/sso")));
}
