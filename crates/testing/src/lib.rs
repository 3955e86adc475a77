//! What the tests of the whole product stand on: its real counterparts, started on free ports and in temporary directories
//! and gone with the test, and clients that say exactly what they are told, well-formed or not.
//!
//! Waiting here is for other processes to be ready; what the tests assert never depends on how long it takes.

mod browser;
mod certificate;
mod client;
mod hostile_provider;
mod nginx;
mod node;
mod oidc_provider;
mod openldap;
mod ports;
mod postgres;
mod postgres_database;
mod process;
mod programs;
mod proxy;
mod python;
mod raw;
mod samba;
mod victoria_metrics;
mod writers;

pub use browser::Browser;
pub use certificate::{Authority, Certificate};
pub use client::{Answer, Client, Request, decide_cryptography};
pub use hostile_provider::{Habit, HostileProvider, Misbehaviour, Signing};
pub use nginx::Nginx;
pub use oidc_provider::{BackchannelLogout, OidcProvider};
pub use openldap::OpenLdap;
pub use ports::free_port;
pub use postgres::{Postgres, SharedPostgres};
pub use postgres_database::PostgresDatabase;
pub use process::{Background, until};
pub use proxy::Proxy;
pub use raw::{RawAnswer, raw_tcp, raw_tls};
pub use rustix::process::Signal;
pub use samba::Samba;
pub use victoria_metrics::VictoriaMetrics;
pub use writers::{Destination, Glances, Icinga, VmAgent, write_with_influxdb_client};
