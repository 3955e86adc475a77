//! HTTPS: whom the agent trusts, and what it says when that changes. And the way through a proxy.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use stratora_testing::{Authority, Background, Certificate, until};

use crate::book::Kind;
use crate::installation::{Installation, said, times};
use crate::server::Server;

/// A server whose certificate can be changed.
struct Https {
    server: Server,
    config: Arc<Mutex<Arc<ServerConfig>>>,
}

impl Https {
    fn start(certificate: &Certificate) -> Self {
        let config = Arc::new(Mutex::new(config(certificate)));
        let current = Arc::clone(&config);
        let server = Server::start_with(move |stream: TcpStream| {
            let config = Arc::clone(&current.lock().unwrap());
            StreamOwned::new(ServerConnection::new(config).unwrap(), stream)
        });
        Self { server, config }
    }

    fn change(&self, certificate: &Certificate) {
        *self.config.lock().unwrap() = config(certificate);
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.server.port())
    }

    fn installation(&self, field: &str, value: impl Into<serde_json::Value>) -> Installation {
        let (id, key) = self.server.component();
        let mut settings = serde_json::json!({"server_url": self.url(), "component_id": id, "api_key": key});
        settings[field] = value.into();
        Installation::with(self.server.clone(), &settings)
    }
}

fn config(certificate: &Certificate) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(&certificate.certificate).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(&certificate.key).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(chain, key).unwrap())
}

fn issue(authority: &Authority, directory: &Path, name: &str) -> Certificate {
    let directory = directory.join(name);
    fs::create_dir(&directory).unwrap();
    authority.issue(&directory, &[]).unwrap()
}

#[test]
fn a_server_that_the_named_authority_vouches_for_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::create(directory.path()).unwrap();
    let https = Https::start(&issue(&authority, directory.path(), "one"));
    let installation = https.installation("ca_file", authority.certificate().to_str().unwrap());
    let _agent = installation.start();
    until("heartbeats", || https.server.book().count(Kind::Heartbeat) > 3).unwrap();
}

#[test]
fn a_server_that_nobody_vouches_for_gets_no_key_and_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let https = Https::start(&Certificate::create(directory.path(), &[]).unwrap());
    let installation = https.installation("insecure_skip_verify", false);
    let mut agent = installation.start();
    assert!(said(&mut agent, "cannot be reached").contains("`ca_file`"));
    assert_eq!((https.server.book().requests.len(), times(&agent, "warning")), (0, 1), "{}", agent.output());
}

#[test]
fn whoever_wants_no_verification_gets_it_with_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let https = Https::start(&Certificate::create(directory.path(), &[]).unwrap());
    let installation = https.installation("insecure_skip_verify", true);
    let agent = installation.start();
    until("heartbeats", || https.server.book().count(Kind::Heartbeat) > 3).unwrap();
    assert_eq!(times(&agent, "`insecure_skip_verify` is on"), 1);
}

#[test]
fn a_certificate_that_changed_is_said_once_and_costs_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::create(directory.path()).unwrap();
    let good = issue(&authority, directory.path(), "good");
    let other = directory.path().join("other");
    fs::create_dir(&other).unwrap();
    let https = Https::start(&good);
    let installation = https.installation("ca_file", authority.certificate().to_str().unwrap());
    let before = installation.settings();
    let mut agent = installation.start();
    until("heartbeats", || https.server.book().count(Kind::Heartbeat) > 3).unwrap();
    https.change(&Certificate::create(&other, &[]).unwrap());
    // The connection that is open ends with the next answer.
    https.server.script(Kind::Heartbeat, [crate::book::Instead::Close]);
    https.server.script(Kind::Ingest, [crate::book::Instead::Close]);
    said(&mut agent, "certificate");
    https.change(&good);
    said(&mut agent, "the server takes this agent's key again");
    assert_eq!(installation.settings(), before);
}

#[test]
fn a_file_without_authorities_is_refused_at_the_start_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let https = Https::start(&Certificate::create(directory.path(), &[]).unwrap());
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "nothing\n").unwrap();
    for path in [empty.to_str().unwrap(), "/nonexistent/ca.pem"] {
        let installation = https.installation("ca_file", path);
        let output = installation.run(&[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(path) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn the_way_leads_through_the_proxy_that_the_environment_names() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::create(directory.path()).unwrap();
    let https = Https::start(&issue(&authority, directory.path(), "one"));
    let installation = https.installation("ca_file", authority.certificate().to_str().unwrap());
    let (proxy, asked) = proxy();
    let mut command = installation.command();
    command.env("HTTPS_PROXY", format!("http://127.0.0.1:{proxy}")).env_remove("NO_PROXY").env_remove("no_proxy");
    let agent = Background::start(&mut command, installation.directory(), "agent").unwrap();
    until("heartbeats", || https.server.book().count(Kind::Heartbeat) > 3).unwrap();
    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|line| line.starts_with(&format!("CONNECT localhost:{} ", https.server.port()))));
    assert!(!asked.is_empty(), "{}", agent.output());
}

#[test]
fn over_plain_http_no_proxy_is_given_the_key_whatever_the_environment_names() {
    let installation = Installation::enrolled(Server::start());
    let (proxy, asked) = proxy();
    let mut command = installation.command();
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, format!("http://127.0.0.1:{proxy}"));
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let agent = Background::start(&mut command, installation.directory(), "agent").unwrap();
    let arrived = until("heartbeats", || installation.server.book().count(Kind::Heartbeat) > 3);
    assert_eq!(*asked.lock().unwrap(), [""; 0], "{}", agent.output());
    arrived.unwrap();
}

/// A proxy that lets everything through. Returns its port, and the first lines of what it was asked.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let log = Arc::clone(&log);
            std::thread::spawn(move || connect(stream, &log));
        }
    });
    (port, asked)
}

fn connect(client: TcpStream, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line);
    }
    let authority = lines[0].split_whitespace().nth(1).unwrap().to_owned();
    log.lock().unwrap().push(lines[0].clone());
    let server = TcpStream::connect(authority).unwrap();
    (&client).write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
    let (from, to) = (server.try_clone().unwrap(), client);
    std::thread::spawn(move || copy(from, to));
    copy(reader, server);
}

fn copy(mut from: impl std::io::Read, mut to: TcpStream) {
    let mut buffer = [0; 8192];
    while let Ok(read @ 1..) = from.by_ref().read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
    let _closed = to.shutdown(std::net::Shutdown::Write);
}
