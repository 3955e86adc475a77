//! Where requests go, and whom they believe.

use std::fs;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use stratora_federation::{Provider, RelyingParty as _};
use stratora_oidc::OutgoingPolicy;
use stratora_testing::{Authority, Certificate, HostileProvider};
use tempfile::tempdir;

use crate::house::{clock, on_loopback, party, unpinned};

/// The advice that reading the metadata of `provider` ends with.
async fn advice(policy: OutgoingPolicy, provider: &Provider) -> String {
    party(&clock(), policy).discover(provider).await.unwrap_err().advice
}

fn https(host: &str, port: &str) -> Provider {
    unpinned(&format!("https://{host}:{port}"))
}

#[tokio::test]
async fn nothing_on_this_machine_is_asked_unless_that_is_allowed() {
    let decoy = HostileProvider::start().unwrap();
    let port = decoy.issuer().rsplit(':').next().unwrap().to_owned();
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "0.0.0.0"] {
        let advice = advice(OutgoingPolicy::default(), &https(host, &port)).await;
        assert!(advice.contains("leads to an address that requests may not go to"), "{host}: {advice}");
    }
    for issuer in [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")] {
        let advice = advice(OutgoingPolicy::default(), &unpinned(&issuer)).await;
        assert!(advice.contains("leads to an address that requests may not go to"), "{issuer}: {advice}");
    }
    assert_eq!(decoy.metadata_requests(), 0);
}

#[tokio::test]
async fn addresses_that_mean_something_else_are_never_asked() {
    for host in ["169.254.169.254", "[fe80::1]", "[::]", "0", "224.0.0.1", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]"] {
        let advice = advice(on_loopback(), &https(host, "443")).await;
        assert!(advice.contains("leads to an address that requests may not go to"), "{host}: {advice}");
    }
    let closed = OutgoingPolicy { allow_private: false, ..OutgoingPolicy::default() };
    let advice = advice(closed, &https("10.0.0.1", "443")).await;
    assert!(advice.contains("leads to an address that requests may not go to"), "{advice}");
}

#[tokio::test]
async fn a_host_that_nobody_knows_is_named_so() {
    // RFC 6761 §6.4: nobody ever knows it.
    let advice = advice(OutgoingPolicy::default(), &https("provider.invalid", "443")).await;
    assert!(advice.contains("is not known"), "{advice}");
}

fn trusting(certificate: &Path) -> OutgoingPolicy {
    OutgoingPolicy { extra_ca: Some(fs::read(certificate).unwrap()), ..on_loopback() }
}

#[tokio::test]
async fn a_certificate_is_believed_only_when_an_authority_vouches_for_it() {
    let directory = tempdir().unwrap();
    let authority = Authority::create(directory.path()).unwrap();
    let certificate = authority.issue(directory.path(), &[]).unwrap();
    let hostile = HostileProvider::start_with_tls(&certificate).unwrap();
    let provider = unpinned(hostile.issuer());
    let refused = advice(on_loopback(), &provider).await;
    assert!(refused.contains("certificate is not trusted"), "{refused}");
    assert_eq!(hostile.metadata_requests(), 0);
    let found = party(&clock(), trusting(authority.certificate())).discover(&provider).await.unwrap();
    assert_eq!(found.token, hostile.token_endpoint());
    // A certificate that vouches for itself is nobody's.
    let own = tempdir().unwrap();
    let hostile = HostileProvider::start_with_tls(&Certificate::create(own.path(), &[]).unwrap()).unwrap();
    let refused = advice(trusting(authority.certificate()), &unpinned(hostile.issuer())).await;
    assert!(refused.contains("certificate is not trusted"), "{refused}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let directory = tempdir().unwrap();
    let authority = Authority::create(directory.path()).unwrap();
    let hostile = HostileProvider::start_with_tls(&authority.issue(directory.path(), &[]).unwrap()).unwrap();
    // It is for `localhost` and 127.0.0.1, and this is another address that leads there.
    let elsewhere = hostile.issuer().replace("localhost", "[::ffff:127.0.0.1]");
    let refused = advice(trusting(authority.certificate()), &unpinned(&elsewhere)).await;
    assert!(refused.contains("another host name"), "{refused}");
    assert_eq!(hostile.metadata_requests(), 0);
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused() {
    let directory = tempdir().unwrap();
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.not_after = date_time_ymd(2025, 1, 1);
    let files =
        Certificate { certificate: directory.path().join("certificate.pem"), key: directory.path().join("key.pem") };
    fs::write(&files.certificate, parameters.self_signed(&pair).unwrap().pem()).unwrap();
    fs::write(&files.key, pair.serialize_pem()).unwrap();
    let hostile = HostileProvider::start_with_tls(&files).unwrap();
    let refused = advice(trusting(&files.certificate), &unpinned(hostile.issuer())).await;
    assert!(refused.contains("has expired or is not valid yet"), "{refused}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_as_if_it_had() {
    let hostile = HostileProvider::start().unwrap();
    let provider = unpinned(&hostile.issuer().replace("http:", "https:"));
    let refused = advice(on_loopback(), &provider).await;
    assert!(refused.contains("TLS with the provider's host fails"), "{refused}");
}
