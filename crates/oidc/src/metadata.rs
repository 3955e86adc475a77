//! A provider's description of itself (OpenID Connect Discovery 1.0, RFC 8414). Only what is needed is read, whatever else
//! stands there: real providers write members of odd types, and advertise algorithms that nobody should use. That is why it is
//! not `openidconnect` that reads it, which refuses the whole document for one such member.

use serde_json::{Map, Value};
use stratora_federation::{Algorithm, ClientAuth, Endpoints, FlowError, Issuer, ProviderSettings};

use crate::endpoint;
use crate::flaw::unavailable;

/// Where a provider's metadata is. A slash at the end of the issuer is not doubled (Discovery §4.1).
pub(crate) fn address(issuer: &Issuer) -> String {
    let issuer = issuer.as_str();
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

/// What to fix, as one sentence.
type Advice = &'static str;

/// Metadata of whoever answered at the address.
#[derive(Debug)]
pub(crate) struct Document(Map<String, Value>);

impl Document {
    pub(crate) fn parse(status: u16, body: &[u8]) -> Result<Self, Advice> {
        if status != 200 {
            return Err("there is no metadata at <issuer>/.well-known/openid-configuration: check the issuer");
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ if body.trim_ascii_start().starts_with(b"<") => {
                Err("a web page is at <issuer>/.well-known/openid-configuration instead of JSON: check the issuer")
            }
            _ => Err("what is at <issuer>/.well-known/openid-configuration is no JSON object: check the issuer"),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The texts in a list; nothing when there is no list. What is no text in it is nobody's.
    fn list(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.0.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// Whether it describes that issuer, byte for byte (Discovery §4.3; ASVS 10.5.3). Otherwise anybody could describe
    /// themselves as another.
    pub(crate) fn check_issuer(&self, issuer: &Issuer) -> Result<(), Advice> {
        let (theirs, ours) = (self.text("issuer").unwrap_or_default(), issuer.as_str());
        let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
        if theirs == ours {
            Ok(())
        } else if bare(theirs) == bare(ours) {
            Err(
                "the provider writes its issuer with a slash at the end where the setting has none, or the reverse: write it alike",
            )
        } else if theirs.eq_ignore_ascii_case(ours) {
            Err("the provider writes its issuer with other capital letters than the setting: write it alike")
        } else if theirs.contains('{') {
            Err(
                "the provider's issuer is a template for many tenants, which vouches for anybody: use the issuer of one tenant",
            )
        } else {
            Err("the provider says that it is another issuer: enter the issuer exactly as it stands in its metadata")
        }
    }

    /// Where the provider is spoken to.
    pub(crate) fn endpoints(&self, issuer: &Issuer, allows_loopback: bool) -> Result<Endpoints, Advice> {
        // A provider elsewhere has no business on this machine.
        let allows_loopback = allows_loopback && issuer.as_str().starts_with("http://");
        let endpoint = |name: &str| endpoint::parse(self.text(name)?, allows_loopback);
        let missing = "the provider's metadata does not name authorization_endpoint, token_endpoint and jwks_uri, each as a plain \
                       https:// URL";
        Ok(Endpoints {
            authorization: endpoint("authorization_endpoint").ok_or(missing)?,
            token: endpoint("token_endpoint").ok_or(missing)?,
            jwks: endpoint("jwks_uri").ok_or(missing)?,
            end_session: endpoint("end_session_endpoint"),
        })
    }

    /// Whether codes can be had, and PKCE is not something that the provider says it cannot do. Many say nothing about it and
    /// yet can.
    pub(crate) fn check_flow(&self) -> Result<(), Advice> {
        let lacks = |list: &str, item: &str| self.list(list).is_some_and(|list| !list.contains(&item));
        if lacks("response_types_supported", "code") {
            return Err(
                "the provider does not offer the authorization code flow (response type code): enable it there",
            );
        }
        if lacks("code_challenge_methods_supported", "S256") {
            return Err("the provider does not offer PKCE with S256: enable it there, or use a newer version of it");
        }
        Ok(())
    }

    /// Whether the client may prove itself as it is set up to. Without a list it is `client_secret_basic` (Discovery §3), but
    /// many a provider without one takes both.
    pub(crate) fn check_client_auth(&self, method: ClientAuth) -> Result<(), Advice> {
        let (name, advice) = match method {
            ClientAuth::Basic => (
                "client_secret_basic",
                "the provider does not take client secrets in a header: set token_endpoint_auth_method to client_secret_post",
            ),
            ClientAuth::Post => (
                "client_secret_post",
                "the provider does not take client secrets in the body: set token_endpoint_auth_method to client_secret_basic",
            ),
            ClientAuth::None => (
                "none",
                "the provider asks for a client secret: set token_endpoint_auth_method to client_secret_basic or client_secret_post",
            ),
        };
        match self.list("token_endpoint_auth_methods_supported") {
            Some(methods) if !methods.contains(&name) => Err(advice),
            _ => Ok(()),
        }
    }

    /// Whether the provider can sign in a way that is taken. What else it can do, `none` included, matters to nobody here.
    pub(crate) fn check_algorithms<'a>(
        &self,
        algorithms: impl IntoIterator<Item = &'a Algorithm>,
    ) -> Result<(), Advice> {
        let theirs = self.list("id_token_signing_alg_values_supported");
        let is_shared = |theirs: &Vec<&str>| algorithms.into_iter().any(|ours| theirs.contains(&ours.as_str()));
        if theirs.as_ref().is_none_or(is_shared) {
            return Ok(());
        }
        Err("the provider signs ID tokens with none of the algorithms that are allowed for it: add one that it has")
    }

    /// Whether answers name the issuer (RFC 9207 §3).
    fn announces_issuer(&self) -> bool {
        self.0.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true))
    }
}

/// Metadata that a provider can be spoken to by.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Where.
    pub(crate) endpoints: Endpoints,
    /// Whether an answer without `iss` is forged (RFC 9207 §2.4).
    pub(crate) announces_issuer: bool,
}

impl Metadata {
    /// Takes what was found at the address, if it is good.
    pub(crate) fn read(
        document: &Document,
        settings: &ProviderSettings,
        allows_loopback: bool,
    ) -> Result<Self, FlowError> {
        let flaw = |check| move |advice: Advice| unavailable(check, advice);
        document.check_issuer(&settings.issuer).map_err(flaw("issuer"))?;
        let endpoints = document.endpoints(&settings.issuer, allows_loopback).map_err(flaw("endpoints"))?;
        document.check_flow().map_err(flaw("pkce"))?;
        document.check_client_auth(settings.client_auth).map_err(flaw("client_auth"))?;
        document.check_algorithms(&settings.algorithms).map_err(flaw("algorithms"))?;
        Ok(Self { endpoints, announces_issuer: document.announces_issuer() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stratora_federation::ClientId;

    use super::*;
    use crate::testing::{ISSUER, settings};

    fn good() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.com/authorize",
            "token_endpoint": "https://id.example.com/token",
            "jwks_uri": "https://id.example.com/keys",
        })
    }

    fn read_for(settings: &ProviderSettings, change: &Value) -> Result<Metadata, FlowError> {
        let mut document = good();
        document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let document = Document::parse(200, document.to_string().as_bytes()).unwrap();
        Metadata::read(&document, settings, true)
    }

    fn read(change: &Value) -> Result<Metadata, FlowError> {
        read_for(&settings(), change)
    }

    #[test]
    fn metadata_is_below_the_issuer_with_one_slash() {
        for (issuer, expected) in [
            ("https://a.example.com", "https://a.example.com/.well-known/openid-configuration"),
            ("https://a.example.com/", "https://a.example.com/.well-known/openid-configuration"),
            ("https://a.example.com/realms/b", "https://a.example.com/realms/b/.well-known/openid-configuration"),
            ("https://a.example.com/realms/b/", "https://a.example.com/realms/b/.well-known/openid-configuration"),
        ] {
            assert_eq!(address(&Issuer::parse(issuer).unwrap()), expected);
        }
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte_and_the_advice_says_what_is_off() {
        for (issuer, word) in [
            (json!("https://id.example.com/"), "slash"),
            (json!("https://ID.example.com"), "capital"),
            (json!("https://login.example.com/{tenantid}/v2.0"), "template"),
            (json!("https://other.example.com/<script>"), "another"),
            (json!(null), "another"),
            (json!([ISSUER]), "another"),
        ] {
            let error = read(&json!({"issuer": issuer})).unwrap_err();
            assert_eq!(error.check, "issuer");
            assert!(error.advice.contains(word) && !error.advice.contains("script"), "{}", error.advice);
        }
    }

    #[test]
    fn what_providers_do_not_say_is_not_held_against_them() {
        let metadata = read(&json!({})).unwrap();
        assert_eq!(metadata.endpoints.token, "https://id.example.com/token");
        assert_eq!(metadata.endpoints.end_session, None);
        assert!(!metadata.announces_issuer);
    }

    #[test]
    fn members_of_odd_types_and_bad_offers_are_survived() {
        let metadata = read(&json!({
            "id_token_signing_alg_values_supported": ["none", 7, null, "RS256"],
            "response_types_supported": ["code", ["id_token"]],
            "code_challenge_methods_supported": "S256",
            "token_endpoint_auth_methods_supported": {"client_secret_basic": true},
            "end_session_endpoint": "javascript:alert(1)",
            "authorization_response_iss_parameter_supported": "true",
            "userinfo_endpoint": 7, "claims_supported": null, "scopes_supported": [{}],
        }))
        .unwrap();
        assert_eq!(metadata.endpoints.end_session, None);
        assert!(!metadata.announces_issuer);
    }

    #[test]
    fn endpoints_are_there_and_protected() {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for value in [
                json!(null),
                json!(7),
                json!(""),
                json!("/token"),
                json!("http://id.example.com/token"),
                // A provider elsewhere that sends requests to this machine.
                json!("http://127.0.0.1:8428/token"),
                json!("http://localhost/token"),
                json!("https://a:b@id.example.com/token"),
                json!("https://id.example.com/#f"),
            ] {
                assert_eq!(read(&json!({name: value})).unwrap_err().check, "endpoints", "{name} {value}");
            }
        }
    }

    #[test]
    fn a_provider_on_this_machine_may_do_without_tls_if_that_is_allowed() {
        let local =
            ProviderSettings::new(Issuer::parse("http://127.0.0.1:9000").unwrap(), ClientId::parse("a").unwrap());
        let document = json!({
            "issuer": "http://127.0.0.1:9000", "authorization_endpoint": "http://127.0.0.1:9000/a",
            "token_endpoint": "http://127.0.0.1:9000/t", "jwks_uri": "http://127.0.0.1:9000/k",
        });
        let document = Document::parse(200, document.to_string().as_bytes()).unwrap();
        assert!(Metadata::read(&document, &local, true).is_ok());
        assert_eq!(Metadata::read(&document, &local, false).unwrap_err().check, "endpoints");
    }

    #[test]
    fn a_provider_that_cannot_do_what_is_needed_is_refused_with_advice() {
        for (change, check) in [
            (json!({"response_types_supported": ["id_token"]}), "pkce"),
            (json!({"code_challenge_methods_supported": ["plain"]}), "pkce"),
            (json!({"code_challenge_methods_supported": []}), "pkce"),
            (json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]}), "client_auth"),
            (json!({"id_token_signing_alg_values_supported": ["none", "HS256"]}), "algorithms"),
        ] {
            let error = read(&change).unwrap_err();
            assert_eq!((error.check, error.is_unavailable), (check, true), "{change}");
        }
        let mut public = settings();
        public.client_auth = ClientAuth::None;
        let change = json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]});
        assert_eq!(read_for(&public, &change).unwrap_err().check, "client_auth");
    }

    #[test]
    fn what_is_no_metadata_is_named() {
        for (status, body, word) in [
            (404, "{}", "no metadata"),
            (401, "", "no metadata"),
            (200, "  <!doctype html>", "web page"),
            (200, "[]", "no JSON object"),
            (200, "", "no JSON object"),
            (200, "{", "no JSON object"),
        ] {
            let advice = Document::parse(status, body.as_bytes()).unwrap_err();
            assert!(advice.contains(word), "{body}: {advice}");
        }
    }
}
