//! What no well-meaning client sends: through NGINX and past it, always a clear answer, never a way around the door, and the
//! server lives on.

use actix_web::http::Method;
use serde_json::{Value, json};
use stratora_api::ROUTES;
use stratora_testing::{Client, raw_tcp, raw_tls};

use crate::support::{Installation, PASSWORD, create_component, on_both_databases, sign_in};

on_both_databases!(no_string_breaks_the_database, what_looks_like_a_pattern_is_searched_for_literally);

async fn lives(client: &Client) -> bool {
    client.get("/health/live").send().await.unwrap().status == 200
}

/// Requests whose framing is wrong or odd, and how many answers of which status they may get.
#[tokio::test]
async fn framing_tricks_never_become_a_second_request() {
    let mut installation = Installation::on_sqlite();
    installation.start_nginx();
    let login = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let smuggled = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let refused = [
        format!("{login}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}{smuggled}"),
        format!("{login}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{login}Content-Length: +2\r\n\r\n{{}}"),
        format!("{login}Content-Length: 2,2\r\n\r\n{{}}"),
        format!("{login}Content-Length: 0x2\r\n\r\n{{}}"),
        format!("{login}Content-Length: 99999999999999999999\r\n\r\n{{}}"),
        format!("{login}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{login}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{{}}"),
        "POST /api/v1/auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "get /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /health/live\r\nHost: localhost\r\n\r\n".to_owned(),
    ];
    for request in &refused {
        let shown: String = request.chars().take(160).collect();
        let through = raw_tls(installation.https_port, request.as_bytes()).unwrap();
        assert!(through.statuses().len() <= 1, "{shown:?}: {}", through.text);
        assert!(!through.text.contains("\"live\""), "{shown:?}: {}", through.text);
        let direct = raw_tcp(installation.port, request.as_bytes()).unwrap();
        assert!(!direct.text.contains("\"live\"") || request.starts_with("get"), "{shown:?}: {}", direct.text);
        assert!(direct.statuses().len() <= 1, "{shown:?}: {}", direct.text);
    }
    let chunked = format!("{login}Transfer-Encoding: chunked\r\n\r\n2;ext=1\r\n{{}}\r\n0\r\nTrailer: x\r\n\r\n");
    assert_eq!(
        raw_tls(installation.https_port, chunked.as_bytes()).unwrap().statuses(),
        [400],
        "well-formed, and no login"
    );
    assert!(lives(&installation.backend()).await);
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_around_its_policy() {
    let mut installation = Installation::on_sqlite();
    installation.start_nginx();
    for path in [
        "//api//v1//users",
        "/api/v1/users/",
        "/API/v1/users",
        "/api/v1/users;jsessionid=1",
        "/api/v1/users%2f",
        "/api/v1/./users",
        "/api/v1/x/../users",
        "/api/v1/%75sers",
        "/api/v1/users/..%2f",
        "/api/v1/users/%2e%2e",
        "/api/v1/users/%c0%ae",
        "/metrics",
        "/swagger",
        "/debug",
        "/api/v1/../../metrics",
    ] {
        for (port, tls) in [(installation.https_port, true), (installation.port, false)] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let answer =
                if tls { raw_tls(port, request.as_bytes()) } else { raw_tcp(port, request.as_bytes()) }.unwrap();
            let status = answer.statuses();
            assert!(matches!(status[..], [400 | 401 | 404]), "{path}: {}", answer.text);
        }
    }
    let proxy = installation.proxy();
    for (name, value) in
        [("x-http-method-override", "DELETE"), ("x-original-url", "/health/live"), ("x-rewrite-url", "/health/live")]
    {
        assert_eq!(proxy.get("/api/v1/users").header(name, value).send().await.unwrap().status, 401, "{name}");
    }
    for method in ["FOO", "PROPFIND", "OPTIONS"] {
        let answer = proxy.request(method.parse().unwrap(), "/api/v1/users").send().await.unwrap();
        assert_eq!((answer.status, answer.only("allow").as_deref()), (405, Some("GET, HEAD, POST")), "{method}");
        assert!(answer.all("access-control-allow-origin").is_empty());
    }
}

#[tokio::test]
async fn only_the_canonical_spelling_of_an_identifier_names_something() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, _) = create_component(&backend, &admin, "Berlin").await;
    let read = async |id: &str| {
        let path = format!("/api/v1/remote-components/{id}");
        backend.get(&path).bearer(&admin).send().await.unwrap().status
    };
    assert_eq!(read(&id).await, 200);
    for other in
        [&id.to_uppercase(), &id.replace('-', ""), &format!("%7B{id}%7D"), "1'--", "１", &"a".repeat(5000), "%00"]
    {
        assert!(matches!(read(other).await, 400 | 404), "{other}");
    }
}

#[tokio::test]
async fn looking_at_the_head_only_is_looking() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    for route in ROUTES.iter().filter(|route| route.method == Method::GET && !route.path.contains("/auth/")) {
        let path = route.path.replace("{id}", "00000000-0000-4000-8000-000000000000");
        let get = backend.get(&path).bearer(&admin).send().await.unwrap();
        let head = backend.request("HEAD".parse().unwrap(), &path).bearer(&admin).send().await.unwrap();
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.only("content-type"), get.only("content-type"), "{path}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_request_are_refused_in_plain_words() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let deep = "[".repeat(10_000);
    for (body, status) in [
        ("", 400),
        ("null", 400),
        ("[]", 400),
        ("\"x\"", 400),
        ("{", 400),
        (deep.as_str(), 400),
        ("{\"username\":\"a\",\"username\":\"b\",\"role\":\"viewer\"}", 400),
        ("{\"username\":\"a\",\"role\":\"viewer\",\"is_active\":true}", 400),
        ("{\"username\":\"a\",\"role\":\"viewer\",\"id\":1}", 400),
        ("{\"username\":[\"a\"],\"role\":\"viewer\"}", 400),
        ("{\"username\":null,\"role\":\"viewer\"}", 400),
        ("{\"username\":1e400,\"role\":\"viewer\"}", 400),
        ("{\"username\":\"a\",\"role\":\"viewer\"} x", 400),
        ("{\"username\":\"a\",\"role\":\"viewer\",}", 400),
        ("{\"username\":\"a\",\"role\":\"king\"}", 422),
        ("{\"username\":\"a\\u0000\",\"role\":\"viewer\"}", 422),
        ("{\"username\":\" a\",\"role\":\"viewer\"}", 422),
        ("{\"username\":\"a\\u200b\",\"role\":\"viewer\"}", 422),
        ("{\"username\":\"\\u0430dmin\",\"role\":\"viewer\"}", 422),
        ("{\"username\":\"a\",\"role\":\"viewer\",\"password\":\"short\"}", 422),
        ("{\"username\":\"a\",\"role\":\"viewer\",\"email\":\"nobody\"}", 422),
    ] {
        let request = backend.post("/api/v1/users").bearer(&admin).body("application/json", body.to_owned());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(answer.json()["message"].as_str().unwrap().ends_with('.'), "{}", answer.text());
        assert_eq!(status == 422, answer.json()["field"].is_string(), "{}", answer.text());
    }
    let valid = "{\"username\":\"a\",\"role\":\"viewer\"}";
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "x"] {
        let request = backend.post("/api/v1/users").bearer(&admin).body(content_type, valid);
        assert_eq!(request.send().await.unwrap().status, 415, "{content_type}");
    }
    for coding in ["gzip", "br", "deflate"] {
        let request = backend.post("/api/v1/users").bearer(&admin).header("content-encoding", coding);
        assert_eq!(request.body("application/json", valid).send().await.unwrap().status, 415, "{coding}");
    }
    let padded = format!("{}{valid}", " ".repeat(1024 * 1024));
    assert_eq!(
        backend.post("/api/v1/users").bearer(&admin).body("application/json", padded).send().await.unwrap().status,
        413
    );
    for seconds in ["0", "-1", "1e400", "9223372036854775808", "2592001", "0.5", "\"60\""] {
        let (id, _) = create_component(&backend, &admin, &format!("n{seconds}")).await;
        let body = format!("{{\"grace_seconds\":{seconds}}}");
        let rotate = backend.post(&format!("/api/v1/remote-components/{id}/rotate")).bearer(&admin);
        let answer = rotate.body("application/json", body).send().await.unwrap();
        assert!(matches!(answer.status, 400 | 422), "{seconds}: {}", answer.text());
    }
    let users = backend.get("/api/v1/users").bearer(&admin).send().await.unwrap().json();
    assert_eq!(users["total"], 1, "nothing was created");
}

/// Strings that a database, a shell or a page could take for something else, in every field that takes a string.
async fn no_string_breaks_the_database(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    for text in [
        "\u{0}",
        "a\u{0}b",
        "' OR 1=1--",
        "\\",
        "%",
        "_",
        "${jndi:ldap://x}",
        "\u{202e}",
        "<img onerror=x>",
        "\u{fffe}",
    ] {
        for (path, body) in [
            ("/api/v1/users", json!({"username": text, "role": "viewer"})),
            ("/api/v1/users", json!({"username": "b", "role": text})),
            ("/api/v1/users", json!({"username": format!("u{}", text.len()), "role": "viewer", "display_name": text})),
            ("/api/v1/users", json!({"username": "c", "role": "viewer", "password": text})),
            ("/api/v1/remote-components", json!({"name": text, "kind": "agent"})),
            ("/api/v1/remote-components", json!({"name": "x", "kind": text})),
            ("/api/v1/remote-components", json!({"name": "x", "kind": "agent", "hostname": text})),
            ("/api/v1/keys/report-leak", json!({"api_key": text})),
        ] {
            let answer = backend.post(path).bearer(&admin).from("203.0.113.1").json(&body).send().await.unwrap();
            assert!(answer.status < 500, "{text:?} in {body}: {}", answer.text());
        }
        let login = json!({"username": text, "password": text});
        let address = format!("203.0.113.{}", text.len() + 10);
        let answer = backend.post("/api/v1/auth/login").from(&address).json(&login).send().await.unwrap();
        assert!(matches!(answer.status, 401 | 422 | 429), "{text:?}: {}", answer.text());
        for (path, body) in [
            (format!("/api/v1/agents/heartbeat/{id}"), json!({"hostname": text, "version": text, "os": text})),
            (
                format!("/api/v1/remote-collectors/{id}/report"),
                json!({"config_hash": text, "status": "applied", "message": text}),
            ),
        ] {
            let answer = backend.post(&path).key(&key).json(&body).send().await.unwrap();
            assert!(answer.status < 500, "{text:?} in {body}: {}", answer.text());
        }
        for path in ["/api/v1/remote-components", "/api/v1/audit-logs"] {
            for parameter in ["q", "cursor", "limit", "kind", "user", "action", "resource_id", "from"] {
                let answer = backend.get(path).query(&[(parameter, text)]).bearer(&admin).send().await.unwrap();
                assert!(matches!(answer.status, 200 | 400), "{text:?} as {parameter}: {}", answer.text());
            }
        }
        let put = backend.put(&format!("/api/v1/remote-collectors/{id}/config")).bearer(&admin);
        let answer = put.body("application/toml", format!("a = \"\"\"{text}\"\"\"")).send().await.unwrap();
        assert!(matches!(answer.status, 204 | 422), "{text:?}: {}", answer.text());
    }
    assert!(lives(&backend).await);
}

async fn what_looks_like_a_pattern_is_searched_for_literally(mut installation: Installation) {
    let admin = installation.admin().await;
    let backend = installation.backend();
    for name in ["Berlin 100%", "Rome_1", "Oslo\\2"] {
        create_component(&backend, &admin, name).await;
    }
    for (text, total) in [("%", 1), ("rome_", 1), ("\\", 1), ("berlin", 1), ("' OR 1=1--", 0), ("oslo", 1)] {
        let list = backend.get("/api/v1/remote-components").query(&[("q", text)]).bearer(&admin).send().await.unwrap();
        assert_eq!(list.json()["total"], total, "{text}: {}", list.text());
    }
    for query in
        ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=1&limit=2", "cursor=%25%25", "cursor=AA", "sort=name"]
    {
        let answer = backend.get(&format!("/api/v1/remote-components?{query}")).bearer(&admin).send().await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_query"), "{query}");
    }
    let first = backend.get("/api/v1/remote-components?limit=2").bearer(&admin).send().await.unwrap().json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let last =
        backend.get("/api/v1/remote-components").query(&[("cursor", cursor)]).bearer(&admin).send().await.unwrap();
    assert_eq!((last.json()["items"].as_array().unwrap().len(), &last.json()["next_cursor"]), (1, &Value::Null));
}

#[tokio::test]
async fn credentials_that_are_not_text_or_not_in_their_place_are_none() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");
    for name in ["authorization", "cookie", "x-api-key"] {
        for value in
            [&b"\xff\xfe"[..], b"Bearer \xc0\xaf", b"__Host-stratora_session=\xff", b"", b"Bearer", b"Basic YTpi"]
        {
            for path in ["/api/v1/auth/me", &config] {
                let answer = backend.get(path).header(name, value).from("203.0.113.1").send().await.unwrap();
                assert!(matches!(answer.status, 401 | 429), "{name}: {value:?}: {}", answer.text());
            }
        }
    }
    for query in ["token", "access_token", "api_key"] {
        for secret in [&admin, &key] {
            let answer = backend.get(&format!("/api/v1/auth/me?{query}={secret}")).send().await.unwrap();
            assert_eq!(answer.status, 401);
        }
    }
    let bearer = backend.get(&config).bearer(&key).from("203.0.113.2").send().await.unwrap();
    assert_eq!(bearer.status, 401, "a key is no session");
    let twice = backend.get(&config).key(&key).key(&key).from("203.0.113.3").send().await.unwrap();
    assert_eq!(twice.status, 401, "two keys are none");
}

#[tokio::test]
async fn conditions_of_every_form_are_understood_after_the_key_is() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, key) = create_component(&backend, &admin, "Berlin").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");
    backend.put(&config).bearer(&admin).body("application/toml", "a = 1").send().await.unwrap();
    let etag = backend.get(&config).key(&key).send().await.unwrap().only("etag").unwrap();
    let bare = etag.trim_matches('"').to_owned();
    let long = format!("{}{etag}", "\"x\", ".repeat(1000));
    for (condition, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"x,y\", {etag}"), 304),
        ("*".to_owned(), 304),
        (bare, 304),
        (long, 304),
        ("\"x\"".to_owned(), 200),
        (String::new(), 200),
        ("W/".to_owned(), 200),
        (etag.trim_end_matches('"').to_owned(), 200),
    ] {
        let answer = backend.get(&config).key(&key).header("if-none-match", &condition).send().await.unwrap();
        assert_eq!(answer.status, status, "{condition}");
        assert_eq!(answer.only("etag").as_ref(), Some(&etag));
        assert_eq!(status == 304, answer.body.is_empty());
    }
    let two_lines = backend.get(&config).key(&key).header("if-none-match", "\"x\"").header("if-none-match", &etag);
    assert_eq!(two_lines.send().await.unwrap().status, 304);
    let not_text = backend.get(&config).key(&key).header("if-none-match", b"\xff");
    assert_eq!(not_text.send().await.unwrap().status, 200);
    backend.post(&format!("/api/v1/remote-components/{id}/revoke")).bearer(&admin).send().await.unwrap();
    let dead = backend.get(&config).key(&key).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!((dead.status, dead.error().as_str()), (401, "key_revoked"));
}

#[tokio::test]
async fn nobody_learns_which_names_exist() {
    let mut installation = Installation::on_sqlite();
    let admin = installation.admin().await;
    let backend = installation.backend();
    let (id, _) = crate::support::create_user(&backend, &admin, "disabled", "viewer", "198.51.100.1").await;
    let off = json!({"active": false});
    backend.patch(&format!("/api/v1/users/{id}")).bearer(&admin).json(&off).send().await.unwrap();
    let mut shapes = Vec::new();
    for (number, (name, password)) in
        [("admin", "wrong"), ("nobody", "wrong"), ("nobody", PASSWORD), ("disabled", PASSWORD)].into_iter().enumerate()
    {
        let body = json!({"username": name, "password": password});
        let address = format!("203.0.113.{}", number + 1);
        let answer = backend.post("/api/v1/auth/login").from(&address).json(&body).send().await.unwrap();
        let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        let mut body = answer.json();
        body["request_id"] = Value::Null;
        shapes.push((answer.status, names, body));
    }
    assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]), "{shapes:#?}");
    sign_in(&backend, "ａｄｍｉｎ", PASSWORD, "203.0.113.9").await;
}
