//! Active Directory as Samba makes it. Its ports are fixed, so it gets an address of its own; they are below 1024, so it
//! has to be started as root.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::Authority;
use crate::process::{Background, until};

/// Everybody, and their groups.
const PEOPLE: &str = include_str!("samba/people.ldif");

/// LDAP, and LDAP over TLS.
const PORTS: [u16; 2] = [389, 636];

/// A running domain controller of the domain `CORP`, `corp.example.com`. Fields are dropped in this order: the server before
/// its files.
pub struct Samba {
    _server: Background,
    directory: TempDir,
    address: Ipv4Addr,
}

impl Samba {
    /// Below which entry everything is.
    pub const BASE: &'static str = "DC=corp,DC=example,DC=com";
    /// The password of everybody.
    pub const PASSWORD: &'static str = "Correct horse battery 5taple";

    /// Makes a domain with the people of `samba/people.ldif`, and starts its controller. Takes about 15 seconds.
    ///
    /// # Errors
    /// When it is not installed, does not start, or the caller is not root.
    pub fn start() -> anyhow::Result<Self> {
        ensure!(rustix::process::geteuid().is_root(), "Samba listens at ports 389 and 636, which takes root");
        let directory = tempfile::Builder::new().prefix("stratora-samba-").tempdir()?;
        let path = directory.path();
        let address = free_address()?;
        Authority::create(path)?.issue(path, &[&address.to_string()])?;
        let configuration = path.join("smb.conf");
        fs::write(&configuration, configuration_at(path, address)?)?;
        let mut provision = Command::new("samba-tool");
        provision.args(["domain", "provision", "--realm=CORP.EXAMPLE.COM", "--domain=CORP", "--server-role=dc"]);
        provision.args(["--dns-backend=NONE", "--host-name=dc1", &format!("--host-ip={address}")]);
        provision.arg(format!("--adminpass={ADMINISTRATOR}")).arg("--configfile").arg(&configuration);
        succeed(&provision.env("TDB_NO_FSYNC", "1").output().context("cannot start samba-tool")?)?;

        let mut samba = Command::new("samba");
        // One process, so that it is gone when it is killed.
        samba.args(["--foreground", "--no-process-group", "--model=single", "--configfile"]).arg(&configuration);
        let mut server = Background::start(samba.env("TDB_NO_FSYNC", "1"), path, "samba")?;
        let listens = || PORTS.iter().all(|port| TcpStream::connect((address, *port)).is_ok());
        until("Samba", || listens() || server.has_ended()).with_context(|| server.output())?;
        ensure!(!server.has_ended(), "Samba ended at once: {}", server.output());

        let samba = Self { _server: server, directory, address };
        samba.add_people()?;
        Ok(samba)
    }

    /// Where it listens without TLS, and takes StartTLS.
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// Where it listens with TLS.
    pub fn tls_url(&self) -> String {
        format!("ldaps://{}", self.address)
    }

    /// The authority that vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    fn add_people(&self) -> anyhow::Result<()> {
        let path = self.directory.path();
        // In quotes and UTF-16, as Active Directory wants it (MS-ADTS §3.1.1.3.1.5).
        let (password, quoted) = (path.join("password"), format!("\"{}\"", Self::PASSWORD));
        fs::write(&password, quoted.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())?;
        let people = PEOPLE.replace("{password}", &password.display().to_string());
        let file = path.join("people.ldif");
        fs::write(&file, people)?;
        let mut add = Command::new("ldapadd");
        add.env("LDAPTLS_CACERT", self.authority()).args(["-x", "-H", &self.tls_url()]);
        add.args(["-D", "Administrator@corp.example.com", "-w", ADMINISTRATOR, "-f"]).arg(file);
        succeed(&add.output().context("cannot start ldapadd")?)
    }
}

/// The password of the domain's administrator.
const ADMINISTRATOR: &str = "a Password for 3verything";

fn succeed(output: &Output) -> anyhow::Result<()> {
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "Samba's domain was not made: {said}{error}");
    Ok(())
}

/// An address of the loopback interface at whose ports nobody listens. Begins at one that depends on the process, so that two
/// tests side by side take different ones.
fn free_address() -> anyhow::Result<Ipv4Addr> {
    let [.., high, low] = std::process::id().to_be_bytes();
    let mut addresses = (0..=255).map(|offset: u8| Ipv4Addr::new(127, 77, high, low.wrapping_add(offset)));
    let is_free = |address: &Ipv4Addr| PORTS.iter().all(|port| TcpListener::bind((*address, *port)).is_ok());
    addresses.find(is_free).context("no address of 127.77.0.0/16 has ports 389 and 636 free")
}

/// LDAP only, at that address only, with all files in that directory.
fn configuration_at(directory: &Path, address: Ipv4Addr) -> anyhow::Result<String> {
    let path = |name: &str| directory.join(name).display().to_string();
    let folders = [
        ("private dir", "private"),
        ("state directory", "state"),
        ("cache directory", "cache"),
        ("lock directory", "lock"),
        ("binddns dir", "bind-dns"),
        ("pid directory", "run"),
        ("ncalrpc dir", "ncalrpc"),
    ];
    for (_, name) in folders {
        fs::create_dir(path(name))?;
    }
    let files = [
        ("log file", "log"),
        ("tls cafile", "authority.pem"),
        ("tls certfile", "certificate.pem"),
        ("tls keyfile", "key.pem"),
    ];
    let paths = folders.into_iter().chain(files).map(|(setting, name)| format!("{setting} = {}\n", path(name)));
    let (paths, shared) = (paths.collect::<String>(), path("state/sysvol"));
    Ok(format!(
        "[global]\n\
         realm = CORP.EXAMPLE.COM\n\
         workgroup = CORP\n\
         netbios name = DC1\n\
         server role = active directory domain controller\n\
         server services = ldap\n\
         dcerpc endpoint servers =\n\
         interfaces = {address}/8\n\
         bind interfaces only = yes\n\
         {paths}\
         [sysvol]\n\
         path = {shared}\n\
         [netlogon]\n\
         path = {shared}\n"
    ))
}
