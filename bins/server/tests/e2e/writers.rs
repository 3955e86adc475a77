//! Writers of InfluxDB 2, which have no other header for a key than `Authorization: Token`: the same ingest, the same
//! refusals, and no way to write as somebody else.

use serde_json::json;
use stratora_testing::{Request, VictoriaMetrics};

use crate::support::{Installation, create_component, on_both_databases, text, with_time_series};

on_both_databases!(
    a_point_lands_under_the_component_whose_key_wrote_it,
    unknown_tokens_are_limited_together_with_unknown_keys,
);

const WRITE: &str = "/api/v2/write";

fn token(request: Request, key: &str) -> Request {
    request.header("authorization", format!("Token {key}"))
}

/// The bytes as gzip with one block that is not compressed (RFC 1951 §3.2.4, RFC 1952 §2.3).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let crc = !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    let lengths = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
    [&head[..], &lengths, bytes, &crc.to_le_bytes(), &u32::from(length).to_le_bytes()].concat()
}

async fn a_point_lands_under_the_component_whose_key_wrote_it(mut installation: Installation) {
    let admin = installation.admin().await;
    let (mut installation, store) = with_time_series(installation);
    installation.start_nginx();
    let proxy = installation.proxy();
    let (berlin, key) = create_component(&proxy, &admin, "Berlin").await;
    let (paris, _) = create_component(&proxy, &admin, "Paris").await;
    let beat = json!({"hostname": "h", "version": "1", "os": "linux"});
    let beat = proxy.post(&format!("/api/v1/agents/heartbeat/{berlin}")).key(&key).json(&beat).send().await.unwrap();
    let now: stratora_clock::Timestamp = text(&beat.json(), "server_time").parse().unwrap();
    // A time in seconds is seen only if its unit goes with it.
    let line = |measurement: &str| {
        format!("{measurement},component=Paris,component_id={paris} value=7 {}", now.as_micros() / 1_000_000)
    };
    let path =
        format!("{WRITE}?org=o&bucket=b&db=x&precision=s&extra_label=component=Paris&extra_label=component_id=1");
    let plain = token(proxy.post(&path), &key).body("text/plain; charset=utf-8", line("plain"));
    let written = plain.send().await.unwrap();
    assert_eq!((written.status, written.body.len()), (204, 0), "{}", written.text());
    let packed = proxy.post(&path).header("authorization", format!("token {key}")).header("content-encoding", "gzip");
    let packed = packed.body("text/plain", gzip(line("packed").as_bytes()));
    assert_eq!(packed.send().await.unwrap().status, 204);
    let in_header = proxy.post(&path).key(&key).body("text/plain", line("header"));
    assert_eq!(in_header.send().await.unwrap().status, 204);
    for measurement in ["plain_value", "packed_value", "header_value"] {
        let series = store.series(measurement).await.unwrap();
        assert_eq!(series.len(), 1, "{measurement}: {series:?}");
        assert_eq!((&series[0]["component"], &series[0]["component_id"]), (&json!("Berlin"), &json!(berlin)));
        assert_eq!((&series[0]["db"], &series[0]["bucket"]), (&json!(null), &json!(null)));
    }
    for selector in ["{component=\"Paris\"}".to_owned(), format!("{{component_id=\"{paris}\"}}")] {
        assert_eq!(store.series(&selector).await.unwrap(), Vec::<serde_json::Value>::new(), "{selector}");
    }

    let component = format!("/api/v1/remote-components/{berlin}");
    for (change, reason) in [("rotate", "key_rotated"), ("revoke", "key_rotated")] {
        proxy.post(&format!("{component}/{change}")).bearer(&admin).send().await.unwrap();
        let refused = token(proxy.post(&path), &key).body("text/plain", line("late")).send().await.unwrap();
        assert_eq!((refused.status, refused.error().as_str()), (401, reason));
        assert_eq!(refused.only("www-authenticate").as_deref(), Some("Token"));
    }
    assert!(store.series("late_value").await.unwrap().is_empty());
    assert!(!installation.all_output().contains(&key), "a key was logged");
}

async fn unknown_tokens_are_limited_together_with_unknown_keys(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, key) = create_component(&backend, &admin, "Berlin").await;
    let write = || backend.post(WRITE).from("203.0.113.9");
    for number in 0..30 {
        let made_up = format!("sk_stra_{number:043}");
        let request = if number % 2 == 0 { token(write(), &made_up) } else { write().key(&made_up) };
        let unknown = request.body("text/plain", "a b=1").send().await.unwrap();
        assert_eq!((unknown.status, unknown.error().as_str()), (401, "key_unknown"), "{number}");
    }
    let limited = token(write(), "nonsense").body("text/plain", "a b=1").send().await.unwrap();
    assert_eq!((limited.status, limited.error().as_str()), (429, "rate_limited"));
    assert!((1..=60).contains(&limited.only("retry-after").unwrap().parse::<u64>().unwrap()));
    let known = token(write(), &key).body("text/plain", "a b=1").send().await.unwrap();
    assert_eq!(known.error(), "no_time_series_store", "the right key is let in");
}

#[tokio::test]
async fn nothing_but_one_key_in_one_place_is_a_credential() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let mut number = 0;
    let mut write = |query: &str| {
        number += 1;
        backend.post(&format!("{WRITE}{query}")).from(&format!("203.0.113.{number}")).body("text/plain", "a b=1")
    };
    let authorization = |request: Request, value: &str| request.header("authorization", value);
    let cases = [
        ("two tokens", token(token(write(""), &key), &key)),
        ("a token and a key", token(write(""), &key).key(&key)),
        ("a token and a bearer", token(write(""), &key).bearer(&admin)),
        ("two keys", write("").key(&key).key(&key)),
        ("a key as bearer", write("").bearer(&key)),
        ("a key as basic", authorization(write(""), &format!("Basic {key}"))),
        ("a key alone", authorization(write(""), &key)),
        ("no key", authorization(write(""), "Token")),
        ("an empty key", authorization(write(""), "Token ")),
        ("two spaces", authorization(write(""), &format!("Token  {key}"))),
        ("something behind it", authorization(write(""), &format!("Token {key}x"))),
        ("a session's token", token(write(""), &admin)),
        ("a session", write("").bearer(&admin)),
        ("in the query", write(&format!("?token={key}"))),
        ("as a password of InfluxDB 1", write(&format!("?u=x&p={key}"))),
        ("in a cookie", write("").cookie("token", &key)),
    ];
    for (what, request) in cases {
        let refused = request.send().await.unwrap();
        assert_eq!((refused.status, refused.error().as_str()), (401, "key_unknown"), "{what}");
        assert_eq!(refused.only("www-authenticate").as_deref(), Some("Token"), "{what}");
        assert_eq!(refused.only("cache-control").as_deref(), Some("no-store, private"), "{what}");
    }
    for path in [
        format!("/api/v1/remote-collectors/{id}/report"),
        format!("/api/v1/agents/heartbeat/{id}"),
        format!("/api/v1/agents/{id}/rotate"),
        "/api/v1/ingest/influx".to_owned(),
        "/api/v1/ingest/influx/write".to_owned(),
        "/api/v1/ingest/prometheus".to_owned(),
    ] {
        let elsewhere = token(backend.post(&path).from("203.0.113.200"), &key).send().await.unwrap();
        assert_eq!((elsewhere.status, elsewhere.error().as_str()), (401, "key_unknown"), "{path}");
    }

    let precision = token(write("?precision=fortnight"), &key).send().await.unwrap();
    assert_eq!((precision.status, precision.error().as_str()), (400, "invalid_query"));
    let coding = token(write(""), &key).header("content-encoding", "br").send().await.unwrap();
    assert_eq!((coding.status, coding.error().as_str()), (415, "unsupported_media_type"));
    let method = token(backend.get(WRITE), &key).send().await.unwrap();
    assert_eq!((method.status, method.only("allow").as_deref()), (405, Some("POST")));
    for path in ["/api/v2", "/api/v2/", "/api/v2/write/", "/api/v2/writes", "/api/v2/query", "/api/v2//write"] {
        let nothing = token(backend.post(path), &key).send().await.unwrap();
        assert_eq!((nothing.status, nothing.error().as_str()), (404, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_writer_is_told_to_come_back_while_the_time_series_store_is_away() {
    let mut store = VictoriaMetrics::start().unwrap();
    let mut installation = Installation::with_settings(&format!("victoriametrics:\n  url: {}\n", store.url()));
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (_, key) = create_component(&backend, &admin, "Berlin").await;
    let write = async || token(backend.post(WRITE), &key).body("text/plain", "a b=1").send().await.unwrap();
    assert_eq!(write().await.status, 204);
    store.stop().unwrap();
    let away = write().await;
    assert_eq!((away.status, away.error().as_str()), (503, "time_series_store_away"));
    assert_eq!(away.only("retry-after").as_deref(), Some("10"));
}
