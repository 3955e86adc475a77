//! The console: as the server and NGINX send it, and as a browser shows it, through NGINX over TLS. `npm run e2e` in
//! `bins/console` walks through every corner of it and takes pictures.

use std::time::Duration;

use serde_json::{Value, json};
use stratora_testing::{Answer, Browser, Client, OidcProvider};

use crate::support::Installation;

async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(client.get(path), |request, (name, value)| request.header(name, value));
    request.send().await.unwrap()
}

/// The address of the first script that the page names.
fn script(page: &str) -> String {
    let path = page.split('"').find(|text| text.starts_with("/assets/") && text.contains(".js"));
    path.unwrap_or_else(|| panic!("the server was built without the console: run cargo xtask console\n{page}"))
        .to_owned()
}

#[tokio::test]
async fn the_page_is_asked_for_anew_and_its_files_are_kept_for_ever() {
    let mut installation = Installation::on_sqlite();
    installation.start_nginx();
    assert_served(&installation.proxy(), &["br", "gzip"]).await;
}

#[tokio::test]
async fn nginx_serves_the_same_console_from_files() {
    let mut installation = Installation::on_sqlite();
    let root = installation.path("console");
    installation.console_root = Some(root.clone());
    installation.start_nginx();
    let proxy = installation.proxy();
    // NGINX itself knows no Brotli; its siblings are there for those who add it.
    assert_served(&proxy, &["gzip"]).await;
    let page = get(&proxy, "/", &[]).await;
    assert_eq!(page.body, std::fs::read(root.join("index.html")).unwrap());
    let script = script(&page.text());
    for sibling in ["", ".br", ".gz"] {
        assert!(root.join(format!("{}{sibling}", script.trim_start_matches('/'))).is_file(), "{sibling}");
    }

    // What is there is left as it is by the next rendering, so that browsers need not fetch it again.
    let tag = page.header("etag").unwrap().to_owned();
    installation.pass_to(&[], None);
    assert_eq!(get(&proxy, "/", &[("if-none-match", &tag)]).await.status, 304);

    // A file that is not here may be one of another release, which a backend still has.
    std::fs::remove_file(root.join(script.trim_start_matches('/'))).unwrap();
    assert_eq!(get(&proxy, &script, &[]).await.status, 200);
}

async fn assert_served(proxy: &Client, encodings: &[&str]) {
    let page = get(proxy, "/", &[]).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let script = script(&page.text());
    for screen in ["/login", "/settings/components", "/settings/identity-providers/attempts", "/audit", "/hardening"] {
        assert_eq!(get(proxy, screen, &[]).await.body, page.body, "{screen}");
    }
    let tag = page.header("etag").unwrap().to_owned();
    let known = get(proxy, "/", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));

    let plain = get(proxy, &script, &[]).await;
    assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(plain.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(plain.header("content-encoding"), None);
    for &encoding in encodings {
        let compressed = get(proxy, &script, &[("accept-encoding", encoding)]).await;
        assert_eq!(compressed.header("content-encoding"), Some(encoding));
        assert!(compressed.body.len() < plain.body.len(), "{encoding}: {}", compressed.body.len());
        assert_ne!(compressed.header("etag"), plain.header("etag"));
        assert!(compressed.header("vary").unwrap().to_ascii_lowercase().contains("accept-encoding"));
    }
    let compressed = format!("{script}.br");
    for nothing in
        [&compressed, "/index.html", "/assets/none.js", "/assets/..%2findex.html", "/nothing", "/settings", "//"]
    {
        let answer = get(proxy, nothing, &[]).await;
        assert_eq!((answer.status, answer.error().as_str()), (404, "not_found"), "{nothing}");
    }
    for path in ["/login", &script] {
        let refused = proxy.post(path).send().await.unwrap();
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
}

#[test]
fn a_browser_shows_the_sign_in_page_under_the_content_security_policy() {
    let mut installation = Installation::on_sqlite();
    installation.start_nginx();
    let url = format!("https://localhost:{}/settings/components?q=berlin", installation.https_port);
    let seen = Browser::run("visit", &json!({"url": url, "accessibility": true})).unwrap();
    let result = &seen["result"];
    assert!(result["url"].as_str().unwrap().contains("/login"), "{seen}");
    assert!(result["text"].as_str().unwrap().contains("Sign in"), "{seen}");
    for list in ["csp_violations", "page_errors"] {
        assert_eq!(seen[list], json!([]), "{seen}");
    }
    assert_eq!(result["accessibility"], json!([]), "{seen}");
    let base = format!("https://localhost:{}/", installation.https_port);
    let requests = seen["requests"].as_array().unwrap();
    assert!(requests.iter().all(|request| request["url"].as_str().unwrap().starts_with(&base)), "{seen}");
}

/// What is asked for on the way and refused on purpose: each is a step of the walk.
const REFUSED: [&str; 5] = [
    // Wrong passwords, until there are too many.
    "401 POST /api/v1/auth/login",
    "429 POST /api/v1/auth/login",
    // Whoever signs out in another tab, while this one asks.
    "401 GET /api/v1/",
    // The list of components asks after a rotation of the fleet, and there never was one.
    "404 GET /api/v1/remote-components/rotate-fleet",
    // No time-series store runs here, which the diagnostics tell.
    "503 GET /api/v1/metrics/query",
];

#[test]
fn people_do_all_their_work_in_the_console_that_nginx_serves() {
    let mut installation = Installation::with_settings("oidc:\n  allow_loopback: true\n");
    installation.console_root = Some(installation.path("console"));
    installation.start_nginx();
    let base = format!("https://localhost:{}", installation.https_port);
    let provider = OidcProvider::start(&json!({
        "mode": "form",
        "accounts": [{"username": "grace", "password": "compilers", "claims": {
            "sub": "248289761001", "preferred_username": "grace", "name": "Grace Hopper", "groups": ["ops"],
        }}],
        "clients": [{
            "client_id": "stratora", "client_secret": "a client secret",
            "redirect_uris": [format!("{base}/api/v1/auth/oidc/callback")],
        }],
    }));
    let provider = provider.unwrap();
    let parameters = json!({
        "baseUrl": base, "oneTimePassword": installation.one_time_password(), "issuer": provider.issuer(),
        "clientSecret": "a client secret",
    });
    let seen = Browser::run_within(Duration::from_mins(4), "console", &parameters).unwrap();

    assert_eq!(seen["result"]["accessibility"], json!([]));
    for list in ["csp_violations", "page_errors"] {
        assert_eq!((&seen[list], &seen["result"]["guest"][list]), (&json!([]), &json!([])), "{list}");
    }
    for request in seen["requests"].as_array().unwrap() {
        let (url, status) = (request["url"].as_str().unwrap(), request["status"].as_u64().unwrap_or_default());
        let path = url.strip_prefix(&base).unwrap_or_else(|| panic!("a request to somebody else: {url}"));
        let line = format!("{status} {} {path}", request["method"].as_str().unwrap());
        assert!(status < 400 || REFUSED.iter().any(|refused| line.starts_with(refused)), "{line}");
    }
    let storage = |seen: &Value| seen["storage"][&base].clone();
    assert_eq!(storage(&seen), json!({"local": {}, "session": {}}), "signed out");
    let kept = storage(&seen["result"]["guest"]);
    assert_eq!(kept["local"].as_object().unwrap().keys().collect::<Vec<_>>(), ["stratora.token"]);
    assert_eq!(kept["session"], json!({}));
}
