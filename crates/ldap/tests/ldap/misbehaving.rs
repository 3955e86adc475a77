//! What goes out to a directory, byte for byte, and what becomes of answers that a good one does not give.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use stratora_auth::Role;
use stratora_testing::free_port;

use crate::fake::{BIND, FakeDirectory, SEARCH, bound, element, entry, found, result, text};
use crate::support::{directory, directory_and_clock, probe, role, steps, verify};

const GRACE: &str = "uid=grace,ou=people,dc=example,dc=com";

/// Takes every password, and finds these entries.
fn finding(entries: Vec<Vec<u8>>) -> FakeDirectory {
    FakeDirectory::start(move |operation, _| match operation {
        BIND => bound(0),
        SEARCH => found(&entries),
        _ => vec![],
    })
}

#[tokio::test]
async fn hostile_names_reach_the_directory_as_one_value() {
    for (name, escaped) in [
        ("grace", "grace"),
        ("grace+navy", "grace\\2bnavy"),
        ("corp\\grace", "corp\\5cgrace"),
        ("\\2a", "\\5c2a"),
        ("grace\\29\\28uid", "grace\\5c29\\5c28uid"),
        ("grace@example.com", "grace@example.com"),
        ("josé", "josé"),
        ("山田", "山田"),
    ] {
        let fake = finding(vec![]);
        let directory = directory(&fake.url(), &json!({"user_filter": "(objectClass=person)"}));
        assert_eq!(verify(&directory, name, "a password").await, Ok(None));

        let dn = format!("uid={escaped},ou=people,dc=example,dc=com");
        let bind = [element(0x02, &[vec![3]]), text(&dn), element(0x80, &[b"a password".to_vec()])].concat();
        assert_eq!(fake.requests(BIND), [bind], "{name}");

        let is_named = element(0xa3, &[text("uid"), text(name)]);
        let is_person = element(0xa3, &[text("objectClass"), text("person")]);
        let attributes = ["uid", "mail", "displayName", "cn", "memberOf"].map(text);
        let search = [
            text("dc=example,dc=com"),
            // The whole subtree, aliases never followed, 2 entries, no limit of time, values too.
            b"\x0a\x01\x02\x0a\x01\x00\x02\x01\x02\x02\x01\x00\x01\x01\x00".to_vec(),
            element(0xa0, &[is_named, is_person]),
            element(0x30, &attributes),
        ]
        .concat();
        assert_eq!(fake.requests(SEARCH), [search], "{name}");
    }
}

#[tokio::test]
async fn a_name_of_active_directory_cannot_be_led_elsewhere() {
    for template in ["{username}@corp.example.com", "CORP\\{username}"] {
        let fake = finding(vec![]);
        let directory = directory(&fake.url(), &json!({ "bind": template }));
        for name in ["grace@other.example.com", "OTHER\\grace"] {
            assert_eq!(verify(&directory, name, "a password").await, Ok(None));
        }
        assert_eq!(fake.requests(BIND).len(), 0);
    }
}

#[tokio::test]
async fn a_blank_password_is_refused_before_any_bind() {
    let fake = finding(vec![entry(GRACE, &[("uid", "grace")])]);
    let directory = directory(&fake.url(), &json!({}));
    for blank in [" ", "   ", "\t\r\n", "\u{a0}"] {
        assert_eq!(verify(&directory, "grace", blank).await, Ok(None), "{blank:?}");
    }
    let probe = probe(&directory, "grace", " ").await;
    assert!(steps(&probe).1.contains("blank"), "{probe:?}");
    assert_eq!(fake.requests(BIND).len(), 0);
    assert_eq!(role(&directory, "grace", " a").await, Some(Role::Viewer));
}

#[tokio::test]
async fn only_the_one_entry_of_that_name_signs_in() {
    let attributes = [("UID", "GRACE"), ("cn", "Grace"), ("displayName", "\u{202e}"), ("mail", "no address")];
    let right = finding(vec![entry(&GRACE.to_uppercase(), &attributes)]);
    let person = verify(&directory(&right.url(), &json!({})), "grace", "a password").await.unwrap().unwrap();
    assert_eq!((person.display_name.as_str(), person.email, person.role), ("Grace", None, Role::Viewer));
    assert_eq!(right.requests(BIND).len(), 1, "the entry is the one that has bound");

    for somebody_else in [
        entry(GRACE, &[("uid", "admin")]),
        entry(GRACE, &[]),
        entry(GRACE, &[("uid", "grac\u{435}")]),
        entry("", &[("uid", "grace")]),
    ] {
        let fake = finding(vec![somebody_else]);
        assert_eq!(verify(&directory(&fake.url(), &json!({})), "grace", "a password").await, Ok(None));
    }
    let grace = entry(GRACE, &[("uid", "grace")]);
    let fake = finding(vec![grace.clone(), grace]);
    let advice = verify(&directory(&fake.url(), &json!({})), "grace", "a password").await.unwrap_err();
    assert!(advice.contains("several entries"), "{advice}");
}

#[tokio::test]
async fn an_entry_of_another_name_than_was_bound_has_to_take_the_password_too() {
    let victor = entry("cn=victor,dc=example,dc=com", &[("uid", "grace")]);
    let fake = FakeDirectory::start(move |operation, before| match (operation, before) {
        (BIND, 0) => bound(0),
        (BIND, _) => bound(49),
        (SEARCH, _) => found(std::slice::from_ref(&victor)),
        _ => vec![],
    });
    assert_eq!(verify(&directory(&fake.url(), &json!({})), "grace", "a password").await, Ok(None));
    assert_eq!(fake.requests(BIND).len(), 2);
}

#[tokio::test]
async fn answers_mean_what_the_standard_says_and_their_text_is_never_shown() {
    for code in [19, 32, 34, 48, 49, 53] {
        let fake = FakeDirectory::start(move |_, _| bound(code));
        assert_eq!(verify(&directory(&fake.url(), &json!({})), "grace", "a password").await, Ok(None), "{code}");
    }
    for (code, part) in [(8, "ldaps://"), (10, "not followed"), (13, "ldaps://"), (51, "51"), (52, "52"), (80, "80")] {
        let fake = FakeDirectory::start(move |_, _| bound(code));
        let advice = verify(&directory(&fake.url(), &json!({})), "grace", "a password").await.unwrap_err();
        assert!(advice.contains(part) && !advice.contains("wrote"), "{code}: {advice}");
    }
    for (code, part) in [(1, "permit"), (10, "not followed"), (32, "ldap.base_dn"), (50, "permit"), (80, "80")] {
        let fake = FakeDirectory::start(move |operation, _| match operation {
            BIND => bound(0),
            _ => vec![result(0x65, code)],
        });
        let advice = verify(&directory(&fake.url(), &json!({})), "grace", "a password").await.unwrap_err();
        assert!(advice.contains(part) && !advice.contains("wrote"), "{code}: {advice}");
    }
}

#[tokio::test]
async fn groups_of_which_only_some_are_told_decide_nothing() {
    let fake = finding(vec![entry(GRACE, &[("uid", "grace"), ("memberOf;range=0-1499", "cn=interns,dc=a")])]);
    let advice = verify(&directory(&fake.url(), &json!({})), "grace", "a password").await.unwrap_err();
    assert!(advice.contains("ldap.nested_groups"), "{advice}");
}

#[tokio::test]
async fn what_is_not_ldap_is_an_outage_and_not_a_crash() {
    for nonsense in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\x30\x00",
        b"\x30\x03\x04\x01\x01",
        b"\x30\x05\x02\x01\x01\x61\x00",
        b"\x30\x06\x02\x01\x01\x04\x01\x00",
        b"\xff\xff\xff\xff",
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            for mut stream in listener.incoming().flatten() {
                let _read = stream.read(&mut [0; 512]);
                let _written = stream.write_all(nonsense);
            }
        });
        let directory = directory(&url, &json!({"timeout": "2s"}));
        let advice = verify(&directory, "grace", "a password").await.unwrap_err();
        assert!(advice.contains("ldap.url"), "{nonsense:02x?}: {advice}");
    }
    // An entry whose name is a list.
    let fake = finding(vec![element(0x64, &[element(0x30, &[]), element(0x30, &[])])]);
    let advice = verify(&directory(&fake.url(), &json!({})), "grace", "a password").await.unwrap_err();
    assert!(advice.contains("ldap.url"), "{advice}");
}

#[tokio::test]
async fn a_directory_that_hangs_costs_no_more_than_the_timeout_and_then_nothing() {
    // The system accepts; nobody answers.
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    let (directory, clock) = directory_and_clock(&url, &json!({"timeout": "300ms"}));
    let attempts = (0..40).map(|_| verify(&directory, "grace", "a password"));
    let advice = futures_util::future::join_all(attempts).await;
    assert!(advice.iter().all(Result::is_err), "{advice:?}");

    let paused = verify(&directory, "grace", "a password").await.unwrap_err();
    assert!(paused.contains("asked again"), "{paused}");
    clock.advance(Duration::from_secs(5));
    let asked = verify(&directory, "grace", "a password").await.unwrap_err();
    assert!(asked.contains("did not answer within"), "{asked}");
}

#[tokio::test]
async fn a_test_by_the_administrator_ends_the_pause_once_the_directory_is_back() {
    let grace = entry(GRACE, &[("uid", "grace")]);
    let fake = FakeDirectory::start(move |operation, before| match (operation, before) {
        // Hangs up on the first three.
        (BIND, 0..3) => vec![],
        (BIND, _) => bound(0),
        _ => found(std::slice::from_ref(&grace)),
    });
    let directory = directory(&fake.url(), &json!({}));
    for _ in 0..3 {
        let broken = verify(&directory, "grace", "a password").await.unwrap_err();
        assert!(broken.contains("broke off"), "{broken}");
    }
    assert!(verify(&directory, "grace", "a password").await.unwrap_err().contains("asked again"));
    assert!(probe(&directory, "grace", "a password").await.is_good());
    assert_eq!(role(&directory, "grace", "a password").await, Some(Role::Viewer));
}

#[tokio::test]
async fn nobody_at_the_address_is_said_with_what_to_correct() {
    let port = free_port().unwrap();
    let probe = directory(&format!("ldap://127.0.0.1:{port}"), &json!({})).probe(None).await;
    let (checks, advice) = steps(&probe);
    assert_eq!(checks, ["connect"]);
    assert!(advice.contains("nothing answers at ldap.url"), "{advice}");
    let nowhere = directory("ldap://directory.invalid", &json!({})).probe(None).await;
    assert!(steps(&nowhere).1.contains("has no address"), "{nowhere:?}");
}

#[tokio::test]
async fn lists_in_lists_in_lists_break_no_more_than_the_conversation() {
    const DEPTH: u32 = 100_000;
    let fake = FakeDirectory::start(|_, _| {
        let header = |inside: u32| [&[0x30, 0x84][..], &(inside * 6).to_be_bytes()].concat();
        vec![(0..DEPTH).rev().flat_map(header).collect()]
    });
    let advice = verify(&directory(&fake.url(), &json!({})), "grace", "a password").await.unwrap_err();
    assert!(advice.contains("ldap.url"), "{advice}");
}
