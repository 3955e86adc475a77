//! OpenLDAP: a directory with people whose names mean something in names and filters.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::{Background, until};
use crate::{Authority, free_port};

/// Everybody, and their groups.
const PEOPLE: &str = include_str!("openldap/people.ldif");

/// A running OpenLDAP. Fields are dropped in this order: the server before its files.
pub struct OpenLdap {
    server: Background,
    directory: TempDir,
    port: u16,
    tls_port: u16,
}

impl OpenLdap {
    /// Below which entry everything is.
    pub const BASE: &'static str = "dc=example,dc=com";
    /// The password of everybody who has no other.
    pub const PASSWORD: &'static str = "Correct horse battery 5taple";
    /// An account that may look for people, and its password.
    pub const READER: (&'static str, &'static str) = ("cn=reader,dc=example,dc=com", "a password for reading");

    /// Starts one with the people of `openldap/people.ldif`. They read their own mail addresses and groups; nobody else does.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("stratora-openldap-").tempdir()?;
        let path = directory.path();
        Authority::create(path)?.issue(path, &[])?;
        std::fs::create_dir(path.join("data"))?;
        std::fs::write(path.join("slapd.conf"), configuration(path))?;
        std::fs::write(path.join("people.ldif"), PEOPLE)?;
        let (port, tls_port) = (free_port()?, free_port()?);
        let mut command = Command::new("slapd");
        // Stays in the foreground, and says nothing but errors.
        command.args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port} {}", tls_urls(tls_port).join(" "))]);
        command.arg("-f").arg(path.join("slapd.conf"));
        let mut server = Background::start(&mut command, path, "slapd")?;
        let listens = || [port, tls_port].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok());
        until("OpenLDAP", || listens() || server.has_ended()).with_context(|| server.output())?;
        ensure!(!server.has_ended(), "OpenLDAP ended at once: {}", server.output());
        let openldap = Self { server, directory, port, tls_port };
        // Through the server: `memberOf` is written when members are.
        let mut add = Command::new("ldapadd");
        add.args(["-x", "-H", &openldap.url(), "-D", ROOT.0, "-w", ROOT.1, "-f"]);
        add.arg(openldap.directory.path().join("people.ldif"));
        let added = add.output().context("cannot start ldapadd")?;
        ensure!(added.status.success(), "ldapadd failed: {}", String::from_utf8_lossy(&added.stderr));
        Ok(openldap)
    }

    /// Where it listens without TLS, and takes StartTLS.
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// Where it listens with TLS.
    pub fn tls_url(&self) -> String {
        let [url, _] = tls_urls(self.tls_port);
        url
    }

    /// The same at an address that its certificate does not name.
    pub fn misnamed_tls_url(&self) -> String {
        let [_, url] = tls_urls(self.tls_port);
        url
    }

    /// The authority that vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// Freezes it: connections are accepted by the system, and nothing is answered until [`Self::resume`].
    pub fn pause(&self) {
        self.server.signal(Signal::STOP);
    }

    /// Undoes [`Self::pause`].
    pub fn resume(&self) {
        self.server.signal(Signal::CONT);
    }

    /// Stops it. Nobody listens at its addresses afterwards.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.resume();
        self.server.stop(Signal::INT).map(drop)
    }
}

fn tls_urls(port: u16) -> [String; 2] {
    ["127.0.0.1", "127.0.0.2"].map(|address| format!("ldaps://{address}:{port}"))
}

/// Who may do everything.
const ROOT: (&str, &str) = ("cn=root,dc=example,dc=com", "a password for everything");

fn configuration(directory: &Path) -> String {
    let directory = directory.display();
    let ((root, password), base) = (ROOT, OpenLdap::BASE);
    format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         moduleload memberof\n\
         pidfile {directory}/slapd.pid\n\
         TLSCACertificateFile {directory}/authority.pem\n\
         TLSCertificateFile {directory}/certificate.pem\n\
         TLSCertificateKeyFile {directory}/key.pem\n\
         TLSVerifyClient never\n\
         database mdb\n\
         suffix {base}\n\
         directory {directory}/data\n\
         dbnosync\n\
         rootdn {root}\n\
         rootpw \"{password}\"\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to attrs=mail,memberOf by self read by * none\n\
         access to * by users read by * none\n\
         overlay memberof\n"
    )
}
