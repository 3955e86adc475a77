//! In front of Active Directory, as Samba makes it. One test, since making a domain takes a while.

use serde_json::{Value, json};
use stratora_auth::Role;
use stratora_testing::Samba;

use crate::support::{directory, probe, role, steps, trusting, verify};

const PASSWORD: &str = Samba::PASSWORD;

#[tokio::test]
async fn people_of_active_directory_sign_in_with_either_name_and_their_nested_groups() {
    let samba = Samba::start().unwrap();
    let settings = |changes: Value| {
        let mut settings = json!({
            "base_dn": Samba::BASE,
            "username_attribute": "sAMAccountName",
            "bind": "{username}@corp.example.com",
            "nested_groups": true,
            "role_mappings": [
                {"group": "CN=Operators,CN=Users,DC=corp,DC=example,DC=com", "role": "operator"},
                {"group": "cn=monitoring admins, cn=users, dc=corp, dc=example, dc=com", "role": "admin"},
            ],
        });
        for (field, value) in changes.as_object().unwrap() {
            settings[field] = value.clone();
        }
        trusting(&samba.authority(), &settings)
    };

    for (url, changes) in [
        (samba.tls_url(), json!({})),
        (samba.tls_url(), json!({"bind": "CORP\\{username}"})),
        (samba.url(), json!({"start_tls": true})),
        (
            samba.tls_url(),
            json!({"bind": "CN={username},CN=Users,DC=corp,DC=example,DC=com", "username_attribute": "cn"}),
        ),
    ] {
        let name = if changes.get("username_attribute").is_some() { "victor" } else { "grace" };
        let directory = directory(&url, &settings(changes));
        let person = verify(&directory, name, PASSWORD).await.unwrap().unwrap();
        if name == "grace" {
            assert_eq!(person.email.as_deref(), Some("grace@example.com"));
            assert_eq!((person.display_name.as_str(), person.role), ("Grace Hopper", Role::Operator));
        }
        assert_eq!(role(&directory, name, "wrong").await, None);
    }

    let nested = directory(&samba.tls_url(), &settings(json!({})));
    assert_eq!(role(&nested, "ada", PASSWORD).await, Some(Role::Admin));
    let ada = probe(&nested, "ada", PASSWORD).await;
    assert_eq!(steps(&ada), (vec!["connect", "tls", "bind", "entry", "groups"], ""));
    let ada = ada.person.unwrap();
    assert_eq!(ada.display_name, "Lovelace, Ada (ops) \\*");
    assert_eq!(ada.groups.len(), 3, "{:?}", ada.groups);
    assert_eq!(ada.decided_by.as_deref(), Some("cn=monitoring admins, cn=users, dc=corp, dc=example, dc=com"));
    let flat = directory(&samba.tls_url(), &settings(json!({"nested_groups": false})));
    assert_eq!(role(&flat, "ada", PASSWORD).await, Some(Role::Viewer));

    // Turned off, of another domain, unknown.
    for name in ["dora", "grace@corp.example.com", "corp\\grace", "unknown"] {
        assert_eq!(role(&nested, name, PASSWORD).await, None, "{name}");
    }
    // He signs in under the name that the settings ask for, whatever else he is called.
    for template in ["{username}@corp.example.com", "CORP\\{username}"] {
        let directory = directory(&samba.tls_url(), &settings(json!({ "bind": template })));
        assert_eq!(role(&directory, "victor", PASSWORD).await, Some(Role::Operator), "{template}");
        assert_eq!(role(&directory, "v.vance", PASSWORD).await, None, "{template}");
    }

    let search = json!({"bind": null, "search_bind": {"dn": "grace@corp.example.com", "password": PASSWORD}});
    let searching = directory(&samba.tls_url(), &settings(search));
    assert_eq!(role(&searching, "ada", PASSWORD).await, Some(Role::Admin));
    assert_eq!(role(&searching, "dora", PASSWORD).await, None);

    let mut plain = settings(json!({"insecure": true}));
    plain["ca_file"] = Value::Null;
    let advice = verify(&directory(&samba.url(), &plain), "grace", PASSWORD).await.unwrap_err();
    assert!(advice.contains("over TLS only"), "{advice}");
}
