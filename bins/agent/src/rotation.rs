//! A new key, in two steps, so that no crash leaves the agent without one that works.
//!
//! First the new key is asked for and written beside the old one; the old one works until the new one was used. Then
//! the new one is used, and when it was taken the old one goes. Whoever finds both in the settings tries the new one
//! first: if it is refused, it never came to be, and the old one still works.

use stratora_wire::{HeartbeatAnswer, OwnKey};

use crate::client::{Client, Failure, Request};
use crate::heartbeat::{Verdict, beat};
use crate::host::Host;
use crate::log::causes;
use crate::settings::{Credentials, Identity};
use crate::store::SettingsStore;

/// There is no new key; the old one goes on working.
#[derive(Debug)]
pub enum NotRotated {
    /// The server gave none.
    Failed(Failure),
    /// It could not be kept. As far as that could be foreseen, none was asked for.
    CannotKeep(String),
}

/// The first step: a new key beside the old one, in the settings.
///
/// # Errors
/// [`NotRotated`]; the credentials are then as they were.
pub async fn begin(
    client: &Client,
    store: &dyn SettingsStore,
    credentials: &Credentials,
    identity: &Identity,
) -> Result<Credentials, NotRotated> {
    let cannot =
        |error: crate::store::SaveError| NotRotated::CannotKeep(format!("{} {}", store.place(), causes(&error)));
    store.prove_writable().map_err(cannot)?;
    let path = format!("/api/v1/agents/{}/rotate", identity.component_id);
    let answer = client.send(Request::post(path).key(Some(&identity.api_key))).await;
    let own = answer.and_then(|answer| answer.json::<OwnKey>()).map_err(NotRotated::Failed)?;
    let given = Identity::from_answer(own).filter(|given| given.component_id == identity.component_id);
    let given = given.ok_or_else(|| {
        let what = "the answer to the rotation holds no key for this agent".to_owned();
        NotRotated::Failed(Failure::Strange { status: 200, what, retry_after: None })
    })?;
    let both = Credentials {
        enrollment_token: credentials.enrollment_token.clone(),
        identity: Some(Identity { new_api_key: Some(given.api_key), ..identity.clone() }),
    };
    store.replace_credentials(credentials, &both).map_err(cannot)?;
    Ok(both)
}

/// Which key was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The only one that there is.
    Only,
    /// The new one: the old one is dead.
    New,
    /// The old one: the new one never came to be.
    Old,
}

/// The second step, which is every heartbeat: uses the new key if there is one, and else, or if that is dead, the old
/// one.
///
/// # Errors
/// [`Failure`] when neither was taken.
pub async fn prove(client: &Client, host: &Host, identity: &Identity) -> Result<(HeartbeatAnswer, Taken), Failure> {
    let id = &identity.component_id;
    let Some(new) = &identity.new_api_key else {
        return Ok((beat(client, host, id, &identity.api_key).await?, Taken::Only));
    };
    match beat(client, host, id, new).await {
        Ok(answer) => Ok((answer, Taken::New)),
        Err(failure) if matches!(Verdict::of(&failure), Verdict::Dead(_)) => {
            Ok((beat(client, host, id, &identity.api_key).await?, Taken::Old))
        }
        Err(failure) => Err(failure),
    }
}

impl Identity {
    /// What is left once it is known which key was taken.
    #[must_use]
    pub fn settled(self, taken: Taken) -> Self {
        match (taken, self.new_api_key) {
            (Taken::New, Some(new)) => Self { component_id: self.component_id, api_key: new, new_api_key: None },
            (_, _) => Self { component_id: self.component_id, api_key: self.api_key, new_api_key: None },
        }
    }
}
