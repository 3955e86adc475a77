//! Writes the NGINX site.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Subcommand;

use crate::nginx::{Backend, Site, render_into};
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write the site, its include files and, where there is none, a self-signed certificate.
    Render {
        /// Where to.
        #[arg(long, default_value = "/etc/nginx/stratora")]
        dir: PathBuf,
        /// The host names to serve, besides localhost and that of `server.external_url`.
        #[arg(long = "server-name", value_name = "NAME")]
        server_names: Vec<String>,
        /// Where to listen in clear.
        #[arg(long, default_values = ["80", "[::]:80"])]
        http_listen: Vec<String>,
        /// Where to listen with TLS.
        #[arg(long, default_values = ["443", "[::]:443"])]
        https_listen: Vec<String>,
        /// A server to pass requests to, once for each; the one of these settings when absent.
        #[arg(long = "backend", value_name = "IP:PORT")]
        backends: Vec<SocketAddr>,
        /// One of them that is to be stopped, and is given no more requests.
        #[arg(long = "drain", value_name = "IP:PORT")]
        drained: Vec<SocketAddr>,
        /// The certificate chain; made in the directory when absent.
        #[arg(long, requires = "certificate_key")]
        certificate: Option<PathBuf>,
        /// Its private key.
        #[arg(long, requires = "certificate")]
        certificate_key: Option<PathBuf>,
        /// Where ACME clients put their challenges.
        #[arg(long, default_value = "/var/www/acme")]
        acme_webroot: PathBuf,
        /// Where the access and error logs go.
        #[arg(long, default_value = "/var/log/nginx")]
        log_dir: PathBuf,
        /// A folder for the console, from which NGINX then serves it; the backends do when absent.
        #[arg(long, value_name = "DIR")]
        console_root: Option<PathBuf>,
    },
}

pub(super) fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let Command::Render {
        dir,
        server_names,
        http_listen,
        https_listen,
        backends,
        drained,
        certificate,
        certificate_key,
        acme_webroot,
        log_dir,
        console_root,
    } = command;
    let own = certificate.zip(certificate_key);
    let backends = Backend::all(settings.server.address(), &backends, &drained)?;
    let listen = (http_listen, https_listen);
    let site = Site::new(settings, server_names, listen, backends, own, (dir, acme_webroot, log_dir))?;
    let site = match console_root {
        Some(root) => site.with_console(root)?,
        None => site,
    };
    render_into(&site)?;
    eprintln!("Include {} in NGINX's http context, then run nginx -t and nginx -s reload.", site.file().display());
    Ok(())
}
