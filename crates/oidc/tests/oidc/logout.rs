//! A provider's word that somebody has signed out, and signing out there.

use serde_json::json;
use stratora_federation::{LogoutToken, RelyingParty as _};
use stratora_testing::Misbehaviour;
use url::Url;

use crate::house::{CLIENT, House, unpinned};

#[tokio::test]
async fn a_logout_token_of_the_provider_is_believed() {
    let house = House::new();
    let token = house.hostile.logout_token(CLIENT, &json!({})).unwrap();
    let said = house.party.verify_logout(&house.provider, &token).await.unwrap();
    let expected =
        LogoutToken { subject: Some("248289761001".to_owned()), sid: Some("session-at-the-provider".to_owned()) };
    assert_eq!(said, expected);
}

#[tokio::test]
async fn what_is_no_logout_token_of_this_provider_for_us_is_refused() {
    let (house, other) = (House::new(), House::new());
    let refused = async |token: &str| house.party.verify_logout(&house.provider, token).await.unwrap_err().check;
    for (change, check) in [
        (json!({"nonce": "n"}), "nonce"),
        (json!({"events": null}), "events"),
        (json!({"jti": null}), "jti"),
        (json!({"iat": 1_700_000_000, "exp": null}), "time"),
        (json!({"iss": "https://id.example.com"}), "iss"),
    ] {
        let token = house.hostile.logout_token(CLIENT, &change).unwrap();
        assert_eq!(refused(&token).await, check, "{change}");
    }
    assert_eq!(refused(&house.hostile.logout_token("another", &json!({})).unwrap()).await, "aud");
    assert_eq!(refused(&other.hostile.logout_token(CLIENT, &json!({})).unwrap()).await, "signature");
    for text in ["", "a.b.c", "<script>", &"a".repeat(100_000)] {
        assert_eq!(refused(text).await, "logout_token");
    }
}

#[tokio::test]
async fn tokens_with_made_up_keys_cause_no_load_at_the_provider() {
    let (house, other) = (House::new(), House::new());
    for _ in 0..20 {
        other.hostile.rotate_keys().unwrap();
        let token = other.hostile.logout_token(CLIENT, &json!({})).unwrap();
        assert!(house.party.verify_logout(&house.provider, &token).await.is_err());
    }
    assert_eq!(house.hostile.jwks_requests(), 2);
    assert_eq!(house.hostile.metadata_requests(), 0);
}

#[tokio::test]
async fn an_id_token_is_no_logout_token_nor_the_reverse() {
    let house = House::new();
    house.hostile.misbehave(Misbehaviour::TokenTypeLogout);
    assert_eq!(house.sign_in().await.flaw().check, "id_token");
}

#[tokio::test]
async fn a_provider_that_was_never_pinned_ends_nothing() {
    let house = House::new();
    let token = house.hostile.logout_token(CLIENT, &json!({})).unwrap();
    let flaw = house.party.verify_logout(&unpinned(house.hostile.issuer()), &token).await.unwrap_err();
    assert_eq!(flaw.check, "endpoints");
}

#[tokio::test]
async fn browsers_sign_out_at_the_pinned_endpoint_without_a_token() {
    let house = House::new();
    let url = Url::parse(&house.party.end_session_url(&house.provider).unwrap()).unwrap();
    assert!(url.as_str().starts_with(&format!("{}/logout?", house.hostile.issuer())));
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["client_id", "post_logout_redirect_uri"]);
    assert_eq!(house.party.end_session_url(&unpinned(house.hostile.issuer())), None);
}
