//! Who may depend on whom. The tables below are the dependency picture of `docs/architecture.md`.
//!
//! Dependencies of tests alone are free: a contract may be run on whatever fulfils it.

use cargo_metadata::{DependencyKind, Metadata};

use super::Finding;

/// Each crate of this workspace, and those that it may use; the crates of the product without their `stratora-`.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("clock", &[]),
    ("headers", &[]),
    ("port", &[]),
    ("token", &[]),
    ("wire", &[]),
    ("hashing", &["token"]),
    ("audit", &["clock", "port", "token"]),
    ("auth", &["audit", "clock", "hashing", "port", "token"]),
    ("keys", &["audit", "clock", "hashing", "port", "token"]),
    ("storage", &["audit", "auth", "clock", "hashing", "keys", "port", "token"]),
    ("actix", &["audit", "auth", "clock", "headers", "keys", "port", "token", "wire"]),
    ("api", &["actix", "audit", "auth", "clock", "headers", "keys", "port", "token", "wire"]),
    (
        "server",
        &["actix", "api", "audit", "auth", "clock", "hashing", "headers", "keys", "port", "storage", "token", "wire"],
    ),
    ("testing", &[]),
    ("xtask", &[]),
];

/// Crates from elsewhere that only some of ours may know, and why. A name ending in `*` stands for all that begin so.
const ONLY: [(&str, &[&str], &str); 7] = [
    ("actix-governor", &["server"], "its licence, GPL-3.0-or-later, is the server's alone"),
    ("actix-*", &["actix", "api", "server"], "the domain knows no web framework"),
    ("diesel*", &["storage"], "databases are behind ports"),
    ("libsqlite3-sys", &["storage"], "databases are behind ports"),
    ("tokio-postgres", &["storage", "testing"], "databases are behind ports"),
    ("bcrypt", &["hashing"], "hashing runs on its bounded pool"),
    ("getrandom", &["token"], "randomness is passed in"),
];

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in metadata.workspace_packages() {
        let manifest = package.manifest_path.strip_prefix(&metadata.workspace_root).unwrap_or(&package.manifest_path);
        let used = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let problems = problems(short(&package.name), used.map(|dependency| dependency.name.as_str()));
        findings.extend(problems.into_iter().map(|problem| Finding::new(manifest.as_str(), problem)));
    }
    findings
}

fn problems<'a>(crate_: &str, used: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == crate_) else {
        return vec!["not in the dependency picture; add it to xtask/src/tidy/dependencies.rs".to_owned()];
    };
    used.into_iter().filter_map(|name| refusal(crate_, may_use, name)).collect()
}

fn refusal(crate_: &str, may_use: &[&str], used: &str) -> Option<String> {
    if let Some(ours) = used.strip_prefix("stratora-") {
        let allowed = may_use.contains(&ours);
        return (!allowed).then(|| format!("may not depend on {used}; move what it needs to where both may reach it"));
    }
    let (_, by, why) = ONLY.iter().find(|(pattern, ..)| matches(pattern, used))?;
    (!by.contains(&crate_)).then(|| format!("may not depend on {used}, only {} may: {why}", by.join(", ")))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |beginning| name.starts_with(beginning))
}

/// A crate's name without the product's.
fn short(name: &str) -> &str {
    name.strip_prefix("stratora-").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_picture_shows_is_allowed() {
        assert!(problems("storage", ["stratora-auth", "diesel", "diesel-async", "tokio"]).is_empty());
        assert!(problems("server", ["stratora-api", "stratora-storage", "actix-web", "actix-governor"]).is_empty());
    }

    #[test]
    fn the_api_reaches_no_database() {
        assert_eq!(problems("api", ["stratora-storage", "diesel-async"]).len(), 2);
    }

    #[test]
    fn the_domain_knows_no_web_framework() {
        for crate_ in ["auth", "keys", "headers", "audit", "token", "clock", "port", "hashing", "wire"] {
            assert_eq!(problems(crate_, ["actix-web", "actix-http", "diesel"]).len(), 3, "{crate_}");
        }
    }

    #[test]
    fn the_flood_guard_stays_in_the_server() {
        assert_eq!(problems("actix", ["actix-web", "actix-governor"]).len(), 1);
    }

    #[test]
    fn nothing_is_built_on_test_support() {
        for (crate_, _) in MAY_USE {
            assert_eq!(problems(crate_, ["stratora-testing"]).len(), 1, "{crate_}");
        }
    }

    #[test]
    fn a_new_crate_must_enter_the_picture() {
        assert_eq!(problems("newcomer", []).len(), 1);
    }
}
