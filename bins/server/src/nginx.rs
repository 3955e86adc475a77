//! The NGINX site, rendered for this installation: the template and the static files are compiled in, the header files
//! come from the header policy.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::http::Uri;
use anyhow::{Context as _, bail};
use minijinja::{Environment, UndefinedBehavior, context};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use stratora_api::ROUTES;
use stratora_clock::{Clock as _, SystemClock, Timestamp};
use time::OffsetDateTime;

use crate::console;
use crate::settings::Settings;

const DAY: Duration = Duration::from_hours(24);
const TEMPLATE: &str = include_str!("../../../nginx/stratora.conf.j2");
const STATIC: [(&str, &str); 2] =
    [("proxy.conf", include_str!("../../../nginx/proxy.conf")), ("tls.conf", include_str!("../../../nginx/tls.conf"))];

/// What the site is rendered with.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where the files go, and where NGINX finds them.
    pub directory: PathBuf,
    /// The host names that are served.
    pub server_names: Vec<String>,
    /// `listen` in clear.
    pub http_listen: Vec<String>,
    /// `listen` with TLS.
    pub https_listen: Vec<String>,
    /// The servers behind it.
    pub backends: Vec<Backend>,
    /// Where port 80 leads to.
    pub external_url: String,
    /// The certificate chain and its private key, if the installation has its own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Where ACME clients put their challenges.
    pub acme_webroot: PathBuf,
    /// Where the logs go.
    pub log_directory: PathBuf,
    /// Where NGINX finds the console's files; the backends serve them when absent.
    pub console_root: Option<PathBuf>,
}

/// A server behind NGINX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    /// It is given no more requests: it is going to be stopped.
    pub drained: bool,
}

impl Backend {
    /// The backends at `addresses`, or else the one at `own`, of which some are drained.
    ///
    /// # Errors
    /// When one is drained that is none of them, or all are.
    pub fn all(own: SocketAddr, addresses: &[SocketAddr], drained: &[SocketAddr]) -> anyhow::Result<Vec<Self>> {
        let own = [reachable(own)];
        let addresses = if addresses.is_empty() { &own[..] } else { addresses };
        if let Some(unknown) = drained.iter().find(|address| !addresses.contains(address)) {
            bail!("--drain {unknown}: there is no --backend {unknown}");
        }
        if addresses.iter().all(|address| drained.contains(address)) {
            bail!("--drain: one backend has to stay");
        }
        let backend = |address: &SocketAddr| Self { address: *address, drained: drained.contains(address) };
        Ok(addresses.iter().map(backend).collect())
    }
}

impl Site {
    /// The site of an installation with these settings.
    ///
    /// # Errors
    /// When a name or an address could not stand in NGINX's configuration.
    pub fn new(
        settings: &Settings,
        mut server_names: Vec<String>,
        (in_clear, with_tls): (Vec<String>, Vec<String>),
        backends: Vec<Backend>,
        certificate: Option<(PathBuf, PathBuf)>,
        (directory, acme_webroot, log_directory): (PathBuf, PathBuf, PathBuf),
    ) -> anyhow::Result<Self> {
        let external_url = settings.server.external_url();
        let host = external_url.parse::<Uri>()?.host().map(str::to_owned).context("server.external_url has no host")?;
        for name in [host, "localhost".to_owned()] {
            if !server_names.contains(&name) {
                server_names.push(name);
            }
        }
        let site = Self {
            directory,
            server_names,
            http_listen: in_clear,
            https_listen: with_tls,
            backends,
            external_url: over_tls(&external_url)?,
            certificate,
            acme_webroot,
            log_directory,
            console_root: None,
        };
        site.check()?;
        Ok(site)
    }

    /// The same site, whose NGINX serves the console from a folder.
    ///
    /// # Errors
    /// When the folder's name could not stand in NGINX's configuration.
    pub fn with_console(self, root: PathBuf) -> anyhow::Result<Self> {
        let site = Self { console_root: Some(root), ..self };
        site.check()?;
        Ok(site)
    }

    /// Nothing may end a directive or open a block.
    fn check(&self) -> anyhow::Result<()> {
        let paths = [&self.directory, &self.acme_webroot, &self.log_directory].into_iter().chain(&self.console_root);
        let paths: Vec<_> = paths.map(|path| path.display().to_string()).collect();
        let texts = [&self.server_names, &self.http_listen, &self.https_listen];
        let all = texts.into_iter().flatten().chain(&paths).chain([&self.external_url]);
        for text in all {
            if text.is_empty()
                || text.contains(|c: char| c.is_whitespace() || c.is_control() || "{};\"'$\\#".contains(c))
            {
                bail!("{text:?} cannot stand in NGINX's configuration");
            }
        }
        Ok(())
    }

    /// The site's own file.
    pub fn file(&self) -> PathBuf {
        self.directory.join("stratora.conf")
    }

    fn certificate(&self) -> (PathBuf, PathBuf) {
        let own = self.certificate.clone();
        own.unwrap_or_else(|| (self.directory.join("certificate.pem"), self.directory.join("certificate-key.pem")))
    }

    /// The text of the site's own file.
    ///
    /// # Errors
    /// When the template does not render.
    pub fn render(&self) -> anyhow::Result<String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let (certificate, certificate_key) = self.certificate();
        let backend = |to: &Backend| context! { address => to.address.to_string(), drained => to.drained };
        let backends: Vec<_> = self.backends.iter().map(backend).collect();
        let console_root = self.console_root.as_ref().map(|root| root.display().to_string()).unwrap_or_default();
        let text = environment.render_str(
            TEMPLATE,
            context! {
                server_names => &self.server_names,
                http_listen => &self.http_listen,
                https_listen => &self.https_listen,
                backends => backends,
                external_url => &self.external_url,
                certificate => certificate.display().to_string(),
                certificate_key => certificate_key.display().to_string(),
                include_dir => self.directory.display().to_string(),
                acme_webroot => self.acme_webroot.display().to_string(),
                console_root => console_root,
                console_screens => screens(),
                access_log => self.log_directory.join("stratora-access.log").display().to_string(),
                error_log => self.log_directory.join("stratora-error.log").display().to_string(),
            },
        )?;
        Ok(text + "\n")
    }
}

/// The paths of the console's screens, as regular expressions.
fn screens() -> Vec<String> {
    let screens = ROUTES.iter().filter(|route| route.is_screen());
    screens.map(|route| route.path.replace("{id}", "[^/]+")).collect()
}

/// Where port 80 leads: the external URL if it is one of HTTPS, else HTTPS on the same host.
fn over_tls(external_url: &str) -> anyhow::Result<String> {
    let url: Uri = external_url.parse()?;
    let host = url.host().context("server.external_url has no host")?;
    let is_https = url.scheme_str() == Some("https");
    Ok(if is_https { external_url.trim_end_matches('/').to_owned() } else { format!("https://{host}") })
}

/// Where a backend that listens at `address` is reached from the same machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Writes the site and what it includes, the console where NGINX serves it, and a self-signed certificate where there is none.
///
/// # Errors
/// When a file cannot be written.
pub fn render_into(site: &Site) -> anyhow::Result<()> {
    let place = || site.directory.display().to_string();
    fs::create_dir_all(&site.directory).with_context(place)?;
    for include in stratora_headers::nginx::includes() {
        fs::write(site.directory.join(include.name), include.text).with_context(place)?;
    }
    for (name, text) in STATIC {
        fs::write(site.directory.join(name), text).with_context(place)?;
    }
    if site.certificate.is_none() {
        ensure_certificate(site)?;
    }
    if let Some(root) = &site.console_root {
        console::write_into(root)?;
    }
    fs::write(site.file(), site.render()?).with_context(place)
}

/// So that HTTPS works at once. A certificate that is there is left alone.
fn ensure_certificate(site: &Site) -> anyhow::Result<()> {
    let (certificate, key) = site.certificate();
    if certificate.exists() && key.exists() {
        return Ok(());
    }
    let mut names = site.server_names.clone();
    let host_name = fs::read_to_string("/etc/hostname").unwrap_or_default().trim().to_owned();
    if !host_name.is_empty() && !names.contains(&host_name) {
        names.push(host_name);
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Stratora (self-signed)");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // The longest that clients still take: 398 days, from yesterday on for clocks that are behind.
    let yesterday = SystemClock::start().now().minus(DAY);
    params.not_before = offset_date_time(yesterday)?;
    params.not_after = offset_date_time(yesterday.plus(398 * DAY))?;
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    write_private(&key, &pair.serialize_pem())?;
    fs::write(&certificate, params.self_signed(&pair)?.pem()).with_context(|| certificate.display().to_string())?;
    eprintln!("Made a self-signed certificate: {}", certificate.display());
    Ok(())
}

fn offset_date_time(at: Timestamp) -> anyhow::Result<OffsetDateTime> {
    Ok(OffsetDateTime::from_unix_timestamp(at.as_micros() / 1_000_000)?)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes()).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_are_paths_that_stand_for_themselves_in_a_regular_expression() {
        let screens = screens();
        assert!(screens.iter().any(|screen| screen == "/settings/identity-providers/[^/]+"));
        let plain = |screen: &String| {
            screen.replace("[^/]+", "").chars().all(|c| c.is_ascii_lowercase() || c == '/' || c == '-')
        };
        assert!(screens.iter().all(plain), "{screens:?}");
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
    }

    #[test]
    fn the_own_address_is_the_backend_unless_others_are_named() {
        let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080);
        let own = Backend { address: address(8080), drained: false };
        assert_eq!(Backend::all(everywhere, &[], &[]).unwrap(), [own]);
        let named = Backend::all(everywhere, &[address(1), address(2)], &[address(2)]).unwrap();
        let expected = [(1, false), (2, true)].map(|(port, drained)| Backend { address: address(port), drained });
        assert_eq!(named, expected);
    }

    #[test]
    fn what_cannot_be_drained_is_named() {
        let refusal = |addresses: &[SocketAddr], drained: &[SocketAddr]| {
            Backend::all(address(8080), addresses, drained).unwrap_err().to_string()
        };
        assert!(refusal(&[address(1), address(2)], &[address(3)]).contains("--drain 127.0.0.1:3"));
        assert!(refusal(&[address(1)], &[address(1)]).contains("has to stay"));
        assert!(refusal(&[], &[address(8080)]).contains("has to stay"));
    }
}
