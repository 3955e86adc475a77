//! The test of a provider, which an administrator reads.

use std::time::Duration;

use stratora_federation::{ClientAuth, ClientSecret, Probe, RelyingParty as _};
use stratora_oidc::OutgoingPolicy;
use stratora_testing::{Habit, Misbehaviour};

use crate::house::{House, clock, on_loopback, party, unpinned};

const STEPS: [&str; 11] = [
    "address",
    "connection",
    "metadata",
    "issuer",
    "endpoints",
    "pkce",
    "client_auth",
    "algorithms",
    "keys",
    "clock",
    "client_secret",
];

async fn probe(house: &House) -> Probe {
    house.party.probe(&house.provider, house.secret().as_ref()).await
}

fn names(probe: &Probe) -> Vec<&str> {
    probe.steps.iter().map(|step| step.check).collect()
}

fn failed(probe: &Probe) -> Vec<&str> {
    probe.steps.iter().filter(|step| step.advice.is_some()).map(|step| step.check).collect()
}

#[tokio::test]
async fn a_good_provider_passes_every_step_in_order() {
    let house = House::new();
    let probe = probe(&house).await;
    assert_eq!(names(&probe), STEPS);
    assert!(probe.is_good(), "{:?}", probe.steps);
    assert_eq!(probe.endpoints, house.provider.settings.endpoints);
    for habit in [Habit::BareMetadata, Habit::OddMetadata, Habit::OddKeys] {
        let house = House::new();
        house.hostile.adopt(habit);
        let probe = self::probe(&house).await;
        assert!(probe.is_good(), "{habit:?} {:?}", probe.steps);
    }
}

#[tokio::test]
async fn what_is_wrong_is_shown_at_its_step_beside_what_is_well() {
    for (misbehaviour, step) in [
        (Misbehaviour::MetadataHtml, "metadata"),
        (Misbehaviour::MetadataRedirects, "metadata"),
        (Misbehaviour::MetadataIssuerSlash, "issuer"),
        (Misbehaviour::MetadataPlainEndpoints, "endpoints"),
        (Misbehaviour::MetadataWithoutPkce, "pkce"),
        (Misbehaviour::MetadataWithoutClientAuth, "client_auth"),
        (Misbehaviour::MetadataSymmetric, "algorithms"),
        (Misbehaviour::KeysHtml, "keys"),
        (Misbehaviour::KeySmall, "keys"),
        (Misbehaviour::KeySymmetric, "keys"),
        (Misbehaviour::TokenEndpointForgetsClient, "client_secret"),
    ] {
        let house = House::new();
        house.hostile.misbehave(misbehaviour);
        let probe = probe(&house).await;
        assert_eq!(failed(&probe), [step], "{misbehaviour:?}");
        assert!(STEPS.starts_with(&names(&probe)), "{misbehaviour:?}");
        assert_eq!(house.hostile.decoy_requests(), 0);
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_fails_at_the_step_that_says_why() {
    let house = House::new();
    let forbidden = party(&clock(), OutgoingPolicy::default());
    let probe = forbidden.probe(&house.provider, None).await;
    assert_eq!((names(&probe), failed(&probe)), (vec!["address"], vec!["address"]));
    let gone = unpinned(&format!("http://127.0.0.1:{}", stratora_testing::free_port().unwrap()));
    let probe = house.party.probe(&gone, None).await;
    assert_eq!((names(&probe), failed(&probe)), (vec!["address", "connection"], vec!["connection"]));
    let no_tls = unpinned(&house.hostile.issuer().replace("http:", "https:"));
    let probe = house.party.probe(&no_tls, None).await;
    assert_eq!(failed(&probe), ["connection"]);
}

#[tokio::test]
async fn everything_is_read_anew_and_the_next_sign_in_goes_by_it() {
    let house = House::new();
    house.sign_in().await.verified.unwrap();
    probe(&house).await;
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (2, 2));
    house.sign_in().await.verified.unwrap();
    assert_eq!((house.hostile.metadata_requests(), house.hostile.jwks_requests()), (2, 2));
}

#[tokio::test]
async fn new_endpoints_are_shown_and_get_no_secret_before_they_are_accepted() {
    let (mut house, other) = (House::new(), House::new());
    house.hostile.set_foreign_token_endpoint(&other.hostile.token_endpoint());
    house.hostile.misbehave(Misbehaviour::MetadataForeignTokenEndpoint);
    let probe = probe(&house).await;
    assert_eq!(probe.endpoints.unwrap().token, other.hostile.token_endpoint());
    for hostile in [&house.hostile, &other.hostile] {
        assert!(hostile.secrets_received().is_empty());
        assert_eq!(hostile.token_requests(), 0);
    }
    house.provider = unpinned(house.hostile.issuer());
    house.hostile.behave();
    self::probe(&house).await;
    assert!(house.hostile.secrets_received().is_empty());
}

#[tokio::test]
async fn a_secret_that_is_wrong_or_missing_is_told() {
    let mut house = House::new();
    let wrong = ClientSecret::parse("wrong").unwrap();
    let probe = house.party.probe(&house.provider, Some(&wrong)).await;
    assert_eq!(failed(&probe), ["client_secret"]);
    let before = house.hostile.token_requests();
    let probe = house.party.probe(&house.provider, None).await;
    assert_eq!(failed(&probe), ["client_secret"]);
    assert_eq!(house.hostile.token_requests(), before);
    house.provider.settings.client_auth = ClientAuth::None;
    house.hostile.set_client_secret(None);
    let probe = house.party.probe(&house.provider, None).await;
    assert!(probe.is_good(), "{:?}", probe.steps);
}

#[tokio::test]
async fn clocks_that_differ_are_told_with_the_number() {
    let house = House::new();
    house.hostile.advance(Duration::from_mins(5));
    let probe = probe(&house).await;
    assert_eq!(failed(&probe), ["clock"]);
    let advice = probe.steps.iter().find_map(|step| step.advice.as_deref()).unwrap();
    assert!(advice.contains("differ by about 30") || advice.contains("differ by about 29"), "{advice}");
}

#[tokio::test]
async fn a_test_is_bounded_in_time_whatever_the_provider_does() {
    let house = House::new();
    house.hostile.misbehave(Misbehaviour::MetadataEndless);
    let probe = party(&clock(), on_loopback()).probe(&house.provider, None).await;
    assert_eq!(failed(&probe), ["metadata"]);
}
