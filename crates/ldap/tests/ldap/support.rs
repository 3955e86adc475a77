//! What the tests share: a directory from a few lines of settings, and what it says.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use stratora_auth::{Directory as _, DirectoryPerson, Password, Role, Username};
use stratora_clock::ManualClock;
use stratora_ldap::{DirectorySettings, LdapDirectory, Probe};

/// The settings with changes, as `config.yaml` would have them.
pub(crate) fn settings(url: &str, changes: &Value) -> Value {
    let mut written = json!({ "url": url, "base_dn": "dc=example,dc=com" });
    if url.starts_with("ldap://") && changes.get("start_tls").is_none() {
        written["insecure"] = true.into();
    }
    if changes.get("search_bind").is_none() {
        written["bind"] = "uid={username},ou=people,dc=example,dc=com".into();
    }
    for (field, value) in changes.as_object().unwrap() {
        written[field] = value.clone();
    }
    written
}

pub(crate) fn check(written: Value) -> Result<DirectorySettings, String> {
    DirectorySettings::check(serde_json::from_value(written).unwrap()).map_err(|error| error.to_string())
}

/// A directory, and the clock of its circuit.
pub(crate) fn directory_and_clock(url: &str, changes: &Value) -> (LdapDirectory, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (LdapDirectory::new(check(settings(url, changes)).unwrap(), Arc::clone(&clock) as _), clock)
}

pub(crate) fn directory(url: &str, changes: &Value) -> LdapDirectory {
    directory_and_clock(url, changes).0
}

/// With TLS from the start, and that authority.
pub(crate) fn trusting(authority: &Path, changes: &Value) -> Value {
    let mut changes = changes.clone();
    changes["ca_file"] = authority.to_str().unwrap().into();
    changes
}

pub(crate) fn username(name: &str) -> Username {
    Username::parse(name).unwrap()
}

/// What a sign-in gets: a person, `None`, or advice.
pub(crate) async fn verify(
    directory: &LdapDirectory,
    name: &str,
    password: &str,
) -> Result<Option<DirectoryPerson>, String> {
    let answer = directory.verify(&username(name), &Password::parse(password).unwrap()).await;
    answer.map_err(|unavailable| unavailable.advice)
}

/// The role that a sign-in ends with.
pub(crate) async fn role(directory: &LdapDirectory, name: &str, password: &str) -> Option<Role> {
    verify(directory, name, password).await.unwrap().map(|person| person.role)
}

pub(crate) async fn probe(directory: &LdapDirectory, name: &str, password: &str) -> Probe {
    directory.probe(Some((&username(name), &Password::parse(password).unwrap()))).await
}

/// The steps, and the advice on the last.
pub(crate) fn steps(probe: &Probe) -> (Vec<&str>, &str) {
    let checks = probe.steps.iter().map(|step| step.check).collect();
    let advice = probe.steps.last().and_then(|step| step.advice.as_deref());
    assert!(probe.steps.iter().rev().skip(1).all(|step| step.advice.is_none()), "{probe:?}");
    (checks, advice.unwrap_or_default())
}
