//! The NGINX site that is checked in: rendered from the policy and the template, and without what would undo the headers.
//! After a change to either, `UPDATE_SITE=1 cargo test -p stratora-headers` writes the files anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior, context};
use stratora_headers::nginx::includes;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nginx")
}

fn read(name: &str) -> String {
    fs::read_to_string(directory().join(name)).unwrap_or_default()
}

fn assert_checked_in(name: &str, rendered: &str) {
    if std::env::var_os("UPDATE_SITE").is_some() {
        fs::write(directory().join(name), rendered).unwrap();
    }
    assert_eq!(read(name), rendered, "nginx/{name} is not what is rendered; see the top of this test");
}

/// The site of an installation whose backend and NGINX share a host.
fn site(console_root: &str) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let values = context! {
        server_names => ["stratora.example.com", "localhost"],
        http_listen => ["80", "[::]:80"],
        https_listen => ["443", "[::]:443"],
        backends => [context! { address => "127.0.0.1:8080", drained => false }],
        external_url => "https://stratora.example.com",
        certificate => "/etc/nginx/stratora/certificate.pem",
        certificate_key => "/etc/nginx/stratora/certificate-key.pem",
        include_dir => "/etc/nginx/stratora",
        acme_webroot => "/var/www/acme",
        console_root => console_root,
        console_screens => ["/", "/settings/identity-providers/[^/]+"],
        access_log => "/var/log/nginx/stratora-access.log",
        error_log => "/var/log/nginx/stratora-error.log",
    };
    environment.render_str(&read("stratora.conf.j2"), values).unwrap() + "\n"
}

#[test]
fn the_include_files_are_what_the_policy_renders() {
    for include in includes() {
        assert_checked_in(include.name, &include.text);
    }
}

#[test]
fn the_site_is_what_the_template_renders() {
    assert_checked_in("stratora.conf", &site(""));
}

#[test]
fn every_included_file_is_there() {
    for line in site("/usr/share/stratora/console").lines() {
        if let Some(path) = line.trim().strip_prefix("include /etc/nginx/stratora/") {
            assert!(directory().join(path.trim_end_matches(';')).is_file(), "{path}");
        }
    }
}

#[test]
fn no_location_adds_a_header_and_so_drops_the_others() {
    for site in [site(""), site("/usr/share/stratora/console")] {
        // Four spaces in is the level of a server.
        let mut adding = site.lines().filter(|line| line.trim_start().starts_with("add_header "));
        assert!(adding.all(|line| line.starts_with("    add_header ")));
        assert!(site.lines().any(|line| line == "    include /etc/nginx/stratora/headers.conf;"));
    }
}

#[test]
fn every_server_has_the_headers_and_the_error_pages() {
    for site in [site(""), site("/usr/share/stratora/console")] {
        let servers = site.matches("\nserver {").count();
        assert_eq!(servers, 4);
        for needed in [
            "include /etc/nginx/stratora/headers.conf;",
            "location /stratora-error/ {",
            "error_page 400 ",
            "server_tokens off;",
        ] {
            assert_eq!(site.matches(needed).count(), servers, "{needed}");
        }
    }
}

#[test]
fn only_a_site_that_serves_the_console_reads_files_of_it() {
    let (proxied, served) = (site(""), site("/usr/share/stratora/console"));
    for needed in ["gzip_static on;", "root /usr/share/stratora/console;", "$stratora_console_caching"] {
        assert!(served.contains(needed) && !proxied.contains(needed), "{needed}");
    }
    // What depends on who asks never comes from a file.
    assert!(served.contains("    location /api/ {\n        proxy_pass http://stratora_backend;"));
}

#[test]
fn nobody_turns_off_the_buffering_of_requests() {
    let all = [site("/usr/share/stratora/console"), read("proxy.conf"), read("tls.conf")].concat();
    assert_eq!(all.matches("proxy_request_buffering").count(), 1);
    assert!(all.contains("proxy_request_buffering on;"));
}

#[test]
fn no_query_string_is_logged() {
    let site = site("");
    let format = site.split_once("log_format").unwrap().1.split_once(';').unwrap().0;
    for variable in ["$request\"", "$request_uri", "$args", "$query_string", "$http_referer"] {
        assert!(!format.contains(variable), "{variable}");
    }
}
