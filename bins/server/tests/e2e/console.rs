//! The console: as the server sends it, and as people use it, in a real browser through NGINX over TLS.

use std::path::Path;
use std::process::Command;

use stratora_testing::{Answer, Client};

use crate::support::Installation;

/// Where the console and what walks through it are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../console");

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
fn people_walk_through_the_console_in_a_browser() {
    let mut installation = Installation::on_sqlite();
    installation.start_nginx();
    let password = installation.one_time_password();
    let pictures = installation.path("pictures");
    let mut walk = Command::new("node");
    walk.arg("e2e/run.mjs").current_dir(Path::new(FOLDER));
    walk.env("BASE_URL", format!("https://localhost:{}", installation.https_port));
    walk.env("ADMIN_PASSWORD", password).env("OUT", &pictures);
    // The certificate was made a moment ago.
    walk.env("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    let walked = walk.output().unwrap();
    let said = String::from_utf8_lossy(&walked.stdout) + String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{said}");
}
