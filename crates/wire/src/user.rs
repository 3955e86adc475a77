//! Users and their administration.

use serde::{Deserialize, Serialize};

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Its identifier.
    pub id: String,
    /// Its name, in canonical form.
    pub username: String,
    /// How the person wants to be called; may be empty.
    pub display_name: String,
    /// A mail address, for information.
    pub email: Option<String>,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// Who vouches for the account: `local`, `ldap` or `oidc`.
    pub auth_source: String,
    /// Whether the password must be changed before anything else.
    pub must_change_password: bool,
    /// Whether the person may sign in.
    pub active: bool,
    /// Whether it is the account that came with the installation.
    pub built_in: bool,
    /// When the account was made.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When the person last signed in.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub last_sign_in_at: Option<String>,
}

/// Creates a user.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateUser {
    /// The name to sign in with: letters, digits and `. - _ @ + \`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 128))]
    pub username: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// How the person wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A first password; a one-time password is made when it is absent. Either way it must be changed at the first
    /// sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: Option<String>,
}

/// The new user, and the only sight of a one-time password.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedUser {
    /// The user.
    pub user: User,
    /// The one-time password, when one was made. It works for 24 hours and must be changed at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_password: Option<String>,
}

/// Changes a user; a field that is absent stays as it is. A new role and deactivation end all sessions of the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateUser {
    /// Another display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Another mail address; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub email: Option<Option<String>>,
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether the person may sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// The only sight of a one-time password.
#[derive(Deserialize, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetPassword {
    /// The user.
    pub user: User,
    /// The one-time password. It works for 24 hours and must be changed at sign-in.
    pub one_time_password: String,
}
