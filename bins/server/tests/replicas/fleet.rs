//! Three servers on one PostgreSQL, each with a wire of its own to it, and credentials that are put there past the product:
//! making them through it would cost a bcrypt each.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use stratora_keys::ApiKey;
use stratora_storage::{DatabaseUrl, Options, Storage};
use stratora_testing::{Background, Client, Postgres, PostgresDatabase, Proxy, Signal, free_port, until};
use stratora_token::{Digest, OsEntropy, Secret, random_uuid};
use tempfile::TempDir;
use tokio::runtime::Handle;
use uuid::Uuid;

const PASSWORD: &str = "a rather long passphrase";
/// How long a lease of these servers lasts, in seconds.
pub(crate) const LEASE_SECONDS: u64 = 1;

/// A server, and its wire to the database.
pub(crate) struct Replica {
    pub(crate) port: u16,
    pub(crate) wire: Proxy,
    process: Option<Background>,
    name: String,
}

/// The servers and what they share. Fields are dropped in this order: servers before the database before the files.
pub(crate) struct Fleet {
    pub(crate) replicas: Vec<Replica>,
    pub(crate) admin: String,
    database: PostgresDatabase,
    pub(crate) postgres: Postgres,
    standby: Postgres,
    directory: TempDir,
}

impl Fleet {
    /// Starts three servers on a database with these components. They are there from the start: a server knows of every
    /// key that is issued, and would refuse one that came past the product.
    pub(crate) async fn start(components: &[Component]) -> Self {
        let postgres = Postgres::start().unwrap();
        let database = postgres.create_database().unwrap();
        // A commit is answered when the standby has it: what a failover needs to lose nothing.
        database.run(&format!("ALTER DATABASE {} SET synchronous_commit = on", database.name())).unwrap();
        let standby = postgres.start_standby().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut fleet = Self { replicas: Vec::new(), admin: String::new(), database, postgres, standby, directory };
        fleet.migrate(components).await;
        for _ in 0..3 {
            fleet.add().await;
        }
        fleet.admin = fleet.sign_in_as_admin().await;
        fleet
    }

    async fn migrate(&self, components: &[Component]) {
        let url = DatabaseUrl::parse(&self.database.url()).unwrap();
        let storage = Storage::connect(&url, Options::default(), Handle::current()).await.unwrap();
        storage.migrate().await.unwrap();
        let sql: String = components.iter().map(Component::sql).collect();
        self.database.run(&sql).unwrap();
    }

    /// Somebody who is signed in.
    pub(crate) fn hire(&self) -> Person {
        let (sql, person) = Person::new();
        self.database.run(&sql).unwrap();
        person
    }

    /// Starts one more server. Returns which.
    pub(crate) async fn add(&mut self) -> usize {
        let index = self.prepare().await;
        self.launch(index);
        self.is_listening(index);
        index
    }

    /// Everything for one more server but its process. Returns which.
    pub(crate) async fn prepare(&mut self) -> usize {
        let name = format!("replica{}", self.replicas.len());
        let wire = Proxy::before(&self.database.url()).await.unwrap();
        let port = free_port().unwrap();
        let yaml = format!(
            "server: {{host: 127.0.0.1, port: {port}, workers: 1}}\ndatabase: {{url: \"{}\"}}\n\
             security: {{key_file: {}}}\ncache: {{lease: {LEASE_SECONDS}}}\nlog: {{filter: warn}}\n\
             flood: {{requests_per_second: 100000, burst: 100000}}\n",
            wire.url(&self.database.url()),
            self.directory.path().join("keys.json").display(),
        );
        fs::write(self.directory.path().join(format!("{name}.yaml")), yaml).unwrap();
        self.step_clock(&name, Step::NONE);
        self.replicas.push(Replica { port, wire, process: None, name });
        self.replicas.len() - 1
    }

    /// Starts a server that does not run. It does not listen yet.
    pub(crate) fn launch(&mut self, index: usize) {
        let replica = &mut self.replicas[index];
        let settings = self.directory.path().join(format!("{}.yaml", replica.name));
        let mut command = Command::new(env!("CARGO_BIN_EXE_stratora-server"));
        command.arg("--config").arg(settings).arg("serve").env_remove("INVOCATION_ID");
        command
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME_TIMESTAMP_FILE", self.directory.path().join(clock(&replica.name)));
        // What a step changes: the time of day, and neither the monotonic clock nor that of the boot.
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        replica.process = Some(Background::start(&mut command, self.directory.path(), &replica.name).unwrap());
    }

    /// Waits until a server listens.
    pub(crate) fn is_listening(&mut self, index: usize) {
        let replica = &mut self.replicas[index];
        let (port, process) = (replica.port, replica.process.as_mut().unwrap());
        until("a replica", || TcpStream::connect(("127.0.0.1", port)).is_ok() || process.has_ended()).unwrap();
        assert!(!process.has_ended(), "a replica ended: {}", process.output());
    }

    /// Sets the time of day of a server: so many hours from what it is, at once.
    pub(crate) fn step_clock_of(&self, index: usize, step: Step) {
        self.step_clock(&self.replicas[index].name, step);
    }

    fn step_clock(&self, name: &str, Step(hours): Step) {
        fs::write(self.directory.path().join(clock(name)), format!("{hours:+}h\n")).unwrap();
    }

    /// The database's machine fails, and its standby takes its place.
    pub(crate) fn fail_over(&mut self) {
        self.postgres.fail().unwrap();
        self.standby.promote().unwrap();
        std::mem::swap(&mut self.postgres, &mut self.standby);
        self.database.move_to(&self.postgres);
        for replica in &self.replicas {
            replica.wire.lead_to(&self.database.url());
        }
    }

    /// A new standby, after the last one was needed.
    pub(crate) fn add_standby(&mut self) {
        self.standby = self.postgres.start_standby().unwrap();
    }

    /// Ends the last server for good.
    pub(crate) fn remove_last(&mut self) {
        drop(self.replicas.pop());
    }

    pub(crate) fn signal(&self, index: usize, signal: Signal) {
        self.replicas[index].process.as_ref().unwrap().signal(signal);
    }

    /// Starts a server again that was killed.
    pub(crate) fn revive(&mut self, index: usize) {
        self.replicas[index].process.as_mut().unwrap().wait().unwrap();
        self.launch(index);
        self.is_listening(index);
    }

    pub(crate) fn client(&self, index: usize) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.replicas[index].port)).unwrap()
    }

    /// Ends every connection on which a server hears of changes.
    pub(crate) fn cut_listeners(&self) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stratora-replica'";
        self.database.run(cut).unwrap();
    }

    async fn sign_in_as_admin(&self) -> String {
        let client = self.client(0);
        let one_time = self.replicas[0].process.as_ref().unwrap().stdout().trim().to_owned();
        let body = json!({"username": "admin", "password": one_time});
        let signed_in = client.post("/api/v1/auth/login").json(&body).send().await.unwrap();
        let token = signed_in.json()["token"].as_str().unwrap().to_owned();
        let body = json!({"current_password": one_time, "new_password": PASSWORD});
        let changed = client.post("/api/v1/auth/change-password").bearer(&token).json(&body).send().await.unwrap();
        changed.json()["token"].as_str().unwrap().to_owned()
    }
}

/// By how many hours a clock is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step(pub(crate) i32);

impl Step {
    pub(crate) const NONE: Self = Self(0);
}

/// The file that says how wrong the clock of a server is.
fn clock(name: &str) -> String {
    format!("{name}.clock")
}

/// The library that lets a process see another time of day.
fn faketime() -> PathBuf {
    let architectures = fs::read_dir("/usr/lib").unwrap().flatten();
    let libraries = architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let found = libraries.into_iter().find(|library| library.is_file());
    found.unwrap_or_else(|| panic!("libfaketime is not installed; on Debian, apt-get install faketime"))
}

/// A component with a key, as if it had been in use for long.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) id: Uuid,
    pub(crate) key: ApiKey,
}

/// A person with a session.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) session: Uuid,
    pub(crate) token: String,
    pub(crate) cookie: String,
}

fn new_id() -> Uuid {
    random_uuid(&OsEntropy).unwrap()
}

/// A number that was not given out before, for names.
fn number() -> u64 {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    GIVEN.fetch_add(1, Ordering::Relaxed)
}

fn hex(digest: &Digest) -> String {
    digest.as_bytes().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

impl Component {
    pub(crate) fn new() -> Self {
        Self { id: new_id(), key: ApiKey::generate(&OsEntropy).unwrap() }
    }

    /// The SQL that makes it.
    fn sql(&self) -> String {
        let (Self { id, key }, number) = (self, number());
        format!(
            "INSERT INTO components (id, name, name_folded, kind, standing, key_prefix, key_created_at, created_at) \
             VALUES ('{id}', 'c{number}', 'c{number}', 'collector', 'active', '{}', now(), now());\
             INSERT INTO component_keys (id, component_number, digest, hash, state, created_at, first_used_at) \
             VALUES ('{}', (SELECT number FROM components WHERE id = '{id}'), '\\x{}', '$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuuabcdefghija', 'live', now(), now());",
            key.prefix(),
            new_id(),
            hex(&key.digest()),
        )
    }
}

impl Person {
    /// The SQL that makes them, and the person.
    pub(crate) fn new() -> (String, Self) {
        let (id, session, number) = (new_id(), new_id(), number());
        let (token, cookie) = (Secret::generate(&OsEntropy).unwrap(), Secret::generate(&OsEntropy).unwrap());
        let sql = format!(
            "INSERT INTO accounts (id, username, display_name, role, source, active, must_change_password, built_in, created_at) \
             VALUES ('{id}', 'p{number}', '', 'operator', 'local', true, false, false, now());\
             INSERT INTO sessions (id, account_number, token_digest, cookie_digest, created_at, last_seen_at, expires_at, user_agent) \
             VALUES ('{session}', (SELECT number FROM accounts WHERE id = '{id}'), '\\x{}', '\\x{}', now(), now(), now() + interval '1 hour', '');",
            hex(&token.digest()),
            hex(&cookie.digest()),
        );
        (sql, Self { id, session, token: token.expose().to_string(), cookie: cookie.expose().to_string() })
    }
}
