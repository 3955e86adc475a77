//! Each counterpart starts, does what it is there for, and can be taken away.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by a panic")]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use stratora_testing::{
    Background, Certificate, Client, Nginx, Postgres, PostgresDatabase, Signal, VictoriaMetrics, free_port, raw_tcp,
    raw_tls,
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
