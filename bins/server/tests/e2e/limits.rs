//! The limits hold exactly: for one client, whatever it sends, however fast, through whichever server, over a restart.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;
use stratora_testing::{Answer, Background, Client, Signal, free_port, until};

use crate::support::{Installation, PASSWORD, create_component, on_both_databases, sign_in, text};

on_both_databases!(
    a_hundred_parallel_sign_ins_reach_the_password_check_five_times,
    a_limit_survives_the_end_of_the_server,
    unknown_keys_are_limited_and_nobody_else_behind_the_same_address_is,
    a_component_that_asks_for_keys_without_end_is_limited_and_nobody_else_is,
    strangers_brake_an_account_and_do_not_lock_its_owner_out,
);

const LOGIN: &str = "/api/v1/auth/login";

async fn wrong_sign_in(client: &Client, name: &str, address: &str) -> Answer {
    let body = json!({"username": name, "password": "wrong"});
    client.post(LOGIN).from(address).json(&body).send().await.unwrap()
}

/// Seconds, as `Retry-After` says.
fn retry_after(answer: &Answer) -> u64 {
    answer.only("retry-after").unwrap().parse().unwrap()
}

async fn a_hundred_parallel_sign_ins_reach_the_password_check_five_times(installation: Installation) {
    let backend = installation.backend();
    let sign_ins: Vec<_> = (0..100)
        .map(|_| {
            let backend = backend.clone();
            tokio::spawn(async move { wrong_sign_in(&backend, "nobody", "203.0.113.9").await })
        })
        .collect();
    let mut checked = 0;
    for each in sign_ins {
        let answer = each.await.unwrap();
        match (answer.status, answer.error().as_str()) {
            (401, "invalid_credentials") => checked += 1,
            (429, "rate_limited") => assert!((1..=300).contains(&retry_after(&answer))),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(checked, 5);
}

async fn a_limit_survives_the_end_of_the_server(mut installation: Installation) {
    let backend = installation.backend();
    for _ in 0..5 {
        assert_eq!(wrong_sign_in(&backend, "nobody", "203.0.113.9").await.status, 401);
    }
    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    installation.start_server();
    let refused = wrong_sign_in(&installation.backend(), "nobody", "203.0.113.9").await;
    assert_eq!((refused.status, refused.error().as_str()), (429, "rate_limited"));
}

async fn unknown_keys_are_limited_and_nobody_else_behind_the_same_address_is(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, old) = create_component(&backend, &admin, "Berlin").await;
    let rotate = format!("/api/v1/remote-components/{id}/rotate");
    let rotated = backend.post(&rotate).bearer(&admin).send().await.unwrap();
    let key = text(&rotated.json(), "api_key");
    let pull = async |key: &str| {
        let request = backend.get(&format!("/api/v1/remote-collectors/{id}/config")).from("203.0.113.9");
        request.key(key).send().await.unwrap()
    };
    for number in 0..30 {
        let unknown = pull(&format!("sk_stra_{number:043}")).await;
        assert_eq!((unknown.status, unknown.error().as_str()), (401, "key_unknown"), "{number}");
    }
    let limited = pull("nonsense").await;
    assert_eq!((limited.status, limited.error().as_str()), (429, "rate_limited"));
    assert!((1..=60).contains(&retry_after(&limited)));
    assert_eq!(pull(&key).await.error(), "no_config", "the right key is let in");
    let holder = pull(&old).await;
    assert_eq!((holder.status, holder.error().as_str()), (401, "key_rotated"), "a holder is told the truth");
}

async fn a_component_that_asks_for_keys_without_end_is_limited_and_nobody_else_is(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let (other, others_key) = create_component(&backend, &admin, "Rome").await;
    let rotate = |id: &str, key: &str, address: &str| {
        backend.post(&format!("/api/v1/agents/{id}/rotate")).from(address).key(key)
    };
    // All at once: who is refused does not get as far as the pool in which passwords are hashed.
    let calls: Vec<_> = (0..30)
        .map(|number| {
            let request = rotate(&id, &key, &format!("203.0.113.{}", number % 3));
            tokio::spawn(async move { request.send().await.unwrap() })
        })
        .collect();
    let mut answered = Vec::new();
    for call in calls {
        let answer = call.await.unwrap();
        if answer.status == 429 {
            assert_eq!(answer.error(), "rate_limited");
            assert!((1..=60).contains(&retry_after(&answer)));
        }
        answered.push(answer.status);
    }
    assert_eq!(answered.iter().filter(|status| **status == 429).count(), 20, "{answered:?}");
    assert!(answered.iter().all(|status| matches!(status, 200 | 429 | 503)), "{answered:?}");
    assert_eq!(rotate(&other, &others_key, "203.0.113.1").send().await.unwrap().status, 200);
    let beat = json!({"hostname": "h", "version": "1", "os": "linux"});
    let beat = backend.post(&format!("/api/v1/agents/heartbeat/{id}")).key(&key).json(&beat);
    assert_eq!(beat.send().await.unwrap().status, 200, "it loses nothing but the time");
    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    installation.start_server();
    let backend = installation.backend();
    let again = backend.post(&format!("/api/v1/agents/{id}/rotate")).from("203.0.113.9").key(&key);
    assert_eq!(again.send().await.unwrap().status, 429, "a restart is no way out");
}

async fn strangers_brake_an_account_and_do_not_lock_its_owner_out(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, _) = crate::support::create_user(&backend, &admin, "grace", "viewer", "198.51.100.1").await;
    let body = json!({"username": "grace", "password": PASSWORD});
    let known = backend.post(LOGIN).from("198.51.100.2").json(&body).send().await.unwrap();
    let device = known.cookie("__Host-stratora_device").unwrap();
    for name in ["grace", "nobody"] {
        // The first delay is a second, which a slow machine takes for one hash; the next ones double.
        let mut tries = 0;
        let braked = loop {
            let spelling = if tries % 2 == 0 { name.to_owned() } else { name.to_uppercase() };
            let address = format!("203.0.{}.{}", 200 + name.len(), tries + 1);
            let refused = wrong_sign_in(&backend, &spelling, &address).await;
            if refused.status == 429 {
                break refused;
            }
            assert_eq!(refused.status, 401, "{name}: {tries}");
            tries += 1;
        };
        assert!((21..30).contains(&tries), "{name}: {tries} attempts");
        assert_eq!(braked.error(), "account_throttled", "{name}");
        assert!(retry_after(&braked) >= 1);
    }
    let from_known =
        backend.post(LOGIN).from("203.0.116.1").header("cookie", format!("__Host-stratora_device={device}"));
    assert_eq!(from_known.json(&body).send().await.unwrap().status, 200);
    for number in 0..21 {
        wrong_sign_in(&backend, "grace", &format!("203.0.117.{}", number + 1)).await;
    }
    let reset = backend.post(&format!("/api/v1/users/{id}/reset-password")).bearer(&admin).send().await.unwrap();
    sign_in(&backend, "grace", &text(&reset.json(), "one_time_password"), "203.0.118.1").await;
    let log = "/api/v1/audit-logs?action=account.throttle";
    let log = backend.get(log).bearer(&admin).send().await.unwrap().json();
    assert!(log["total"].as_u64().unwrap() >= 2, "{log}");
}

#[tokio::test]
async fn the_sixth_sign_in_is_refused_even_with_the_right_password() {
    let mut installation = Installation::on_sqlite();
    let one_time = installation.one_time_password();
    let backend = installation.backend();
    for (remaining, content_type) in
        [(4, "application/json"), (3, "text/plain"), (2, "application/json"), (1, ""), (0, "x")]
    {
        let malformed = backend.post(LOGIN).from("203.0.113.9").body(content_type, "{").send().await.unwrap();
        assert!(matches!(malformed.status, 400 | 415), "{}", malformed.status);
        assert_eq!(malformed.only("ratelimit-policy").as_deref(), Some("\"login\";q=5;w=300"));
        let field = malformed.only("ratelimit").unwrap();
        assert!(field.starts_with(&format!("\"login\";r={remaining};t=")), "{field}");
    }
    let body = json!({"username": "admin", "password": one_time});
    let refused = backend.post(LOGIN).from("203.0.113.9").json(&body).send().await.unwrap();
    assert_eq!((refused.status, refused.error().as_str()), (429, "rate_limited"));
    let wait = retry_after(&refused);
    assert_eq!(refused.only("ratelimit"), Some(format!("\"login\";r=0;t={wait}")));
    assert!((200..=300).contains(&wait));
    assert_eq!(backend.post(LOGIN).from("203.0.113.9").json(&body).send().await.unwrap().status, 429);
    sign_in(&backend, "admin", &one_time, "203.0.113.10").await;
    let admin = installation.admin().await;
    let log = "/api/v1/audit-logs?action=access.rate_limit";
    let log = backend.get(log).bearer(&admin).send().await.unwrap().json();
    assert_eq!(log["total"], 1, "two refusals in one minute are one entry: {log}");
    assert_eq!(log["items"][0]["outcome"], "denied", "{log}");
}

#[tokio::test]
async fn looking_at_the_sign_in_costs_nothing() {
    let installation = Installation::on_sqlite();
    let backend = installation.backend();
    for method in ["HEAD", "OPTIONS", "GET", "PUT", "FOO"] {
        for _ in 0..3 {
            let request = backend.request(method.parse().unwrap(), LOGIN).from("203.0.113.9");
            assert_eq!(request.send().await.unwrap().status, 405, "{method}");
        }
    }
    assert_eq!(wrong_sign_in(&backend, "nobody", "203.0.113.9").await.status, 401);
}

#[tokio::test]
async fn every_limited_endpoint_is_limited() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let leak = json!({"api_key": "x"});
    let change = json!({"current_password": "wrong wrong wrong", "new_password": "short"});
    for (name, path) in [
        ("oidc-authorize", "/api/v1/auth/oidc/authorize/1"),
        ("oidc-callback", "/api/v1/auth/oidc/callback"),
        ("sso", "/api/v1/auth/sso"),
        ("register", "/api/v1/components/register"),
        ("report-leak", "/api/v1/keys/report-leak"),
        ("change-password", "/api/v1/auth/change-password"),
    ] {
        let ask = async || {
            let request = match name {
                "report-leak" => backend.post(path).json(&leak),
                "change-password" => backend.post(path).bearer(&admin).json(&change),
                "register" => backend.post(path),
                _ => backend.get(path),
            };
            request.from("203.0.113.9").send().await.unwrap()
        };
        for number in 0..10 {
            let answer = ask().await;
            assert_ne!(answer.status, 429, "{name}: {number}");
            let policy = answer.only("ratelimit-policy").unwrap();
            assert_eq!(policy, format!("\"{name}\";q=10;w=60"));
        }
        let refused = ask().await;
        assert_eq!((refused.status, refused.error().as_str()), (429, "rate_limited"), "{name}");
        assert!((1..=60).contains(&retry_after(&refused)), "{name}");
    }
}

#[tokio::test]
async fn forged_headers_get_nobody_another_address() {
    let mut installation = Installation::on_sqlite();
    installation.start_nginx();
    let proxy = installation.proxy();
    for number in 0..5 {
        let forged = wrong_sign_in(&proxy, "nobody", &format!("203.0.113.{number}")).await;
        assert_eq!(forged.status, 401);
    }
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.77"),
        ("forwarded", "for=203.0.113.77"),
        ("x-real-ip", "203.0.113.77"),
        ("x-forwarded-host", "evil.test"),
    ] {
        let body = json!({"username": "nobody", "password": "wrong"});
        let forged = proxy.post(LOGIN).header(name, value).json(&body).send().await.unwrap();
        assert_eq!(forged.status, 429, "{name}");
    }
    let base = format!("https://localhost:{}", installation.https_port);
    let elsewhere = Client::from_address(base, IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9))).unwrap();
    assert_eq!(wrong_sign_in(&elsewhere, "nobody", "127.0.0.1").await.status, 401, "another address is another client");
}

#[tokio::test]
async fn what_does_not_read_as_an_address_counts_for_the_peer() {
    let installation = Installation::on_sqlite();
    let backend = installation.backend();
    for _ in 0..5 {
        assert_eq!(wrong_sign_in(&backend, "nobody", "127.0.0.1").await.status, 401);
    }
    for forged in [
        "",
        "unknown",
        "203.0.113.9:4711",
        "[2001:db8::1]",
        "fe80::1%eth0",
        "0177.0.0.1",
        ",,,",
        "203.0.113.9, unknown",
        "::1, 127.0.0.1",
    ] {
        assert_eq!(wrong_sign_in(&backend, "nobody", forged).await.status, 429, "{forged}");
    }
    for name in ["forwarded", "x-real-ip", "x-forwarded-host", "x-client-ip"] {
        let body = json!({"username": "nobody", "password": "wrong"});
        let value = if name == "forwarded" { "for=203.0.113.77" } else { "203.0.113.77" };
        let forged = backend.post(LOGIN).header(name, value).json(&body).send().await.unwrap();
        assert_eq!(forged.status, 429, "{name}");
    }
    assert_eq!(wrong_sign_in(&backend, "nobody", "127.0.0.2").await.status, 401, "not every 127/8 is the proxy");
}

#[tokio::test]
async fn a_client_is_one_however_its_address_is_written() {
    let installation = Installation::on_sqlite();
    let backend = installation.backend();
    for spellings in [
        [
            "2001:db8::1",
            "2001:db8::2",
            "2001:DB8:0:0::3",
            "2001:db8::ffff:4",
            "203.0.113.7, 2001:db8::5",
            "2001:db8::6",
        ],
        [
            "203.0.113.9",
            "::ffff:203.0.113.9",
            "::ffff:cb00:7109",
            "198.51.100.7, 203.0.113.9",
            "203.0.113.9, 127.0.0.1",
            "::FFFF:203.0.113.9",
        ],
    ] {
        for (number, spelling) in spellings.into_iter().enumerate() {
            let expected = if number < 5 { 401 } else { 429 };
            assert_eq!(wrong_sign_in(&backend, "nobody", spelling).await.status, expected, "{spelling}");
        }
    }
    for other in ["2001:db8:0:1::1", "203.0.113.10", "203.0.113.7", "198.51.100.7"] {
        assert_eq!(wrong_sign_in(&backend, "nobody", other).await.status, 401, "{other} is another client");
    }
}

#[tokio::test]
async fn two_servers_on_one_database_count_and_revoke_as_one() {
    let mut installation = Installation::on_postgres();
    let admin = installation.admin().await;
    let port = free_port().unwrap();
    let mut command = installation.command(&["serve"]);
    command.env("STRATORA__SERVER__PORT", port.to_string());
    let _second = Background::start(&mut command, &installation.path(""), "second").unwrap();
    until("the second server", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).unwrap();
    let (one, two) = (installation.backend(), Client::new(format!("http://127.0.0.1:{port}")).unwrap());

    for (number, client) in [&one, &two, &one, &two, &one].into_iter().enumerate() {
        assert_eq!(wrong_sign_in(client, "nobody", "203.0.113.9").await.status, 401, "{number}");
    }
    for client in [&two, &one] {
        assert_eq!(wrong_sign_in(client, "nobody", "203.0.113.9").await.status, 429);
    }
    let sign_ins: Vec<_> = (0..50)
        .flat_map(|_| [one.clone(), two.clone()])
        .map(|client| tokio::spawn(async move { wrong_sign_in(&client, "nobody", "203.0.113.10").await.status }))
        .collect();
    let mut checked = 0;
    for each in sign_ins {
        let status = each.await.unwrap();
        assert!(matches!(status, 401 | 429), "{status}");
        checked += usize::from(status == 401);
    }
    assert_eq!(checked, 5, "whichever server was asked");
    let (id, key) = create_component(&one, &admin, "Berlin").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");
    assert_eq!(two.get(&config).key(&key).send().await.unwrap().error(), "no_config");
    one.post(&format!("/api/v1/remote-components/{id}/revoke")).bearer(&admin).send().await.unwrap();
    assert_eq!(two.get(&config).key(&key).send().await.unwrap().error(), "key_revoked");
    one.post("/api/v1/auth/logout").bearer(&admin).send().await.unwrap();
    assert_eq!(two.get("/api/v1/auth/me").bearer(&admin).send().await.unwrap().status, 401);
}
