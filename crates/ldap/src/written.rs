//! The settings as they are written, in the section `ldap` of `config.yaml`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

/// `ldap`. Becomes [`crate::DirectorySettings`] when it is possible.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapSettings {
    /// Where the directory is: `ldaps://host[:636]`, or `ldap://host[:389]` with `start_tls`.
    pub url: String,
    /// Whether TLS is started on a plain connection.
    #[serde(default)]
    pub start_tls: bool,
    /// Whether passwords may go over the network unencrypted.
    #[serde(default)]
    pub insecure: bool,
    /// The certificate of the authority that vouches for the directory, in PEM; those of the operating system when absent.
    pub ca_file: Option<PathBuf>,
    /// Under which name people bind: `uid={username},ou=people,dc=example,dc=com`, `{username}@corp.example.com` or
    /// `CORP\{username}`. Either this or `search_bind`.
    pub bind: Option<String>,
    /// The account that looks for people before they bind.
    pub search_bind: Option<SearchBindSettings>,
    /// Below which entry people are.
    pub base_dn: String,
    /// The attribute that holds the username: `uid` when absent, `sAMAccountName` in Active Directory.
    pub username_attribute: Option<String>,
    /// Who may sign in, as a filter (RFC 4515); everybody when absent.
    pub user_filter: Option<String>,
    /// The attribute that holds the mail address; `mail` when absent.
    pub mail_attribute: Option<String>,
    /// The attribute that holds the name to call people by; `displayName` when absent, and `cn` where there is none.
    pub display_name_attribute: Option<String>,
    /// The attribute that holds the names of the groups; `memberOf` when absent.
    pub groups_attribute: Option<String>,
    /// Whether groups within groups count. Active Directory only.
    #[serde(default)]
    pub nested_groups: bool,
    /// Below which entry groups are, for `nested_groups`; `base_dn` when absent.
    pub groups_base_dn: Option<String>,
    /// What people are whose groups say nothing; `viewer` when absent.
    pub default_role: Option<String>,
    /// What members of groups are.
    #[serde(default)]
    pub role_mappings: Vec<RoleMappingSettings>,
    /// How long a sign-in may take at the directory, as a number of seconds or a text such as `5s`; 5 seconds when absent.
    #[serde(default, deserialize_with = "span")]
    pub timeout: Option<Duration>,
}

/// `ldap.search_bind`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchBindSettings {
    /// The account's name.
    pub dn: String,
    /// Its password. Either this or `password_file`.
    pub password: Option<Zeroizing<String>>,
    /// A file with its password.
    pub password_file: Option<PathBuf>,
}

/// Redacted: it may hold a password.
impl fmt::Debug for SearchBindSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchBindSettings")
            .field("dn", &self.dn)
            .field("password_file", &self.password_file)
            .finish_non_exhaustive()
    }
}

/// One of `ldap.role_mappings`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleMappingSettings {
    /// The group's distinguished name.
    pub group: String,
    /// The role.
    pub role: String,
    /// Which mapping wins for a member of several groups: the highest, and of equals the higher role. 0 when absent.
    #[serde(default)]
    pub priority: i32,
}

/// A number of seconds, or a text such as `5s`.
fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Span {
        Seconds(u64),
        Text(String),
    }
    match Option::<Span>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Span::Seconds(seconds)) => Ok(Some(Duration::from_secs(seconds))),
        Some(Span::Text(text)) => {
            let span = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
            let span = span.or_else(|| text.parse().ok().map(Duration::from_secs));
            span.map(Some).ok_or_else(|| de::Error::custom("not a number of seconds and not a span of time such as 5s"))
        }
    }
}
