//! What breaks closes the door, loses nothing that was answered for, and mends itself.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use stratora_testing::{PostgresDatabase, Proxy, Signal, VictoriaMetrics, until};

use crate::support::{Installation, PASSWORD, create_component, on_both_databases, text};

on_both_databases!(
    nothing_that_was_answered_for_is_lost_when_the_server_is_killed,
    a_server_that_is_told_to_stop_finishes_what_it_has_begun,
    a_client_that_hangs_up_in_a_rotation_leaves_the_component_with_a_key,
);

async fn nothing_that_was_answered_for_is_lost_when_the_server_is_killed(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, old) = create_component(&backend, &admin, "Berlin").await;
    let (gone, dead) = create_component(&backend, &admin, "Rome").await;
    let rotated = backend.post(&format!("/api/v1/remote-components/{id}/rotate")).bearer(&admin).send().await.unwrap();
    let new = text(&rotated.json(), "api_key");
    let revoked =
        backend.post(&format!("/api/v1/remote-components/{gone}/revoke")).bearer(&admin).send().await.unwrap();
    assert_eq!(revoked.status, 200);
    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    installation.start_server();
    let backend = installation.backend();
    let pull = async |id: &str, key: &str| {
        backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(key).send().await.unwrap().error()
    };
    assert_eq!(pull(&id, &new).await, "no_config");
    assert_eq!(pull(&id, &old).await, "key_rotated");
    assert_eq!(pull(&gone, &dead).await, "key_revoked");
    assert_eq!(backend.get("/api/v1/auth/me").bearer(&admin).send().await.unwrap().status, 200);
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

async fn a_server_that_is_told_to_stop_finishes_what_it_has_begun(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key).send().await.unwrap();
    let body = json!({"username": "admin", "password": PASSWORD}).to_string();
    let head = format!(
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut connection = TcpStream::connect(("127.0.0.1", installation.port)).unwrap();
    connection.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: the request is under way when the signal comes.
    let mut asked = [0; 25];
    connection.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    installation.server().signal(Signal::TERM);
    connection.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(installation.server().wait().unwrap().success());
    installation.start_server();
    let backend = installation.backend();
    let token = answer.split("\"token\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(backend.get("/api/v1/auth/me").bearer(token).send().await.unwrap().status, 200);
    let seen = backend.get(&format!("/api/v1/remote-components/{id}")).bearer(&admin).send().await.unwrap();
    assert!(seen.json()["last_seen_at"].is_string(), "what was recorded in batches was written: {}", seen.text());
}

async fn a_client_that_hangs_up_in_a_rotation_leaves_the_component_with_a_key(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, old) = create_component(&backend, &admin, "Berlin").await;
    let request = format!(
        "POST /api/v1/remote-components/{id}/rotate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let mut connection = TcpStream::connect(("127.0.0.1", installation.port)).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    drop(connection);
    let config = format!("/api/v1/remote-collectors/{id}/config");
    let answer = backend.get(&config).key(&old).send().await.unwrap().error();
    assert!(answer == "no_config" || answer == "key_rotated", "{answer}");
    let rotated = backend.post(&format!("/api/v1/remote-components/{id}/rotate")).bearer(&admin).send().await.unwrap();
    let new = text(&rotated.json(), "api_key");
    assert_eq!(backend.get(&config).key(&new).send().await.unwrap().error(), "no_config");
}

#[tokio::test]
async fn a_database_that_is_away_lets_nobody_in_and_is_noticed_when_it_is_back() {
    let mut installation = Installation::on_postgres();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");
    installation.postgres.as_ref().unwrap().shut_out().unwrap();
    // What is in memory is trusted for as long as the lease lasts.
    let is_refused = async || backend.get("/api/v1/auth/me").bearer(&admin).send().await.unwrap().status == 503;
    while !is_refused().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let body = json!({"username": "admin", "password": PASSWORD});
    for request in [
        backend.post("/api/v1/auth/login").json(&body),
        backend.get("/api/v1/auth/me").bearer(&admin),
        backend.get(&config).key(&key),
        backend.get("/health/ready"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (503, "unavailable"), "{}", answer.text());
        assert!(answer.only("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
        assert!(!answer.text().contains("e2e_"), "no internals: {}", answer.text());
    }
    assert_eq!(backend.get("/health/live").send().await.unwrap().status, 200);
    installation.postgres.as_ref().unwrap().let_in().unwrap();
    assert_eq!(backend.get("/health/ready").send().await.unwrap().status, 200);
    assert_eq!(backend.get("/api/v1/auth/me").bearer(&admin).send().await.unwrap().status, 200);
    assert_eq!(backend.get(&config).key(&key).send().await.unwrap().error(), "no_config");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_database_hangs_ends_in_time_and_says_what_it_could_not_write() {
    let mut installation = Installation::prepare(Some(PostgresDatabase::create().unwrap()), "");
    let direct = installation.postgres.as_ref().unwrap().url();
    let proxy = Proxy::before(&direct).await.unwrap();
    let mut command = installation.command(&["serve"]);
    installation.start_command(command.env("STRATORA__DATABASE__URL", proxy.url(&direct)));
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key).send().await.unwrap();
    proxy.hang();
    installation.server().signal(Signal::TERM);
    // Before systemd loses patience.
    until("the end of the server", || installation.server().has_ended()).unwrap();
    assert!(!installation.server().wait().unwrap().success());
    let said = installation.server().stderr();
    assert!(said.contains("what was recorded last could not be written"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_happen() {
    let mut installation = Installation::on_postgres();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let postgres = installation.postgres.as_ref().unwrap();
    postgres.run("ALTER TABLE audit_records ADD CONSTRAINT full_disk CHECK (seq < 0) NOT VALID").unwrap();
    let body = json!({"name": "Berlin", "kind": "agent"});
    let refused = backend.post("/api/v1/remote-components").bearer(&admin).json(&body).send().await.unwrap();
    assert!(refused.status >= 500, "{}", refused.text());
    let body = json!({"username": "admin", "password": PASSWORD});
    let refused = backend.post("/api/v1/auth/login").json(&body).send().await.unwrap();
    assert!(refused.status >= 500, "{}", refused.text());
    let me = backend.get("/api/v1/auth/me").bearer(&admin).send().await.unwrap().json();
    let demote = backend.delete(&format!("/api/v1/users/{}/sessions", text(&me, "id"))).bearer(&admin);
    assert!(demote.send().await.unwrap().status >= 500);
    postgres.run("ALTER TABLE audit_records DROP CONSTRAINT full_disk").unwrap();
    let components = backend.get("/api/v1/remote-components").bearer(&admin).send().await.unwrap().json();
    assert_eq!(components["total"], 0);
    assert!(installation.run(&["audit", "verify"]).status.success());
}

#[tokio::test]
async fn a_full_disk_lets_nobody_in_and_loses_nothing_that_was_answered_for() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    installation.server().signal(Signal::TERM);
    installation.server().wait().unwrap();
    // No file grows past 512 KiB (`ulimit` counts blocks of 512 bytes), and to try is an error and no signal.
    let serve = installation.command(&["serve"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$@\"", "sh"]);
    limited.arg(serve.get_program()).args(serve.get_args()).env_remove("INVOCATION_ID");
    installation.start_command(&mut limited);
    let backend = installation.backend();
    let mut created = Vec::new();
    let refused = loop {
        let body = json!({"name": format!("Berlin {}", created.len()), "kind": "collector"});
        let answer = backend.post("/api/v1/remote-components").bearer(&admin).json(&body).send().await.unwrap();
        if answer.status != 201 {
            break answer;
        }
        created.push((text(&answer.json()["component"], "id"), text(&answer.json(), "api_key")));
        assert!(created.len() < 1000, "the disk does not fill");
    };
    assert_eq!((refused.status, refused.error().as_str()), (503, "unavailable"), "{}", refused.text());
    assert!(refused.only("retry-after").is_some());
    let body = json!({"username": "admin", "password": PASSWORD});
    let sign_in = backend.post("/api/v1/auth/login").json(&body).send().await.unwrap();
    assert_eq!((sign_in.status, sign_in.cookie("__Host-stratora_session")), (503, None), "{}", sign_in.text());
    assert_eq!(backend.get("/health/live").send().await.unwrap().status, 200);

    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    installation.start_server();
    let backend = installation.backend();
    let listed = backend.get("/api/v1/remote-components").bearer(&admin).send().await.unwrap().json();
    assert_eq!(listed["total"], created.len());
    for (id, key) in created.iter().rev().take(3) {
        let pulled = backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(key).send().await.unwrap();
        assert_eq!(pulled.error(), "no_config");
    }
    assert_eq!(backend.post("/api/v1/auth/login").json(&body).send().await.unwrap().status, 200);
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test]
async fn a_time_series_store_that_is_away_hinders_nobody_else() {
    let store = VictoriaMetrics::start().unwrap();
    let mut installation = Installation::with_settings(&format!("victoriametrics:\n  url: {}\n", store.url()));
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let push =
        async || backend.post("/api/v1/ingest/influx").key(&key).body("text/plain", "a b=1").send().await.unwrap();
    assert_eq!(push().await.status, 204);
    let url = store.url();
    drop(store);
    until("the end of VictoriaMetrics", || TcpStream::connect(url.trim_start_matches("http://")).is_err()).unwrap();
    let away = push().await;
    assert_eq!((away.status, away.error().as_str()), (503, "time_series_store_away"));
    assert!(away.only("retry-after").is_some());
    let pulled = backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key).send().await.unwrap();
    assert_eq!(pulled.error(), "no_config");
}
