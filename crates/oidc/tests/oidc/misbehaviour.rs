//! Each thing that a provider can do wrong, with all else right: it is refused at the right step, and nothing that the
//! provider wrote comes out.

use std::time::Duration;

use futures_util::future::join_all;
use stratora_federation::RelyingParty as _;
use stratora_testing::{HostileProvider, Misbehaviour, Signing};

use crate::house::House;

/// At which step it is refused; nothing where whoever reads the browser's parameters does it, before the port is called.
fn expected(misbehaviour: Misbehaviour) -> Option<&'static str> {
    use Misbehaviour as M;
    Some(match misbehaviour {
        M::ResponseError | M::ResponseStateTwice | M::ResponseIssTwice => return None,
        M::ResponseIssWrong | M::ResponseIssMissing => "iss_parameter",
        M::TokenIssuer => "iss",
        M::TokenAudience | M::TokenExtraAudience | M::TokenAuthorizedParty => "aud",
        M::TokenNonce | M::TokenNonceMissing => "nonce",
        M::TokenExpired
        | M::TokenExpMissing
        | M::TokenNotBefore
        | M::TokenIssuedTomorrow
        | M::TokenIatMissing
        | M::TokenIssuedYesterday => "time",
        M::TokenSubjectMissing | M::TokenClaimTwice => "claims",
        M::AlgNone
        | M::AlgNoneMixedCase
        | M::AlgHmacClientSecret
        | M::AlgHmacPublicPem
        | M::AlgHmacPublicJwk
        | M::AlgEcWithRsaKey
        | M::AlgSwappedPadding
        | M::AlgNotAllowed
        | M::KeyUnknown
        | M::KeyTraversal
        | M::KeyEmbedded
        | M::KeyUrl
        | M::KeyCertificateUrl
        | M::SignatureForeign
        | M::SignatureStripped
        | M::SignatureOfOtherClaims
        | M::KeySymmetric
        | M::KeySmall
        | M::KeyExponentOne
        | M::KeyOffCurve
        | M::KeyForEncryption => "signature",
        M::JsonSerialisation
        | M::TokenHuge
        | M::TokenCritical
        | M::TokenHeaderTwice
        | M::TokenTypeAccess
        | M::TokenTypeLogout
        | M::TokenEncrypted
        | M::TokenMissing => "id_token",
        M::ResponseCodeForged
        | M::TokenEndpointRedirects
        | M::TokenEndpointFails
        | M::TokenEndpointHtml
        | M::TokenEndpointSlow
        | M::TokenEndpointEndless
        | M::TokenEndpointGzip
        | M::TokenEndpointBreaksOff
        | M::TokenEndpointRefuses
        | M::TokenEndpointForgetsClient => "token_endpoint",
        M::MetadataRedirects
        | M::MetadataHtml
        | M::MetadataFails
        | M::MetadataMissing
        | M::MetadataSlow
        | M::MetadataEndless
        | M::MetadataGzip => "metadata",
        M::MetadataIssuer | M::MetadataIssuerSlash | M::MetadataIssuerCase | M::MetadataIssuerTemplate => "issuer",
        M::MetadataForeignTokenEndpoint | M::MetadataPlainEndpoints | M::MetadataWithoutKeys => "endpoints",
        M::MetadataWithoutCode | M::MetadataWithoutPkce => "pkce",
        M::MetadataWithoutClientAuth => "client_auth",
        M::MetadataSymmetric => "algorithms",
        M::KeysRedirect
        | M::KeysHtml
        | M::KeysFail
        | M::KeysSlow
        | M::KeysEndless
        | M::KeysGzip
        | M::KeysTenThousand => "keys",
    })
}

const CHECKS: [&str; 9] =
    ["iss_parameter", "token_endpoint", "id_token", "signature", "iss", "aud", "time", "nonce", "claims"];

async fn is_refused(misbehaviour: Misbehaviour, check: &str) {
    let house = House::new();
    house.hostile.misbehave(misbehaviour);
    let refused = house.sign_in().await;
    let flaw = refused.flaw();
    assert_eq!(flaw.check, check, "{misbehaviour:?}: {}", flaw.advice);
    // What passed stands in the order of the checks, up to the one that failed.
    let passed = refused.checks();
    assert!(CHECKS.starts_with(&passed), "{misbehaviour:?}: {passed:?}");
    assert!(!passed.contains(&check), "{misbehaviour:?}");
    assert_is_ours(&flaw.advice, misbehaviour);
    assert_eq!(house.hostile.decoy_requests(), 0, "{misbehaviour:?}");
    // And that was all that was wrong.
    house.hostile.behave();
    house.party.forget(house.provider.id);
    let again = house.sign_in().await;
    assert_eq!(again.verified.unwrap().claims.subject, "248289761001", "{misbehaviour:?}");
    assert_eq!(again.steps.len(), CHECKS.len());
}

/// One sentence of ours: no markup, no line end, nothing of the provider.
fn assert_is_ours(advice: &str, misbehaviour: Misbehaviour) {
    for bad in ["alert", "Set-Cookie", "\r", "\n", "127.0.0.1", "248289761001"] {
        assert!(!advice.contains(bad), "{misbehaviour:?}: {advice}");
    }
    assert!((20..=400).contains(&advice.len()), "{misbehaviour:?}: {advice}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_misbehaviour_is_refused_at_its_step_and_nothing_else_was_wrong() {
    let all = Misbehaviour::ALL.iter().filter_map(|misbehaviour| Some((*misbehaviour, expected(*misbehaviour)?)));
    let (slow, quick): (Vec<_>, Vec<_>) =
        all.partition(|(misbehaviour, _)| format!("{misbehaviour:?}").ends_with("Slow"));
    let slow = tokio::spawn(join_all(slow.into_iter().map(|(misbehaviour, check)| is_refused(misbehaviour, check))));
    for some in quick.chunks(8) {
        join_all(some.iter().map(|(misbehaviour, check)| is_refused(*misbehaviour, check))).await;
    }
    slow.await.unwrap();
}

#[tokio::test]
async fn a_provider_that_behaves_signs_people_in_with_every_algorithm() {
    for signing in [Signing::ES256, Signing::RS256, Signing::PS256] {
        let house = House::new();
        house.hostile.sign_with(signing);
        let ended = house.sign_in().await;
        assert_eq!(ended.checks(), CHECKS, "{signing:?}");
        let verified = ended.verified.unwrap();
        assert_eq!(verified.sid.as_deref(), Some("session-at-the-provider"));
        assert_eq!(verified.claims.preferred_username.as_deref(), Some("grace"));
        assert_eq!(verified.claims.groups, ["all", "ops"].map(str::to_owned).into());
        assert!(verified.claims.email_verified);
    }
}

#[tokio::test]
async fn a_code_is_worth_nothing_twice_or_in_another_sign_in() {
    let house = House::new();
    let (response, secrets) = house.go().await.unwrap();
    let code = response.code.clone();
    let iss = response.iss.clone();
    assert!(house.finish(response, &secrets).await.verified.is_ok());
    let again = stratora_federation::CallbackResponse { code, iss };
    assert_eq!(house.finish(again, &secrets).await.flaw().check, "token_endpoint");
    // Another sign-in's code does not go with this one's verifier.
    let (first, _) = house.go().await.unwrap();
    let (_, other) = house.go().await.unwrap();
    assert_eq!(house.finish(first, &other).await.flaw().check, "token_endpoint");
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_costs_no_token_request() {
    for misbehaviour in [Misbehaviour::ResponseIssWrong, Misbehaviour::ResponseIssMissing] {
        let house = House::new();
        house.hostile.misbehave(misbehaviour);
        assert_eq!(house.sign_in().await.flaw().check, "iss_parameter");
        assert_eq!(house.hostile.token_requests(), 0);
        assert_eq!(house.hostile.secrets_received().len(), 0);
    }
}

#[tokio::test]
async fn the_secret_of_one_provider_never_gets_to_another() {
    let (good, evil) = (House::new(), House::new());
    // The evil one leads codes and secrets of its clients to the good one, and then the reverse.
    evil.hostile.set_foreign_token_endpoint(&good.hostile.token_endpoint());
    evil.hostile.misbehave(Misbehaviour::MetadataForeignTokenEndpoint);
    let flaw = evil.sign_in().await;
    assert_eq!(flaw.flaw().check, "endpoints");
    assert!(flaw.flaw().is_unavailable);
    assert!(flaw.flaw().advice.contains("run the provider's test"));
    good.hostile.set_foreign_token_endpoint(&evil.hostile.token_endpoint());
    good.hostile.misbehave(Misbehaviour::MetadataForeignTokenEndpoint);
    assert_eq!(good.sign_in().await.flaw().check, "endpoints");
    // Not even when the metadata changes while somebody is at the provider.
    good.hostile.behave();
    good.party.forget(good.provider.id);
    let (response, secrets) = good.go().await.unwrap();
    good.hostile.misbehave(Misbehaviour::MetadataForeignTokenEndpoint);
    good.party.refresh(std::slice::from_ref(&good.provider)).await;
    assert_eq!(good.finish(response, &secrets).await.flaw().check, "endpoints");
    for house in [&good, &evil] {
        assert_eq!(house.hostile.token_requests(), 0);
        assert!(house.hostile.secrets_received().is_empty());
    }
}

#[tokio::test]
async fn nothing_is_exchanged_with_a_provider_whose_endpoints_were_never_pinned() {
    let mut house = House::new();
    let (response, secrets) = house.go().await.unwrap();
    house.provider.settings.endpoints = None;
    assert_eq!(house.finish(response, &secrets).await.flaw().check, "endpoints");
    assert_eq!(house.hostile.token_requests(), 0);
}

#[tokio::test]
async fn the_skew_between_both_clocks_is_a_minute() {
    // A sign-in may take a second of real time, by which the provider's clock goes on.
    for (ahead, is_good) in [(50, true), (75, false)] {
        let house = House::new();
        house.hostile.advance(Duration::from_secs(ahead));
        let ended = house.sign_in().await;
        assert_eq!(ended.verified.is_ok(), is_good, "{ahead}");
        let told = match &ended.verified {
            Ok(_) => ended.steps.iter().find_map(|step| step.note.clone()).unwrap(),
            Err(flaw) => flaw.advice.clone(),
        };
        assert!(told.contains("the clock of this server and the provider's differ by about"), "{told}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_named_so() {
    let mut house = House::new();
    let gone = HostileProvider::start().unwrap();
    house.provider = crate::house::pinned(gone.issuer());
    drop(gone);
    let ended = house.sign_in().await;
    assert!(ended.flaw().is_unavailable);
    assert!(ended.flaw().advice.contains("cannot be reached"), "{}", ended.flaw().advice);
}
