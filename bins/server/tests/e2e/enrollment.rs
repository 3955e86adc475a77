//! Components that come in by themselves: the life of an enrollment token, and nobody's place taken without proof or approval.

use std::time::Duration;

use serde_json::{Value, json};
use stratora_testing::{Answer, Client, Request};

use crate::support::{Installation, create_component, create_user, on_both_databases, text};

on_both_databases!(
    a_token_lets_in_as_many_components_as_it_may,
    a_known_host_is_taken_over_by_nobody_until_an_administrator_approves_it,
    whoever_holds_the_key_registers_in_place_and_the_old_key_is_dead_at_once,
    a_revocation_ends_what_was_approved_before,
    a_host_that_was_renamed_stays_the_component_that_it_was,
    a_client_that_was_killed_sends_the_same_call_again,
    what_no_agent_sends_is_refused_by_its_field,
    of_many_registrations_side_by_side_one_uses_the_token,
);

mod with_approval {
    use crate::support::on_both_databases;
    on_both_databases!(
        "enrollment: {require_approval: true}\n";
        every_new_component_waits_for_approval,
        the_host_is_let_in_and_not_whoever_took_its_name_first,
    );
    use super::{every_new_component_waits_for_approval, the_host_is_let_in_and_not_whoever_took_its_name_first};
}

const TOKENS: &str = "/api/v1/enrollment-tokens";
const REGISTER: &str = "/api/v1/components/register";
const REQUESTS: &str = "/api/v1/enrollment-requests";

/// Creates a token. Returns its identifier and its value.
async fn token(client: &Client, admin: &str, body: Value) -> (String, String) {
    let answer = client.post(TOKENS).bearer(admin).json(&body).send().await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let value = text(&answer.json(), "enrollment_token");
    assert!(value.starts_with("enroll_") && value.len() == 50, "{value}");
    (text(&answer.json()["token"], "id"), value)
}

fn call(client: &Client, token: &str, hostname: &str, address: &str) -> Request {
    let body = json!({"enrollment_token": token, "hostname": hostname, "component_type": "agent", "version": "1.2.3"});
    client.post(REGISTER).from(address).json(&body)
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (status, error), "{}", answer.text());
}

#[track_caller]
fn own_key(answer: &Answer, status: u16) -> (String, String) {
    assert_eq!(answer.status, status, "{}", answer.text());
    (text(&answer.json(), "component_id"), text(&answer.json(), "api_key"))
}

async fn heartbeat(client: &Client, id: &str, key: &str) -> Answer {
    let beat = json!({"hostname": "db1", "version": "1.2.3", "os": "linux"});
    client.post(&format!("/api/v1/agents/heartbeat/{id}")).key(key).json(&beat).send().await.unwrap()
}

async fn component(client: &Client, admin: &str, id: &str) -> Value {
    client.get(&format!("/api/v1/remote-components/{id}")).bearer(admin).send().await.unwrap().json()
}

async fn list(client: &Client, admin: &str, path: &str) -> Value {
    let answer = client.get(path).bearer(admin).send().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn approve(client: &Client, admin: &str, id: &str) -> Answer {
    client.post(&format!("/api/v1/remote-components/{id}/approve")).bearer(admin).send().await.unwrap()
}

async fn a_token_lets_in_as_many_components_as_it_may(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, operator) = create_user(&backend, &admin, "operator", "operator", "198.51.100.2").await;

    let (id, once) = token(&backend, &admin, json!({"description": "rack 7"})).await;
    let (component_id, key) = own_key(&call(&backend, &once, "DB1", "192.0.2.1").send().await.unwrap(), 201);
    assert_eq!(heartbeat(&backend, &component_id, &key).await.status, 200);
    let registered = component(&backend, &admin, &component_id).await;
    let shown = (&registered["name"], &registered["hostname"], &registered["status"], &registered["version"]);
    assert_eq!(shown, (&json!("db1"), &json!("db1"), &json!("active"), &json!("1.2.3")));
    refused(&call(&backend, &once, "db2", "192.0.2.1").send().await.unwrap(), 410, "enrollment_token_used");

    let (_, many) = token(&backend, &admin, json!({"multi_use": true, "max_uses": 2, "expires_in_seconds": 0})).await;
    for host in ["web1", "web2"] {
        own_key(&call(&backend, &many, host, "192.0.2.2").send().await.unwrap(), 201);
    }
    refused(&call(&backend, &many, "web3", "192.0.2.2").send().await.unwrap(), 410, "enrollment_token_used");

    let (short_id, short) = token(&backend, &admin, json!({"multi_use": true, "expires_in_seconds": 1})).await;
    let mut number = 0;
    loop {
        number += 1;
        let answer = call(&backend, &short, "late", &format!("192.0.2.{number}")).send().await.unwrap();
        if answer.status == 410 {
            refused(&answer, 410, "enrollment_token_expired");
            break;
        }
        assert!(matches!(answer.status, 201 | 409) && number < 200, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let listed = list(&backend, &operator, TOKENS).await;
    assert_eq!(listed["total"], 3);
    assert_eq!(listed["items"][0]["id"], short_id.as_str(), "the newest first");
    let first = &listed["items"][2];
    assert_eq!((&first["id"], &first["description"], &first["uses"]), (&json!(id), &json!("rack 7"), &json!(1)));
    assert_eq!((&first["multi_use"], &first["max_uses"]), (&json!(false), &json!(1)));
    assert!(first["last_used_at"].is_string() && first["expires_at"].is_string(), "{first}");
    assert_eq!(listed["items"][1]["expires_at"], Value::Null);
    let page = list(&backend, &admin, &format!("{TOKENS}?limit=2")).await;
    let cursor = text(&page, "next_cursor");
    let rest = list(&backend, &admin, &format!("{TOKENS}?limit=2&cursor={cursor}")).await;
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!(id), &Value::Null));

    let (gone_id, gone) = token(&backend, &admin, json!({"multi_use": true})).await;
    let path = format!("{TOKENS}/{gone_id}");
    assert_eq!(backend.delete(&path).bearer(&operator).send().await.unwrap().status, 403);
    assert_eq!(backend.delete(&path).bearer(&admin).send().await.unwrap().status, 204);
    refused(&backend.delete(&path).bearer(&admin).send().await.unwrap(), 404, "not_found");
    refused(&call(&backend, &gone, "db9", "192.0.2.4").send().await.unwrap(), 401, "enrollment_token_unknown");

    for action in ["enrollment_token.create", "enrollment_token.delete", "component.register"] {
        let log = list(&backend, &admin, &format!("/api/v1/audit-logs?action={action}&limit=200")).await;
        assert!(log["total"].as_u64().unwrap() > 0, "{action}");
        for secret in [&once, &many, &short, &gone, &key] {
            assert!(!log.to_string().contains(secret.as_str()), "{log}");
        }
    }
    let made = list(&backend, &admin, "/api/v1/audit-logs?resource=enrollment_token").await;
    assert_eq!(made["total"], 5, "{made}");
    let output = installation.all_output();
    let dump = installation.database_as_text();
    for secret in [&once, &many, &short, &gone, &key] {
        assert!(!output.contains(secret.as_str()), "a secret was logged");
        assert!(!dump.contains(secret.as_str()), "a secret was stored");
    }
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

async fn a_known_host_is_taken_over_by_nobody_until_an_administrator_approves_it(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let (id, key) = own_key(&call(&backend, &fleet, "db1", "192.0.2.1").send().await.unwrap(), 201);
    let (_, strangers_key) = create_component(&backend, &admin, "stranger").await;

    refused(&approve(&backend, &admin, &id).await, 409, "component_active");
    let asked = call(&backend, &fleet, "db1", "192.0.2.66").send().await.unwrap();
    refused(&asked, 409, "component_exists");
    for bad in [strangers_key.as_str(), "sk_stra_wrong", &format!("sk_stra_{}", "A".repeat(43))] {
        refused(&call(&backend, &fleet, "db1", "192.0.2.66").key(bad).send().await.unwrap(), 409, "component_exists");
    }
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200, "the component is as it was");
    let waiting = list(&backend, &admin, REQUESTS).await;
    assert_eq!(waiting["total"], 1, "{waiting}");
    let request = &waiting["items"][0];
    assert_eq!((&request["component_id"], &request["name"]), (&json!(id), &json!("db1")));
    assert_eq!((&request["client"], &request["version"]), (&json!("192.0.2.66"), &json!("1.2.3")));
    assert_eq!(request["approved_at"], Value::Null);
    let uses = list(&backend, &admin, TOKENS).await["items"][0]["uses"].clone();
    assert_eq!(uses, 1, "a refused call uses nothing up");

    let seen = json!({"requested_at": "2026-01-01T00:00:00Z"});
    let other = backend.post(&format!("/api/v1/remote-components/{id}/approve")).bearer(&admin).json(&seen);
    refused(&other.send().await.unwrap(), 409, "request_changed");
    let seen = json!({"requested_at": request["requested_at"]});
    let approved = backend.post(&format!("/api/v1/remote-components/{id}/approve")).bearer(&admin).json(&seen);
    assert_eq!(approved.send().await.unwrap().status, 200);
    assert!(list(&backend, &admin, REQUESTS).await["items"][0]["approved_at"].is_string());
    let (same, second) = own_key(&call(&backend, &fleet, "db1", "192.0.2.66").send().await.unwrap(), 200);
    assert_eq!(same, id);
    refused(&heartbeat(&backend, &id, &key).await, 401, "key_rotated");
    assert_eq!(heartbeat(&backend, &id, &second).await.status, 200);
    refused(&call(&backend, &fleet, "db1", "192.0.2.66").send().await.unwrap(), 409, "component_exists");

    backend.post(&format!("/api/v1/remote-components/{id}/revoke")).bearer(&admin).send().await.unwrap();
    let revoked = call(&backend, &fleet, "db1", "192.0.2.67").key(&second).send().await.unwrap();
    refused(&revoked, 409, "component_exists");
    assert_eq!(approve(&backend, &admin, &id).await.json()["status"], "revoked");
    refused(&heartbeat(&backend, &id, &second).await, 401, "key_revoked");
    let (same, third) = own_key(&call(&backend, &fleet, "db1", "192.0.2.67").send().await.unwrap(), 200);
    assert_eq!(same, id);
    assert_eq!(heartbeat(&backend, &id, &third).await.status, 200);
    assert_eq!(component(&backend, &admin, &id).await["status"], "active");

    refused(&call(&backend, &fleet, "db1", "192.0.2.68").send().await.unwrap(), 409, "component_exists");
    let dismissed = format!("{REQUESTS}/{id}");
    assert_eq!(backend.delete(&dismissed).bearer(&admin).send().await.unwrap().status, 204);
    refused(&backend.delete(&dismissed).bearer(&admin).send().await.unwrap(), 404, "not_found");
    assert_eq!(list(&backend, &admin, REQUESTS).await["total"], 0);

    let denied = "/api/v1/audit-logs?action=component.reenroll&outcome=denied";
    assert!(list(&backend, &admin, denied).await["total"].as_u64().unwrap() >= 3);
    let done = "/api/v1/audit-logs?action=component.reenroll&outcome=success";
    assert_eq!(list(&backend, &admin, done).await["total"], 2);
    assert_eq!(list(&backend, &admin, "/api/v1/audit-logs?action=enrollment_request.dismiss").await["total"], 1);
    for secret in [&fleet, &key, &second, &third] {
        assert!(!installation.all_output().contains(secret.as_str()), "a secret was logged");
    }
}

async fn whoever_holds_the_key_registers_in_place_and_the_old_key_is_dead_at_once(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true, "max_uses": 2})).await;
    let (id, key) = own_key(&call(&backend, &fleet, "db1", "192.0.2.1").send().await.unwrap(), 201);
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200, "it is in memory now");
    let (same, second) = own_key(&call(&backend, &fleet, "db1", "192.0.2.1").key(&key).send().await.unwrap(), 200);
    assert_eq!(same, id);
    refused(&heartbeat(&backend, &id, &key).await, 401, "key_rotated");
    assert_eq!(heartbeat(&backend, &id, &second).await.status, 200);
    let spent = call(&backend, &fleet, "db1", "192.0.2.1").key(&second).send().await.unwrap();
    refused(&spent, 410, "enrollment_token_used");
    assert_eq!(heartbeat(&backend, &id, &second).await.status, 200);
}

async fn a_client_that_was_killed_sends_the_same_call_again(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, once) = token(&backend, &admin, json!({})).await;
    let repeat = "k".repeat(43);
    let again = || call(&backend, &once, "db1", "192.0.2.1").header("idempotency-key", &repeat);
    let (id, lost) = own_key(&again().send().await.unwrap(), 201);
    let other = call(&backend, &once, "db1", "192.0.2.1").header("idempotency-key", "x".repeat(43));
    refused(&other.send().await.unwrap(), 410, "enrollment_token_used");
    refused(&call(&backend, &once, "db1", "192.0.2.1").send().await.unwrap(), 410, "enrollment_token_used");
    let (same, key) = own_key(&again().send().await.unwrap(), 201);
    assert_eq!(same, id);
    refused(&heartbeat(&backend, &id, &lost).await, 401, "key_rotated");
    assert_eq!(list(&backend, &admin, TOKENS).await["items"][0]["uses"], 1);
    assert_eq!(list(&backend, &admin, "/api/v1/remote-components").await["total"], 1);
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200);
    refused(&again().send().await.unwrap(), 410, "enrollment_token_used");
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200, "which changes nothing");

    // The same for a host that is set up anew.
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let again = || call(&backend, &fleet, "db1", "192.0.2.2").header("idempotency-key", &repeat);
    refused(&again().send().await.unwrap(), 409, "component_exists");
    assert_eq!(approve(&backend, &admin, &id).await.status, 200);
    let (_, lost) = own_key(&again().send().await.unwrap(), 200);
    let (same, key) = own_key(&again().send().await.unwrap(), 200);
    assert_eq!(same, id);
    refused(&heartbeat(&backend, &id, &lost).await, 401, "key_rotated");
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200);
    refused(&again().send().await.unwrap(), 409, "component_exists");
}

async fn every_new_component_waits_for_approval(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let (id, key) = own_key(&call(&backend, &fleet, "db1", "192.0.2.1").send().await.unwrap(), 201);
    assert_eq!(component(&backend, &admin, &id).await["status"], "pending");
    refused(&heartbeat(&backend, &id, &key).await, 403, "not_approved");
    let proven = call(&backend, &fleet, "db1", "192.0.2.1").key(&key).send().await.unwrap();
    refused(&proven, 409, "component_exists");
    assert_eq!(approve(&backend, &admin, &id).await.json()["status"], "active");
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200);
}

async fn the_host_is_let_in_and_not_whoever_took_its_name_first(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let strangers = || call(&backend, &fleet, "db1", "203.0.113.66").header("idempotency-key", "s".repeat(43));
    let hosts = || call(&backend, &fleet, "db1", "192.0.2.1").header("idempotency-key", "h".repeat(43));
    let (id, strangers_key) = own_key(&strangers().send().await.unwrap(), 201);
    refused(&hosts().send().await.unwrap(), 409, "component_exists");
    let waiting = list(&backend, &admin, REQUESTS).await;
    let request = &waiting["items"][0];
    assert_eq!((&request["component_id"], &request["client"]), (&json!(id), &json!("192.0.2.1")), "{waiting}");

    let seen = json!({"requested_at": request["requested_at"]});
    let approved = backend.post(&format!("/api/v1/remote-components/{id}/approve")).bearer(&admin).json(&seen);
    let approved = approved.send().await.unwrap();
    assert_eq!((approved.status, &approved.json()["status"]), (200, &json!("pending")), "until the host comes");
    refused(&heartbeat(&backend, &id, &strangers_key).await, 403, "not_approved");
    let (_, strangers_second) = own_key(&strangers().send().await.unwrap(), 201);
    refused(&heartbeat(&backend, &id, &strangers_second).await, 403, "not_approved");

    let (same, key) = own_key(&hosts().send().await.unwrap(), 200);
    assert_eq!(same, id);
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200);
    for key in [strangers_key, strangers_second] {
        refused(&heartbeat(&backend, &id, &key).await, 401, "key_rotated");
    }
    assert_eq!(component(&backend, &admin, &id).await["status"], "active");
    refused(&strangers().send().await.unwrap(), 409, "component_exists");
    let dismissed = backend.delete(&format!("{REQUESTS}/{id}")).bearer(&admin).send().await.unwrap();
    assert_eq!(dismissed.status, 204);
    let late = backend.post(&format!("/api/v1/remote-components/{id}/approve")).bearer(&admin).json(&seen);
    refused(&late.send().await.unwrap(), 409, "component_active");
}

async fn a_revocation_ends_what_was_approved_before(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let (id, key) = own_key(&call(&backend, &fleet, "db1", "192.0.2.1").send().await.unwrap(), 201);
    refused(&call(&backend, &fleet, "db1", "192.0.2.66").send().await.unwrap(), 409, "component_exists");
    assert_eq!(approve(&backend, &admin, &id).await.status, 200);
    let revoke = format!("/api/v1/remote-components/{id}/revoke");
    assert_eq!(backend.post(&revoke).bearer(&admin).send().await.unwrap().status, 200);
    assert_eq!(list(&backend, &admin, REQUESTS).await["total"], 0);
    refused(&call(&backend, &fleet, "db1", "192.0.2.66").send().await.unwrap(), 409, "component_exists");
    refused(&heartbeat(&backend, &id, &key).await, 401, "key_revoked");
    assert_eq!(component(&backend, &admin, &id).await["status"], "revoked");
}

async fn a_host_that_was_renamed_stays_the_component_that_it_was(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let (id, key) = own_key(&call(&backend, &fleet, "db1", "192.0.2.1").send().await.unwrap(), 201);
    let (other, _) = own_key(&call(&backend, &fleet, "db2", "192.0.2.2").send().await.unwrap(), 201);
    let renamed = || call(&backend, &fleet, "db3", "192.0.2.1").key(&key).header("idempotency-key", "r".repeat(43));
    let (same, lost) = own_key(&renamed().send().await.unwrap(), 200);
    assert_eq!(same, id);
    let (same, key) = own_key(&renamed().send().await.unwrap(), 200);
    assert_eq!(same, id, "again, though the key that proved it has ended");
    refused(&heartbeat(&backend, &id, &lost).await, 401, "key_rotated");
    let shown = component(&backend, &admin, &id).await;
    assert_eq!((&shown["name"], &shown["hostname"]), (&json!("db1"), &json!("db3")));
    assert_eq!(list(&backend, &admin, "/api/v1/remote-components").await["total"], 2, "nobody else came to be");
    let taken = call(&backend, &fleet, "db2", "192.0.2.1").key(&key).send().await.unwrap();
    refused(&taken, 409, "component_exists");
    assert_eq!(list(&backend, &admin, REQUESTS).await["items"][0]["component_id"], json!(other));
    assert_eq!(heartbeat(&backend, &id, &key).await.status, 200);
}

async fn what_no_agent_sends_is_refused_by_its_field(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, fleet) = token(&backend, &admin, json!({"multi_use": true})).await;
    let good = json!({"enrollment_token": fleet, "hostname": "db1", "component_type": "agent", "version": "1"});
    let mut number = 0;
    let mut post = |path: &str, content_type: &str, body: String| {
        number += 1;
        let request = backend.post(path).bearer(&admin).from(&format!("203.0.113.{number}"));
        request.body(content_type, body)
    };
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    for (field, value) in [
        ("hostname", json!("a\0b")),
        ("hostname", json!("a".repeat(254))),
        ("hostname", json!("db 1")),
        ("hostname", json!("../etc")),
        ("hostname", json!("")),
        ("component_type", json!("server")),
        ("component_type", json!("agent\0")),
        ("version", json!("")),
        ("version", json!("1\0")),
        ("version", json!("1".repeat(65))),
    ] {
        let answer = post(REGISTER, "application/json", with(field, value.clone())).send().await.unwrap();
        refused(&answer, 422, "invalid_value");
        assert_eq!(answer.json()["field"], field, "{value}");
    }
    for malformed in [
        with("hostname", json!(1)),
        with("hostname", Value::Null),
        with("extra", json!(true)),
        good.to_string().replace(r#""version":"1""#, r#""version":"1","version":"2""#),
        good.to_string().replace(r#""version":"1""#, r#""x":1"#),
        "[]".to_owned(),
        "{".to_owned(),
        String::new(),
    ] {
        let answer = post(REGISTER, "application/json", malformed.clone()).send().await.unwrap();
        assert_eq!(answer.status, 400, "{malformed}: {}", answer.text());
    }
    assert_eq!(post(REGISTER, "text/plain", good.to_string()).send().await.unwrap().status, 415);
    for unknown in ["", "enroll_", "enroll_x\0", &fleet[1..], &fleet.to_uppercase(), &format!("{fleet} ")] {
        let answer = post(REGISTER, "application/json", with("enrollment_token", json!(unknown)));
        refused(&answer.send().await.unwrap(), 401, "enrollment_token_unknown");
    }
    for repeat in ["k".repeat(21), "k".repeat(129), "k k".repeat(10), String::new()] {
        let answer = post(REGISTER, "application/json", good.to_string()).header("idempotency-key", &repeat);
        refused(&answer.send().await.unwrap(), 400, "invalid_idempotency_key");
    }
    let twice = post(REGISTER, "application/json", good.to_string());
    let twice = twice.header("idempotency-key", "k".repeat(43)).header("idempotency-key", "k".repeat(43));
    refused(&twice.send().await.unwrap(), 400, "invalid_idempotency_key");

    for (body, field) in [
        (json!({"description": "a\0b"}), "description"),
        (json!({"description": "a".repeat(201)}), "description"),
        (json!({"max_uses": 1}), "max_uses"),
        (json!({"multi_use": true, "max_uses": 0}), "max_uses"),
        (json!({"multi_use": true, "max_uses": 1_000_001}), "max_uses"),
        (json!({"expires_in_seconds": 31_536_001}), "expires_in_seconds"),
    ] {
        let answer = post(TOKENS, "application/json", body.to_string()).send().await.unwrap();
        refused(&answer, 422, "invalid_value");
        assert_eq!(answer.json()["field"], field, "{body}");
    }
    for malformed in
        [r#"{"multi_use":1}"#, r#"{"max_uses":-1}"#, r#"{"uses":0}"#, r#"{"multi_use":true,"multi_use":false}"#]
    {
        assert_eq!(
            post(TOKENS, "application/json", malformed.to_owned()).send().await.unwrap().status,
            400,
            "{malformed}"
        );
    }
    for (path, query) in [(TOKENS, "limit=0"), (TOKENS, "cursor=%25"), (REQUESTS, "limit=201"), (REQUESTS, "q=a")] {
        let answer = backend.get(&format!("{path}?{query}")).bearer(&admin).send().await.unwrap();
        refused(&answer, 400, "invalid_query");
    }
    let strange = list(&backend, &admin, &format!("{TOKENS}?cursor=YWJj")).await;
    assert_eq!(strange["items"], json!([]), "a cursor of another list");
    assert_eq!(list(&backend, &admin, "/api/v1/remote-components").await["total"], 0, "nobody came in");
}

async fn of_many_registrations_side_by_side_one_uses_the_token(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, once) = token(&backend, &admin, json!({})).await;
    let calls = (0..200).map(|number| {
        let request =
            call(&backend, &once, &format!("db{number}"), &format!("198.18.{}.{}", number / 100, number % 100 + 1));
        tokio::spawn(async move { request.send().await.unwrap() })
    });
    let running: Vec<_> = calls.collect();
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await.unwrap());
    }
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    // Those that find the hashing pool full are told to come back.
    assert_eq!((count(201), count(201) + count(410) + count(503)), (1, 200));
    assert_eq!(list(&backend, &admin, "/api/v1/remote-components").await["total"], 1);
    assert_eq!(list(&backend, &admin, TOKENS).await["items"][0]["uses"], 1);
}

#[tokio::test]
async fn the_eleventh_registration_within_a_minute_is_refused_whatever_it_says() {
    let installation = Installation::on_sqlite();
    let backend = installation.backend();
    for _ in 0..10 {
        let answer = call(&backend, "enroll_wrong", "db1", "192.0.2.1").send().await.unwrap();
        refused(&answer, 401, "enrollment_token_unknown");
    }
    refused(&call(&backend, "enroll_wrong", "db1", "192.0.2.1").send().await.unwrap(), 429, "rate_limited");
}
