//! Fills an empty database with so many components, each with a key and a configuration, and people with a session, so that the product can be
//! measured at scale. Arguments: the database's URL, the number, and a directory, in which the files `keys` (a component's
//! identifier and its key on each line) and `tokens` are written.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use stratora_keys::ApiKey;
use stratora_storage::{DatabaseUrl, Options, Storage};
use stratora_token::{Digest, OsEntropy, Secret, random_uuid};
use tokio::runtime::Handle;
use uuid::Uuid;

/// How many rows a statement inserts.
const BATCH: usize = 1000;
/// Of the form of a bcrypt hash; never verified, since the keys count as used.
const HASH: &str = "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuuabcdefghija";
/// The entity tag of each configuration; of the right form, and never compared.
const ETAG: &str = "0123456789abcdef0123456789abcdef";

type Failure = Box<dyn std::error::Error>;

/// Where rows go.
enum Into {
    Postgres(tokio_postgres::Client),
    Sqlite(SqliteConnection),
}

impl Into {
    async fn open(url: &str) -> Result<Self, Failure> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let mut connection = SqliteConnection::establish(file)?;
            // Nobody minds when it has to be filled again. Indexes of random values are kept in memory: a gigabyte. A server
            // may be using the database.
            connection
                .batch_execute("PRAGMA busy_timeout = 60000; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")?;
            return Ok(Self::Sqlite(connection));
        }
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(Self::Postgres(client))
    }

    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        match self {
            Self::Postgres(client) => client.batch_execute(sql).await?,
            Self::Sqlite(connection) => connection.batch_execute(sql)?,
        }
        Ok(())
    }

    /// Bytes as the database reads them in SQL.
    fn bytes(&self, bytes: &[u8]) -> String {
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        match self {
            Self::Postgres(_) => format!("'\\x{hex}'"),
            Self::Sqlite(_) => format!("x'{hex}'"),
        }
    }

    fn id(&self, id: Uuid) -> String {
        match self {
            Self::Postgres(_) => format!("'{id}'"),
            Self::Sqlite(_) => self.bytes(id.as_bytes()),
        }
    }

    /// So many hours from now.
    fn hours(&self, hours: u32) -> String {
        match self {
            Self::Postgres(_) => format!("now() + interval '{hours} hours'"),
            Self::Sqlite(_) => format!("(unixepoch() + {hours} * 3600) * 1000000"),
        }
    }
}

#[derive(Default)]
struct Rows {
    components: Vec<String>,
    keys: Vec<String>,
    configs: Vec<String>,
    accounts: Vec<String>,
    sessions: Vec<String>,
}

impl Rows {
    fn sql(&self) -> String {
        let insert = |table: &str, columns: &str, rows: &[String]| {
            format!("INSERT INTO {table} ({columns}) VALUES {};\n", rows.join(","))
        };
        [
            "BEGIN;\n".to_owned(),
            insert(
                "components",
                "id, name, name_folded, kind, standing, key_prefix, key_created_at, created_at, config_etag",
                &self.components,
            ),
            insert(
                "component_keys",
                "id, component_number, digest, hash, state, created_at, first_used_at",
                &self.keys,
            ),
            insert("component_configs", "component_id, body", &self.configs),
            insert(
                "accounts",
                "id, username, display_name, role, source, active, must_change_password, built_in, created_at",
                &self.accounts,
            ),
            insert(
                "sessions",
                "id, account_number, token_digest, cookie_digest, created_at, last_seen_at, expires_at, user_agent",
                &self.sessions,
            ),
            "COMMIT;\n".to_owned(),
        ]
        .concat()
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, number, directory] = arguments.as_slice() else { return Err("fill URL NUMBER DIRECTORY".into()) };
    let storage = Storage::connect(&DatabaseUrl::parse(url)?, Options::default(), Handle::current()).await?;
    storage.migrate().await?;
    drop(storage);
    let mut into = Into::open(url).await?;
    let file = |name| File::create(Path::new(directory).join(name)).map(BufWriter::new);
    let (mut keys, mut tokens) = (file("keys")?, file("tokens")?);
    let numbers: Vec<usize> = (0..number.parse()?).collect();
    for batch in numbers.chunks(BATCH) {
        let mut rows = Rows::default();
        for number in batch {
            let key = ApiKey::generate(&OsEntropy)?;
            let component = random_uuid(&OsEntropy)?;
            writeln!(keys, "{component} {}", *key.expose())?;
            let (id, now) = (into.id(component), into.hours(0));
            let name = format!("component-{number}");
            rows.components.push(format!(
                "({id}, '{name}', '{name}', 'collector', 'active', '{}', {now}, {now}, '{ETAG}')",
                key.prefix()
            ));
            let (key_id, digest) = (into.id(random_uuid(&OsEntropy)?), into.bytes(key.digest().as_bytes()));
            let holder = format!("(SELECT number FROM components WHERE id = {id})");
            rows.keys.push(format!("({key_id}, {holder}, {digest}, '{HASH}', 'live', {now}, {now})"));
            rows.configs.push(format!("({id}, '')"));

            let token = Secret::generate(&OsEntropy)?;
            writeln!(tokens, "{}", *token.expose())?;
            let (user, session) = (into.id(random_uuid(&OsEntropy)?), into.id(random_uuid(&OsEntropy)?));
            rows.accounts
                .push(format!("({user}, 'person-{number}', '', 'viewer', 'local', true, false, false, {now})"));
            let (token, cookie) = (token.digest(), Digest::of(format!("cookie-{number}").as_bytes()));
            let (token, cookie) = (into.bytes(token.as_bytes()), into.bytes(cookie.as_bytes()));
            let owner = format!("(SELECT number FROM accounts WHERE id = {user})");
            rows.sessions.push(format!("({session}, {owner}, {token}, {cookie}, {now}, {now}, {}, '')", into.hours(8)));
        }
        into.run(&rows.sql()).await?;
    }
    match into {
        // What its autovacuum does by itself, later.
        Into::Postgres(_) => into.run("ANALYZE").await,
        // Statistics are gathered when somebody asks for them, and the product does not.
        Into::Sqlite(_) => Ok(()),
    }
}
