//! Each counterpart starts, does what it is there for, and can be taken away.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by a panic")]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use stratora_testing::{
    Answer, Background, Browser, Certificate, Client, Nginx, OidcProvider, Postgres, PostgresDatabase, Signal,
    VictoriaMetrics, free_port, raw_tcp, raw_tls,
};

/// More than any of the waits takes.
const LONG: Duration = Duration::from_secs(30);

/// A request for TLS, which PostgreSQL answers with one byte, `N` when it has none; its documentation, section 55.7.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

#[test]
fn databases_of_one_server_know_nothing_of_each_other() {
    let shared = Postgres::shared().unwrap();
    let (one, other) = (shared.create_database().unwrap(), shared.create_database().unwrap());
    assert_ne!(one.url(), other.url());
    one.run("CREATE TABLE kept (number int)").unwrap();
    one.run("INSERT INTO kept VALUES (42)").unwrap();
    assert_eq!(one.run("SELECT number FROM kept").unwrap(), "42");
    assert!(other.run("SELECT number FROM kept").unwrap_err().to_string().contains("does not exist"));
}

#[test]
fn a_database_that_shuts_out_lets_in_again() {
    let database = PostgresDatabase::create().unwrap();
    database.shut_out().unwrap();
    assert!(database.run("SELECT 1").is_err());
    database.let_in().unwrap();
    assert_eq!(database.run("SELECT 1").unwrap(), "1");
}

#[test]
fn a_stopped_cluster_answers_nobody_and_keeps_what_was_committed() {
    let mut postgres = Postgres::start().unwrap();
    let database = postgres.create_database().unwrap();
    database.run("CREATE TABLE kept (number int)").unwrap();
    postgres.stop().unwrap();
    assert!(database.run("SELECT 1").is_err());
    postgres.start_again().unwrap();
    assert!(postgres.start_again().is_err(), "it runs");
    postgres.restart().unwrap();
    assert_eq!(database.run("SELECT count(*) FROM kept").unwrap(), "0");
    assert!(database.url().starts_with(&postgres.url("test_")));
}

#[test]
fn a_paused_cluster_answers_when_it_is_resumed() {
    let mut postgres = Postgres::start().unwrap();
    let url = postgres.url("");
    let address = url.split_once('@').unwrap().1.trim_end_matches('/');
    postgres.pause();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(&SSL_REQUEST).unwrap();
    connection.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut answer = [0];
    let silence = connection.read(&mut answer).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    postgres.resume();
    connection.set_read_timeout(Some(LONG)).unwrap();
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(answer, *b"N");
}

#[test]
fn a_paused_cluster_leaves_no_process_behind() {
    let mut postgres = Postgres::start().unwrap();
    let all = postgres.create_database().unwrap().run("SELECT pid FROM pg_stat_activity").unwrap();
    let processes: Vec<_> = all.lines().map(|id| PathBuf::from("/proc").join(id)).collect();
    let (own, background) = processes.iter().partition::<Vec<_>, _>(|process| !process.exists());
    assert!(own.len() <= 1 && background.len() >= 3, "{processes:?}");
    postgres.pause();
    drop(postgres);
    assert!(!background.iter().any(|process| process.exists()));
}

#[tokio::test]
async fn victoria_metrics_shows_at_once_what_was_written() {
    let mut store = VictoriaMetrics::start().unwrap();
    let client = Client::new(store.url()).unwrap();
    let written = client.post("/write").body("text/plain", "cpu,host=berlin load=0.5").send().await.unwrap();
    assert_eq!(written.status, 204, "{}", written.text());
    assert_eq!(store.series("cpu_load").await.unwrap()[0]["host"], "berlin");
    let found = store.query("cpu_load{host=\"berlin\"} * 2").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["value"][1], "1");
    assert!(store.query("nothing").await.unwrap().is_empty());
    assert!(store.query("(").await.is_err());
    store.stop().unwrap();
    assert!(store.query("cpu_load").await.is_err());
}

/// A site over TLS that answers everything with `answer`, a directive of NGINX.
fn site(directory: &Path, port: u16, certificate: &Certificate, answer: &str) -> PathBuf {
    let site = directory.join("site.conf");
    let (certificate, key) = (certificate.certificate.display(), certificate.key.display());
    let text = format!(
        "server {{\n    listen 127.0.0.1:{port} ssl http2;\n    ssl_certificate {certificate};\n    \
         ssl_certificate_key {key};\n    {answer}\n}}\n",
    );
    fs::write(&site, text).unwrap();
    site
}

#[tokio::test]
async fn nginx_serves_a_site_over_tls_and_reads_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::create(directory.path(), &["stratora.test"]).unwrap();
    let port = free_port().unwrap();
    let write = |answer: &str| site(directory.path(), port, &certificate, answer);
    let doubled =
        write("add_header X-One 1; add_header X-Two 2; add_header X-Two 3; return 200 \"$http_x_a$http_cookie\";");
    let mut nginx = Nginx::start(&doubled, directory.path()).unwrap();
    let client = Client::trusting(format!("https://localhost:{port}"), &certificate).unwrap();

    let answer = client.get("/").header("x-a", "echo ").cookie("a", "b").cookie("c", "d").send().await.unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "echo a=b; c=d"));
    assert_eq!((answer.header("X-One"), answer.header("x-three")), (Some("1"), None));
    assert_eq!((answer.header_count("x-two"), answer.only("x-two")), (2, None));
    assert_eq!(answer.all("x-two"), ["2", "3"]);

    write("return 404;");
    nginx.reload().unwrap();
    assert_eq!(client.get("/").send().await.unwrap().status, 404);
    write("return nonsense;");
    assert!(nginx.reload().unwrap_err().to_string().contains("invalid return code"));
    assert_eq!(client.get("/").send().await.unwrap().status, 404, "the site before goes on");
    nginx.stop().unwrap();
    assert!(client.get("/").send().await.is_err());
}

#[tokio::test]
async fn a_client_that_trusts_a_certificate_believes_no_other() {
    let (directory, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let certificate = Certificate::create(directory.path(), &["stratora.test"]).unwrap();
    let other = Certificate::create(elsewhere.path(), &["stratora.test"]).unwrap();
    let port = free_port().unwrap();
    let site = site(directory.path(), port, &certificate, "return 204;");
    let _nginx = Nginx::start(&site, directory.path()).unwrap();
    for (host, trusted, believes) in
        [("localhost", &certificate, true), ("127.0.0.1", &certificate, true), ("127.0.0.1", &other, false)]
    {
        let client = Client::trusting(format!("https://{host}:{port}"), trusted).unwrap();
        assert_eq!(client.get("/").send().await.is_ok(), believes, "{host}");
    }
    let careless = Client::new(format!("https://127.0.0.1:{port}")).unwrap();
    assert_eq!(careless.get("/").send().await.unwrap().status, 204);
    assert!(careless.get("/").header("not a name", "a").send().await.is_err());
}

#[test]
fn nginx_says_why_it_refuses_a_site() {
    let directory = tempfile::tempdir().unwrap();
    let site = directory.path().join("site.conf");
    fs::write(&site, "nonsense;").unwrap();
    let refused = Nginx::start(&site, directory.path()).err().unwrap();
    assert!(refused.to_string().contains("unknown directive \"nonsense\""), "{refused}");
}

#[test]
fn raw_bytes_go_out_as_they_are_and_every_response_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::create(directory.path(), &[]).unwrap();
    let port = free_port().unwrap();
    let site = site(directory.path(), port, &certificate, "return 200 here;");
    let _nginx = Nginx::start(&site, directory.path()).unwrap();
    let last = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let pipelined = raw_tls(port, format!("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n{last}").as_bytes()).unwrap();
    assert_eq!((pipelined.statuses(), pipelined.closed), (vec![200, 200], true), "{}", pipelined.text);
    let doubled = raw_tls(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(doubled.unwrap().statuses(), [400]);
    assert_eq!(raw_tcp(port, last.as_bytes()).unwrap().statuses(), [400], "clear text where TLS is spoken");
}

#[test]
fn a_line_is_awaited_from_this_process_and_not_from_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let start =
        |script: &str| Background::start(Command::new("sh").args(["-c", script]), directory.path(), "sh").unwrap();
    let mut first = start("echo the first is ready; exec tail -f /dev/null");
    assert_eq!(first.wait_for_line("ready", LONG).unwrap(), "the first is ready");
    assert!(first.wait_for_line("something else", Duration::ZERO).is_err());
    assert!(!first.stop(Signal::TERM).unwrap().success());
    let mut second = start("echo the second is ready >&2");
    assert_eq!(second.wait_for_line("ready", LONG).unwrap(), "the second is ready");
    assert!(second.wait_for_line("first", LONG).is_err(), "it has ended");
    assert_eq!((second.stdout().as_str(), second.output().as_str()), ("the first is ready\n", "the second is ready\n"));
    assert!(second.stop(Signal::TERM).unwrap().success());
}

/// A code verifier and its challenge, from RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Where clients of the provider want codes to be sent, when nobody listens there.
const CALLBACK: &str = "http://127.0.0.1:1/callback";

/// A provider with one account and one client, who is told at `logout` when a session ends.
fn provider(mode: &str, redirect_uri: &str, logout: &str) -> OidcProvider {
    let claims = json!({
        "sub": "1815", "preferred_username": "ada", "name": "Ada Lovelace", "email": "ada@example.org",
        "email_verified": true, "groups": ["ops", "admins", "ops"],
    });
    let client = json!({
        "client_id": "stratora", "client_secret": "a+secret/of=theirs",
        "token_endpoint_auth_method": "client_secret_post", "id_token_signed_response_alg": "ES256",
        "redirect_uris": [redirect_uri],
        "backchannel_logout_uri": logout, "backchannel_logout_session_required": true,
    });
    let account = json!({"username": "ada", "password": "an engine", "claims": claims});
    OidcProvider::start(&json!({"mode": mode, "accounts": [account], "clients": [client]})).unwrap()
}

/// The parameters of the last redirect of a sign-in that asks for nothing.
async fn follow_redirects(provider: &OidcProvider) -> Value {
    let client = Client::new("").unwrap();
    let parameters = [
        ("client_id", "stratora"),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("redirect_uri", CALLBACK),
        ("state", "of our own"),
        ("nonce", "used once"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let mut cookies = Vec::new();
    let mut answer = client.get(&format!("{}/auth", provider.issuer())).query(&parameters).send().await.unwrap();
    loop {
        assert_eq!(answer.status, 303, "{}", answer.text());
        cookies.extend(answer.all("set-cookie").iter().map(|cookie| cookie.split(';').next().unwrap().to_owned()));
        let location = answer.header("location").unwrap();
        if let Some(query) = location.strip_prefix(CALLBACK) {
            return form(query.trim_start_matches('?'));
        }
        // Some are relative.
        let path = location.strip_prefix(provider.issuer()).unwrap_or(location);
        let next = client.get(&format!("{}{path}", provider.issuer()));
        answer = next.header("cookie", cookies.join("; ")).send().await.unwrap();
    }
}

/// A form as an object. Values stay encoded.
fn form(text: &str) -> Value {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

async fn redeem(provider: &OidcProvider, code: &Value, secret: &str) -> Answer {
    let body = format!(
        "grant_type=authorization_code&code={}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}&client_id=stratora&\
         client_secret={secret}",
        code.as_str().unwrap(),
    );
    let token = Client::new(provider.issuer()).unwrap().post("/token");
    token.body("application/x-www-form-urlencoded", body).send().await.unwrap()
}

/// A part of a token: 0 is its header, 1 what it says.
fn part(token: &Value, number: usize) -> Value {
    let part = token.as_str().unwrap().split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn key_ids(provider: &OidcProvider) -> Vec<String> {
    let set = Client::new(provider.issuer()).unwrap().get("/jwks").send().await.unwrap().json();
    let keys = set.get("keys").and_then(Value::as_array).unwrap();
    keys.iter().map(|key| key.get("kid").and_then(Value::as_str).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_provider_is_discovered_and_gone_when_it_is_stopped() {
    let mut provider = provider("auto", CALLBACK, CALLBACK);
    let client = Client::new(provider.issuer()).unwrap();
    let metadata = client.get("/.well-known/openid-configuration").send().await.unwrap().json();
    assert_eq!(metadata["issuer"], provider.issuer());
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        assert!(metadata["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&json!(algorithm)));
    }
    assert_eq!(provider.requests("GET /.well-known/openid-configuration"), 1);
    assert_eq!(provider.requests("GET /jwks"), 0);
    provider.stop().unwrap();
    assert!(client.get("/jwks").send().await.is_err());
}

#[test]
fn a_provider_says_why_it_refuses_its_settings() {
    let client = json!({"client_id": "stratora"});
    let refused = OidcProvider::start(&json!({"accounts": [], "clients": [client]})).err().unwrap();
    assert!(format!("{refused:#}").contains("client_secret is mandatory"), "{refused:#}");
}

#[tokio::test]
async fn a_provider_hands_out_the_claims_of_its_account_and_signs_with_keys_that_it_can_replace() {
    let provider = provider("auto", CALLBACK, CALLBACK);
    let before = key_ids(&provider).await;
    let sent = follow_redirects(&provider).await;
    assert_eq!(sent["state"], "of+our+own");
    assert!(sent["iss"].as_str().unwrap().starts_with("http%3A%2F%2F127.0.0.1"), "{sent}");
    assert_eq!(redeem(&provider, &sent["code"], "another").await.status, 401);

    let sent = follow_redirects(&provider).await;
    let token = redeem(&provider, &sent["code"], "a%2Bsecret%2Fof%3Dtheirs").await.json()["id_token"].clone();
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!(header["alg"], "ES256");
    assert!(before.contains(&header["kid"].as_str().unwrap().to_owned()));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(provider.issuer()), &json!("stratora")));
    assert_eq!((&claims["sub"], &claims["nonce"]), (&json!("1815"), &json!("used once")));
    assert_eq!((&claims["email_verified"], &claims["preferred_username"]), (&json!(true), &json!("ada")));
    assert_eq!(claims["groups"], json!(["ops", "admins", "ops"]));

    provider.rotate_keys().await.unwrap();
    let after = key_ids(&provider).await;
    assert!(after.len() == 3 && !after.iter().any(|id| before.contains(id)), "{before:?} {after:?}");
    let sent = follow_redirects(&provider).await;
    let token = redeem(&provider, &sent["code"], "a%2Bsecret%2Fof%3Dtheirs").await.json()["id_token"].clone();
    assert!(after.contains(&part(&token, 0)["kid"].as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn a_provider_can_refuse_and_change_who_signs_in() {
    let provider = provider("refuse", CALLBACK, CALLBACK);
    assert_eq!(follow_redirects(&provider).await["error"], "access_denied");
    let other = json!({"username": "grace", "claims": {"sub": "1906"}});
    provider.set(&json!({"mode": "auto", "accounts": [other]})).await.unwrap();
    let sent = follow_redirects(&provider).await;
    let token = redeem(&provider, &sent["code"], "a%2Bsecret%2Fof%3Dtheirs").await.json()["id_token"].clone();
    assert_eq!((&part(&token, 1)["sub"], &part(&token, 1)["groups"]), (&json!("1906"), &Value::Null));
    assert!(provider.set(&json!({"clients": []})).await.is_err());
}

#[tokio::test]
async fn a_provider_that_ends_a_session_tells_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::create(directory.path(), &[]).unwrap();
    let port = free_port().unwrap();
    let answers = "location /told { return 200; } location / { return 400; }";
    let site = site(directory.path(), port, &certificate, answers);
    let _client = Nginx::start(&site, directory.path()).unwrap();
    for (path, accepted) in [("told", true), ("elsewhere", false)] {
        let provider = provider("auto", CALLBACK, &format!("https://localhost:{port}/{path}"));
        assert!(provider.end_session("ada").await.unwrap().is_empty(), "there is none yet");
        let sent = follow_redirects(&provider).await;
        let token = redeem(&provider, &sent["code"], "a%2Bsecret%2Fof%3Dtheirs").await.json()["id_token"].clone();
        let told = provider.end_session("ada").await.unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].client_id.as_str(), told[0].error.is_none()), ("stratora", accepted), "{told:?}");
        assert_eq!(told[0].sid.as_deref(), part(&token, 1)["sid"].as_str());
        assert_eq!(part(&json!(told[0].logout_token), 0)["typ"], "logout+jwt");
        assert!(provider.end_session("ada").await.unwrap().is_empty(), "it has ended");
        assert!(provider.end_session("nobody").await.is_err());
    }
}

#[test]
fn a_browser_shows_what_a_page_says_and_what_its_policy_forbids() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::create(directory.path(), &[]).unwrap();
    let port = free_port().unwrap();
    let page = "<!DOCTYPE html><title>A title</title><h1>Welcome</h1><script>localStorage.a = 1</script>";
    let answer = format!(
        "default_type text/html; location / {{ return 200 '{page}'; }} location /strict {{ \
         add_header Content-Security-Policy \"default-src 'self'\"; return 200 '{page}'; }}"
    );
    let site = site(directory.path(), port, &certificate, &answer);
    let _nginx = Nginx::start(&site, directory.path()).unwrap();
    let origin = format!("https://localhost:{port}");
    let screenshot = directory.path().join("page.png");

    let parameters = json!({"url": format!("{origin}/#a"), "screenshot": screenshot, "accessibility": true});
    let seen = Browser::run("visit", &parameters).unwrap();
    assert_eq!((&seen["result"]["status"], &seen["result"]["text"]), (&json!(200), &json!("Welcome")));
    assert_eq!(seen["arrivals"], json!([format!("{origin}/#a")]));
    assert_eq!(seen["requests"][0]["url"], format!("{origin}/"));
    assert_eq!((&seen["csp_violations"], &seen["storage"][&origin]["local"]["a"]), (&json!([]), &json!("1")));
    let found = seen["result"]["accessibility"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["id"] == "html-has-lang"), "{found:?}");
    assert!(fs::read(screenshot).unwrap().starts_with(b"\x89PNG"));

    let seen = Browser::run("visit", &json!({"url": format!("{origin}/strict")})).unwrap();
    assert_eq!(seen["csp_violations"][0]["violatedDirective"], "script-src-elem", "{seen}");
    assert_eq!(seen["storage"][&origin]["local"], json!({}));
    assert_eq!(seen["console_errors"].as_array().unwrap().len(), 1);

    let failed = Browser::run("visit", &json!({"url": "https://localhost:1/"})).unwrap_err();
    assert!(failed.to_string().contains("ERR_"), "{failed}");
}

/// A client of a provider, made of redirects: the cookie that ties the return to the browser has `same_site`.
fn relying_party(port: u16, issuer: &str, same_site: &str) -> String {
    let callback = format!("https%3A%2F%2Flocalhost%3A{port}%2Fapi%2Fv1%2Fauth%2Foidc%2Fcallback");
    format!(
        "absolute_redirect off; default_type text/html; \
         location / {{ return 200 '<!DOCTYPE html><title>Here</title>'; }} \
         location /api/v1/auth/oidc/authorize/one {{ \
         add_header Set-Cookie 'binding=here; Path=/; Secure; HttpOnly; SameSite={same_site}'; \
         return 302 '{issuer}/auth?client_id=stratora&response_type=code&scope=openid&redirect_uri={callback}&\
         code_challenge={CHALLENGE}&code_challenge_method=S256'; }} \
         location /api/v1/auth/oidc/callback {{ if ($cookie_binding != here) {{ return 303 /login#error=binding; }} \
         add_header Set-Cookie 'session=cookie; Path=/; Secure; HttpOnly; SameSite=Strict'; \
         return 303 /#oidc_session=$arg_code; }} \
         location /api/v1/auth/me {{ default_type application/json; \
         if ($cookie_session != cookie) {{ return 401 '{{}}'; }} return 200 '{{\"authorization\": \"$http_authorization\"}}'; }}"
    )
}

#[test]
fn a_browser_signs_in_through_a_provider_and_shows_a_cookie_that_is_too_strict() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = Certificate::create(directory.path(), &[]).unwrap();
    let port = free_port().unwrap();
    let base = format!("https://localhost:{port}");
    let provider = provider("form", &format!("{base}/api/v1/auth/oidc/callback"), CALLBACK);
    let start = |same_site: &str| {
        let site = site(directory.path(), port, &certificate, &relying_party(port, provider.issuer(), same_site));
        Nginx::start(&site, directory.path()).unwrap()
    };
    let with = |changes: Value| {
        let mut parameters =
            json!({"baseUrl": base, "providerId": "one", "mode": "form", "username": "ada", "password": "an engine"});
        parameters.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        Browser::run("oidc-sign-in", &parameters).unwrap()
    };
    let mut lax = start("Lax");
    let seen = with(json!({"via": "written-link"}));
    let token = seen["result"]["token"].as_str().unwrap();
    assert_eq!(seen["result"]["fragment"], format!("#oidc_session={token}"));
    assert_eq!(seen["result"]["me"]["body"]["authorization"], format!("Bearer {token}"), "{seen}");
    assert_eq!(seen["result"]["cookies"].as_array().unwrap().len(), 2);
    let unused = with(json!({"use": false}));
    assert!(unused["result"]["token"].is_string() && unused["result"]["me"].is_null(), "{unused}");
    let crafted = Browser::run("crafted-link", &json!({"baseUrl": base, "token": token})).unwrap();
    assert_eq!(crafted["result"]["me"]["status"], 401);
    let cancelled = with(json!({"mode": "cancel"}));
    assert!(cancelled["requests"].to_string().contains("callback?error=access_denied"), "{cancelled}");
    lax.stop().unwrap();

    let _strict = start("Strict");
    assert_eq!(with(json!({}))["result"]["fragment"], "#error=binding");
}
