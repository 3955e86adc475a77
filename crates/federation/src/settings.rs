//! How a provider is spoken to, as an administrator says it. Each value is parsed once; what does not parse says what to do.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// Why a setting was refused: the field, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{must}")]
pub struct RefusedSetting {
    /// Which.
    pub field: &'static str,
    /// What it must be.
    pub must: &'static str,
}

const fn refused(field: &'static str, must: &'static str) -> RefusedSetting {
    RefusedSetting { field, must }
}

/// A text with a rule: `parse` is the only way in, also when it is read from the store.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $field:literal, $must:literal, $rule:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// [`RefusedSetting`] says what it must be.
            pub fn parse(text: &str) -> Result<Self, RefusedSetting> {
                let rule: fn(&str) -> bool = $rule;
                if rule(text) { Ok(Self(text.to_owned())) } else { Err(refused($field, $must)) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = RefusedSetting;

            fn try_from(text: String) -> Result<Self, RefusedSetting> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// What people call a provider, on the button of the sign-in page.
    ProviderName, "name", "must have 1 to 64 characters, without control characters and not only white space",
        |text| (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control) && !text.trim().is_empty();

    /// The provider's name of itself, compared byte for byte (OpenID Connect Discovery 1.0 §4.3).
    Issuer, "issuer", "must be the provider's issuer exactly as it writes it: an https:// URL without query and fragment",
        is_issuer;

    /// The name of this installation at the provider (RFC 6749 §2.2).
    ClientId, "client_id", "must have 1 to 255 visible ASCII characters",
        |text| (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));

    /// What is asked for (RFC 6749 §3.3).
    Scope, "scopes", "must be words of visible ASCII characters without quotes and backslashes",
        |text| (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte == b'!' || (b'#'..=b'[').contains(&byte) || (b']'..=b'~').contains(&byte));

    /// The claim that holds the groups.
    ClaimName, "groups_claim", "must have 1 to 128 visible characters",
        |text| (1..=128).contains(&text.chars().count()) && !text.contains(|c: char| c.is_control() || c.is_whitespace());

    /// A group as the provider or the directory writes it.
    GroupName, "role_mappings", "each group must have 1 to 512 characters, without control characters",
        |text| (1..=512).contains(&text.chars().count()) && !text.contains(char::is_control);

    /// The domain of mail addresses, in lower case.
    Domain, "verified_domains", "must be domains in lower case, such as example.com",
        |text| (1..=253).contains(&text.len())
            && !text.starts_with('.') && !text.ends_with('.') && text.contains('.')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
}

/// HTTPS everywhere but on this machine, where a provider is tried out.
fn is_issuer(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    };
    text.len() <= 512
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && is_safe
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        // Entra ID's issuer for many tenants holds a placeholder, and vouches for anybody.
        && !text.contains('{')
}

/// How this installation proves itself at the token endpoint (OpenID Connect Core 1.0 §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// The secret in `Authorization: Basic`.
    #[default]
    Basic,
    /// The secret in the body.
    Post,
    /// No secret: a public client, which PKCE alone protects.
    None,
}

impl ClientAuth {
    /// Its registered name (RFC 7591 §2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
        }
    }

    /// # Errors
    /// [`RefusedSetting`] for any other name.
    pub fn parse(name: &str) -> Result<Self, RefusedSetting> {
        let must = "must be client_secret_basic, client_secret_post or none";
        let found = [Self::Basic, Self::Post, Self::None].into_iter().find(|method| method.as_str() == name);
        found.ok_or(refused("token_endpoint_auth_method", must))
    }
}

/// With what ID tokens may be signed: asymmetric algorithms only (RFC 8725 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of RFC 7518 §3.1 and RFC 8037 §3.1")]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// Every one that may be chosen.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// # Errors
    /// [`RefusedSetting`] for any other, and for `none` and the symmetric ones above all.
    pub fn parse(name: &str) -> Result<Self, RefusedSetting> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
        found.ok_or(refused(
            "id_token_signing_algs",
            "must be of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA",
        ))
    }
}

/// Where a provider is spoken to. Pinned once it was found good, so that nobody who can change its metadata can have the
/// client secret sent elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Where browsers are sent.
    pub authorization: String,
    /// Where codes are exchanged.
    pub token: String,
    /// Where the keys are.
    pub jwks: String,
    /// Where browsers are sent to sign out, if the provider has that.
    pub end_session: Option<String>,
}

/// How a provider is spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSettings {
    /// Who it is.
    pub issuer: Issuer,
    /// Who we are there.
    pub client_id: ClientId,
    /// How we prove it.
    pub client_auth: ClientAuth,
    /// What is asked for; `openid` always.
    pub scopes: BTreeSet<Scope>,
    /// With what ID tokens may be signed; never empty.
    pub algorithms: BTreeSet<Algorithm>,
    /// Where the groups are.
    pub groups_claim: ClaimName,
    /// Where it is spoken to, once that is known.
    pub endpoints: Option<Endpoints>,
}

impl ProviderSettings {
    /// The settings of a provider with what nearly all of them use.
    pub fn new(issuer: Issuer, client_id: ClientId) -> Self {
        let scope = |name: &str| Scope(name.to_owned());
        Self {
            issuer,
            client_id,
            client_auth: ClientAuth::default(),
            scopes: ["openid", "profile", "email"].map(scope).into(),
            algorithms: [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256].into(),
            groups_claim: ClaimName("groups".to_owned()),
            endpoints: None,
        }
    }

    /// Asks for these scopes, and for `openid`.
    ///
    /// # Errors
    /// [`RefusedSetting`] when there are too many.
    pub fn set_scopes(&mut self, scopes: impl IntoIterator<Item = Scope>) -> Result<(), RefusedSetting> {
        self.scopes = scopes.into_iter().chain([Scope("openid".to_owned())]).collect();
        if self.scopes.len() > 20 { Err(refused("scopes", "must be at most 20")) } else { Ok(()) }
    }

    /// Takes tokens that are signed with these.
    ///
    /// # Errors
    /// [`RefusedSetting`] when there is none.
    pub fn set_algorithms(&mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Result<(), RefusedSetting> {
        self.algorithms = algorithms.into_iter().collect();
        if self.algorithms.is_empty() {
            Err(refused("id_token_signing_algs", "must name at least one"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_kept_byte_for_byte() {
        for issuer in [
            "https://id.example.com",
            "https://id.example.com/",
            "https://ID.example.com/realms/A",
            "http://127.0.0.1:9000",
        ] {
            assert_eq!(Issuer::parse(issuer).unwrap().as_str(), issuer);
        }
    }

    #[test]
    fn what_is_no_safe_issuer_is_refused() {
        for text in [
            "",
            "id.example.com",
            "http://id.example.com",
            "ftp://id.example.com",
            "https://",
            "https://id.example.com/?a=b",
            "https://id.example.com/#a",
            "https://user:secret@id.example.com",
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://id.example.com/\n",
            "javascript:alert(1)",
        ] {
            assert!(Issuer::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn symmetric_algorithms_and_none_cannot_be_chosen() {
        for name in ["none", "None", "HS256", "HS512", "rs256", ""] {
            assert!(Algorithm::parse(name).is_err(), "{name}");
        }
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Ok(algorithm));
        }
    }

    #[test]
    fn settings_read_back_and_are_checked_again() {
        let settings = ProviderSettings::new(
            Issuer::parse("https://id.example.com").unwrap(),
            ClientId::parse("stratora").unwrap(),
        );
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<ProviderSettings>(&text).unwrap(), settings);
        let tampered = text.replace("https://id.example.com", "http://id.example.com");
        assert!(serde_json::from_str::<ProviderSettings>(&tampered).is_err());
    }

    #[test]
    fn openid_is_always_asked_for() {
        let mut settings = ProviderSettings::new(
            Issuer::parse("https://id.example.com").unwrap(),
            ClientId::parse("stratora").unwrap(),
        );
        settings.set_scopes([Scope::parse("groups").unwrap()]).unwrap();
        assert_eq!(settings.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(), ["groups", "openid"]);
        assert!(settings.set_algorithms([]).is_err());
    }

    #[test]
    fn domains_are_plain() {
        for domain in ["example", "Example.com", ".example.com", "example.com.", "ex ample.com", "*.example.com", ""] {
            assert!(Domain::parse(domain).is_err(), "{domain:?}");
        }
        assert!(Domain::parse("mail.example.com").is_ok());
    }
}
