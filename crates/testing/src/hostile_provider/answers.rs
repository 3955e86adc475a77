//! What the provider answers, endpoint by endpoint.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};

use super::keys::{base64, random, sha256};
use super::tokens::{current_key, id_token};
use super::wire::{self, Asked, Body, Reply};
use super::{Behaviour, Grant, Habit, Misbehaviour, Shared};

/// 64 KiB of spaces in 97 bytes of gzip, which may stand behind itself as often as one likes (RFC 1952 §2.2).
const GZIP: &str = "H4sIAAAAAAACA-3BgQAAAACAIJX9KRepCgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGqUGSy0AAABAA";
/// Together half a gigabyte.
const GZIP_TIMES: usize = 8192;
/// What must not come out anywhere.
const MARKUP: &str = "<script>alert(1)</script>\r\nSet-Cookie: a=b";

/// Answers one request.
pub(super) async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    let asked = wire::read(&mut stream).await;
    let (date, reply) = {
        let mut behaviour = shared.behaviour();
        let reply = match &asked {
            Some(asked) => route(asked, &shared.issuer, &mut behaviour),
            None => Ok(Reply::of(400, "text/plain", "not HTTP")),
        };
        (httpdate::fmt_http_date(behaviour.now()), reply)
    };
    let reply = reply.unwrap_or_else(|error| Reply::of(500, "text/plain", error.to_string()));
    // Whoever has heard enough hangs up.
    wire::write(&mut stream, &date, reply).await.ok();
}

fn route(asked: &Asked, issuer: &str, behaviour: &mut Behaviour) -> anyhow::Result<Reply> {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/.well-known/openid-configuration") => {
            behaviour.counts.metadata += 1;
            Ok(metadata(issuer, behaviour))
        }
        ("GET", "/jwks") => {
            behaviour.counts.jwks += 1;
            jwks(issuer, behaviour)
        }
        ("GET", "/authorize") => {
            behaviour.counts.authorize += 1;
            authorize(asked, issuer, behaviour)
        }
        ("POST", "/token") => {
            behaviour.counts.token += 1;
            token(asked, issuer, behaviour)
        }
        ("GET", "/logout") => Ok(Reply::of(200, "text/html", "<!doctype html><title>Signed out</title>")),
        (_, "/decoy") => {
            behaviour.counts.decoy += 1;
            let key = with_name(behaviour.foreign_key.jwk(), &behaviour.key_id);
            Ok(Reply::json(200, &json!({"keys": [key]})))
        }
        _ => Ok(Reply::of(404, "text/plain", "nothing here")),
    }
}

/// The ways in which any answer can go wrong.
struct Wrong {
    redirects: Misbehaviour,
    html: Misbehaviour,
    fails: Misbehaviour,
    slow: Misbehaviour,
    endless: Misbehaviour,
    gzip: Misbehaviour,
}

impl Wrong {
    fn spoil(&self, good: Reply, issuer: &str, behaviour: &Behaviour) -> Reply {
        let Some(misbehaviour) = behaviour.misbehaviour else { return good };
        let whole = |body: Body| match body {
            Body::Whole(body) => body,
            _ => Vec::new(),
        };
        if misbehaviour == self.redirects {
            Reply::redirect(&format!("{issuer}/decoy"))
        } else if misbehaviour == self.html {
            Reply::of(200, "text/html", format!("<!doctype html><title>{MARKUP}</title>"))
        } else if misbehaviour == self.fails {
            Reply::of(500, "text/plain", MARKUP)
        } else if misbehaviour == self.slow {
            Reply { body: Body::Slow(whole(good.body)), ..good }
        } else if misbehaviour == self.endless {
            Reply { body: Body::Endless, ..good }
        } else if misbehaviour == self.gzip {
            let body = URL_SAFE_NO_PAD.decode(GZIP).unwrap_or_default().repeat(GZIP_TIMES);
            let mut reply = Reply { body: Body::Whole(body), ..good };
            reply.headers.push(("content-encoding", "gzip".to_owned()));
            reply
        } else {
            good
        }
    }
}

fn metadata(issuer: &str, behaviour: &Behaviour) -> Reply {
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "response_types_supported": ["code", "id_token"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "PS256"],
        "subject_types_supported": ["public"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(members) = document.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    match behaviour.misbehaviour {
        Some(Misbehaviour::MetadataIssuer) => set("issuer", json!(format!("https://id.example.com/{MARKUP}"))),
        Some(Misbehaviour::MetadataIssuerSlash) => set("issuer", json!(format!("{issuer}/"))),
        Some(Misbehaviour::MetadataIssuerCase) => set("issuer", json!(issuer.to_uppercase())),
        Some(Misbehaviour::MetadataIssuerTemplate) => set("issuer", json!("https://login.example.com/{tenantid}/v2.0")),
        Some(Misbehaviour::MetadataForeignTokenEndpoint) => {
            set("token_endpoint", json!(behaviour.foreign_token_endpoint));
        }
        Some(Misbehaviour::MetadataPlainEndpoints) => set("token_endpoint", json!("http://id.example.com/token")),
        Some(Misbehaviour::MetadataWithoutKeys) => set("jwks_uri", Value::Null),
        Some(Misbehaviour::MetadataWithoutCode) => set("response_types_supported", json!(["id_token"])),
        Some(Misbehaviour::MetadataWithoutPkce) => set("code_challenge_methods_supported", json!(["plain"])),
        Some(Misbehaviour::MetadataWithoutClientAuth) => {
            set("token_endpoint_auth_methods_supported", json!(["private_key_jwt"]));
        }
        Some(Misbehaviour::MetadataSymmetric) => set("id_token_signing_alg_values_supported", json!(["none", "HS256"])),
        _ => {}
    }
    let lists = [
        "response_types_supported",
        "code_challenge_methods_supported",
        "token_endpoint_auth_methods_supported",
        "id_token_signing_alg_values_supported",
    ];
    match behaviour.habit {
        Some(Habit::OddMetadata) => {
            set("id_token_signing_alg_values_supported", json!(["none", 7, "ES256", "made up"]));
            set("grant_types_supported", json!({"no": "list"}));
            set("claims_supported", json!(null));
            set("ui_locales_supported", json!("en"));
            set("userinfo_endpoint", json!(false));
        }
        Some(Habit::BareMetadata) => lists.into_iter().for_each(|list| set(list, Value::Null)),
        Some(Habit::NoResponseIss) => set("authorization_response_iss_parameter_supported", Value::Null),
        _ => {}
    }
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, value| !value.is_null() || name == "claims_supported");
    }
    if behaviour.does(Misbehaviour::MetadataMissing) {
        return Reply::of(404, "text/plain", MARKUP);
    }
    let wrong = Wrong {
        redirects: Misbehaviour::MetadataRedirects,
        html: Misbehaviour::MetadataHtml,
        fails: Misbehaviour::MetadataFails,
        slow: Misbehaviour::MetadataSlow,
        endless: Misbehaviour::MetadataEndless,
        gzip: Misbehaviour::MetadataGzip,
    };
    wrong.spoil(Reply::json(200, &document), issuer, behaviour)
}

fn with_name(mut key: Value, name: &str) -> Value {
    if let Some(members) = key.as_object_mut() {
        members.insert("kid".to_owned(), json!(name));
    }
    key
}

fn jwks(issuer: &str, behaviour: &Behaviour) -> anyhow::Result<Reply> {
    let other = current_key(behaviour)?;
    let mut key = other.as_ref().unwrap_or(&behaviour.key).jwk();
    if !behaviour.has(Habit::NamesNoKeys) {
        key = with_name(key, &behaviour.key_id);
    }
    let mut set = |name: &str, value: Value| {
        if let Some(members) = key.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    match behaviour.misbehaviour {
        Some(Misbehaviour::KeyOffCurve) => set("y", json!(base64([1; 32]))),
        Some(Misbehaviour::KeyForEncryption) => set("use", json!("enc")),
        Some(Misbehaviour::KeySymmetric) => {
            key = json!({"kty": "oct", "kid": behaviour.key_id, "k": base64(sha256(b"shared"))});
        }
        _ => {}
    }
    let keys = match (behaviour.misbehaviour, behaviour.habit) {
        (Some(Misbehaviour::KeysTenThousand), _) => {
            // The right one is the last.
            let many = (0..10_000).map(|number| with_name(behaviour.foreign_key.jwk(), &number.to_string()));
            many.chain([key]).collect()
        }
        (_, Some(Habit::OddKeys)) => vec![
            json!({"kty": "made up", "kid": 7, "x": {"no": "text"}}),
            json!("no key"),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA", "kid": "encryption", "use": "enc", "n": "AQAB", "e": "AQAB"}),
            key,
        ],
        _ => vec![key],
    };
    let wrong = Wrong {
        redirects: Misbehaviour::KeysRedirect,
        html: Misbehaviour::KeysHtml,
        fails: Misbehaviour::KeysFail,
        slow: Misbehaviour::KeysSlow,
        endless: Misbehaviour::KeysEndless,
        gzip: Misbehaviour::KeysGzip,
    };
    Ok(wrong.spoil(Reply::json(200, &json!({"keys": keys})), issuer, behaviour))
}

fn authorize(asked: &Asked, issuer: &str, behaviour: &mut Behaviour) -> anyhow::Result<Reply> {
    let parameter = |name: &str| asked.query.get(name).cloned().with_context(|| format!("{name} is missing"));
    let is_sound = parameter("response_type")? == "code"
        && parameter("code_challenge_method")? == "S256"
        && parameter("scope")?.split(' ').any(|scope| scope == "openid");
    anyhow::ensure!(is_sound, "not a request for a code with PKCE");
    let (state, code, redirect_uri) = (parameter("state")?, random()?, parameter("redirect_uri")?);
    let grant = Grant {
        client_id: parameter("client_id")?,
        redirect_uri: redirect_uri.clone(),
        nonce: parameter("nonce")?,
        challenge: parameter("code_challenge")?,
    };
    behaviour.grants.insert(code.clone(), grant);
    let code = if behaviour.does(Misbehaviour::ResponseCodeForged) { random()? } else { code };
    let mut back = form_urlencoded::Serializer::new(format!("{redirect_uri}?"));
    back.append_pair("state", &state);
    match behaviour.misbehaviour {
        Some(Misbehaviour::ResponseError) => {
            back.append_pair("error", "access_denied")
                .append_pair("error_description", MARKUP)
                .append_pair("iss", issuer);
        }
        Some(Misbehaviour::ResponseStateTwice) => {
            back.append_pair("state", &random()?).append_pair("code", &code).append_pair("iss", issuer);
        }
        Some(Misbehaviour::ResponseIssWrong) => {
            back.append_pair("code", &code).append_pair("iss", "https://id.example.com");
        }
        Some(Misbehaviour::ResponseIssMissing) => {
            back.append_pair("code", &code);
        }
        Some(Misbehaviour::ResponseIssTwice) => {
            back.append_pair("code", &code).append_pair("iss", issuer).append_pair("iss", "https://id.example.com");
        }
        _ if behaviour.has(Habit::NoResponseIss) => {
            back.append_pair("code", &code);
        }
        _ => {
            back.append_pair("code", &code).append_pair("iss", issuer);
        }
    }
    let back = back.finish();
    if !behaviour.shows_page {
        return Ok(Reply::redirect(&back));
    }
    let link = back.replace('&', "&amp;");
    Ok(Reply::of(
        200,
        "text/html",
        format!("<!doctype html><title>Sign in</title><a id=\"continue\" href=\"{link}\">Continue</a>"),
    ))
}

/// How a client proves itself, and with what.
fn client_auth(asked: &Asked) -> anyhow::Result<(&'static str, Option<String>)> {
    if let Some(header) = asked.headers.get("authorization") {
        let encoded = header.strip_prefix("Basic ").context("another scheme than Basic")?;
        let text = String::from_utf8(STANDARD.decode(encoded)?)?;
        let (_, secret) = text.split_once(':').context("no colon")?;
        let decoded = form_urlencoded::parse(secret.as_bytes()).map(|(secret, _)| secret.into_owned()).next();
        return Ok(("client_secret_basic", decoded));
    }
    Ok(match asked.form.get("client_secret") {
        Some(secret) => ("client_secret_post", Some(secret.clone())),
        None => ("none", None),
    })
}

fn token(asked: &Asked, issuer: &str, behaviour: &mut Behaviour) -> anyhow::Result<Reply> {
    let refusal = |status, error: &str| Ok(Reply::json(status, &json!({"error": error, "error_description": MARKUP})));
    let (how, secret) = client_auth(asked)?;
    behaviour.client_auth = Some(how);
    behaviour.secrets_received.extend(secret.clone());
    if secret != behaviour.client_secret || behaviour.does(Misbehaviour::TokenEndpointForgetsClient) {
        return refusal(401, "invalid_client");
    }
    let field = |name: &str| asked.form.get(name).map(String::as_str).unwrap_or_default();
    let grant = behaviour.grants.remove(field("code")).filter(|grant| {
        field("grant_type") == "authorization_code"
            && field("redirect_uri") == grant.redirect_uri
            && base64(sha256(field("code_verifier").as_bytes())) == grant.challenge
    });
    let Some(grant) = grant else { return refusal(400, "invalid_grant") };
    let mut answer = json!({
        "access_token": random()?, "token_type": "Bearer", "expires_in": 3600,
        "id_token": id_token(issuer, behaviour, &grant)?,
    });
    if let Some(members) = answer.as_object_mut() {
        if behaviour.has(Habit::OddTokenAnswer) {
            members.insert("expires_in".to_owned(), json!("3600"));
            members.remove("token_type");
        }
        if behaviour.does(Misbehaviour::TokenMissing) {
            members.remove("id_token");
        }
    }
    let good = Reply::json(200, &answer);
    match behaviour.misbehaviour {
        Some(Misbehaviour::TokenEndpointRefuses) => return refusal(400, "invalid_request"),
        Some(Misbehaviour::TokenEndpointBreaksOff) => {
            return Ok(Reply { body: Body::BrokenOff(answer.to_string().into_bytes()), ..good });
        }
        _ => {}
    }
    let wrong = Wrong {
        redirects: Misbehaviour::TokenEndpointRedirects,
        html: Misbehaviour::TokenEndpointHtml,
        fails: Misbehaviour::TokenEndpointFails,
        slow: Misbehaviour::TokenEndpointSlow,
        endless: Misbehaviour::TokenEndpointEndless,
        gzip: Misbehaviour::TokenEndpointGzip,
    };
    Ok(wrong.spoil(good, issuer, behaviour))
}
