//! Every kind of answer through the real NGINX carries every header of the specification, each exactly once.

use std::net::TcpStream;

use actix_web::HttpResponse;
use actix_web::web;
use serde_json::json;
use stratora_server::serve::serve_with;
use stratora_server::settings::Settings;
use stratora_testing::{Answer, Background, Client, Signal, free_port, raw_tcp, raw_tls, until};

use crate::support::{Installation, PASSWORD, create_component};

/// Literally from the specification, so that a slip in the policy does not slip through here too.
const SECURITY: [(&str, &str); 7] = [
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("x-xss-protection", "1; mode=block"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    (
        "permissions-policy",
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), accelerometer=(), gyroscope=()",
    ),
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' \
         data: blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; \
         upgrade-insecure-requests;",
    ),
];
const API: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("cache-control", "no-store, private"),
    ("pragma", "no-cache"),
];

#[track_caller]
fn assert_each_once(answer: &Answer, expected: &[(&str, &str)], what: &str) {
    for (name, value) in expected {
        assert_eq!(answer.all(name), [*value], "{name} on {what} ({})", answer.status);
    }
}

/// Serves in this process, with routes that fail in ways that no real one does.
fn serve_with_failures(installation: &Installation) {
    let settings = Settings::load(Some(&installation.settings())).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let served = runtime.block_on(serve_with(&settings, |config| {
            config
                .route("/api/v1/test/panic", web::get().to(|| async { panic_on_purpose() }))
                .route("/api/v1/test/hang", web::get().to(|| async { std::future::pending::<HttpResponse>().await }));
        }));
        served.unwrap();
    });
    let port = installation.port;
    until("the server", || TcpStream::connect(("127.0.0.1", port)).is_ok()).unwrap();
}

fn panic_on_purpose() -> HttpResponse {
    panic!("on purpose")
}

/// The one-time password went to the standard output of this test; the command line gives another.
async fn admin(installation: &Installation, client: &Client) -> String {
    let reset = installation.run(&["admin", "reset-password"]);
    let one_time = String::from_utf8(reset.stdout).unwrap().trim().to_owned();
    let token = crate::support::sign_in(client, "admin", &one_time, "127.0.0.1").await;
    let change = json!({"current_password": one_time, "new_password": PASSWORD});
    let changed = client.post("/api/v1/auth/change-password").bearer(&token).json(&change).send().await.unwrap();
    crate::support::text(&changed.json(), "token")
}

#[tokio::test]
async fn every_answer_through_nginx_carries_every_header_exactly_once() {
    let mut installation = Installation::prepare(None, "");
    serve_with_failures(&installation);
    installation.start_nginx();
    let proxy = installation.proxy();
    let admin = admin(&installation, &proxy).await;
    let (id, key) = create_component(&proxy, &admin, "Berlin").await;
    let config = format!("/api/v1/remote-collectors/{id}/config");
    let put = |body: Vec<u8>| proxy.put(&config).bearer(&admin).body("application/toml", body);
    let mut seen = Vec::new();
    let mut check = |what: &str, status: u16, answer: &Answer, is_api: bool| {
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_each_once(answer, &SECURITY, what);
        if is_api {
            assert_each_once(answer, &API, what);
        }
        if status >= 400 && is_api {
            let body = answer.json();
            assert!(body["error"].is_string() && body["message"].is_string(), "{what}: {}", answer.text());
            assert_eq!(Some(body["request_id"].as_str().unwrap().to_owned()), answer.only("x-request-id"), "{what}");
        }
        assert_eq!(answer.only("server").as_deref(), Some("nginx"), "{what} tells a version");
        if !seen.contains(&status) {
            seen.push(status);
        }
    };
    macro_rules! check {
        ($what:literal, $status:literal, $request:expr) => {
            check($what, $status, &$request.send().await.unwrap(), true)
        };
    }

    check!("a list", 200, proxy.get("/api/v1/users").bearer(&admin));
    let page = proxy.get("/").send().await.unwrap();
    check("a page", 200, &page, false);
    check!(
        "what was created",
        201,
        proxy.post("/api/v1/users").bearer(&admin).json(&json!({"username": "a", "role": "viewer"}))
    );
    check!("taken note of", 202, proxy.post("/api/v1/keys/report-leak").json(&json!({"api_key": "x"})));
    check!("a configuration set", 204, put(b"a = 1".to_vec()));
    check!("a flow that failed", 303, proxy.get("/api/v1/auth/oidc/callback?state=a&state=b"));
    check!("bad JSON", 400, proxy.post("/api/v1/auth/login").body("application/json", "{"));
    check!("nobody", 401, proxy.get("/api/v1/users"));
    check!("an unknown key", 401, proxy.get(&config).key("sk_stra_x"));
    let cookie = proxy.delete("/api/v1/auth/sessions").header("cookie", "__Host-stratora_session=x");
    check!("a made-up cookie", 401, cookie);
    let viewer = crate::support::create_user(&proxy, &admin, "viewer", "viewer", "127.0.0.1").await.1;
    check!("a viewer where admins go", 403, proxy.get("/api/v1/users").bearer(&viewer));
    check!("nothing there", 404, proxy.get("/api/v1/nothing"));
    check!("a method too many", 405, proxy.delete("/api/v1/auth/login"));
    check!("a revoked one rotated", 409, {
        let revoked = create_component(&proxy, &admin, "Rome").await.0;
        let path = format!("/api/v1/remote-components/{revoked}");
        proxy.post(&format!("{path}/revoke")).bearer(&admin).send().await.unwrap();
        proxy.post(&format!("{path}/rotate")).bearer(&admin)
    });
    check!(
        "too large for NGINX",
        413,
        proxy.post("/api/v1/users").bearer(&admin).body("application/json", vec![b' '; 70_000])
    );
    check!("too large by its length", 413, put(vec![b' '; 1024 * 1024 + 1]));
    check!("another media type", 415, proxy.post("/api/v1/users").bearer(&admin).body("text/plain", "{}"));
    check!(
        "a value that is not allowed",
        422,
        proxy.post("/api/v1/users").bearer(&admin).json(&json!({"username": "a b", "role": "viewer"}))
    );
    check!("a panic", 500, proxy.get("/api/v1/test/panic"));
    check!("a health check", 200, proxy.get("/health/ready"));
    check!("no time-series store", 503, proxy.post("/api/v1/ingest/influx").key(&key).body("text/plain", "a b=1"));
    let write = || proxy.post("/api/v2/write").body("text/plain", "a b=1");
    check!("no time-series store for a writer", 503, write().header("authorization", format!("Token {key}")));
    check!("a writer without a key", 401, write());
    check!("a write that reads", 405, proxy.get("/api/v2/write"));
    check!("nothing there for writers", 404, proxy.get("/api/v2/query"));
    check!("a batch too large for NGINX", 413, {
        proxy.post("/api/v2/write").body("text/plain", vec![b' '; 32 * 1024 * 1024 + 1])
    });
    for _ in 0..12 {
        proxy.get("/api/v1/auth/sso").send().await.unwrap();
    }
    check!("too many", 429, proxy.get("/api/v1/auth/sso"));
    let page = proxy.get("/api/v1/auth/sso").header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
    check("too many, for a person", 429, &page, false);
    assert_each_once(&page, &API, "too many, for a person");
    assert_eq!(page.only("content-type").as_deref(), Some("text/html; charset=utf-8"));
    check("figures", 404, &proxy.get("/metrics").send().await.unwrap(), false);
    check!("a hanging backend", 504, proxy.get("/api/v1/test/hang"));

    let unchanged = {
        let etag = proxy.get(&config).key(&key).send().await.unwrap().only("etag").unwrap();
        proxy.get(&config).key(&key).header("if-none-match", etag).send().await.unwrap()
    };
    check("a configuration that did not change", 304, &unchanged, false);
    assert_each_once(&unchanged, &[("cache-control", "private, no-cache"), ("vary", "X-API-Key")], "304");
    assert!(unchanged.all("pragma").is_empty());

    in_clear(&installation).await;
    made_by_nginx(&installation);
    for status in [200, 201, 202, 204, 303, 304, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503, 504] {
        assert!(seen.contains(&status), "{status} was not looked at");
    }
}

/// The production way: pages and their files come from a folder, everything else from the backend.
#[tokio::test]
async fn the_console_that_nginx_serves_carries_every_header_exactly_once() {
    let mut installation = Installation::on_sqlite();
    installation.console_root = Some(installation.path("console"));
    installation.start_nginx();
    let proxy = installation.proxy();
    let page = proxy.get("/").send().await.unwrap();
    let tag = page.only("etag").unwrap();
    let text = page.text();
    let script = text.split('"').find(|text| text.starts_with("/assets/") && text.contains(".js")).unwrap();
    let of_a_file: &[_] = &[("cache-control", "public, max-age=31536000, immutable")];
    let of_the_page: &[_] = &[("cache-control", "no-cache")];
    let of_the_api: &[_] = &API;
    for (what, status, request, caching) in [
        ("a page", 200, proxy.get("/settings/components"), of_the_page),
        ("a page, compressed", 200, proxy.get("/login").header("accept-encoding", "gzip"), of_the_page),
        ("a page that did not change", 304, proxy.get("/").header("if-none-match", tag), of_the_page),
        ("a file", 200, proxy.get(script), of_a_file),
        ("a file, compressed", 200, proxy.get(script).header("accept-encoding", "gzip"), of_a_file),
        ("a picture", 200, proxy.get("/favicon.svg"), of_the_page),
        ("a part of a file", 200, proxy.get(script).header("range", "bytes=0-9"), of_a_file),
        ("a condition that does not hold", 412, proxy.get("/").header("if-match", "\"x\""), of_the_api),
        ("nothing there", 404, proxy.get("/assets/none.js"), of_the_api),
        ("a method too many", 405, proxy.delete("/login"), of_the_api),
        ("a method too many on a file", 405, proxy.put(script), of_the_api),
        ("the API", 401, proxy.get("/api/v1/auth/me"), of_the_api),
        ("a way to somewhere else", 303, proxy.get("/sso"), of_the_api),
        ("a health check", 200, proxy.get("/health/ready"), of_the_api),
        ("figures", 404, proxy.get("/metrics"), of_the_api),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
        assert_each_once(&answer, &SECURITY, what);
        assert_each_once(&answer, caching, what);
        assert_eq!(answer.all("cache-control").len(), 1, "{what}");
        assert!(answer.all("expires").is_empty(), "{what}");
    }

    // Pages need no backend; what they ask does.
    installation.server().signal(Signal::KILL);
    installation.server().wait().unwrap();
    let page = proxy.get("/audit").send().await.unwrap();
    assert_eq!(page.status, 200);
    assert_each_once(&page, of_the_page, "a page without a backend");
    let answer = proxy.get("/nothing").send().await.unwrap();
    assert_eq!(answer.status, 502);
    assert_each_once(&answer, of_the_api, "no backend");
    assert_each_once(&answer, &SECURITY, "no backend");
}

/// Port 80: the same but for HSTS, which RFC 6797 forbids in clear.
async fn in_clear(installation: &Installation) {
    let plain = Client::new(format!("http://localhost:{}", installation.http_port)).unwrap();
    let without_hsts: Vec<_> = SECURITY.into_iter().filter(|(name, _)| *name != "strict-transport-security").collect();
    let page = plain.get("/some/path?a=b").send().await.unwrap();
    let external = format!("https://localhost:{}/some/path?a=b", installation.https_port);
    assert_eq!((page.status, page.only("location")), (301, Some(external)));
    assert_each_once(&page, &without_hsts, "the way to HTTPS");
    for (name, value) in
        [("authorization", "Bearer x"), ("x-api-key", "x"), ("cookie", "a=b; __Host-stratora_session=x")]
    {
        let refused = plain.get("/api/v1/auth/me").header(name, value).send().await.unwrap();
        assert_eq!((refused.status, refused.only("location")), (403, None), "{name}");
        assert_eq!(refused.error(), "forbidden");
        assert_each_once(&refused, &without_hsts, "a credential in clear");
        assert!(refused.all("strict-transport-security").is_empty());
    }
    let token = installation.path("acme/.well-known/acme-challenge");
    std::fs::create_dir_all(&token).unwrap();
    std::fs::write(token.join("token"), "proof").unwrap();
    let challenge = plain.get("/.well-known/acme-challenge/token").send().await.unwrap();
    assert_eq!((challenge.status, challenge.text().as_str()), (200, "proof"));
    assert_each_once(&challenge, &without_hsts, "an ACME challenge");
    let elsewhere = plain.get("/").header("host", "evil.test").send().await.unwrap();
    assert_eq!((elsewhere.status, elsewhere.only("location")), (421, None));
    assert_each_once(&elsewhere, &without_hsts, "another host in clear");
}

/// What NGINX answers before it knows which site is meant.
fn made_by_nginx(installation: &Installation) {
    let long = "a".repeat(40_000);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n"), 400),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("TRACE /api/v1/auth/me HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 405),
        ("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n".to_owned(), 421),
        ("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n".to_owned(), 505),
        ("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400),
    ] {
        let answer = raw_tls(installation.https_port, request.as_bytes()).unwrap();
        let shown = &request[..request.len().min(60)];
        assert_eq!(answer.statuses(), [status], "{shown:?}: {}", answer.text);
        let lower = answer.text.to_ascii_lowercase();
        for (name, value) in SECURITY {
            let line = format!("\r\n{name}: {}\r\n", value.to_ascii_lowercase());
            assert_eq!(lower.matches(&line).count(), 1, "{name} on {shown:?}: {}", answer.text);
        }
    }
    let garbage = raw_tcp(installation.https_port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(garbage.statuses(), [400]);
    assert!(!garbage.text.to_ascii_lowercase().contains("strict-transport-security"), "that was in clear");
}

#[tokio::test]
async fn without_a_backend_nginx_says_so_in_the_products_words() {
    let mut installation = Installation::prepare(None, "");
    installation.start_nginx();
    let answer = installation.proxy().get("/api/v1/auth/me").send().await.unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (502, "bad_gateway"));
    assert_each_once(&answer, &SECURITY, "no backend");
    assert_each_once(&answer, &API, "no backend");
    assert!(answer.only("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
}

#[tokio::test]
async fn the_backend_is_safe_without_nginx() {
    let installation = Installation::on_sqlite();
    let backend = installation.backend();
    for (path, status) in [("/api/v1/auth/me", 401), ("/api/v1/nothing", 404), ("/nothing", 404)] {
        let answer = backend.get(path).send().await.unwrap();
        assert_eq!(answer.status, status);
        assert_each_once(&answer, &API, path);
    }
    let page = backend.get("/").send().await.unwrap();
    let plain: Vec<_> = SECURITY
        .into_iter()
        .filter(|(name, _)| *name != "strict-transport-security")
        .map(|(name, value)| (name, value.strip_suffix(" upgrade-insecure-requests;").unwrap_or(value)))
        .collect();
    assert_each_once(&page, &plain, "a page in clear");
    assert!(page.all("strict-transport-security").is_empty());
    assert!(page.all("server").is_empty() && page.all("x-powered-by").is_empty());
    let foreign = backend.get("/api/v1/auth/providers").header("origin", "https://evil.test").send().await.unwrap();
    assert!(foreign.all("access-control-allow-origin").is_empty());
}

#[test]
fn tls_is_of_versions_1_2_and_1_3_only() {
    let mut installation = Installation::prepare(None, "");
    installation.start_nginx();
    let handshake = |version: &str| {
        let directory = installation.path("openssl");
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = std::process::Command::new("openssl");
        let address = format!("127.0.0.1:{}", installation.https_port);
        command.args(["s_client", "-connect", &address, version, "-cipher", "DEFAULT@SECLEVEL=0"]);
        let mut client = Background::start(&mut command, &directory, version).unwrap();
        client.wait().unwrap().success()
    };
    assert!(handshake("-tls1_2") && handshake("-tls1_3"));
    assert!(!handshake("-tls1") && !handshake("-tls1_1"));
    assert_ne!(free_port().unwrap(), installation.https_port);
}
