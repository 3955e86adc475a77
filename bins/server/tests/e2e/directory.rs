//! Signing in with a password that a directory keeps.

use serde_json::{Value, json};
use stratora_testing::{Answer, OpenLdap, PostgresDatabase};

use crate::support::{Installation, create_user, text};

/// The settings of a directory in which groups make roles.
fn settings(openldap: &OpenLdap) -> String {
    let base = OpenLdap::BASE;
    format!(
        "ldap:\n  url: {}\n  start_tls: true\n  ca_file: {}\n  search_bind:\n    dn: {}\n    password: {}\n  \
         base_dn: ou=people,{base}\n  timeout: 2\n  role_mappings:\n    - group: cn=operators,ou=groups,{base}\n      \
         role: operator\n",
        openldap.url(),
        openldap.authority().display(),
        OpenLdap::READER.0,
        OpenLdap::READER.1,
    )
}

async fn sign_in(installation: &Installation, username: &str, password: &str, address: &str) -> Answer {
    let body = json!({"username": username, "password": password});
    installation.backend().post("/api/v1/auth/login").from(address).json(&body).send().await.unwrap()
}

#[tokio::test]
async fn people_of_the_directory_sign_in_on_sqlite() {
    let openldap = OpenLdap::start().unwrap();
    people_of_the_directory_sign_in(Installation::with_settings(&settings(&openldap)), openldap).await;
}

#[tokio::test]
async fn people_of_the_directory_sign_in_on_postgres() {
    let openldap = OpenLdap::start().unwrap();
    let mut installation = Installation::prepare(Some(PostgresDatabase::create().unwrap()), &settings(&openldap));
    installation.start_server();
    people_of_the_directory_sign_in(installation, openldap).await;
}

async fn people_of_the_directory_sign_in(mut installation: Installation, mut openldap: OpenLdap) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let signed_in = sign_in(&installation, "Grace", OpenLdap::PASSWORD, "10.3.0.1").await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let user = &signed_in.json()["user"];
    let expected = json!(["grace", "Grace Hopper", "grace@example.com", "operator", "ldap", false]);
    let seen = ["username", "display_name", "email", "role", "auth_source", "must_change_password"];
    assert_eq!(Value::from_iter(seen.map(|field| user[field].clone())), expected);
    let again = sign_in(&installation, "grace", OpenLdap::PASSWORD, "10.3.0.1").await;
    assert_eq!(again.json()["user"]["id"], user["id"], "the same account");

    let wrong = sign_in(&installation, "grace", "something else", "10.3.0.2").await;
    let unknown = sign_in(&installation, "nobody-at-all", "something else", "10.3.0.2").await;
    let local = sign_in(&installation, "admin", OpenLdap::PASSWORD, "10.3.0.2").await;
    for refused in [&wrong, &unknown, &local] {
        assert_eq!((refused.status, refused.error().as_str()), (401, "invalid_credentials"));
        assert_eq!(refused.json()["message"], wrong.json()["message"]);
    }
    // Somebody with a local account is never looked for in the directory, under whatever password.
    create_user(&backend, &admin, "victor", "viewer", "10.3.0.3").await;
    let crossed = sign_in(&installation, "victor", "the password of Victor Vance", "10.3.0.3").await;
    assert_eq!(crossed.status, 401);
    // Whoever is turned off here stays out, whatever the directory says.
    let path = format!("/api/v1/users/{}", text(user, "id"));
    let off = json!({"active": false});
    assert_eq!(backend.patch(&path).bearer(&admin).json(&off).send().await.unwrap().status, 200);
    assert_eq!(sign_in(&installation, "grace", OpenLdap::PASSWORD, "10.3.0.4").await.status, 401);

    an_administrator_tests_the_directory(&installation, &admin).await;
    openldap.stop().unwrap();
    let away = sign_in(&installation, "ada", OpenLdap::PASSWORD, "10.3.0.5").await;
    assert_eq!((away.status, away.error().as_str()), (503, "directory_unavailable"), "{}", away.text());
    assert!(away.header("retry-after").is_some());
    let local = sign_in(&installation, "admin", crate::support::PASSWORD, "10.3.0.6").await;
    assert_eq!(local.status, 200, "the directory being away breaks nothing local: {}", local.text());
    let log = backend.get("/api/v1/audit-logs?q=ldap&limit=50").bearer(&admin).send().await.unwrap().text();
    for reason in ["wrong_password", "directory_unavailable"] {
        assert!(log.contains(reason), "{log}");
    }
    for secret in [OpenLdap::PASSWORD, OpenLdap::READER.1] {
        assert!(!(installation.all_output() + &log).contains(secret), "{secret} was written");
    }
}

async fn an_administrator_tests_the_directory(installation: &Installation, admin: &str) {
    let test = async |body: Value| {
        let path = "/api/v1/identity-providers/ldap/test";
        installation.backend().post(path).bearer(admin).json(&body).send().await.unwrap()
    };
    let found = test(json!({})).await.json();
    assert_eq!(found["ok"], true, "{found}");
    let found = test(json!({"username": "victor", "password": "the password of Victor Vance"})).await.json();
    let operators = format!("cn=operators,ou=groups,{}", OpenLdap::BASE);
    assert_eq!((&found["ok"], &found["role"]), (&json!(true), &json!("operator")), "{found}");
    assert_eq!(found["groups"], json!([operators]), "{found}");
    assert_eq!(found["role_mapped_by"], json!(operators));
    let wrong = test(json!({"username": "victor", "password": "something else"})).await.json();
    assert_eq!((&wrong["ok"], &wrong["role"]), (&json!(false), &Value::Null), "{wrong}");
    let half = test(json!({"username": "victor"})).await;
    assert_eq!((half.status, &half.json()["field"]), (422, &json!("password")));
}
