//! The agent's settings: what may stand in them, and what is wrong with them in words that say what to do.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Where the server is, how to be sure of it, and who this agent is there.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the server is: scheme, host and port.
    pub server_url: Url,
    /// Whether any certificate is good enough.
    pub insecure_skip_verify: bool,
    /// The only authorities to trust, in PEM; those of the system when absent.
    pub ca_file: Option<PathBuf>,
    /// Who this agent is, or how it becomes somebody.
    pub credentials: Credentials,
}

/// Who this agent is, or how it becomes somebody. At least one of both is there; with both it enrolls anew.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// What it may register with, once.
    pub enrollment_token: Option<Secret>,
    /// Who it is.
    pub identity: Option<Identity>,
}

/// Who this agent is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The component, as the server calls it.
    pub component_id: String,
    /// Its key.
    pub api_key: Secret,
    /// The key that takes over as soon as the server has taken it once.
    pub new_api_key: Option<Secret>,
}

/// What is wrong with the settings. Never repeats a value: it may be a secret in the wrong place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// Not JSON, or not an object.
    #[error("not a JSON object: {0}")]
    Syntax(String),
    /// There is no such field.
    #[error("there is no field `{0}`; is it misspelt?")]
    Unknown(String),
    /// A field is not what it has to be.
    #[error("`{0}` must be {1}")]
    Field(&'static str, &'static str),
    /// Nothing says who the agent is.
    #[error("`enrollment_token` is missing, and so are `component_id` and `api_key`: one or the other is needed")]
    Nobody,
}

/// The fields that there are.
pub const FIELDS: [&str; 7] =
    ["server_url", "enrollment_token", "component_id", "api_key", "new_api_key", "ca_file", "insecure_skip_verify"];

const A_URL: &str = "an address such as https://stratora.example.com, without a path, a name or a password";
const A_KEY: &str = "an API key: `sk_stra_` and 43 characters";

impl Settings {
    /// Reads the fields of `agent.json`, which are also the values in the Windows registry.
    ///
    /// # Errors
    /// [`InvalidSettings`] names the first field that is wrong.
    pub fn from_fields(fields: &Map<String, Value>) -> Result<Self, InvalidSettings> {
        if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let name = name.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
            return Err(InvalidSettings::Unknown(name));
        }
        let text = |name: &'static str, what: &'static str| match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(InvalidSettings::Field(name, what)),
        };
        let secret = |name, what, parse: fn(&str) -> Option<Secret>| {
            let parsed = text(name, what)?.map(|text| parse(text).ok_or(InvalidSettings::Field(name, what)));
            parsed.transpose()
        };

        let url = text("server_url", A_URL)?.and_then(|text| Url::parse(text).ok()).filter(is_bare);
        let server_url = url.ok_or(InvalidSettings::Field("server_url", A_URL))?;
        if server_url.scheme() == "http" && !is_this_machine(&server_url) {
            return Err(InvalidSettings::Field("server_url", "https, unless the server is on this machine"));
        }
        let insecure_skip_verify = match fields.get("insecure_skip_verify") {
            None => false,
            Some(Value::Bool(skip)) => *skip,
            Some(_) => return Err(InvalidSettings::Field("insecure_skip_verify", "true or false")),
        };
        let a_path = "the absolute path of a file with certificates in PEM";
        let ca_file = text("ca_file", a_path)?.map(PathBuf::from);
        if ca_file.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(InvalidSettings::Field("ca_file", a_path));
        }
        let a_token = "an enrollment token: `enroll_` and 43 characters";
        let enrollment_token = secret("enrollment_token", a_token, Secret::enrollment_token)?;
        let an_id = "the component's identifier, as the server gave it";
        let component_id = text("component_id", an_id)?;
        if component_id.is_some_and(|id| !is_identifier(id)) {
            return Err(InvalidSettings::Field("component_id", an_id));
        }
        let api_key = secret("api_key", A_KEY, Secret::api_key)?;
        let new_api_key = secret("new_api_key", A_KEY, Secret::api_key)?;
        let identity = match (component_id, api_key) {
            (Some(id), Some(api_key)) => Some(Identity { component_id: id.to_owned(), api_key, new_api_key }),
            (None, Some(_)) => return Err(InvalidSettings::Field("component_id", "there if `api_key` is")),
            (Some(_), None) => return Err(InvalidSettings::Field("api_key", "there if `component_id` is")),
            (None, None) if new_api_key.is_some() => {
                return Err(InvalidSettings::Field("api_key", "there if `new_api_key` is"));
            }
            (None, None) => None,
        };
        if enrollment_token.is_none() && identity.is_none() {
            return Err(InvalidSettings::Nobody);
        }
        let credentials = Credentials { enrollment_token, identity };
        Ok(Self { server_url, insecure_skip_verify, ca_file, credentials })
    }

    /// Reads `agent.json`.
    ///
    /// # Errors
    /// [`InvalidSettings`] names the first field that is wrong.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidSettings> {
        let syntax = |error: serde_json::Error| InvalidSettings::Syntax(position(&error));
        match serde_json::from_slice(json).map_err(syntax)? {
            Value::Object(fields) => Self::from_fields(&fields),
            _ => Err(InvalidSettings::Syntax("it is another kind of value".to_owned())),
        }
    }

    /// Writes `agent.json`. What is as it is without being said is left out.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        #[derive(Serialize)]
        struct Document<'a> {
            server_url: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            enrollment_token: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            component_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            api_key: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            new_api_key: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ca_file: Option<&'a PathBuf>,
            insecure_skip_verify: bool,
        }
        let Credentials { enrollment_token, identity } = &self.credentials;
        let identity = identity.as_ref();
        let document = Document {
            server_url: self.server_url.as_str().trim_end_matches('/'),
            enrollment_token: enrollment_token.as_ref().map(Secret::expose),
            component_id: identity.map(|identity| identity.component_id.as_str()),
            api_key: identity.map(|identity| identity.api_key.expose()),
            new_api_key: identity.and_then(|identity| identity.new_api_key.as_ref()).map(Secret::expose),
            ca_file: self.ca_file.as_ref(),
            insecure_skip_verify: self.insecure_skip_verify,
        };
        // Large enough from the start: a buffer that grows leaves copies behind.
        let mut json = Zeroizing::new(Vec::with_capacity(4096));
        // Strings and a bool: it cannot fail. If it could, the file would be refused when it is read back.
        let _written = serde_json::to_writer_pretty(&mut *json, &document);
        json.push(b'\n');
        json
    }
}

impl Credentials {
    /// Whether the others are the same.
    pub fn are(&self, other: &Self) -> bool {
        fn same(one: Option<&Secret>, other: Option<&Secret>) -> bool {
            match (one, other) {
                (Some(one), Some(other)) => one.is(other),
                (None, None) => true,
                _ => false,
            }
        }
        let identities = match (&self.identity, &other.identity) {
            (Some(one), Some(other)) => {
                one.component_id == other.component_id
                    && one.api_key.is(&other.api_key)
                    && same(one.new_api_key.as_ref(), other.new_api_key.as_ref())
            }
            (None, None) => true,
            _ => false,
        };
        identities && same(self.enrollment_token.as_ref(), other.enrollment_token.as_ref())
    }
}

/// Whether this may be a component's identifier; it becomes a part of paths.
pub fn is_identifier(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_bare(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Where the text stops being JSON, without what stands there.
fn position(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "it ends too soon".to_owned();
    }
    format!("see line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests;
