//! The settings: small structs, one a concern, read once from `config.yaml` and the environment and parsed into the types
//! that the rest works with. What is unknown or impossible stops the start and says where it stands.

mod cache;
mod enrollment;
mod keys;
mod oidc;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use config::{Config, Environment, File};
use serde::{Deserialize, Deserializer, de};
use stratora_actix::{ExternalOrigin, TrustedProxies};
use stratora_auth::{PasswordPolicy, SessionTimeouts};
use stratora_ldap::{DirectorySettings, LdapSettings};
use stratora_storage::DatabaseUrl;

pub use self::cache::Cache;
pub use self::enrollment::Enrollment;
pub use self::keys::KeySettings;
pub use self::oidc::Oidc;

/// Where the settings are looked for when neither the command line nor `STRATORA_CONFIG` names a file.
const PLACES: [&str; 2] = ["/etc/stratora/config.yaml", "config.yaml"];

/// All settings, as they are written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The listener and its surroundings.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The time-series store.
    pub victoriametrics: VictoriaMetrics,
    /// How long sessions last.
    pub session: Session,
    /// What passwords must be.
    pub password: Password,
    /// How components come in by themselves.
    pub enrollment: Enrollment,
    /// How identity providers are spoken to.
    pub oidc: Oidc,
    /// The directory that people can sign in through, if there is one.
    pub ldap: Option<LdapSettings>,
    /// The keys of components.
    pub keys: KeySettings,
    /// What is kept in memory of credentials.
    pub cache: Cache,
    /// Keys that are not in the database.
    pub security: Security,
    /// The flood guard over the whole API.
    pub flood: Flood,
    /// The server's own figures.
    pub metrics: Metrics,
    /// The log.
    pub log: Log,
}

/// `server`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address to listen at.
    pub host: IpAddr,
    /// The port to listen at.
    pub port: u16,
    /// The address that people open in their browser. No URL is ever built from a request's `Host`.
    pub external_url: Option<String>,
    /// Whose `X-Forwarded-For` is believed, as networks in CIDR notation.
    pub trusted_proxies: Vec<String>,
    /// How many threads answer requests; as many as there are cores when absent.
    pub workers: Option<usize>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 8080,
            external_url: None,
            trusted_proxies: vec!["127.0.0.1/32".to_owned(), "::1/128".to_owned()],
            workers: None,
        }
    }
}

impl Server {
    /// Where to listen.
    pub const fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// The address that people open in their browser.
    pub fn external_url(&self) -> String {
        self.external_url.clone().unwrap_or_else(|| format!("http://localhost:{}", self.port))
    }
}

/// `database`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    url: Option<String>,
    url_file: Option<PathBuf>,
    /// How many connections to PostgreSQL at the most.
    pub max_connections: Option<usize>,
}

/// Redacted: a connection URL may hold a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

impl Database {
    /// The database to use: `sqlite:stratora.db` when nothing is said.
    ///
    /// # Errors
    /// When both `url` and `url_file` are set, the file does not read, or the URL is none.
    pub fn url(&self) -> anyhow::Result<DatabaseUrl> {
        let url = match (&self.url, &self.url_file) {
            (Some(_), Some(_)) => bail!("database.url and database.url_file are both set; keep one"),
            (Some(url), None) => url.clone(),
            (None, Some(file)) => std::fs::read_to_string(file)
                .with_context(|| format!("database.url_file: cannot read {}", file.display()))?,
            (None, None) => "sqlite:stratora.db".to_owned(),
        };
        DatabaseUrl::parse(url.trim()).context("database.url")
    }
}

/// `victoriametrics`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VictoriaMetrics {
    /// Where it is, such as `http://127.0.0.1:8428`; without it, ingest answers 503.
    pub url: Option<String>,
}

/// `session`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// From sign-in, whatever happens in between.
    #[serde(deserialize_with = "span")]
    pub absolute_timeout: Duration,
    /// Since the last use; 0 turns it off.
    #[serde(deserialize_with = "span")]
    pub idle_timeout: Duration,
}

impl Default for Session {
    fn default() -> Self {
        let SessionTimeouts { absolute, idle } = SessionTimeouts::default();
        Self { absolute_timeout: absolute, idle_timeout: idle.unwrap_or_default() }
    }
}

impl Session {
    /// As sessions know them.
    ///
    /// # Errors
    /// When the absolute timeout is shorter than a minute or longer than 30 days.
    pub fn timeouts(self) -> anyhow::Result<SessionTimeouts> {
        const ALLOWED: std::ops::RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(30 * 24);
        if !ALLOWED.contains(&self.absolute_timeout) {
            bail!("session.absolute_timeout must be between 1 minute and 30 days");
        }
        let idle = Some(self.idle_timeout).filter(|idle| !idle.is_zero());
        // Uses are recorded by the minute.
        if idle.is_some_and(|idle| idle < Duration::from_mins(2)) {
            bail!("session.idle_timeout must be 0 or at least 2 minutes");
        }
        Ok(SessionTimeouts { absolute: self.absolute_timeout, idle })
    }
}

/// `password`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// The shortest password that may be chosen.
    pub min_length: Option<usize>,
}

impl Password {
    /// What chosen passwords must be.
    ///
    /// # Errors
    /// When the minimum is below 8.
    pub fn policy(self) -> anyhow::Result<PasswordPolicy> {
        let Some(min_length) = self.min_length else { return Ok(PasswordPolicy::default()) };
        PasswordPolicy::with_min_length(min_length).context("password.min_length must be from 8 to 256")
    }
}

/// `security`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// Where the keys are that are not in the database; made at the first start.
    pub key_file: PathBuf,
}

impl Default for Security {
    fn default() -> Self {
        Self { key_file: PathBuf::from("stratora-keys.json") }
    }
}

/// `flood`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flood {
    /// Sustained requests a second, for one client or component.
    pub requests_per_second: u32,
    /// How many may come at once.
    pub burst: u32,
}

impl Default for Flood {
    fn default() -> Self {
        Self { requests_per_second: 100, burst: 1000 }
    }
}

/// `metrics`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Where `GET /metrics` is answered: a loopback address; nowhere when absent.
    pub listen: Option<SocketAddr>,
}

/// `log`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// What is logged, in the syntax of `tracing-subscriber`'s filters; `info` when absent.
    pub filter: Option<String>,
    /// How.
    pub format: LogFormat,
}

/// `log.format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// A number of seconds, or a text such as `24h` or `1h 30m`.
fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Span {
        Seconds(u64),
        Text(String),
    }
    let text = match Span::deserialize(deserializer)? {
        Span::Seconds(seconds) => return Ok(Duration::from_secs(seconds)),
        Span::Text(text) => text,
    };
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let refused = || de::Error::custom("not a number of seconds and not a span of time such as 24h or 30m");
    text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok()).ok_or_else(refused)
}

impl Settings {
    /// Reads the settings: the file that is named, else the first that there is, else the defaults; the environment on top
    /// (`STRATORA__SERVER__PORT=9090`).
    ///
    /// # Errors
    /// With the file, the key and the reason.
    pub fn load(named: Option<&Path>) -> anyhow::Result<Self> {
        let file = named.or_else(|| PLACES.into_iter().map(Path::new).find(|path| path.exists()));
        let mut sources = Config::builder();
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(config::FileFormat::Yaml).required(true));
        }
        let environment = Environment::with_prefix("STRATORA")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("server.trusted_proxies");
        let place = || file.map_or_else(|| "settings".to_owned(), |file| file.display().to_string());
        let sources = sources.add_source(environment).build().with_context(place)?;
        let settings: Self = serde_path_to_error::deserialize(sources).map_err(|error| {
            let (key, reason) = (error.path().to_string(), error.into_inner());
            anyhow::anyhow!("{}: {key}: {reason}", place())
        })?;
        settings.check().with_context(place)?;
        Ok(settings)
    }

    /// Whether every value is possible, before anything is started.
    fn check(&self) -> anyhow::Result<()> {
        if self.server.port == 0 {
            bail!("server.port must not be 0");
        }
        self.database.url()?;
        self.session.timeouts()?;
        self.keys.max_age()?;
        self.cache.check()?;
        self.oidc.policy()?;
        self.directory()?;
        self.enrollment.policy()?;
        self.password.policy()?;
        self.trusted_proxies()?;
        self.external_origin()?;
        if self.server.workers == Some(0) || self.database.max_connections == Some(0) {
            bail!("server.workers and database.max_connections must be at least 1");
        }
        if self.flood.requests_per_second == 0 || self.flood.burst == 0 {
            bail!("flood.requests_per_second and flood.burst must be at least 1");
        }
        if self.metrics.listen.is_some_and(|address| !address.ip().is_loopback()) {
            bail!("metrics.listen must be a loopback address: the figures are not for everybody");
        }
        if let Some(url) = &self.victoriametrics.url
            && ExternalOrigin::of(url).is_err()
        {
            bail!("victoriametrics.url must be a URL such as http://127.0.0.1:8428");
        }
        Ok(())
    }

    /// How the directory is asked, if there is one.
    ///
    /// # Errors
    /// When its settings are impossible, or a file does not read.
    pub fn directory(&self) -> anyhow::Result<Option<DirectorySettings>> {
        Ok(self.ldap.clone().map(DirectorySettings::check).transpose()?)
    }

    /// Whose `X-Forwarded-For` is believed.
    ///
    /// # Errors
    /// When a network is not in CIDR notation.
    pub fn trusted_proxies(&self) -> anyhow::Result<TrustedProxies> {
        let networks = self.server.trusted_proxies.iter().map(String::as_str);
        TrustedProxies::parse(networks).context("server.trusted_proxies")
    }

    /// The origin of our own pages.
    ///
    /// # Errors
    /// When `server.external_url` is not an HTTP URL.
    pub fn external_origin(&self) -> anyhow::Result<ExternalOrigin> {
        ExternalOrigin::of(&self.server.external_url()).context("server.external_url")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(yaml: &str) -> anyhow::Result<Settings> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yaml");
        std::fs::write(&file, yaml).unwrap();
        Settings::load(Some(&file))
    }

    fn refusal(yaml: &str) -> String {
        format!("{:#}", load(yaml).unwrap_err())
    }

    #[test]
    fn the_example_of_the_documentation_loads() {
        let settings = load(
            "server:\n  host: \"127.0.0.1\"\n  port: 8080\n  external_url: \"https://stratora.example.com\"\n  \
             trusted_proxies: [\"127.0.0.1/32\", \"::1/128\"]\ndatabase:\n  \
             url: \"postgres://stratora@127.0.0.1/stratora\"\nvictoriametrics:\n  url: \"http://127.0.0.1:8428\"\n",
        )
        .unwrap();
        assert_eq!(settings.server.address().to_string(), "127.0.0.1:8080");
        assert!(settings.database.url().unwrap().is_postgres());
    }

    #[test]
    fn the_settings_of_the_package_load_and_open_nothing_to_others() {
        let settings = load(include_str!("../package/config.yaml")).unwrap();
        assert!(settings.server.host.is_loopback());
        assert!(!settings.database.url().unwrap().is_postgres());
        assert_eq!(settings.security.key_file.parent(), Some(Path::new("/var/lib/stratora")));
    }

    #[test]
    fn without_a_word_the_defaults_hold() {
        let settings = load("{}").unwrap();
        assert_eq!(settings.server.external_url(), "http://localhost:8080");
        assert_eq!(settings.session.timeouts().unwrap(), SessionTimeouts::default());
    }

    #[test]
    fn spans_are_seconds_or_words_and_an_idle_timeout_of_0_is_none() {
        let settings = load("session: {absolute_timeout: 12h, idle_timeout: 0}").unwrap();
        let expected = SessionTimeouts { absolute: Duration::from_hours(12), idle: None };
        assert_eq!(settings.session.timeouts().unwrap(), expected);
        assert_eq!(load("session: {idle_timeout: 900}").unwrap().session.idle_timeout, Duration::from_mins(15));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_file() {
        let message = refusal("server:\n  prot: 8080\n");
        assert!(message.contains("config.yaml") && message.contains("prot"), "{message}");
    }

    #[test]
    fn impossible_values_are_refused_by_their_key() {
        for (yaml, key) in [
            ("server: {port: 70000}", "server.port"),
            ("server: {port: 0}", "server.port"),
            ("keys: {max_age: 59m}", "keys.max_age"),
            ("keys: {max_age: 100000h}", "keys.max_age"),
            ("keys: {max_age: -1}", "keys.max_age"),
            ("keys: {max_age: 90 fortnights}", "keys.max_age"),
            ("server: {host: nowhere}", "server.host"),
            ("server: {external_url: \"stratora\"}", "server.external_url"),
            ("server: {trusted_proxies: [\"everyone\"]}", "server.trusted_proxies"),
            ("database: {url: \"mysql://x\"}", "database.url"),
            ("database: {url: \"sqlite:a\", url_file: b}", "database.url_file"),
            ("session: {absolute_timeout: soon}", "session.absolute_timeout"),
            ("cache: {lease: 60}", "cache.lease"),
            ("cache: {keys: 0}", "cache.keys"),
            ("cache: {keys: 100000001}", "cache.keys"),
            ("cache: {sessions: 18446744073709551615}", "cache.sessions"),
            ("session: {idle_timeout: 119}", "session.idle_timeout"),
            ("session: {absolute_timeout: 1}", "session.absolute_timeout"),
            ("password: {min_length: 7}", "password.min_length"),
            ("enrollment: {reenroll: always}", "enrollment.reenroll"),
            ("enrollment: {reenroll: offline}", "enrollment.offline_takeover_after"),
            ("enrollment: {offline_takeover_after: 168h}", "enrollment.offline_takeover_after"),
            ("enrollment: {reenroll: offline, offline_takeover_after: 30s}", "enrollment.offline_takeover_after"),
            ("enrollment: {reenroll: offline, offline_takeover_after: 8761h}", "enrollment.offline_takeover_after"),
            ("enrollment: {require_approval: perhaps}", "enrollment.require_approval"),
            ("flood: {burst: 0}", "flood.burst"),
            ("metrics: {listen: \"0.0.0.0:9100\"}", "metrics.listen"),
            ("log: {format: xml}", "log.format"),
            ("oidc: {ca_file: /nowhere/ca.pem}", "oidc.ca_file"),
            ("ldap: {url: \"ldap://127.0.0.1\", bind: \"uid={username},dc=a\", base_dn: \"dc=a\"}", "ldap.insecure"),
        ] {
            let message = refusal(yaml);
            assert!(message.contains(key), "{yaml}: {message}");
        }
    }

    #[test]
    fn a_component_that_was_away_for_long_may_be_replaced_if_the_settings_say_so() {
        assert_eq!(load("{}").unwrap().enrollment.policy().unwrap(), stratora_keys::EnrollmentPolicy::default());
        let settings = load("enrollment: {require_approval: true, reenroll: offline, offline_takeover_after: 168h}");
        let policy = settings.unwrap().enrollment.policy().unwrap();
        assert!(policy.require_approval);
        assert_eq!(policy.offline_takeover_after, Some(Duration::from_hours(7 * 24)));
    }

    #[test]
    fn a_refused_database_url_does_not_show_its_password() {
        let message = refusal("database: {url: \"postgres://u:hunter2@[bad\"}");
        assert!(!message.contains("hunter2"), "{message}");
        assert!(
            !format!("{:?}", load("database: {url: \"postgres://u:hunter2@127.0.0.1/d\"}").unwrap())
                .contains("hunter2")
        );
    }
}
