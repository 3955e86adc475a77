//! The console: as the server sends it, and as a browser shows it, through NGINX over TLS. `npm run e2e` in `bins/console`
//! walks through all of it.

use serde_json::json;
use stratora_testing::{Answer, Browser, Client};

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
    let proxy = installation.proxy();
    let page = get(&proxy, "/", &[]).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let script = script(&page.text());
    for screen in ["/login", "/settings/components", "/settings/identity-providers/attempts", "/audit", "/hardening"] {
        assert_eq!(get(&proxy, screen, &[]).await.body, page.body, "{screen}");
    }
    let tag = page.header("etag").unwrap().to_owned();
    let known = get(&proxy, "/", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));

    let plain = get(&proxy, &script, &[]).await;
    assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(plain.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(plain.header("content-encoding"), None);
    for encoding in ["br", "gzip"] {
        let compressed = get(&proxy, &script, &[("accept-encoding", encoding)]).await;
        assert_eq!(compressed.header("content-encoding"), Some(encoding));
        assert!(compressed.body.len() < plain.body.len(), "{encoding}: {}", compressed.body.len());
        assert_ne!(compressed.header("etag"), plain.header("etag"));
        assert!(compressed.header("vary").unwrap().contains("accept-encoding"));
    }
    for nothing in
        [&format!("{script}.br"), "/assets/none.js", "/assets/..%2findex.html", "/nothing", "/settings", "//"]
    {
        assert_eq!(get(&proxy, nothing, &[]).await.status, 404, "{nothing}");
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
