//! Signing in and out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Signs in with a password.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The account's name, in any spelling.
    pub username: String,
    /// Its password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: String,
}

/// A new session. The same answer sets the session cookie, which holds another secret.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn<'a> {
    /// The secret for `Authorization: Bearer`.
    pub token: String,
    /// When the session ends at the latest.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: String,
    /// Who signed in.
    pub user: Me<'a>,
}

/// The person who is signed in.
// Asked for so often that what is known of them is not copied to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me<'a> {
    /// The account's identifier.
    pub id: String,
    /// Its name, in canonical form.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub username: Cow<'a, str>,
    /// How the person wants to be called; may be empty.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub display_name: Cow<'a, str>,
    /// A mail address, for information.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub email: Option<Cow<'a, str>>,
    /// `viewer`, `operator` or `admin`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: Cow<'a, str>,
    /// Who vouches for the account: `local`, `ldap` or `oidc`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub auth_source: Cow<'a, str>,
    /// Whether the password must be changed before anything else.
    pub must_change_password: bool,
}

/// Changes one's own password.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    /// The present password.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub current_password: String,
    /// The one to use from now on.
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub new_password: String,
}

/// A session, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Its identifier. Not a credential.
    pub id: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it was opened.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When it was last used, give or take a minute.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_seen_at: String,
    /// When it ends at the latest.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub expires_at: String,
    /// From which address it was opened.
    pub client_address: Option<String>,
    /// With which program, as that program said.
    pub user_agent: String,
}
