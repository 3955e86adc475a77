//! The crates from elsewhere: their licences and where they come from, as `.cargo/deny.toml` allows.
//!
//! `cargo deny` checks more and takes minutes to install; this reads the same file, so that nobody can do without.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, Package};
use serde::Deserialize;
use spdx::{Expression, ParseMode};

use super::Finding;

const POLICY: &str = ".cargo/deny.toml";

/// What is read of the policy.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

pub(super) fn check(metadata: &Metadata, root: &Path) -> Result<Vec<Finding>> {
    let text = fs::read_to_string(root.join(POLICY)).with_context(|| format!("cannot read {POLICY}"))?;
    let policy: Policy = toml::from_str(&text).with_context(|| format!("cannot understand {POLICY}"))?;
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let source = package.source.as_ref().map(|source| source.repr.as_str());
        let problems =
            [policy.licence_problem(&package.name, package.license.as_deref()), policy.source_problem(source)];
        findings.extend(problems.into_iter().flatten().map(|problem| Finding::new(label(package), problem)));
    }
    for (used, users) in users(metadata) {
        findings.extend(policy.ban_problem(used, &users).map(|problem| Finding::new("Cargo.lock", problem)));
    }
    Ok(findings)
}

fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// Each package of the graph, with those that depend on it.
fn users(metadata: &Metadata) -> BTreeMap<&str, Vec<&str>> {
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    for (user, used) in nodes.flat_map(|node| node.dependencies.iter().map(move |used| (&node.id, used))) {
        users.entry(&metadata[used].name).or_default().push(&metadata[user].name);
    }
    users
}

impl Policy {
    fn licence_problem(&self, name: &str, licence: Option<&str>) -> Option<String> {
        let Some(licence) = licence else {
            return Some(format!("names no licence; look for another crate, or clarify it in {POLICY}"));
        };
        let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
            return Some(format!("has a licence that is no SPDX expression: {licence}"));
        };
        let exceptions = self.licenses.exceptions.iter().filter(|exception| exception.name == name);
        let allowed: Vec<&String> =
            self.licenses.allow.iter().chain(exceptions.flat_map(|exception| &exception.allow)).collect();
        let allows = |requirement: &spdx::LicenseReq| {
            let wanted = requirement.to_string();
            allowed.iter().any(|licence| **licence == wanted)
        };
        let refused = !expression.evaluate(allows);
        refused.then(|| format!("is under {licence}, which {POLICY} does not allow"))
    }

    fn source_problem(&self, source: Option<&str>) -> Option<String> {
        let registry = source?;
        let known =
            registry.strip_prefix("registry+").is_some_and(|url| self.sources.allow_registry.iter().any(|a| a == url));
        (!known).then(|| format!("comes from {registry}; only registries named in {POLICY} are trusted"))
    }

    fn ban_problem(&self, name: &str, users: &[&str]) -> Option<String> {
        let ban = self.bans.deny.iter().find(|ban| ban.name == name)?;
        let user = users.iter().find(|user| !ban.wrappers.iter().any(|wrapper| wrapper == *user))?;
        Some(format!("{user} brings {name}, which {POLICY} denies"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        toml::from_str(
            r#"
            [licenses]
            allow = ["MIT", "Apache-2.0", "Unicode-3.0"]
            exceptions = [{ crate = "flood-guard", allow = ["GPL-3.0-or-later"] }]
            [bans]
            deny = [{ crate = "openssl" }, { crate = "flood-guard", wrappers = ["server"] }]
            [sources]
            allow-registry = ["https://crates.example/index"]
            "#,
        )
        .unwrap()
    }

    fn is_licensed(name: &str, licence: &str) -> bool {
        policy().licence_problem(name, Some(licence)).is_none()
    }

    #[test]
    fn one_of_several_licences_to_choose_from_is_enough() {
        assert!(is_licensed("a", "MIT"));
        assert!(is_licensed("a", "GPL-2.0-only OR MIT"));
        assert!(is_licensed("a", "MIT/Apache-2.0"));
        assert!(is_licensed("a", "Apache-2.0 WITH LLVM-exception OR MIT"));
    }

    #[test]
    fn of_licences_that_hold_together_all_must_be_allowed() {
        assert!(is_licensed("a", "(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_licensed("a", "MIT AND OpenSSL"));
    }

    #[test]
    fn a_licence_with_an_exception_is_another_licence() {
        assert!(!is_licensed("a", "Apache-2.0 WITH LLVM-exception"));
    }

    #[test]
    fn the_gpl_is_for_the_crates_that_are_named() {
        assert!(is_licensed("flood-guard", "GPL-3.0-or-later"));
        assert!(!is_licensed("flood-guard", "GPL-3.0-only"));
        assert!(!is_licensed("auth", "GPL-3.0-or-later"));
    }

    #[test]
    fn a_crate_without_a_readable_licence_is_refused() {
        assert!(policy().licence_problem("a", None).is_some());
        assert!(!is_licensed("a", "see the file"));
        assert!(!is_licensed("a", ""));
    }

    #[test]
    fn crates_come_from_this_workspace_or_a_trusted_registry() {
        assert!(policy().source_problem(None).is_none());
        assert!(policy().source_problem(Some("registry+https://crates.example/index")).is_none());
        assert!(policy().source_problem(Some("registry+https://elsewhere.example/index")).is_some());
        assert!(policy().source_problem(Some("git+https://crates.example/index")).is_some());
    }

    #[test]
    fn a_banned_crate_may_be_brought_by_its_wrappers_only() {
        assert!(policy().ban_problem("openssl", &["client"]).is_some());
        assert!(policy().ban_problem("flood-guard", &["server"]).is_none());
        assert!(policy().ban_problem("flood-guard", &["server", "auth"]).is_some());
        assert!(policy().ban_problem("tokio", &["auth"]).is_none());
    }
}
