//! Identity providers, as people see them on the sign-in page and as administrators set them up.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An identity provider that people can sign in through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Provider {
    /// Its identifier.
    pub id: String,
    /// What the button says.
    pub name: String,
}

/// Where to go so that the session at the provider ends too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndSession {
    /// The address, to be opened after signing out here; `null` when there is nothing to end.
    pub end_session_url: Option<String>,
}

/// Members of a group get a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RoleMapping {
    /// The group, as the provider writes it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 512))]
    pub group: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// Which mapping wins for a member of several groups: the highest; of equals the higher role. 0 when absent.
    #[serde(default)]
    pub priority: i32,
}

/// Where a provider is spoken to (`OpenID` Connect Discovery 1.0 §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderEndpoints {
    /// Where browsers are sent.
    pub authorization_endpoint: String,
    /// Where codes are exchanged.
    pub token_endpoint: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Where browsers are sent to sign out.
    pub end_session_endpoint: Option<String>,
}

/// An `OpenID` Connect provider, without its client secret.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OidcProvider {
    /// Its identifier.
    pub id: String,
    /// What people call it; unique.
    pub name: String,
    /// Whether people can sign in through it.
    pub enabled: bool,
    /// Its issuer, byte for byte.
    pub issuer: String,
    /// The name of this installation there.
    pub client_id: String,
    /// Whether a client secret is stored.
    pub has_client_secret: bool,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    pub token_endpoint_auth_method: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// With what its ID tokens may be signed.
    pub id_token_signing_algs: Vec<String>,
    /// The claim that holds the groups.
    pub groups_claim: String,
    /// Whether people who were never here get an account.
    pub auto_provision: bool,
    /// Whether an account may be found by a verified mail address at the first sign-in.
    pub link_verified_email: bool,
    /// The domains for which its word about a mail address counts.
    pub verified_domains: Vec<String>,
    /// The role without a mapping.
    pub default_role: String,
    /// The roles with one.
    pub role_mappings: Vec<RoleMapping>,
    /// Where it is spoken to; `null` before it was tested or used.
    pub endpoints: Option<ProviderEndpoints>,
    /// To be registered at the provider.
    pub redirect_uri: String,
    /// To be registered at the provider.
    pub post_logout_redirect_uri: String,
    /// To be registered at the provider.
    pub backchannel_logout_uri: String,
    /// When it was set up.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
}

/// Sets up an `OpenID` Connect provider.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateOidcProvider {
    /// What people call it; unique.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub name: String,
    /// Its issuer exactly as it writes it: an `https://` URL.
    #[cfg_attr(feature = "openapi", schema(max_length = 512))]
    pub issuer: String,
    /// The name of this installation there.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 255))]
    pub client_id: String,
    /// The client secret; required unless `token_endpoint_auth_method` is `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 1024, format = Password))]
    pub client_secret: Option<String>,
    /// Whether people can sign in through it; `true` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `client_secret_basic` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
    /// `openid`, `profile` and `email` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_items = 20))]
    pub scopes: Option<Vec<String>>,
    /// `RS256`, `PS256` and `ES256` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signing_algs: Option<Vec<String>>,
    /// `groups` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 128))]
    pub groups_claim: Option<String>,
    /// `true` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_provision: Option<bool>,
    /// `false` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_verified_email: Option<bool>,
    /// None when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_items = 50))]
    pub verified_domains: Option<Vec<String>>,
    /// `viewer` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_role: Option<String>,
    /// None when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_items = 200))]
    pub role_mappings: Option<Vec<RoleMapping>>,
}

/// Changes an `OpenID` Connect provider; a field that is absent stays as it is.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateOidcProvider {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another issuer; the client secret has to be given anew with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Another name of this installation there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Another client secret; `null` removes it.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::present")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Password))]
    pub client_secret: Option<Option<String>>,
    /// Whether people can sign in through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// With what its ID tokens may be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signing_algs: Option<Vec<String>>,
    /// The claim that holds the groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups_claim: Option<String>,
    /// Whether people who were never here get an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_provision: Option<bool>,
    /// Whether an account may be found by a verified mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_verified_email: Option<bool>,
    /// The domains for which its word about a mail address counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_domains: Option<Vec<String>>,
    /// The role without a mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_role: Option<String>,
    /// The roles with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_mappings: Option<Vec<RoleMapping>>,
}

/// One thing that was tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestStep {
    /// What was looked at.
    pub check: String,
    /// Whether it is well.
    pub ok: bool,
    /// What to fix if it is not.
    pub advice: Option<String>,
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderTest {
    /// Whether all is well, as far as that can be seen from here.
    pub ok: bool,
    /// What was looked at, in order.
    pub steps: Vec<TestStep>,
}

/// Asks what would become of somebody.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRun {
    /// The claims of an ID token.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub claims: Map<String, Value>,
}

/// What would become of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DryRunResult {
    /// `sign_in`, `link`, `provision`, `account_inactive` or `not_provisioned`.
    pub decision: String,
    /// The account, or the name that it would get.
    pub username: Option<String>,
    /// The role.
    pub role: String,
    /// The group that decided; the default role when absent.
    pub role_mapped_by: Option<String>,
}

/// Which records of sign-ins are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub struct AttemptQuery {
    /// The one with this reference, as the sign-in page shows it.
    pub reference: Option<String>,
    /// Those at this provider.
    pub provider: Option<String>,
    /// How many items, 1 to 200; 50 when absent.
    #[cfg_attr(feature = "openapi", param(minimum = 1, maximum = 200))]
    pub limit: Option<u16>,
    /// The `next_cursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
}

/// One step of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptStep {
    /// What was looked at.
    pub check: String,
    /// `passed` or `failed`.
    pub outcome: String,
    /// What else there is to know.
    pub note: Option<String>,
}

/// The record of a sign-in through a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// What it is found by.
    pub reference: String,
    /// At which provider, if it is known.
    pub provider: Option<Provider>,
    /// When.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub at: String,
    /// From which address.
    pub client_address: Option<String>,
    /// `signed_in`, or the code that the sign-in page showed.
    pub code: String,
    /// Who, if that was proved.
    pub username: Option<String>,
    /// What was looked at, in order.
    pub steps: Vec<AttemptStep>,
}

/// Tests the directory, and with a name and a password what it says about somebody.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestDirectory {
    /// Somebody's name in the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Their password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(format = Password))]
    pub password: Option<String>,
}

/// What a test of the directory found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DirectoryTest {
    /// Whether all is well.
    pub ok: bool,
    /// What was looked at, in order.
    pub steps: Vec<TestStep>,
    /// The person's groups, if one was asked for and found.
    pub groups: Vec<String>,
    /// The role that these make.
    pub role: Option<String>,
    /// The group that decided; the default role when absent.
    pub role_mapped_by: Option<String>,
}
