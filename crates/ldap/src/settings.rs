//! The settings, checked: what they allow is safe and can be carried out. What does not pass says which field it is, and what
//! it must be.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ldap3::{ldap_escape, parse_filter};
use rustls::pki_types::ServerName;
use stratora_auth::{Role, Username};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::bind_name::BindName;
use crate::connection::{Encryption, Endpoint};
use crate::distinguished_name::{DistinguishedName, is_attribute};
use crate::roles::{RoleMapping, Roles};
use crate::trust::trusting;
use crate::{LdapSettings, RoleMappingSettings, SearchBindSettings};

/// How long a sign-in may take at the directory: what people wait without trying again.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest that may be set. NGINX gives up on an answer after 60 seconds.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// Why settings were refused.
#[derive(Debug, thiserror::Error)]
pub enum RefusedSettings {
    /// A value is not possible.
    #[error("ldap.{field} {must}")]
    Value {
        /// Which.
        field: Cow<'static, str>,
        /// What it must be.
        must: &'static str,
    },
    /// A file does not read.
    #[error("ldap.{field}: cannot read {}", file.display())]
    File {
        /// Which setting names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

pub(crate) fn refused(field: impl Into<Cow<'static, str>>, must: &'static str) -> RefusedSettings {
    RefusedSettings::Value { field: field.into(), must }
}

/// How a directory is asked, and what its answers mean here.
#[derive(Debug)]
pub struct DirectorySettings {
    pub(crate) endpoint: Endpoint,
    pub(crate) binding: Binding,
    pub(crate) base_dn: String,
    pub(crate) username_attribute: String,
    pub(crate) user_filter: String,
    pub(crate) mail_attribute: String,
    pub(crate) display_name_attribute: String,
    pub(crate) groups_attribute: String,
    pub(crate) nested_groups: bool,
    pub(crate) groups_base_dn: String,
    pub(crate) roles: Roles,
    pub(crate) timeout: Duration,
}

/// Under which name one looks for people.
pub(crate) enum Binding {
    /// Their own.
    Own(BindName),
    /// That of an account for the purpose; then people bind under the name of the entry that was found.
    Service { dn: String, password: Zeroizing<String> },
}

/// Redacted: it may hold a password.
impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own(template) => f.debug_tuple("Own").field(template).finish(),
            Self::Service { dn, .. } => f.debug_struct("Service").field("dn", dn).finish_non_exhaustive(),
        }
    }
}

impl DirectorySettings {
    /// Checks what was written. Reads the files that it names.
    ///
    /// # Errors
    /// [`RefusedSettings`] names the first field that is not possible.
    pub fn check(written: LdapSettings) -> Result<Self, RefusedSettings> {
        let attribute = |field, name: Option<String>, default: &str| match name {
            Some(name) if !is_attribute(&name) => Err(refused(field, "must be the name of an attribute, such as uid")),
            name => Ok(name.unwrap_or_else(|| default.to_owned())),
        };
        let base_dn = distinguished_name("base_dn", written.base_dn.clone())?;
        let groups_base_dn = match written.groups_base_dn.clone() {
            Some(name) => distinguished_name("groups_base_dn", name)?,
            None => base_dn.clone(),
        };
        let timeout = written.timeout.unwrap_or(DEFAULT_TIMEOUT);
        if timeout.is_zero() || timeout > MAX_TIMEOUT {
            return Err(refused("timeout", "must be at most 30 seconds, and not 0"));
        }
        Ok(Self {
            endpoint: endpoint(&written)?,
            binding: binding(written.bind, written.search_bind)?,
            base_dn,
            username_attribute: attribute("username_attribute", written.username_attribute, "uid")?,
            user_filter: filter(written.user_filter)?,
            mail_attribute: attribute("mail_attribute", written.mail_attribute, "mail")?,
            display_name_attribute: attribute("display_name_attribute", written.display_name_attribute, "displayName")?,
            groups_attribute: attribute("groups_attribute", written.groups_attribute, "memberOf")?,
            nested_groups: written.nested_groups,
            groups_base_dn,
            roles: roles(written.default_role.as_deref(), written.role_mappings)?,
            timeout,
        })
    }

    /// Whether passwords go to the directory encrypted.
    pub const fn is_encrypted(&self) -> bool {
        self.endpoint.is_encrypted()
    }

    /// The filter that finds the entry of that username, and no other's.
    pub(crate) fn person_filter(&self, username: &Username) -> String {
        let (attribute, username) = (&self.username_attribute, ldap_escape(username.as_str()));
        if self.user_filter.is_empty() {
            return format!("({attribute}={username})");
        }
        format!("(&({attribute}={username}){})", self.user_filter)
    }

    /// What is read about people.
    pub(crate) fn attributes(&self) -> [&str; 5] {
        let [mail, name] = [self.mail_attribute.as_str(), self.display_name_attribute.as_str()];
        [self.username_attribute.as_str(), mail, name, "cn", self.groups_attribute.as_str()]
    }
}

fn endpoint(written: &LdapSettings) -> Result<Endpoint, RefusedSettings> {
    let must = "must be ldaps://host, or ldap://host with ldap.start_tls, with a port or without and nothing else";
    let refused_url = || refused("url", must);
    let url = Url::parse(&written.url).map_err(|_| refused_url())?;
    let host = match url.host().ok_or_else(refused_url)? {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    };
    let is_bare = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_bare || url.port() == Some(0) {
        return Err(refused_url());
    }
    let name = ServerName::try_from(host.clone()).map_err(|_| refused_url())?;
    let trusting = || trusting(written.ca_file.as_deref());
    let (encryption, standard_port) = match (url.scheme(), written.start_tls) {
        ("ldaps", true) => {
            return Err(refused("start_tls", "is for ldap://; with ldaps:// there is TLS from the start"));
        }
        ("ldap", false) if !written.insecure => {
            let must = "would carry passwords over the network unencrypted: use ldaps://, or set ldap.start_tls; where the \
                        network is trusted, set ldap.insecure";
            return Err(refused("url", must));
        }
        ("ldap", false) => (Encryption::None, 389),
        ("ldaps" | "ldap", _) if written.insecure => {
            return Err(refused("insecure", "must not be set where there is TLS: certificates are always verified"));
        }
        ("ldaps", false) => (Encryption::Tls(name, trusting()?), 636),
        ("ldap", true) => (Encryption::StartTls(name, trusting()?), 389),
        _ => return Err(refused_url()),
    };
    Ok(Endpoint { host, port: url.port().unwrap_or(standard_port), encryption })
}

fn binding(bind: Option<String>, search_bind: Option<SearchBindSettings>) -> Result<Binding, RefusedSettings> {
    let must = "must have exactly one place for {username}, as in uid={username},ou=people,dc=example,dc=com or \
                {username}@corp.example.com or CORP\\{username}";
    match (bind, search_bind) {
        (Some(template), None) => BindName::parse(&template).map(Binding::Own).ok_or_else(|| refused("bind", must)),
        (None, Some(account)) => service(account),
        (Some(_), Some(_)) => Err(refused("bind", "and ldap.search_bind are both set; keep one")),
        (None, None) => Err(refused("bind", "or ldap.search_bind must be set")),
    }
}

fn service(account: SearchBindSettings) -> Result<Binding, RefusedSettings> {
    let password = match (account.password, account.password_file) {
        (Some(password), None) => password,
        (None, Some(file)) => match std::fs::read_to_string(&file) {
            Ok(text) => Zeroizing::new(Zeroizing::new(text).trim_end_matches(['\r', '\n']).to_owned()),
            Err(source) => return Err(RefusedSettings::File { field: "search_bind.password_file", file, source }),
        },
        (Some(_), Some(_)) => {
            return Err(refused("search_bind.password", "and ldap.search_bind.password_file are both set; keep one"));
        }
        (None, None) => return Err(refused("search_bind.password", "or ldap.search_bind.password_file must be set")),
    };
    // Directories take an empty one for anybody's (RFC 4513 §5.1.2).
    if password.trim().is_empty() {
        return Err(refused("search_bind.password", "must not be empty"));
    }
    if account.dn.trim().is_empty() {
        return Err(refused("search_bind.dn", "must not be empty"));
    }
    Ok(Binding::Service { dn: account.dn, password })
}

/// Nothing, or exactly one filter in parentheses, so that it can stand within another.
fn filter(written: Option<String>) -> Result<String, RefusedSettings> {
    let Some(filter) = written else { return Ok(String::new()) };
    let filter = filter.trim().to_owned();
    if !filter.starts_with('(') || parse_filter(&filter).is_err() {
        return Err(refused("user_filter", "must be a filter in parentheses, such as (objectClass=person)"));
    }
    Ok(filter)
}

fn distinguished_name(field: &'static str, name: String) -> Result<String, RefusedSettings> {
    match DistinguishedName::parse(&name) {
        Some(_) => Ok(name),
        None => Err(refused(field, "must be a distinguished name, such as dc=example,dc=com")),
    }
}

fn roles(default: Option<&str>, written: Vec<RoleMappingSettings>) -> Result<Roles, RefusedSettings> {
    let role = |field: Cow<'static, str>, name: &str| {
        name.parse::<Role>().map_err(|_| refused(field, "must be viewer, operator or admin"))
    };
    let mapping = |(index, written): (usize, RoleMappingSettings)| {
        let name = DistinguishedName::parse(&written.group).ok_or_else(|| {
            let field = format!("role_mappings[{index}].group");
            refused(field, "must be the distinguished name of a group, such as cn=admins,ou=groups,dc=example,dc=com")
        })?;
        let role = role(format!("role_mappings[{index}].role").into(), &written.role)?;
        Ok(RoleMapping { group: written.group, name, role, priority: written.priority })
    };
    let default = default.map_or(Ok(Role::Viewer), |name| role("default_role".into(), name))?;
    Ok(Roles { mappings: written.into_iter().enumerate().map(mapping).collect::<Result<_, _>>()?, default })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn check(changes: &Value) -> Result<DirectorySettings, String> {
        let mut written = json!({
            "url": "ldap://127.0.0.1", "insecure": true, "base_dn": "dc=example,dc=com",
            "bind": "uid={username},ou=people,dc=example,dc=com",
        });
        for (field, value) in changes.as_object().unwrap() {
            written[field] = value.clone();
        }
        let written: LdapSettings = serde_json::from_value(written).map_err(|error| error.to_string())?;
        DirectorySettings::check(written).map_err(|error| error.to_string())
    }

    fn refusal(changes: &Value) -> String {
        check(changes).map(|settings| panic!("{changes}: {settings:?}")).unwrap_err()
    }

    #[test]
    fn little_has_to_be_said() {
        let settings = check(&json!({})).unwrap();
        assert_eq!(settings.attributes(), ["uid", "mail", "displayName", "cn", "memberOf"]);
        assert_eq!((settings.roles.default, settings.timeout), (Role::Viewer, Duration::from_secs(5)));
        assert_eq!((settings.endpoint.port, settings.groups_base_dn.as_str()), (389, "dc=example,dc=com"));
        assert!(!settings.is_encrypted());
    }

    #[test]
    fn passwords_are_sent_in_clear_only_where_that_is_said() {
        let message = refusal(&json!({"insecure": false}));
        assert!(message.starts_with("ldap.url") && message.contains("ldap.insecure"), "{message}");
        for encrypted in [json!({"start_tls": true}), json!({"url": "ldaps://ldap.example.com"})] {
            let message = refusal(&encrypted);
            assert!(message.starts_with("ldap.insecure"), "{message}");
        }
    }

    #[test]
    fn what_is_not_possible_is_refused_by_its_field() {
        for (field, changes) in [
            ("url", json!({"url": "https://ldap.example.com"})),
            ("url", json!({"url": "ldap.example.com"})),
            ("url", json!({"url": "ldap:///dc=example"})),
            ("url", json!({"url": "ldap://127.0.0.1/dc=example,dc=com"})),
            ("url", json!({"url": "ldap://127.0.0.1?uid"})),
            ("url", json!({"url": "ldap://cn=admin:secret@127.0.0.1"})),
            ("url", json!({"url": "ldap://127.0.0.1:0"})),
            ("url", json!({"url": "ldap://a b"})),
            ("start_tls", json!({"url": "ldaps://127.0.0.1", "start_tls": true})),
            ("ca_file", json!({"url": "ldaps://127.0.0.1", "insecure": false, "ca_file": "/nowhere/ca.pem"})),
            ("bind", json!({"bind": "cn=admin,dc=example,dc=com"})),
            ("bind", json!({"bind": null})),
            ("bind", json!({"search_bind": {"dn": "cn=reader", "password": "secret"}})),
            ("search_bind.dn", json!({"bind": null, "search_bind": {"dn": " ", "password": "secret"}})),
            ("search_bind.password", json!({"bind": null, "search_bind": {"dn": "cn=reader"}})),
            ("search_bind.password", json!({"bind": null, "search_bind": {"dn": "cn=reader", "password": " "}})),
            (
                "search_bind.password",
                json!({"bind": null, "search_bind": {"dn": "cn=reader", "password": "a", "password_file": "b"}}),
            ),
            (
                "search_bind.password_file",
                json!({"bind": null, "search_bind": {"dn": "cn=reader", "password_file": "/nowhere/secret"}}),
            ),
            ("base_dn", json!({"base_dn": ""})),
            ("groups_base_dn", json!({"groups_base_dn": "groups"})),
            ("username_attribute", json!({"username_attribute": "uid=*)("})),
            ("mail_attribute", json!({"mail_attribute": ""})),
            ("display_name_attribute", json!({"display_name_attribute": "*"})),
            ("groups_attribute", json!({"groups_attribute": "member of"})),
            ("user_filter", json!({"user_filter": "objectClass=person"})),
            ("user_filter", json!({"user_filter": "(a=b)(c=d)"})),
            ("user_filter", json!({"user_filter": "(a=b))(|(c=d)"})),
            ("default_role", json!({"default_role": "root"})),
            ("role_mappings[0].group", json!({"role_mappings": [{"group": "admins", "role": "admin"}]})),
            ("role_mappings[0].role", json!({"role_mappings": [{"group": "cn=admins", "role": "Admin"}]})),
            ("timeout", json!({"timeout": 0})),
            ("timeout", json!({"timeout": "5m"})),
        ] {
            let message = refusal(&changes);
            assert!(
                message.starts_with(&format!("ldap.{field} ")) || message.starts_with(&format!("ldap.{field}:")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_named() {
        assert!(refusal(&json!({"start-tls": true})).contains("start-tls"));
        assert!(refusal(&json!({"role_mappings": [{"group": "cn=a", "role": "admin", "prio": 1}]})).contains("prio"));
    }

    #[test]
    fn a_time_is_seconds_or_words() {
        for (written, expected) in [(json!(2), 2000), (json!("2"), 2000), (json!("300ms"), 300), (json!("1s"), 1000)] {
            let settings = check(&json!({ "timeout": written })).unwrap();
            assert_eq!(settings.timeout, Duration::from_millis(expected));
        }
    }

    #[test]
    fn a_password_is_read_from_its_file_without_the_end_of_the_line_and_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "hunter2 \n").unwrap();
        let settings =
            check(&json!({"bind": null, "search_bind": {"dn": "cn=reader", "password_file": file}})).unwrap();
        let Binding::Service { password, .. } = &settings.binding else { panic!() };
        assert_eq!(password.as_str(), "hunter2 ");
        assert!(!format!("{settings:?}").contains("hunter2"));
        let written: SearchBindSettings =
            serde_json::from_value(json!({"dn": "cn=reader", "password": "hunter2"})).unwrap();
        assert!(!format!("{written:?}").contains("hunter2"));
    }

    #[test]
    fn the_filter_of_the_settings_narrows_and_nothing_else() {
        let grace = Username::parse("grace").unwrap();
        assert_eq!(check(&json!({})).unwrap().person_filter(&grace), "(uid=grace)");
        let narrowed = check(&json!({"user_filter": " (|(a=b)(c=d)) "})).unwrap();
        assert_eq!(narrowed.person_filter(&grace), "(&(uid=grace)(|(a=b)(c=d)))");
    }

    #[test]
    fn what_means_something_in_a_filter_is_escaped() {
        assert_eq!(ldap_escape("*)(uid=*))(|(uid=*\\2a\0"), "\\2a\\29\\28uid=\\2a\\29\\29\\28|\\28uid=\\2a\\5c2a\\00");
    }

    proptest! {
        #[test]
        fn every_username_makes_a_filter_of_two_conditions(text in "\\PC{1,20}|[a-z@+.\\\\_-]{1,12}") {
            if let Ok(username) = Username::parse(&text) {
                let settings = check(&json!({"user_filter": "(a=b)"})).unwrap();
                let filter = settings.person_filter(&username);
                prop_assert!(parse_filter(&filter).is_ok(), "{}", filter);
                prop_assert_eq!(filter.matches(['(', ')', '*']).count(), 6);
            }
        }
    }
}
