//! The administration of identity providers, with what administrators get wrong.

use serde_json::{Value, json};
use stratora_testing::HostileProvider;

use crate::support::{Installation, on_both_databases, text};

on_both_databases!(
    providers_are_set_up_changed_and_deleted,
    what_is_wrong_with_a_provider_is_said_by_field,
    what_would_become_of_somebody_is_said_and_not_done,
);

const PATH: &str = "/api/v1/identity-providers/oidc";

fn example() -> Value {
    json!({"name": "Example", "issuer": "https://id.example.com", "client_id": "stratora", "client_secret": "s3cret"})
}

async fn providers_are_set_up_changed_and_deleted(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let created = backend.post(PATH).bearer(&admin).json(&example()).send().await.unwrap();
    assert_eq!(created.status, 201, "{}", created.text());
    let created = created.json();
    let base = format!("https://localhost:{}", installation.https_port);
    assert_eq!(created["redirect_uri"], format!("{base}/api/v1/auth/oidc/callback"));
    assert_eq!(created["has_client_secret"], true);
    assert_eq!(created.get("client_secret"), None);
    let path = format!("{PATH}/{}", text(&created, "id"));
    let change = json!({
        "name": "Another", "scopes": ["groups"], "id_token_signing_algs": ["EdDSA"], "verified_domains": ["example.com"],
        "role_mappings": [{"group": "ops", "role": "operator", "priority": 5}], "auto_provision": false,
    });
    let changed = backend.patch(&path).bearer(&admin).json(&change).send().await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text());
    let read = backend.get(&path).bearer(&admin).send().await.unwrap().json();
    assert_eq!(read, changed.json());
    assert_eq!(read["scopes"], json!(["groups", "openid"]));
    assert_eq!(read["role_mappings"][0]["priority"], 5);
    let listed = backend.get("/api/v1/auth/providers").send().await.unwrap().json();
    assert_eq!(listed, json!([{"id": created["id"], "name": "Another"}]));
    let listed = backend.get(PATH).bearer(&admin).send().await.unwrap().json();
    assert_eq!((&listed["total"], &listed["items"][0]), (&json!(1), &read));
    assert_eq!(backend.delete(&path).bearer(&admin).send().await.unwrap().status, 204);
    assert_eq!(backend.get(&path).bearer(&admin).send().await.unwrap().status, 404);
    let log = backend.get("/api/v1/audit-logs?q=another").bearer(&admin).send().await.unwrap().text();
    for action in ["provider.update", "provider.delete", "role_mappings"] {
        assert!(log.contains(action), "{log}");
    }
    assert!(!log.contains("s3cret"));
}

async fn what_is_wrong_with_a_provider_is_said_by_field(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a\u{0}")),
        ("name", json!("a".repeat(65))),
        ("issuer", json!("id.example.com")),
        ("issuer", json!("http://id.example.com")),
        ("issuer", json!("https://login.microsoftonline.com/{tenantid}/v2.0")),
        ("issuer", json!("https://id.example.com/?a=b")),
        ("client_id", json!("")),
        ("client_secret", json!("")),
        ("client_secret", json!("a\r\nb")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("scopes", json!(["a b"])),
        ("id_token_signing_algs", json!(["none"])),
        ("id_token_signing_algs", json!(["HS256"])),
        ("id_token_signing_algs", json!([])),
        ("groups_claim", json!("")),
        ("verified_domains", json!(["*.example.com"])),
        ("default_role", json!("root")),
        ("role_mappings", json!([{"group": "ops", "role": "root"}])),
        ("role_mappings", json!([{"group": "", "role": "viewer"}])),
    ] {
        let mut body = example();
        body[field] = value.clone();
        let answer = backend.post(PATH).bearer(&admin).json(&body).send().await.unwrap();
        assert_eq!((answer.status, &answer.json()["field"]), (422, &json!(field)), "{value}: {}", answer.text());
    }
    for wrong in [
        json!({"name": "A"}),
        json!({"name": "A", "issuer": "https://id.example.com", "client_id": "x", "role": "admin"}),
        json!({"name": ["A"], "issuer": "https://id.example.com", "client_id": "x"}),
        json!([]),
    ] {
        let answer = backend.post(PATH).bearer(&admin).json(&wrong).send().await.unwrap();
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
    let mut public = example();
    public["token_endpoint_auth_method"] = json!("none");
    let both = backend.post(PATH).bearer(&admin).json(&public).send().await.unwrap();
    assert_eq!((both.status, &both.json()["field"]), (422, &json!("client_secret")));
    let created = backend.post(PATH).bearer(&admin).json(&example()).send().await.unwrap().json();
    let mut open = example();
    open["default_role"] = json!("admin");
    let open = backend.post(PATH).bearer(&admin).json(&open).send().await.unwrap();
    assert_eq!((open.status, &open.json()["field"]), (422, &json!("default_role")), "everybody would be one");
    let twice = backend.post(PATH).bearer(&admin).json(&example()).send().await.unwrap();
    assert_eq!((twice.status, twice.error().as_str()), (409, "name_taken"));
    let path = format!("{PATH}/{}", text(&created, "id"));
    let moved = json!({"issuer": "https://other.example.com"});
    let moved = backend.patch(&path).bearer(&admin).json(&moved).send().await.unwrap();
    assert_eq!(
        (moved.status, &moved.json()["field"]),
        (422, &json!("client_secret")),
        "a secret goes to no other issuer"
    );
    for query in ["reference=short", "reference=<script>", "provider=x", "limit=0", "limit=201", "cursor=%25", "a=b"] {
        let answer = backend.get(&format!("{PATH}/attempts?{query}")).bearer(&admin).send().await.unwrap();
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    let ldap =
        backend.post("/api/v1/identity-providers/ldap/test").bearer(&admin).json(&json!({})).send().await.unwrap();
    assert_eq!((ldap.status, ldap.error().as_str()), (409, "no_directory"));
}

async fn what_would_become_of_somebody_is_said_and_not_done(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let mut body = example();
    body["role_mappings"] = json!([{"group": "ops", "role": "operator"}]);
    let created = backend.post(PATH).bearer(&admin).json(&body).send().await.unwrap().json();
    let path = format!("{PATH}/{}/dry-run", text(&created, "id"));
    let claims = json!({"sub": "1", "preferred_username": "Admin", "groups": ["ops"]});
    let said = backend.post(&path).bearer(&admin).json(&json!({"claims": claims})).send().await.unwrap();
    let expected = json!({"decision": "provision", "username": "admin-2", "role": "operator", "role_mapped_by": "ops"});
    assert_eq!(said.json(), expected, "never the name of somebody else");
    let nobody = backend.post(&path).bearer(&admin).json(&json!({"claims": {}})).send().await.unwrap();
    assert_eq!((nobody.status, &nobody.json()["field"]), (422, &json!("claims")));
    let users = backend.get("/api/v1/users").bearer(&admin).send().await.unwrap().json();
    assert_eq!(users["total"], 1);
}

#[tokio::test]
async fn a_provider_on_this_machine_is_not_spoken_to_unless_that_is_allowed() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let (backend, provider) = (installation.backend(), HostileProvider::start().unwrap());
    let port = provider.issuer().rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let mut body = example();
        body["name"] = json!(host);
        body["issuer"] = json!(format!("http://{host}:{port}"));
        let created = backend.post(PATH).bearer(&admin).json(&body).send().await.unwrap().json();
        let path = format!("{PATH}/{}/test", text(&created, "id"));
        let tested = backend.post(&path).bearer(&admin).send().await.unwrap().json();
        assert_eq!(tested["ok"], false, "{host}: {tested}");
        let advice = tested["steps"].as_array().unwrap().iter().find_map(|step| step["advice"].as_str()).unwrap();
        assert!(advice.contains("an address that requests may not go to"), "{host}: {advice}");
    }
    for issuer in ["https://169.254.169.254", "https://0x7f.1", "https://2130706433", "https://[::ffff:127.0.0.1]"] {
        let mut body = example();
        (body["name"], body["issuer"]) = (json!(issuer), json!(issuer));
        let created = backend.post(PATH).bearer(&admin).json(&body).send().await.unwrap();
        assert_eq!(created.status, 201, "{}", created.text());
        let path = format!("{PATH}/{}/test", text(&created.json(), "id"));
        let tested = backend.post(&path).bearer(&admin).send().await.unwrap().json();
        assert_eq!(tested["ok"], false, "{issuer}: {tested}");
    }
    assert_eq!(provider.metadata_requests(), 0, "no packet was sent there");
}
