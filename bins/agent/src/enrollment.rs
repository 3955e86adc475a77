//! Becoming a component, once.
//!
//! What is sent is written down before it is sent, with a word that nobody can guess. Whatever happens after that,
//! the same request with the same word is answered with a key again, until a key of it was used; and none is used
//! before it is in the settings. So an agent that is killed anywhere on the way asks once more, and is the same
//! component.
//!
//! What is written down stays until a key was taken. A request of before that was on its way for long may come to the
//! server after the one that was answered, and end the key of that answer: then it is asked for once more.

use serde::{Deserialize, Serialize};
use stratora_wire::{OwnKey, Register};
use zeroize::Zeroizing;

use crate::client::{Client, Failure, Request};
use crate::log::causes;
use crate::random;
use crate::secret::{Secret, is_random_part};
use crate::settings::{Credentials, Identity, Settings, is_identifier};
use crate::state::StateDirectory;
use crate::store::SettingsStore;

const FILE: &str = "enrollment.json";

/// It did not become a component, yet or ever.
#[derive(Debug)]
pub enum NotEnrolled {
    /// Asking again would change nothing.
    Final(String),
    /// An administrator has to agree first.
    AwaitingApproval,
    /// The server is not there for it now.
    Failed(Failure),
    /// What has to be kept could not be kept, so nothing was asked for, or what was given is given again.
    CannotKeep(String),
}

/// What was, or is about to be, sent. Kept with the token, so that another token is another attempt.
#[derive(Serialize, Deserialize)]
struct Attempt {
    server_url: String,
    enrollment_token: Zeroizing<String>,
    hostname: String,
    version: String,
    idempotency_key: Zeroizing<String>,
}

/// Registers, and puts the new identity into the settings in place of the token.
///
/// # Errors
/// [`NotEnrolled`] says what to do next.
pub async fn enroll(
    client: &Client,
    store: &dyn SettingsStore,
    state: &StateDirectory,
    settings: &Settings,
    hostname: &str,
) -> Result<Credentials, NotEnrolled> {
    let known = &settings.credentials;
    let Some(token) = &known.enrollment_token else {
        return Err(NotEnrolled::Final("there is no enrollment token".to_owned()));
    };
    store.prove_writable().map_err(|error| NotEnrolled::CannotKeep(format!("{} {}", store.place(), causes(&error))))?;
    let attempt = prepare(state, settings, token, hostname)?;
    let proof = known.identity.as_ref().map(Identity::preferred);
    // A key that is dead proves nothing, and is no reason for the server to refuse: then an administrator decides.
    let own = register(client, &attempt, proof).await.map_err(judge)?;
    let identity = identity(own)?;
    keep(store, known, Credentials { enrollment_token: None, identity: Some(identity) })
}

/// Asks once more for the key of an attempt of which none was taken yet, since the one that was given has ended. `None`:
/// there is no such attempt.
///
/// # Errors
/// [`NotEnrolled`] says what to do next.
pub async fn repeat(
    client: &Client,
    store: &dyn SettingsStore,
    state: &StateDirectory,
    settings: &Settings,
) -> Option<Result<Credentials, NotEnrolled>> {
    let known = &settings.credentials;
    let ended = known.identity.as_ref()?;
    let attempt = under_way(state, settings)?;
    if let Err(why) = store.prove_writable() {
        return Some(Err(NotEnrolled::CannotKeep(format!("{} {}", store.place(), causes(&why)))));
    }
    let given = register(client, &attempt, None).await.map_err(judge).and_then(identity);
    let own = given.and_then(|given| {
        // To ask again would end a key of that component each time.
        let is_own = given.component_id == ended.component_id;
        is_own
            .then_some(given)
            .ok_or_else(|| NotEnrolled::Final("the key that was given is another component's".into()))
    });
    Some(own.and_then(|identity| keep(store, known, Credentials { enrollment_token: None, identity: Some(identity) })))
}

fn identity(own: OwnKey) -> Result<Identity, NotEnrolled> {
    Identity::from_answer(own).ok_or_else(|| {
        let what = "the answer to the registration holds no key for this agent".to_owned();
        NotEnrolled::Failed(Failure::Strange { status: 200, what, retry_after: None })
    })
}

fn keep(store: &dyn SettingsStore, known: &Credentials, new: Credentials) -> Result<Credentials, NotEnrolled> {
    let kept = store.replace_credentials(known, &new);
    kept.map_err(|error| NotEnrolled::CannotKeep(format!("{} {}", store.place(), causes(&error))))?;
    Ok(new)
}

/// Removes what is left of an attempt once a key was taken.
pub fn forget(state: &StateDirectory) {
    // If it stays it is overwritten by the next attempt, which is for another token.
    let _forgotten = state.forget(FILE);
}

/// The attempt at this server that is written down, if it can be repeated.
fn under_way(state: &StateDirectory, settings: &Settings) -> Option<Attempt> {
    let is_sound = |attempt: &Attempt| {
        attempt.server_url == settings.server_url.as_str() && is_random_part(&attempt.idempotency_key)
    };
    state.load(FILE).filter(is_sound)
}

/// The attempt that is under way for this token, or else a new one, written down.
fn prepare(
    state: &StateDirectory,
    settings: &Settings,
    token: &Secret,
    hostname: &str,
) -> Result<Attempt, NotEnrolled> {
    if let Some(attempt) = under_way(state, settings).filter(|attempt| *attempt.enrollment_token == token.expose()) {
        return Ok(attempt);
    }
    let idempotency_key = random::word().map_err(|error| NotEnrolled::CannotKeep(format!("no randomness: {error}")))?;
    let attempt = Attempt {
        server_url: settings.server_url.to_string(),
        enrollment_token: Zeroizing::new(token.expose().to_owned()),
        hostname: hostname.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        idempotency_key: Zeroizing::new(idempotency_key),
    };
    let cannot = |error: std::io::Error| {
        NotEnrolled::CannotKeep(format!("{} cannot be written: {error}", state.join(FILE).display()))
    };
    state.save(FILE, &attempt).map_err(cannot)?;
    Ok(attempt)
}

async fn register(client: &Client, attempt: &Attempt, proof: Option<&Secret>) -> Result<OwnKey, Failure> {
    let body = Register {
        enrollment_token: attempt.enrollment_token.to_string(),
        hostname: attempt.hostname.clone(),
        component_type: "agent".to_owned(),
        version: attempt.version.clone(),
    };
    let request = Request::post("/api/v1/components/register".to_owned())
        .key(proof)
        .header("Idempotency-Key", &attempt.idempotency_key)
        .json(&body);
    client.send(request).await?.json()
}

fn judge(failure: Failure) -> NotEnrolled {
    let end = |why: &str| NotEnrolled::Final(why.to_owned());
    match failure.reason() {
        Some((_, "enrollment_token_unknown")) => {
            end("the server does not know the enrollment token: it is mistyped, or was deleted")
        }
        Some((_, "enrollment_token_used")) => {
            end("the enrollment token was used already, for as many components as it is good for")
        }
        Some((_, "enrollment_token_expired")) => end("the enrollment token has expired"),
        Some((409, "component_exists")) => NotEnrolled::AwaitingApproval,
        Some((status @ (400 | 401 | 410 | 422), reason)) => {
            NotEnrolled::Final(format!("the server does not take the registration: {status} {reason}"))
        }
        _ => NotEnrolled::Failed(failure),
    }
}

impl Identity {
    /// The identity in an answer; `None` if what is there cannot be one.
    pub fn from_answer(own: OwnKey) -> Option<Self> {
        let key = Zeroizing::new(own.api_key);
        let api_key = Secret::api_key(&key)?;
        is_identifier(&own.component_id).then_some(Self { component_id: own.component_id, api_key, new_api_key: None })
    }

    /// The key to use: the new one, if there is one.
    pub fn preferred(&self) -> &Secret {
        self.new_api_key.as_ref().unwrap_or(&self.api_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, reason: &str) -> NotEnrolled {
        judge(Failure::Refused { status, reason: reason.to_owned(), retry_after: None })
    }

    #[test]
    fn what_cannot_change_is_final_and_what_can_is_not() {
        for (status, reason) in [
            (401, "enrollment_token_unknown"),
            (410, "enrollment_token_used"),
            (410, "enrollment_token_expired"),
            (422, "invalid_field"),
            (400, "malformed"),
        ] {
            assert!(matches!(refused(status, reason), NotEnrolled::Final(_)), "{reason}");
        }
        assert!(matches!(refused(409, "component_exists"), NotEnrolled::AwaitingApproval));
        for (status, reason) in [(429, "rate_limited"), (503, "unavailable"), (500, "internal"), (404, "not_found")] {
            assert!(matches!(refused(status, reason), NotEnrolled::Failed(_)), "{reason}");
        }
    }

    #[test]
    fn an_interrupted_attempt_is_repeated_and_another_token_is_another_attempt() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(directory.path()).unwrap();
        let settings = |letter: &str| {
            let token = format!("enroll_{}", letter.repeat(43));
            let json = serde_json::json!({"server_url": "http://127.0.0.1:1", "enrollment_token": token});
            Settings::from_json(json.to_string().as_bytes()).unwrap()
        };
        let word = |letter: &str, hostname: &str| {
            let settings = settings(letter);
            let token = settings.credentials.enrollment_token.clone().unwrap();
            let attempt = prepare(&state, &settings, &token, hostname).unwrap();
            (attempt.idempotency_key, attempt.hostname)
        };
        let first = word("a", "before");
        assert_eq!(word("a", "renamed"), first);
        assert_ne!(word("b", "before").0, first.0);
    }

    #[test]
    fn an_answer_without_a_sound_key_is_no_identity() {
        let own = |id: &str, key: &str| OwnKey { component_id: id.to_owned(), api_key: key.to_owned() };
        let key = format!("sk_stra_{}", "k".repeat(43));
        assert!(Identity::from_answer(own("c-1", &key)).is_some());
        assert!(Identity::from_answer(own("../c", &key)).is_none());
        assert!(Identity::from_answer(own("c-1", "")).is_none());
    }
}
