//! Where the database is. Parsed once, so that a mistake stops the start with its reason and a password is never logged.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use tokio_postgres::config::{Host, SslMode};

/// A PostgreSQL server or an SQLite file.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(pub(crate) Location);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A connection URL, password included.
    Postgres(String),
    /// A file.
    Sqlite(PathBuf),
    /// A database that goes with its only connection.
    SqliteMemory,
}

/// Why a database URL was refused. Never repeats the URL: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedUrl {
    /// It starts with neither scheme.
    #[error("database URL must start with postgres:// or sqlite:")]
    Scheme,
    /// There is no path behind `sqlite:`.
    #[error("database URL must name a file, such as sqlite:stratora.db")]
    NoFile,
    /// It is no PostgreSQL connection URL.
    #[error("database URL is not of the form postgres://user:password@host:port/database?option=value")]
    Malformed,
    /// It asks for TLS.
    #[error(
        "TLS to PostgreSQL is not supported yet; remove sslmode and connect over loopback, a unix socket or a tunnel"
    )]
    TlsUnsupported,
    /// The server is on another machine, and nothing says that the network in between may read along.
    #[error(
        "PostgreSQL on another machine ({host}) would be spoken to in clear, since TLS to PostgreSQL is not supported \
         yet; use a tunnel on loopback, or say sslmode=disable if the network is trusted"
    )]
    Cleartext {
        /// The machine.
        host: String,
    },
}

impl DatabaseUrl {
    /// Reads `postgres://…`, `sqlite:path`, or `sqlite::memory:` for tests.
    ///
    /// # Errors
    /// [`RefusedUrl`] says why the text is none, or not a safe one.
    pub fn parse(url: &str) -> Result<Self, RefusedUrl> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let config: tokio_postgres::Config = url.parse().map_err(|_| RefusedUrl::Malformed)?;
            refuse_cleartext(&config)?;
            return Ok(Self(Location::Postgres(url.to_owned())));
        }
        match url.strip_prefix("sqlite:") {
            Some(":memory:") => Ok(Self(Location::SqliteMemory)),
            Some(path) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() || path.contains('\0') {
                    return Err(RefusedUrl::NoFile);
                }
                Ok(Self(Location::Sqlite(PathBuf::from(path))))
            }
            None => Err(RefusedUrl::Scheme),
        }
    }

    /// The URL of a PostgreSQL server, which several of our servers may share.
    pub(crate) fn postgres(&self) -> Option<&str> {
        match &self.0 {
            Location::Postgres(url) => Some(url),
            Location::Sqlite(_) | Location::SqliteMemory => None,
        }
    }

    /// The SQLite file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Location::Sqlite(path) => Some(path),
            Location::Postgres(_) | Location::SqliteMemory => None,
        }
    }

    /// Whether several servers can share it.
    pub const fn is_postgres(&self) -> bool {
        matches!(self.0, Location::Postgres(_))
    }
}

fn refuse_cleartext(config: &tokio_postgres::Config) -> Result<(), RefusedUrl> {
    match config.get_ssl_mode() {
        SslMode::Disable => return Ok(()),
        SslMode::Prefer => {}
        _ => return Err(RefusedUrl::TlsUnsupported),
    }
    let far = config.get_hosts().iter().find_map(|host| match host {
        Host::Tcp(name) if name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()) => {
            None
        }
        Host::Tcp(name) => Some(name),
        Host::Unix(_) => None,
    });
    match far {
        // A host address decides where the connection goes, whatever the host is called.
        _ if !config.get_hostaddrs().is_empty() && config.get_hostaddrs().iter().all(IpAddr::is_loopback) => Ok(()),
        Some(host) => Err(RefusedUrl::Cleartext { host: host.clone() }),
        None => config
            .get_hostaddrs()
            .iter()
            .find(|address| !address.is_loopback())
            .map_or(Ok(()), |address| Err(RefusedUrl::Cleartext { host: address.to_string() })),
    }
}

/// Redacted: the kind of database, and the file of an SQLite one.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Location::Postgres(_) => f.write_str("postgres://…"),
            Location::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Location::SqliteMemory => f.write_str("sqlite::memory:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_both_databases_are_taken() {
        assert!(DatabaseUrl::parse("postgres://stratora:pw@127.0.0.1/stratora").unwrap().is_postgres());
        assert!(DatabaseUrl::parse("postgresql://stratora@localhost:5433/stratora").unwrap().is_postgres());
        assert!(DatabaseUrl::parse("postgres://stratora@%2Frun%2Fpostgresql/stratora").unwrap().is_postgres());
        assert!(DatabaseUrl::parse("postgres:///stratora?host=/run/postgresql").unwrap().is_postgres());
        assert_eq!(DatabaseUrl::parse("sqlite:a.db").unwrap().file(), Some(Path::new("a.db")));
        assert_eq!(DatabaseUrl::parse("sqlite:///var/a.db").unwrap().file(), Some(Path::new("/var/a.db")));
    }

    #[test]
    fn what_is_no_database_url_is_refused_with_the_reason() {
        for (url, reason) in [
            ("mysql://a", RefusedUrl::Scheme),
            ("", RefusedUrl::Scheme),
            ("sqlite:", RefusedUrl::NoFile),
            ("postgres://a:b@h:port/x", RefusedUrl::Malformed),
        ] {
            assert_eq!(DatabaseUrl::parse(url), Err(reason), "{url}");
        }
    }

    #[test]
    fn a_connection_in_clear_to_another_machine_has_to_be_asked_for() {
        let far = "postgres://stratora@db.example.com/stratora";
        assert_eq!(DatabaseUrl::parse(far), Err(RefusedUrl::Cleartext { host: "db.example.com".to_owned() }));
        let hidden = "postgres://stratora@localhost/stratora?hostaddr=192.0.2.7";
        assert_eq!(DatabaseUrl::parse(hidden), Err(RefusedUrl::Cleartext { host: "192.0.2.7".to_owned() }));
        assert!(DatabaseUrl::parse(&format!("{far}?sslmode=disable")).is_ok());
        assert!(DatabaseUrl::parse("postgres://stratora@[::1]/stratora").is_ok());
    }

    #[test]
    fn tls_is_refused_rather_than_left_out() {
        let url = "postgres://stratora@127.0.0.1/stratora?sslmode=require";
        assert_eq!(DatabaseUrl::parse(url), Err(RefusedUrl::TlsUnsupported));
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = DatabaseUrl::parse("postgres://stratora:secret@127.0.0.1/stratora").unwrap();
        assert_eq!(format!("{url:?}"), "postgres://…");
    }
}
