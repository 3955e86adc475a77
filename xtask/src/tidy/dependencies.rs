//! Who may depend on whom: each crate on those that the picture in `docs/architecture.md` leads to from it.
//!
//! Dependencies of tests alone are free: a contract may be run on whatever fulfils it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata};

use super::{ARCHITECTURE, Finding};

/// Crates from elsewhere that only some of ours may know, and why. A name ending in `*` stands for all that begin so;
/// the first that fits counts.
const ONLY: [(&str, &[&str], &str); 8] = [
    ("actix-governor", &["server"], "its licence, GPL-3.0-or-later, is the server's alone"),
    ("actix-*", &["actix", "api", "server"], "the domain knows no web framework"),
    ("diesel*", &["storage"], "databases are behind ports"),
    ("libsqlite3-sys", &["storage"], "databases are behind ports"),
    ("tokio-postgres", &["storage", "testing"], "databases are behind ports"),
    ("bcrypt", &["hashing"], "hashing runs on its bounded pool"),
    // The agent shares nothing with the server but the wire, so it has no port to be passed randomness through.
    ("getrandom", &["token", "agent"], "randomness is passed in"),
    ("ldap3", &["ldap"], "what it parses is bounded there first"),
];

/// What `wire` may know: it is built into programs that share nothing else with the server.
const WIRE: [&str; 3] = ["serde", "serde_json", "utoipa"];

pub(super) fn check(metadata: &Metadata, root: &Path) -> Result<Vec<Finding>> {
    let text = fs::read_to_string(root.join(ARCHITECTURE)).with_context(|| format!("cannot read {ARCHITECTURE}"))?;
    let picture = Picture::read(&text);
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root).unwrap_or(&package.manifest_path);
        let used = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let problems = used.filter_map(|dependency| picture.problem(short(&package.name), &dependency.name));
        findings.extend(problems.map(|problem| Finding::new(manifest.as_str(), problem)));
    }
    Ok(findings)
}

/// A crate's name without the product's.
fn short(name: &str) -> &str {
    name.strip_prefix("stratora-").unwrap_or(name)
}

/// The arrows of the picture, each from a crate to one that it uses.
struct Picture<'a>(BTreeSet<(&'a str, &'a str)>);

impl<'a> Picture<'a> {
    /// Reads the lines `user --> used` of the document's diagram. A box may have a label: `server["bins/server"]`.
    fn read(document: &'a str) -> Self {
        let diagram = document.split_once("```mermaid\n").and_then(|(_, rest)| rest.split_once("```"));
        let lines = diagram.map_or("", |(diagram, _)| diagram).lines();
        let name = |text: &'a str| text.split('[').next().unwrap_or(text).trim();
        Self(lines.filter_map(|line| line.split_once("-->")).map(|(user, used)| (name(user), name(used))).collect())
    }

    fn problem(&self, from: &str, to: &str) -> Option<String> {
        if from == "wire" && !WIRE.contains(&to) {
            return Some(format!("may not depend on {to}, only on {}", WIRE.join(", ")));
        }
        if let Some(ours) = to.strip_prefix("stratora-") {
            let problem = format!("may not depend on {to}: no arrow leads there in {ARCHITECTURE}");
            return (!self.leads(from, ours)).then_some(problem);
        }
        let (_, by, why) = ONLY.iter().find(|(pattern, ..)| fits(pattern, to))?;
        (!by.contains(&from)).then(|| format!("may not depend on {to}, only {} may: {why}", by.join(", ")))
    }

    fn leads(&self, from: &str, to: &str) -> bool {
        let mut reached = BTreeSet::from([from]);
        let mut ahead = vec![from];
        while let Some(here) = ahead.pop() {
            let next = self.0.iter().filter(|(user, _)| *user == here).map(|(_, used)| *used);
            ahead.extend(next.filter(|used| reached.insert(used)));
        }
        reached.contains(to)
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"# Architecture

An arrow such as storage --> api outside of the picture says nothing.

```mermaid
graph TD
    server["bins/server"] --> api
    server --> storage
    api --> auth
    storage --> auth
    auth --> clock["crates/clock"]
```

api --> storage
"#;

    fn may(from: &str, to: &str) -> bool {
        Picture::read(DOCUMENT).problem(from, to).is_none()
    }

    #[test]
    fn a_crate_may_use_what_arrows_lead_to_however_many() {
        assert!(may("server", "stratora-api"));
        assert!(may("server", "stratora-clock"));
        assert!(may("api", "stratora-clock"));
    }

    #[test]
    fn a_crate_may_not_use_what_no_arrow_leads_to() {
        assert!(!may("api", "stratora-storage"));
        assert!(!may("auth", "stratora-api"));
        assert!(!may("newcomer", "stratora-clock"));
        assert!(!may("server", "stratora-testing"));
    }

    #[test]
    fn without_a_picture_nothing_is_allowed() {
        assert!(Picture::read("# Architecture").problem("server", "stratora-api").is_some());
    }

    #[test]
    fn arrows_in_a_circle_come_to_an_end() {
        let picture = Picture::read("```mermaid\na --> b\nb --> a\n```");
        assert!(picture.leads("a", "b"));
        assert!(!picture.leads("a", "c"));
    }

    #[test]
    fn databases_and_web_frameworks_stay_in_their_crates() {
        for user in ["auth", "keys", "headers", "audit", "token", "clock", "port", "hashing", "wire", "xtask"] {
            for used in ["actix-web", "actix-http", "actix-governor", "diesel", "diesel-async", "tokio-postgres"] {
                assert!(!may(user, used), "{user} {used}");
            }
        }
        assert!(may("storage", "diesel-async") && !may("api", "diesel-async"));
        assert!(may("actix", "actix-web") && may("api", "actix-web"));
    }

    #[test]
    fn the_flood_guard_stays_in_the_server() {
        assert!(may("server", "actix-governor"));
        assert!(!may("actix", "actix-governor"));
    }

    #[test]
    fn wire_knows_nothing_but_its_format() {
        assert!(may("wire", "serde"));
        assert!(!may("wire", "uuid"));
    }

    /// The picture may grow, but not in these directions.
    #[test]
    fn the_real_picture_keeps_the_domain_apart() {
        let document = fs::read_to_string(crate::workspace::root().join(ARCHITECTURE)).unwrap();
        let picture = Picture::read(&document);
        assert!(picture.leads("server", "storage"));
        assert!(!picture.leads("api", "storage"));
        for domain in ["auth", "keys", "headers", "audit"] {
            assert!(!picture.leads(domain, "actix") && !picture.leads(domain, "storage"), "{domain}");
        }
        for user in ["server", "api", "storage", "actix"] {
            assert!(!picture.leads(user, "testing"), "{user}");
        }
    }
}
