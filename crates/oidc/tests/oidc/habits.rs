//! What real providers do, and a relying party has to live with.

use serde_json::json;
use stratora_federation::{ClientAuth, RelyingParty as _};
use stratora_testing::{Habit, Misbehaviour};

use crate::house::House;

#[tokio::test]
async fn unusual_providers_sign_people_in() {
    for habit in [
        Habit::NamesNoKeys,
        Habit::AudienceList,
        Habit::AudienceListWithParty,
        Habit::NoType,
        Habit::OddClaims,
        Habit::OddTokenAnswer,
        Habit::OddMetadata,
        Habit::BareMetadata,
        Habit::OddKeys,
        Habit::NoResponseIss,
    ] {
        let house = House::new();
        house.hostile.adopt(habit);
        let ended = house.sign_in().await;
        let verified = ended.verified.unwrap_or_else(|flaw| panic!("{habit:?}: {flaw:?}"));
        assert_eq!(verified.claims.subject, "248289761001", "{habit:?}");
    }
}

#[tokio::test]
async fn what_only_looks_like_true_verifies_no_address() {
    for value in [json!("true"), json!(1), json!(null)] {
        let house = House::new();
        house.hostile.set_claim("email_verified", value);
        assert!(!house.sign_in().await.verified.unwrap().claims.email_verified);
    }
}

#[tokio::test]
async fn a_secret_of_any_characters_is_brought_in_the_way_that_is_set() {
    for (method, name) in [
        (ClientAuth::Basic, "client_secret_basic"),
        (ClientAuth::Post, "client_secret_post"),
        (ClientAuth::None, "none"),
    ] {
        let mut house = House::new();
        house.provider.settings.client_auth = method;
        if method == ClientAuth::None {
            house.hostile.set_client_secret(None);
        } else {
            house.hostile.set_client_secret(Some("a+b/c=%&: ü\"'"));
        }
        let ended = house.sign_in().await;
        assert!(ended.verified.is_ok(), "{method:?}: {:?}", ended.verified);
        assert_eq!(house.hostile.client_auth(), Some(name));
    }
}

#[tokio::test]
async fn a_public_client_sends_no_secret_even_if_there_is_one() {
    let mut house = House::new();
    house.hostile.set_client_secret(None);
    house.provider.settings.client_auth = ClientAuth::None;
    let (response, secrets) = house.go().await.unwrap();
    let secret = stratora_federation::ClientSecret::parse("left over").unwrap();
    let finished = house.party.finish(&house.provider, Some(&secret), &secrets, response, &mut Vec::new()).await;
    assert!(finished.is_ok());
    assert!(house.hostile.secrets_received().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_is_told_from_a_wrong_code() {
    let house = House::new();
    house.hostile.misbehave(Misbehaviour::TokenEndpointForgetsClient);
    let ended = house.sign_in().await;
    assert!(ended.flaw().is_unavailable && ended.flaw().advice.contains("client_secret"), "{}", ended.flaw().advice);
    let house = House::new();
    house.hostile.misbehave(Misbehaviour::ResponseCodeForged);
    let ended = house.sign_in().await;
    assert!(!ended.flaw().is_unavailable && ended.flaw().advice.contains("invalid_grant"), "{}", ended.flaw().advice);
}
