//! In front of OpenLDAP: who signs in, and as what.

use serde_json::{Value, json};
use stratora_auth::Role;
use stratora_testing::OpenLdap;

use crate::support::{directory, probe, role, steps, verify};

const PASSWORD: &str = OpenLdap::PASSWORD;

/// Looks for people with the account for it.
fn searching(changes: &Value) -> Value {
    let (dn, password) = OpenLdap::READER;
    let mut settings = json!({"search_bind": {"dn": dn, "password": password}});
    for (field, value) in changes.as_object().unwrap() {
        settings[field] = value.clone();
    }
    settings
}

fn mappings() -> Value {
    json!([
        {"group": "CN=Operators, OU=Groups, DC=Example, DC=COM", "role": "operator", "priority": 1},
        {"group": "cn=Ops\\, Berlin (all),ou=groups,dc=example,dc=com", "role": "admin", "priority": 0},
    ])
}

#[tokio::test]
async fn people_sign_in_with_their_own_bind_and_read_their_own_entry() {
    let openldap = OpenLdap::start().unwrap();
    for settings in [json!({"role_mappings": mappings()}), searching(&json!({"role_mappings": mappings()}))] {
        let directory = directory(&openldap.url(), &settings);
        let grace = verify(&directory, "grace", PASSWORD).await.unwrap().unwrap();
        // Nobody but Grace may read her mail address and her groups.
        assert_eq!(grace.email.as_deref(), Some("grace@example.com"));
        assert_eq!((grace.display_name.as_str(), grace.role), ("Grace Hopper", Role::Operator));
        for (name, display_name) in
            [("grace+navy", "Grace of the Navy"), ("corp\\grace", "Grace of Corp"), ("josé", "José"), ("JOSÉ", "José")]
        {
            let person = verify(&directory, name, PASSWORD).await.unwrap().unwrap();
            assert_eq!((person.display_name.as_str(), person.email, person.role), (display_name, None, Role::Viewer));
        }
    }
}

#[tokio::test]
async fn wrong_passwords_and_names_are_one_refusal() {
    let openldap = OpenLdap::start().unwrap();
    for settings in [json!({}), searching(&json!({}))] {
        let directory = directory(&openldap.url(), &settings);
        for (name, password) in [
            ("grace", "wrong"),
            ("grace", "Correct horse battery 5taple "),
            ("grace", "correct horse battery 5taple"),
            ("nobody", PASSWORD),
            ("unknown", PASSWORD),
            ("gr\u{e4}ce", PASSWORD),
            ("jose", PASSWORD),
            ("operators", PASSWORD),
        ] {
            assert_eq!(verify(&directory, name, password).await, Ok(None), "{name} {password}");
        }
    }
}

#[tokio::test]
async fn whoever_is_found_is_whoever_has_bound() {
    let openldap = OpenLdap::start().unwrap();
    let changes = json!({"bind": "cn={username},ou=people,dc=example,dc=com", "role_mappings": mappings()});
    let directory = directory(&openldap.url(), &changes);
    // This is the password of cn=victor, who is not the Victor whose uid is victor.
    assert_eq!(verify(&directory, "victor", PASSWORD).await, Ok(None));
    let probe = probe(&directory, "victor", PASSWORD).await;
    assert!(steps(&probe).1.contains("not that of whoever has this password"), "{probe:?}");
}

#[tokio::test]
async fn a_name_full_of_signs_is_found_bound_and_read() {
    let openldap = OpenLdap::start().unwrap();
    let directory = directory(&openldap.url(), &searching(&json!({"role_mappings": mappings()})));
    let ada = verify(&directory, "ada", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ada.display_name, "# Lovelace, Ada (*) +\"\\;");
    assert_eq!((ada.email.as_deref(), ada.role), (Some("ada@example.com"), Role::Admin));
    assert_eq!(role(&directory, "ada", "wrong").await, None);
}

#[tokio::test]
async fn the_filter_and_the_base_say_who_may_sign_in() {
    let openldap = OpenLdap::start().unwrap();
    let nobody = directory(&openldap.url(), &json!({"user_filter": "(title=operator)"}));
    assert_eq!(verify(&nobody, "grace", PASSWORD).await, Ok(None));
    let (checks, advice) = (probe(&nobody, "grace", PASSWORD).await, "takes the password but shows no entry");
    assert_eq!(steps(&checks).0, ["connect", "bind", "entry"]);
    assert!(steps(&checks).1.contains(advice), "{checks:?}");

    let twins = searching(&json!({}));
    let advice = verify(&directory(&openldap.url(), &twins), "twin", PASSWORD).await.unwrap_err();
    assert!(advice.contains("several entries"), "{advice}");
    let narrowed = searching(&json!({"base_dn": "ou=people,dc=example,dc=com"}));
    assert_eq!(role(&directory(&openldap.url(), &narrowed), "twin", PASSWORD).await, Some(Role::Viewer));
}

#[tokio::test]
async fn a_referral_is_never_followed() {
    let openldap = OpenLdap::start().unwrap();
    let elsewhere = "ou=elsewhere,dc=example,dc=com";
    for changes in [json!({"base_dn": elsewhere}), searching(&json!({"base_dn": elsewhere}))] {
        let advice = verify(&directory(&openldap.url(), &changes), "grace", PASSWORD).await.unwrap_err();
        assert!(advice.contains("not followed") && !advice.contains("127.0.0.1"), "{advice}");
    }
}

#[tokio::test]
async fn what_is_set_wrong_is_trouble_and_says_which_setting() {
    let openldap = OpenLdap::start().unwrap();
    for (changes, part) in [
        (json!({"base_dn": "ou=nowhere,dc=example,dc=com"}), "ldap.base_dn"),
        (searching(&json!({"base_dn": "ou=nowhere,dc=example,dc=com"})), "ldap.base_dn"),
        (json!({"search_bind": {"dn": "cn=reader,dc=example,dc=com", "password": "wrong"}}), "ldap.search_bind"),
        (json!({"search_bind": {"dn": "reader", "password": "wrong"}}), "ldap.search_bind"),
    ] {
        let directory = directory(&openldap.url(), &changes);
        let advice = verify(&directory, "grace", PASSWORD).await.unwrap_err();
        assert!(advice.contains(part), "{changes}: {advice}");
    }
}

#[tokio::test]
async fn a_test_shows_the_groups_and_what_decided() {
    let openldap = OpenLdap::start().unwrap();
    let directory = directory(&openldap.url(), &searching(&json!({"role_mappings": mappings()})));
    let nobody = directory.probe(None).await;
    assert_eq!(steps(&nobody), (vec!["connect", "service_bind", "search"], ""));
    assert!(nobody.is_good() && !nobody.is_encrypted && nobody.person.is_none());

    let grace = probe(&directory, "grace", PASSWORD).await;
    let all = ["connect", "service_bind", "search", "bind", "entry", "groups"];
    assert_eq!(steps(&grace), (all.to_vec(), ""));
    let person = grace.person.unwrap();
    assert_eq!(person.groups.len(), 2, "{:?}", person.groups);
    assert!(person.groups.contains(&"cn=operators,ou=groups,dc=example,dc=com".to_owned()));
    assert_eq!(person.role, Role::Operator);
    assert_eq!(person.decided_by.as_deref(), Some("CN=Operators, OU=Groups, DC=Example, DC=COM"));

    let jose = probe(&directory, "josé", PASSWORD).await.person.unwrap();
    assert_eq!((jose.groups, jose.role, jose.decided_by), (vec![], Role::Viewer, None));
    let unknown = probe(&directory, "unknown", PASSWORD).await;
    assert_eq!(steps(&unknown).0, ["connect", "service_bind", "search"]);
    let wrong = probe(&directory, "grace", "wrong").await;
    assert_eq!(steps(&wrong).0, ["connect", "service_bind", "search", "bind"]);
}

#[tokio::test]
async fn sign_ins_fail_while_it_is_away_and_work_when_it_is_back() {
    let mut openldap = OpenLdap::start().unwrap();
    let directory = directory(&openldap.url(), &json!({"timeout": "500ms"}));
    openldap.pause();
    let advice = verify(&directory, "grace", PASSWORD).await.unwrap_err();
    assert!(advice.contains("ldap.timeout"), "{advice}");
    openldap.resume();
    assert_eq!(role(&directory, "grace", PASSWORD).await, Some(Role::Viewer));
    openldap.stop().unwrap();
    let advice = verify(&directory, "grace", PASSWORD).await.unwrap_err();
    assert!(advice.contains("nothing answers at ldap.url"), "{advice}");
}
