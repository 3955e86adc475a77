//! A fleet that looks after its keys: told when to rotate, never stranded by it, one by one and in waves.

use serde_json::{Value, json};
use stratora_testing::{Answer, Client, Signal, free_port};

use crate::support::{Installation, create_component, on_both_databases, text};

on_both_databases!(
    no_crash_in_a_rotation_leaves_a_component_without_a_key,
    a_component_is_told_to_rotate_when_an_administrator_asks,
    a_key_that_an_administrator_replaced_keeps_its_deadline,
    a_fleet_is_rotated_in_waves_over_the_end_of_the_server,
    a_rotation_of_the_fleet_stops_when_components_are_shut_out,
);

const FLEET: &str = "/api/v1/remote-components/rotate-fleet";

async fn beat(client: &Client, id: &str, key: &str) -> Answer {
    let body = json!({"hostname": "h", "version": "1", "os": "linux"});
    client.post(&format!("/api/v1/agents/heartbeat/{id}")).key(key).json(&body).send().await.unwrap()
}

async fn is_told(client: &Client, id: &str, key: &str) -> bool {
    let answer = beat(client, id, key).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["rotate"].as_bool().unwrap()
}

/// A component's own rotation: its new key.
async fn rotate(client: &Client, id: &str, key: &str) -> String {
    let rotated = client.post(&format!("/api/v1/agents/{id}/rotate")).key(key).send().await.unwrap();
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    text(&rotated.json(), "api_key")
}

/// Where a component is killed in its rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crash {
    BeforeTheAnswerIsStored,
    BeforeTheNewKeyIsUsed,
    BeforeTheOldKeyIsForgotten,
    Never,
}

/// What is on a component's disk.
struct Disk {
    id: String,
    key: String,
    next: Option<String>,
}

impl Disk {
    async fn rotate(&mut self, client: &Client, crash: Crash) {
        let new = rotate(client, &self.id, &self.key).await;
        if crash == Crash::BeforeTheAnswerIsStored {
            return;
        }
        self.next = Some(new.clone());
        if crash == Crash::BeforeTheNewKeyIsUsed {
            return;
        }
        assert_eq!(beat(client, &self.id, &new).await.status, 200);
        if crash == Crash::BeforeTheOldKeyIsForgotten {
            return;
        }
        self.key = new;
        self.next = None;
    }

    /// What a component does when it starts: the new key, if there is one, is the one to keep if it is good.
    async fn come_back(&mut self, client: &Client) {
        if let Some(next) = self.next.take() {
            let answer = beat(client, &self.id, &next).await;
            match answer.status {
                200 => self.key = next,
                401 => assert_eq!(answer.error(), "key_rotated"),
                _ => panic!("{}", answer.text()),
            }
        }
        let answer = beat(client, &self.id, &self.key).await;
        assert_eq!(answer.status, 200, "stranded: {}", answer.text());
    }
}

async fn no_crash_in_a_rotation_leaves_a_component_without_a_key(mut installation: Installation) {
    const CRASHES: [Crash; 4] =
        [Crash::BeforeTheAnswerIsStored, Crash::BeforeTheNewKeyIsUsed, Crash::BeforeTheOldKeyIsForgotten, Crash::Never];
    let admin = installation.admin().await;
    let backend = installation.backend();
    let fresh = async |name: &str| {
        let (id, key) = create_component(&backend, &admin, name).await;
        Disk { id, key, next: None }
    };
    // Every crash after every other one, with a start in between and without: then it asks again with what it has.
    for (number, first) in CRASHES.into_iter().enumerate() {
        // Each asks less often than one component may in a minute.
        let mut disk = fresh(&format!("Berlin {number}")).await;
        for second in CRASHES {
            disk.rotate(&backend, first).await;
            if first == Crash::BeforeTheAnswerIsStored {
                assert!(is_told(&backend, &disk.id, &disk.key).await, "it is told that a rotation is unfinished");
            } else {
                disk.come_back(&backend).await;
            }
            disk.rotate(&backend, second).await;
            disk.come_back(&backend).await;
        }
    }
    let mut disk = fresh("Rome").await;
    for _ in 0..5 {
        disk.rotate(&backend, Crash::BeforeTheAnswerIsStored).await;
    }
    let (one, other) = tokio::join!(rotate(&backend, &disk.id, &disk.key), rotate(&backend, &disk.id, &disk.key));
    disk.come_back(&backend).await;
    let statuses = [beat(&backend, &disk.id, &one).await, beat(&backend, &disk.id, &other).await];
    assert_eq!(statuses.iter().filter(|answer| answer.status == 200).count(), 1, "one of two new keys is good");
    let ended = backend.post(&format!("/api/v1/agents/{}/rotate", disk.id)).key(&disk.key).send().await.unwrap();
    assert_eq!((ended.status, ended.error().as_str()), (401, "key_rotated"), "its successor is used now");
}

async fn a_component_is_told_to_rotate_when_an_administrator_asks(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    // A second server, which knows the key by heart.
    let beside = installation.postgres.is_some().then(|| {
        let port = free_port().unwrap();
        (installation.start_beside(port), Client::new(format!("http://127.0.0.1:{port}")).unwrap())
    });
    let other = beside.as_ref().map_or_else(|| backend.clone(), |(_, client)| client.clone());
    for _ in 0..3 {
        assert!(!is_told(&backend, &id, &key).await && !is_told(&other, &id, &key).await);
    }
    let path = format!("/api/v1/remote-components/{id}");
    let ask = |path: &str| backend.post(&format!("{path}/request-rotation")).bearer(&admin);
    let asked = ask(&path).send().await.unwrap();
    assert_eq!(asked.status, 200, "{}", asked.text());
    assert!(asked.json()["rotation_requested_at"].is_string());
    assert!(is_told(&other, &id, &key).await && is_told(&backend, &id, &key).await);
    let new = rotate(&other, &id, &key).await;
    assert!(!is_told(&backend, &id, &new).await);
    assert_eq!(beat(&other, &id, &key).await.error(), "key_rotated");
    let shown = backend.get(&path).bearer(&admin).send().await.unwrap();
    assert_eq!(shown.json().get("rotation_requested_at"), None);

    ask(&path).send().await.unwrap();
    backend.post(&format!("{path}/revoke")).bearer(&admin).send().await.unwrap();
    let refused = ask(&path).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (409, "component_revoked"));
    let restored = backend.post(&format!("{path}/restore")).bearer(&admin).send().await.unwrap();
    assert!(!is_told(&backend, &id, &text(&restored.json(), "api_key")).await, "a revocation is the end of it");
    let missing = ask("/api/v1/remote-components/00000000-0000-4000-8000-000000000000").send().await.unwrap();
    assert_eq!((missing.status, missing.error().as_str()), (404, "not_found"));
    let log = "/api/v1/audit-logs?action=component.request_rotation";
    assert_eq!(backend.get(log).bearer(&admin).send().await.unwrap().json()["total"], 2);
}

async fn a_key_that_an_administrator_replaced_keeps_its_deadline(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, old) = create_component(&backend, &admin, "Berlin").await;
    assert!(!is_told(&backend, &id, &old).await);
    let path = format!("/api/v1/remote-components/{id}");
    let grace = json!({"grace_seconds": 3600});
    let rotated = backend.post(&format!("{path}/rotate")).bearer(&admin).json(&grace).send().await.unwrap();
    let new = text(&rotated.json(), "api_key");
    assert_eq!(backend.post(&format!("{path}/request-rotation")).bearer(&admin).send().await.unwrap().status, 200);
    assert!(!is_told(&backend, &id, &old).await, "not with this key");
    let refused = backend.post(&format!("/api/v1/agents/{id}/rotate")).key(&old).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (409, "key_replaced"));
    assert_eq!(beat(&backend, &id, &old).await.status, 200, "the old key lives on");
    assert!(is_told(&backend, &id, &new).await, "and the new one is as good as before");
    assert_eq!(beat(&backend, &id, &old).await.error(), "key_rotated");
    rotate(&backend, &id, &new).await;
}

#[tokio::test]
async fn a_component_is_told_to_rotate_a_key_that_is_too_old() {
    let mut installation = Installation::on_postgres_with_settings("keys:\n  max_age: 1h\n");
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    assert!(!is_told(&backend, &id, &key).await);
    let age = "UPDATE component_keys SET created_at = created_at - interval '1 hour'";
    installation.postgres.as_ref().unwrap().run(age).unwrap();
    // It is read again by a server that does not know it.
    installation.server().signal(Signal::TERM);
    installation.server().wait().unwrap();
    installation.start_server();
    let backend = installation.backend();
    assert!(is_told(&backend, &id, &key).await);
    let new = rotate(&backend, &id, &key).await;
    assert!(!is_told(&backend, &id, &new).await);
}

/// Components that do what they are told.
struct Agents(Vec<(String, String)>);

impl Agents {
    /// So many of them, seen and written down as seen.
    async fn present(installation: &mut Installation, admin: &str, number: usize) -> Self {
        let backend = installation.backend();
        let mut agents = Vec::new();
        for number in 0..number {
            agents.push(create_component(&backend, admin, &format!("Berlin {number}")).await);
        }
        let mut agents = Self(agents);
        agents.beat(&backend).await;
        installation.server().signal(Signal::TERM);
        installation.server().wait().unwrap();
        installation.start_server();
        agents
    }

    /// Each beats, and rotates if it is told to. Returns how many were.
    async fn beat(&mut self, client: &Client) -> usize {
        let mut told = 0;
        for (id, key) in &mut self.0 {
            if is_told(client, id, key).await {
                *key = rotate(client, id, key).await;
                assert!(!is_told(client, id, key).await);
                told += 1;
            }
        }
        told
    }
}

async fn progress(client: &Client, admin: &str) -> Value {
    let answer = client.get(FLEET).bearer(admin).send().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn a_fleet_is_rotated_in_waves_over_the_end_of_the_server(mut installation: Installation) {
    let admin = installation.admin().await;
    let mut agents = Agents::present(&mut installation, &admin, 5).await;
    let before = agents.0.clone();
    let backend = installation.backend();
    for method in ["GET", "DELETE"] {
        let none = backend.request(method.parse().unwrap(), FLEET).bearer(&admin).send().await.unwrap();
        assert_eq!((none.status, none.error().as_str()), (404, "no_fleet_rotation"), "{method}");
    }
    let start = || backend.post(FLEET).bearer(&admin).json(&json!({"wave_size": 3, "kind": "collector"}));
    let started = start().send().await.unwrap();
    assert_eq!(started.status, 202, "{}", started.text());
    let started = started.json();
    assert_eq!((&started["state"], &started["total"], &started["waves"]), (&json!("running"), &json!(5), &json!(0)));
    assert_eq!((&started["max_refused_percent"], &started["started_by"]), (&json!(5), &json!("admin")));
    let again = start().send().await.unwrap();
    assert_eq!((again.status, again.error().as_str()), (409, "fleet_rotation_runs"));

    while progress(&backend, &admin).await["asked"] != 3 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    installation.start_server();
    let backend = installation.backend();
    assert_eq!(agents.beat(&backend).await, 3, "the first wave, and nobody else");
    let mut told = 3;
    let finished = loop {
        let now = progress(&backend, &admin).await;
        if now["state"] != "running" {
            break now;
        }
        told += agents.beat(&backend).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!((&finished["state"], &finished["reason"]), (&json!("finished"), &Value::Null), "{finished}");
    let numbers = ["total", "asked", "rotated", "lost", "waves"].map(|name| finished[name].as_u64().unwrap());
    assert_eq!((numbers, told), ([5, 5, 5, 0, 2], 5));
    assert!(finished["ended_at"].is_string());
    for ((id, old), (_, new)) in before.iter().zip(&agents.0) {
        assert_ne!(old, new);
        assert_eq!(beat(&backend, id, old).await.error(), "key_rotated");
    }
    for (action, total) in [("fleet.rotate", 1), ("component.request_rotation", 5), ("fleet.end_rotation", 1)] {
        let log = backend.get(&format!("/api/v1/audit-logs?action={action}")).bearer(&admin).send().await.unwrap();
        assert_eq!(log.json()["total"], total, "{action}");
    }
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

/// Its components back off meanwhile, and nobody has seen them for long when the server looks again.
#[tokio::test]
async fn a_server_that_was_away_waits_for_those_whom_it_asked() {
    let mut installation = Installation::on_postgres_with_settings("");
    let admin = installation.admin().await;
    let mut agents = Agents::present(&mut installation, &admin, 3).await;
    let backend = installation.backend();
    let body = json!({"wave_size": 2});
    assert_eq!(backend.post(FLEET).bearer(&admin).json(&body).send().await.unwrap().status, 202);
    while progress(&backend, &admin).await["asked"] != 2 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    let database = installation.postgres.as_ref().unwrap();
    database.run("UPDATE components SET last_seen_at = last_seen_at - interval '10 minutes'").unwrap();
    database.run("UPDATE fleet_rotation_members SET asked_at = asked_at - interval '10 minutes'").unwrap();
    database.run("UPDATE fleet_rotations SET wave_began_at = wave_began_at - interval '10 minutes'").unwrap();
    installation.start_server();
    let backend = installation.backend();
    let log = "/api/v1/audit-logs?action=fleet.end_rotation";
    // It looks every two seconds, the first time at once; what it decides stays.
    for _ in 0..60 {
        let now = progress(&backend, &admin).await;
        let shown = (&now["state"], &now["asked"], &now["lost"]);
        assert_eq!(shown, (&json!("running"), &json!(2), &json!(0)), "{now}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let finished = loop {
        agents.beat(&backend).await;
        let now = progress(&backend, &admin).await;
        if now["state"] != "running" {
            break now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let numbers = ["total", "asked", "rotated", "lost"].map(|name| finished[name].as_u64().unwrap());
    assert_eq!((&finished["state"], numbers), (&json!("finished"), [3, 3, 3, 0]), "{finished}");
    assert_eq!(backend.get(log).bearer(&admin).send().await.unwrap().json()["total"], 1);
}

async fn a_rotation_of_the_fleet_stops_when_components_are_shut_out(mut installation: Installation) {
    let admin = installation.admin().await;
    let agents = Agents::present(&mut installation, &admin, 4).await;
    let backend = installation.backend();
    for (body, status, field) in [
        (json!({"wave_size": 0}), 422, "wave_size"),
        (json!({"wave_size": 1001}), 422, "wave_size"),
        (json!({"max_refused_percent": 101}), 422, "max_refused_percent"),
        (json!({"wave_timeout_seconds": 29}), 422, "wave_timeout_seconds"),
        (json!({"wave_timeout_seconds": 86_401}), 422, "wave_timeout_seconds"),
        (json!({"kind": "king"}), 422, "kind"),
        (json!({"wave_size": -1}), 400, ""),
        (json!({"wave_size": "3"}), 400, ""),
        (json!({"wave_size": 4_294_967_296_u64}), 400, ""),
        (json!({"waves": 3}), 400, ""),
        (json!([]), 400, ""),
    ] {
        let refused = backend.post(FLEET).bearer(&admin).json(&body).send().await.unwrap();
        assert_eq!(refused.status, status, "{body}: {}", refused.text());
        assert_eq!(refused.json()["field"].as_str().unwrap_or_default(), field, "{body}");
    }
    let body = json!({"wave_size": 2, "wave_timeout_seconds": 30});
    assert_eq!(backend.post(FLEET).bearer(&admin).json(&body).send().await.unwrap().status, 202);
    let mut shut_out = 0;
    let stopped = loop {
        for (id, key) in &agents.0 {
            let answer = beat(&backend, id, key).await;
            if answer.json()["rotate"] == true {
                let leaked = json!({"api_key": rotate(&backend, id, key).await});
                backend.post("/api/v1/keys/report-leak").json(&leaked).send().await.unwrap();
                shut_out += 1;
            }
        }
        let now = progress(&backend, &admin).await;
        if now["state"] != "running" {
            break now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!((&stopped["state"], &stopped["asked"], &stopped["waves"]), (&json!("stopped"), &json!(2), &json!(1)));
    assert!(shut_out >= 1 && stopped["reason"].as_str().unwrap().contains("of the 2 components"), "{stopped}");
    let live = agents.0.iter().filter(|(id, key)| !id.is_empty() && !key.is_empty());
    let mut not_asked = 0;
    for (id, key) in live {
        let answer = beat(&backend, id, key).await;
        not_asked += usize::from(answer.json()["rotate"] == false);
    }
    assert_eq!(not_asked, 2, "nobody else was asked");

    let again = backend.post(FLEET).bearer(&admin).json(&body).send().await.unwrap();
    assert_eq!(again.status, 202, "{}", again.text());
    let cancelled = backend.delete(FLEET).bearer(&admin).send().await.unwrap();
    assert_eq!((cancelled.status, &cancelled.json()["state"]), (200, &json!("cancelled")));
    assert_eq!(backend.delete(FLEET).bearer(&admin).send().await.unwrap().error(), "no_fleet_rotation");
    assert_eq!(progress(&backend, &admin).await["state"], "cancelled");
}

#[tokio::test]
async fn components_are_counted_by_status_among_the_figures() {
    let listen = free_port().unwrap();
    let mut installation = Installation::with_settings(&format!("metrics:\n  listen: 127.0.0.1:{listen}\n"));
    let admin = installation.admin().await;
    let backend = installation.backend();
    for name in ["Berlin", "Rome", "Oslo"] {
        create_component(&backend, &admin, name).await;
    }
    let list = backend.get("/api/v1/remote-components?limit=1").bearer(&admin).send().await.unwrap().json();
    let id = text(&list["items"][0], "id");
    backend.post(&format!("/api/v1/remote-components/{id}/revoke")).bearer(&admin).send().await.unwrap();
    installation.server().signal(Signal::TERM);
    installation.server().wait().unwrap();
    installation.start_server();
    let figures = Client::new(format!("http://127.0.0.1:{listen}")).unwrap();
    let expected = [("active", 2), ("offline", 0), ("pending", 0), ("revoked", 1)];
    loop {
        let text = figures.get("/metrics").send().await.unwrap().text();
        let line = |(status, number)| format!("components{{status=\"{status}\"}} {number}\n");
        if expected.into_iter().all(|count| text.contains(&line(count))) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
