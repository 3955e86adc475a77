//! In front of OpenLDAP: to whom a password is shown.

use serde_json::json;
use stratora_auth::Role;
use stratora_testing::{Authority, OpenLdap, free_port};

use crate::support::{check, directory, probe, role, settings, steps, trusting, verify};

const PASSWORD: &str = OpenLdap::PASSWORD;

#[tokio::test]
async fn both_kinds_of_tls_work_with_an_authority_of_ones_own() {
    let openldap = OpenLdap::start().unwrap();
    for (url, changes) in [(openldap.tls_url(), json!({})), (openldap.url(), json!({"start_tls": true}))] {
        let directory = directory(&url, &trusting(&openldap.authority(), &changes));
        assert_eq!(role(&directory, "grace", PASSWORD).await, Some(Role::Viewer));
        assert_eq!(role(&directory, "grace", "wrong").await, None);
        let probe = probe(&directory, "grace", PASSWORD).await;
        assert_eq!(steps(&probe), (vec!["connect", "tls", "bind", "entry", "groups"], ""));
        assert!(probe.is_encrypted);
        assert_eq!(steps(&directory.probe(None).await), (vec!["connect", "tls", "search"], ""));
    }
}

#[tokio::test]
async fn a_directory_that_nobody_vouches_for_is_shown_no_password() {
    let openldap = OpenLdap::start().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Authority::create(elsewhere.path()).unwrap();
    for (url, changes) in [(openldap.tls_url(), json!({})), (openldap.url(), json!({"start_tls": true}))] {
        let directory = directory(&url, &trusting(other.certificate(), &changes));
        let advice = verify(&directory, "grace", PASSWORD).await.unwrap_err();
        assert!(advice.contains("ldap.ca_file"), "{advice}");
        assert_eq!(steps(&probe(&directory, "grace", PASSWORD).await).0, ["connect", "tls"]);
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let openldap = OpenLdap::start().unwrap();
    let directory = directory(&openldap.misnamed_tls_url(), &trusting(&openldap.authority(), &json!({})));
    let advice = verify(&directory, "grace", PASSWORD).await.unwrap_err();
    assert!(advice.contains("another host"), "{advice}");
}

#[tokio::test]
async fn the_wrong_port_is_said_to_speak_no_tls() {
    let openldap = OpenLdap::start().unwrap();
    let tls_at_plain = directory(
        &openldap.url().replace("ldap:", "ldaps:"),
        &trusting(&openldap.authority(), &json!({"timeout": "2s"})),
    );
    let advice = verify(&tls_at_plain, "grace", PASSWORD).await.unwrap_err();
    assert!(advice.contains("no TLS is spoken"), "{advice}");
    let start_tls_at_tls = directory(
        &openldap.tls_url().replace("ldaps:", "ldap:"),
        &trusting(&openldap.authority(), &json!({"start_tls": true, "timeout": "2s"})),
    );
    assert!(verify(&start_tls_at_tls, "grace", PASSWORD).await.is_err());
}

#[test]
fn without_tls_there_is_no_directory_unless_that_is_said() {
    let url = format!("ldap://127.0.0.1:{}", free_port().unwrap());
    let refused = check(settings(&url, &json!({"insecure": false}))).unwrap_err();
    assert!(refused.contains("ldap.start_tls") && refused.contains("ldap.insecure"), "{refused}");
    assert!(check(settings(&url, &json!({"insecure": true}))).is_ok());
}
