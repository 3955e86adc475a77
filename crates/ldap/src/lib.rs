//! Signing in through a directory that speaks LDAP, such as Active Directory: the port [`stratora_auth::Directory`], and a
//! test of its settings that says what to fix.

mod ber;
mod bind_name;
mod circuit;
mod connection;
mod conversation;
mod directory;
mod distinguished_name;
mod failure;
mod probe;
mod relay;
mod roles;
mod settings;
mod start_tls;
mod trust;
mod written;

pub use directory::LdapDirectory;
pub use probe::{Probe, ProbeStep, ProbedPerson};
pub use settings::{DirectorySettings, RefusedSettings};
pub use written::{LdapSettings, RoleMappingSettings, SearchBindSettings};
