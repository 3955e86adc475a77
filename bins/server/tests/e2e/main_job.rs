//! The main job: an operator signs in, a component comes with its key, pulls, pushes, and is shut out.

use serde_json::json;

use crate::support::{Installation, PASSWORD, create_component, on_both_databases, text, with_time_series};

on_both_databases!(
    the_main_job_works_through_nginx,
    a_session_has_two_secrets_that_work_in_their_own_channel_only,
    a_role_change_a_deactivation_and_a_reset_end_every_session,
    a_rotation_with_grace_lets_the_old_key_live_until_the_new_one_is_used,
    a_leaked_key_is_ended_by_whoever_holds_it,
    parallel_rotations_leave_one_live_key,
);

async fn the_main_job_works_through_nginx(mut installation: Installation) {
    let admin = installation.admin().await;
    let (mut installation, store) = with_time_series(installation);
    installation.start_nginx();
    let proxy = installation.proxy();
    let (id, key) = create_component(&proxy, &admin, "Berlin").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");

    let none = proxy.get(&config).key(&key).send().await.unwrap();
    assert_eq!((none.status, none.error().as_str()), (404, "no_config"));
    let body = "[agent]\ninterval = \"10s\"\n";
    let put = proxy.put(&config).bearer(&admin).body("application/toml", body).send().await.unwrap();
    assert_eq!(put.status, 204, "{}", put.text());
    let pulled = proxy.get(&config).key(&key).send().await.unwrap();
    assert_eq!((pulled.status, pulled.text().as_str()), (200, body));
    assert_eq!(pulled.only("content-type").as_deref(), Some("application/toml"));
    let etag = pulled.only("etag").unwrap();
    let unchanged = proxy.get(&config).key(&key).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert_eq!(unchanged.only("cache-control").as_deref(), Some("private, no-cache"));
    assert_eq!(unchanged.only("vary").as_deref(), Some("X-API-Key"));

    let line = "cpu,host=a,component=Paris,component_id=0 usage=42";
    let ingest = "/api/v1/ingest/influx?db=other&extra_label=component=Rome&precision=s";
    let pushed = proxy.post(ingest).key(&key).body("text/plain", line).send().await.unwrap();
    assert_eq!(pushed.status, 204, "{}", pushed.text());
    let series = store.series("cpu_usage").await.unwrap();
    assert_eq!(series.len(), 1, "{series:?}");
    assert_eq!(series[0]["component"], "Berlin");
    assert_eq!(series[0]["component_id"], id.as_str());
    assert_eq!(series[0]["db"], serde_json::Value::Null, "the sender's query string is dropped");
    let query = proxy.get("/api/v1/metrics/query").query(&[("query", "count(cpu_usage)")]).bearer(&admin);
    assert_eq!(query.send().await.unwrap().json()["status"], "success");

    let beat = json!({"hostname": "berlin-1", "version": "1.2.3", "os": "linux"});
    let heartbeat = proxy.post(&format!("/api/v1/agents/heartbeat/{id}")).key(&key).json(&beat).send().await.unwrap();
    assert_eq!(heartbeat.json()["rotate"], false, "{}", heartbeat.text());
    let report = json!({"config_hash": etag, "status": "applied", "message": ""});
    let path = format!("/api/v1/remote-collectors/{id}/report");
    assert_eq!(proxy.post(&path).key(&key).json(&report).send().await.unwrap().status, 204);
    assert_eq!(proxy.get(&path).bearer(&admin).send().await.unwrap().json()["status"], "applied");
    let seen = proxy.get(&format!("/api/v1/remote-components/{id}")).bearer(&admin).send().await.unwrap().json();
    assert_eq!(
        (&seen["hostname"], &seen["version"], &seen["status"]),
        (&json!("berlin-1"), &json!("1.2.3"), &json!("active"))
    );

    let rotate = format!("/api/v1/remote-components/{id}/rotate");
    let rotated = proxy.post(&rotate).bearer(&admin).send().await.unwrap();
    let new_key = text(&rotated.json(), "api_key");
    let refused = proxy.get(&config).key(&key).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (401, "key_rotated"));
    assert_eq!(proxy.get(&config).key(&new_key).send().await.unwrap().status, 200);
    let revoked = proxy.post(&format!("/api/v1/remote-components/{id}/revoke")).bearer(&admin).send().await.unwrap();
    assert_eq!(revoked.json()["status"], "revoked");
    let refused = proxy.get(&config).key(&new_key).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (401, "key_revoked"));
    let again = proxy.post(&rotate).bearer(&admin).send().await.unwrap();
    assert_eq!((again.status, again.error().as_str()), (409, "component_revoked"));
    let restore = format!("/api/v1/remote-components/{id}/restore");
    let restored = proxy.post(&restore).bearer(&admin).send().await.unwrap();
    let third_key = text(&restored.json(), "api_key");
    assert_eq!(proxy.get(&config).key(&third_key).send().await.unwrap().status, 200);

    let log = proxy.get("/api/v1/audit-logs?limit=200").bearer(&admin).send().await.unwrap().json();
    let actions: Vec<_> = log["items"].as_array().unwrap().iter().rev().map(|entry| text(entry, "action")).collect();
    for action in [
        "user.create",
        "session.sign_in",
        "password.change",
        "component.create",
        "config.set",
        "config.report",
        "key.first_use",
        "component.rotate",
        "component.revoke",
        "component.restore",
        "key.refuse",
    ] {
        assert!(actions.iter().any(|logged| logged == action), "{action} is not in {actions:?}");
    }
    let verified = installation.run(&["audit", "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let output = installation.all_output();
    for secret in [&key, &new_key, &third_key, &admin, &PASSWORD.to_owned()] {
        assert!(!output.contains(secret.as_str()), "a secret was logged");
    }
}

async fn a_session_has_two_secrets_that_work_in_their_own_channel_only(mut installation: Installation) {
    let _changed = installation.admin().await;
    let backend = installation.backend();
    let body = json!({"username": "ADMIN", "password": PASSWORD});
    let signed_in = backend.post("/api/v1/auth/login").json(&body).send().await.unwrap();
    let token = text(&signed_in.json(), "token");
    let cookie = signed_in.cookie("__Host-stratora_session").unwrap();
    assert_ne!(token, cookie);
    let me = || backend.get("/api/v1/auth/me");
    let with_cookie = |value: &str| me().header("cookie", format!("__Host-stratora_session={value}"));
    assert_eq!(me().bearer(&token).send().await.unwrap().status, 200);
    assert_eq!(with_cookie(&cookie).send().await.unwrap().status, 200);
    assert_eq!(me().bearer(&cookie).send().await.unwrap().status, 401);
    assert_eq!(with_cookie(&token).send().await.unwrap().status, 401);
    assert_eq!(with_cookie(&cookie).bearer("wrong").send().await.unwrap().status, 401, "no falling back");
    assert_eq!(me().bearer(&token).bearer(&token).send().await.unwrap().status, 401, "two of them");
    assert_eq!(me().key(&token).send().await.unwrap().status, 401, "a session is no key");

    let unsafe_with = |name: &str, value: &str| {
        let request = backend.delete("/api/v1/auth/sessions");
        request.header("cookie", format!("__Host-stratora_session={cookie}")).header(name, value)
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
        ("x-nothing", "at-all"),
    ] {
        let answer = unsafe_with(name, value).send().await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (403, "cross_origin"), "{name}: {value}");
    }
    assert_eq!(unsafe_with("sec-fetch-site", "same-origin").send().await.unwrap().status, 204);
    let out = backend.post("/api/v1/auth/logout").bearer(&token).send().await.unwrap();
    assert_eq!(out.status, 204);
    assert_eq!(out.cookie("__Host-stratora_session").as_deref(), Some(""));
    assert_eq!(me().bearer(&token).send().await.unwrap().status, 401);
    assert_eq!(with_cookie(&cookie).send().await.unwrap().status, 401);
}

async fn a_role_change_a_deactivation_and_a_reset_end_every_session(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let user = |name: &'static str, address: &'static str| {
        let (backend, admin) = (backend.clone(), admin.clone());
        async move { crate::support::create_user(&backend, &admin, name, "operator", address).await }
    };
    let status = |token: String| {
        let backend = backend.clone();
        async move { backend.get("/api/v1/auth/me").bearer(&token).send().await.unwrap().status }
    };
    let (id, token) = user("grace", "198.51.100.1").await;
    let path = format!("/api/v1/users/{id}");
    assert_eq!(status(token.clone()).await, 200);
    let patched = backend.patch(&path).bearer(&admin).json(&json!({"role": "viewer"})).send().await.unwrap();
    assert_eq!(patched.json()["role"], "viewer");
    assert_eq!(status(token).await, 401);

    let token = crate::support::sign_in(&backend, "grace", PASSWORD, "198.51.100.2").await;
    let off = backend.patch(&path).bearer(&admin).json(&json!({"active": false})).send().await.unwrap();
    assert_eq!(off.status, 200);
    assert_eq!(status(token).await, 401);
    let body = json!({"username": "grace", "password": PASSWORD});
    let refused = backend.post("/api/v1/auth/login").from("198.51.100.3").json(&body).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (401, "invalid_credentials"));

    let (id, token) = user("ada", "198.51.100.4").await;
    let reset = backend.post(&format!("/api/v1/users/{id}/reset-password")).bearer(&admin).send().await.unwrap();
    assert_eq!(reset.status, 200);
    assert_eq!(status(token).await, 401);
    assert_eq!(backend.delete(&format!("/api/v1/users/{id}")).bearer(&admin).send().await.unwrap().status, 204);
    assert_eq!(backend.get(&format!("/api/v1/users/{id}")).bearer(&admin).send().await.unwrap().status, 404);
}

async fn a_rotation_with_grace_lets_the_old_key_live_until_the_new_one_is_used(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, old) = create_component(&backend, &admin, "Oslo").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");
    let pull = async |key: &str| backend.get(&config).key(key).send().await.unwrap().error();
    assert_eq!(pull(&old).await, "no_config");
    let grace = json!({"grace_seconds": 3600});
    let rotate = format!("/api/v1/remote-components/{id}/rotate");
    let rotated = backend.post(&rotate).bearer(&admin).json(&grace).send().await.unwrap();
    let new = text(&rotated.json(), "api_key");
    assert_eq!(pull(&old).await, "no_config", "the old key is in its grace");
    assert_eq!(pull(&new).await, "no_config");
    assert_eq!(pull(&old).await, "key_rotated", "the new key was used");

    let own = backend.post(&format!("/api/v1/agents/{id}/rotate")).key(&new).send().await.unwrap();
    let third = text(&own.json(), "api_key");
    assert_eq!(pull(&new).await, "no_config");
    assert_eq!(pull(&third).await, "no_config");
    assert_eq!(pull(&new).await, "key_rotated");
}

async fn a_leaked_key_is_ended_by_whoever_holds_it(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Rome").await;
    let report = async |key: &str| {
        let body = json!({"api_key": key});
        backend.post("/api/v1/keys/report-leak").json(&body).send().await.unwrap()
    };
    for (made_up, description) in [("nonsense", "no key"), (&*format!("sk_stra_{}", "A".repeat(43)), "unknown")] {
        let answer = report(made_up).await;
        assert_eq!((answer.status, answer.body.len()), (202, 0), "{description}");
    }
    assert_eq!(report(&key).await.status, 202);
    let answer = backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key).send().await.unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (401, "key_revoked"));
}

async fn parallel_rotations_leave_one_live_key(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, _) = create_component(&backend, &admin, "Kyoto").await;
    let rotations: Vec<_> = (0..8)
        .map(|_| {
            let rotate = backend.post(&format!("/api/v1/remote-components/{id}/rotate")).bearer(&admin);
            tokio::spawn(rotate.send())
        })
        .collect();
    let mut live = 0;
    for rotation in rotations {
        let answer = rotation.await.unwrap().unwrap();
        assert!(answer.status == 200 || answer.status == 503, "{}", answer.text());
        if answer.status == 200 {
            let key = text(&answer.json(), "api_key");
            let pulled = backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(&key).send().await.unwrap();
            live += usize::from(pulled.error() == "no_config");
        }
    }
    assert!(live >= 1, "no key works");
}

/// A Prometheus remote-write request with one sample of `up{component="Paris"}`: protocol buffers in a snappy block that
/// consists of one literal.
fn remote_write(milliseconds: i64) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[(number << 3) | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let label = |name: &str, value: &str| field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    let mut sample = [&[(1 << 3) | 1][..], &1.0_f64.to_le_bytes(), &[2 << 3]].concat();
    let mut rest = u64::try_from(milliseconds).unwrap();
    while rest >= 0x80 {
        sample.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    sample.push(u8::try_from(rest).unwrap());
    let series = [label("__name__", "up"), label("component", "Paris"), field(2, &sample)].concat();
    let message = field(1, &series);
    let length = u8::try_from(message.len()).unwrap();
    [&[length, 60 << 2, length - 1][..], &message].concat()
}

#[tokio::test]
async fn prometheus_writes_under_its_own_identity_too() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let (installation, store) = with_time_series(installation);
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let beat = json!({"hostname": "h", "version": "1", "os": "linux"});
    let heartbeat = backend.post(&format!("/api/v1/agents/heartbeat/{id}")).key(&key).json(&beat).send().await.unwrap();
    let now: stratora_clock::Timestamp = text(&heartbeat.json(), "server_time").parse().unwrap();
    let write = backend.post("/api/v1/ingest/prometheus").key(&key).header("content-encoding", "snappy");
    let body = remote_write(now.as_micros() / 1000);
    let written = write.body("application/x-protobuf", body).send().await.unwrap();
    assert_eq!(written.status, 204, "{}", written.text());
    let series = store.series("up").await.unwrap();
    assert_eq!(series.len(), 1, "{series:?}");
    assert_eq!((&series[0]["component"], &series[0]["component_id"]), (&json!("Berlin"), &json!(id)));
    let gzip = backend.post("/api/v1/ingest/prometheus").key(&key).header("content-encoding", "gzip");
    assert_eq!(gzip.body("application/x-protobuf", vec![1]).send().await.unwrap().status, 415);
}
