//! A sign of life, and what the server makes of the key that it comes with.

use stratora_wire::{Heartbeat, HeartbeatAnswer};

use crate::client::{Client, Failure, Request};
use crate::host::Host;
use crate::secret::Secret;

/// Sends one.
///
/// # Errors
/// [`Failure`], which [`Verdict::of`] explains.
pub async fn beat(client: &Client, host: &Host, component_id: &str, key: &Secret) -> Result<HeartbeatAnswer, Failure> {
    let body =
        Heartbeat { hostname: host.name.clone(), version: env!("CARGO_PKG_VERSION").to_owned(), os: host.os.clone() };
    let path = format!("/api/v1/agents/heartbeat/{component_id}");
    client.send(Request::post(path).key(Some(key)).json(&body)).await?.json()
}

/// What a failure says about the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It will not be taken any more; this is what to do.
    Dead(&'static str),
    /// It is good, but an administrator has not agreed yet.
    NotApproved,
    /// Nothing.
    Unknown,
}

impl Verdict {
    /// What a failure says about the key.
    pub fn of(failure: &Failure) -> Self {
        match failure.reason() {
            Some((401, "key_revoked")) => Self::Dead(
                "an administrator revoked this agent's key (key_revoked): it can do nothing until it gets another one",
            ),
            Some((401, "key_rotated")) => Self::Dead(
                "this agent's key was replaced on the server (key_rotated): the new one has to be put into the settings",
            ),
            Some((401, _)) => Self::Dead(
                "the server does not know this agent's key (key_unknown): \
                 the component was deleted, or the server was restored from a backup",
            ),
            Some((404, _)) => Self::Dead(
                "the server has no such component for this key: `component_id` or `server_url` is not the key's own",
            ),
            Some((403, "not_approved")) => Self::NotApproved,
            _ => Self::Unknown,
        }
    }
}

/// Whether the heartbeat is to say this: what is wrong with a key, or with the whole server, it meets with next. Whoever
/// fails so many times in a row, before that, is alone with it.
pub const fn says(failure: &Failure, failures: u32) -> bool {
    match failure {
        Failure::Refused { status: 401 | 403 | 404, .. } => true,
        Failure::Unreachable(_) => failures <= 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, reason: &str) -> Verdict {
        Verdict::of(&Failure::Refused { status, reason: reason.to_owned(), retry_after: None })
    }

    #[test]
    fn each_reason_for_401_is_told_apart() {
        let said: Vec<_> = ["key_unknown", "key_revoked", "key_rotated"].map(|reason| verdict(401, reason)).into();
        for (verdict, reason) in said.iter().zip(["key_unknown", "key_revoked", "key_rotated"]) {
            assert!(matches!(verdict, Verdict::Dead(why) if why.contains(reason)), "{reason}");
        }
    }

    #[test]
    fn what_the_heartbeat_meets_with_too_is_left_for_it_to_say() {
        let refused = |status| Failure::Refused { status, reason: "reason".to_owned(), retry_after: None };
        for (status, left) in [(401, true), (403, true), (404, true), (429, false), (503, false)] {
            assert_eq!(says(&refused(status), 9), left, "{status}");
        }
        let unreachable = Failure::Unreachable("away".to_owned());
        assert!(says(&unreachable, 1) && !says(&unreachable, 2));
    }

    #[test]
    fn trouble_of_the_server_says_nothing_about_the_key() {
        for (status, reason) in [(429, "rate_limited"), (500, "internal"), (503, "unavailable"), (403, "forbidden")] {
            assert_eq!(verdict(status, reason), Verdict::Unknown);
        }
        assert_eq!(verdict(403, "not_approved"), Verdict::NotApproved);
    }
}
