//! Writes the NGINX site.

use std::path::PathBuf;

use clap::Subcommand;

use crate::nginx::{Site, render_into};
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
    },
}

pub(super) fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let Command::Render {
        dir,
        server_names,
        http_listen,
        https_listen,
        certificate,
        certificate_key,
        acme_webroot,
        log_dir,
    } = command;
    let own = certificate.zip(certificate_key);
    let site = Site::new(settings, server_names, (http_listen, https_listen), own, (dir, acme_webroot, log_dir))?;
    render_into(&site)?;
    eprintln!("Include {} in NGINX's http context, then run nginx -t and nginx -s reload.", site.file().display());
    Ok(())
}
