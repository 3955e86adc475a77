//! What goes wrong, and what ends.

use std::time::Duration;

use serde_json::json;
use stratora_testing::{Client, Request, Signal};

use crate::dice::Dice;
use crate::fleet::{Component, Fleet, Person, Step};
use crate::network;

/// What goes wrong around a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    Nothing,
    /// A replica is stopped across the revocation and goes on later.
    Paused,
    /// A replica is killed.
    Killed,
    /// A replica's connections to the database are cut; HTTP is alive.
    Cut,
    /// A replica's connections to the database stand still.
    Hanging,
    /// The network between a replica and the database drops everything silently, what the kernel sends included.
    Dropping,
    /// Every replica loses the connection on which it hears, and with it notifications.
    Deaf,
    /// The database is stopped and started again.
    DatabaseRestarted,
    /// The database stands still and goes on.
    DatabasePaused,
    /// The database's machine fails, and its synchronous standby takes its place.
    FailedOver,
    /// The time of day of a replica is set hours ahead or back.
    ClockStepped,
    /// Another replica starts meanwhile.
    Joining,
    /// The replica that revokes is killed before it answers.
    RevokerKilled,
}

impl Fault {
    pub(crate) const ALL: [Self; 13] = [
        Self::Nothing,
        Self::Paused,
        Self::Killed,
        Self::Cut,
        Self::Hanging,
        Self::Dropping,
        Self::Deaf,
        Self::DatabaseRestarted,
        Self::DatabasePaused,
        Self::FailedOver,
        Self::ClockStepped,
        Self::Joining,
        Self::RevokerKilled,
    ];

    /// Those that can be made on this machine.
    pub(crate) fn possible() -> Vec<Self> {
        Self::ALL.into_iter().filter(|fault| *fault != Self::Dropping || network::is_own()).collect()
    }

    /// Lets it happen to `replica`.
    pub(crate) async fn strike(self, fleet: &mut Fleet, replica: usize) {
        match self {
            Self::Nothing | Self::RevokerKilled => {}
            Self::Paused => fleet.signal(replica, Signal::STOP),
            Self::Killed => fleet.signal(replica, Signal::KILL),
            Self::Cut => fleet.replicas[replica].wire.cut(),
            Self::Hanging => fleet.replicas[replica].wire.hang(),
            Self::Dropping => network::drop_all_for(fleet.replicas[replica].wire.port()),
            Self::Deaf => fleet.cut_listeners(),
            Self::DatabaseRestarted => tokio::task::block_in_place(|| fleet.postgres.restart().unwrap()),
            Self::DatabasePaused => fleet.postgres.pause(),
            Self::FailedOver => tokio::task::block_in_place(|| fleet.fail_over()),
            Self::ClockStepped => fleet.step_clock_of(replica, Dice::one_of(&[Step(-26), Step(-2), Step(2), Step(26)])),
            Self::Joining => {
                let joining = fleet.prepare().await;
                fleet.launch(joining);
            }
        }
    }

    /// Puts right what can be put right before the revocation's answer is there.
    pub(crate) fn relent(self, fleet: &mut Fleet) {
        if self == Self::DatabasePaused {
            fleet.postgres.resume();
        }
    }

    /// Puts right what happened to `replica`.
    pub(crate) fn mend(self, fleet: &mut Fleet, replica: usize) {
        match self {
            Self::Nothing | Self::Deaf | Self::DatabaseRestarted | Self::DatabasePaused | Self::Joining => {}
            Self::FailedOver => tokio::task::block_in_place(|| fleet.add_standby()),
            Self::ClockStepped => fleet.step_clock_of(replica, Step::NONE),
            Self::Dropping => network::drop_nothing(),
            Self::Paused => fleet.signal(replica, Signal::CONT),
            Self::Killed | Self::RevokerKilled => fleet.revive(replica),
            Self::Cut | Self::Hanging => fleet.replicas[replica].wire.open(),
        }
    }

    /// Whether a revocation must be answered all the same.
    pub(crate) fn leaves_an_answer(self) -> bool {
        !matches!(self, Self::RevokerKilled | Self::DatabaseRestarted | Self::DatabasePaused | Self::FailedOver)
    }

    /// Whether every replica is there and in touch, so that nobody has to be waited for.
    pub(crate) fn leaves_all_healthy(self) -> bool {
        matches!(self, Self::Nothing | Self::ClockStepped)
    }
}

/// What ends a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Revoke,
    Rotate,
    Delete,
    ReportLeak,
    SignOut,
    EndSession,
    EndAllSessions,
    Deactivate,
    ChangeRole,
    DeleteUser,
    ResetPassword,
}

impl Ending {
    pub(crate) const OF_COMPONENTS: [Self; 4] = [Self::Revoke, Self::Rotate, Self::Delete, Self::ReportLeak];
    pub(crate) const OF_PEOPLE: [Self; 7] = [
        Self::SignOut,
        Self::EndSession,
        Self::EndAllSessions,
        Self::Deactivate,
        Self::ChangeRole,
        Self::DeleteUser,
        Self::ResetPassword,
    ];

    /// The request that does it to that component or that person.
    pub(crate) fn request(self, client: &Client, admin: &str, component: &Component, person: &Person) -> Request {
        let of_component = format!("/api/v1/remote-components/{}", component.id);
        let user = format!("/api/v1/users/{}", person.id);
        match self {
            Self::Revoke => client.post(&format!("{of_component}/revoke")).bearer(admin),
            Self::Rotate => client.post(&format!("{of_component}/rotate")).bearer(admin),
            Self::Delete => client.delete(&of_component).bearer(admin),
            Self::ReportLeak => {
                // Limited by address: each report comes from another.
                let [.., high, low] = *component.id.as_bytes();
                let address = format!("198.51.{high}.{low}");
                client
                    .post("/api/v1/keys/report-leak")
                    .from(&address)
                    .json(&json!({"api_key": *component.key.expose()}))
            }
            Self::SignOut => client.post("/api/v1/auth/logout").bearer(&person.token),
            Self::EndSession => {
                client.delete(&format!("/api/v1/auth/sessions/{}", person.session)).bearer(&person.token)
            }
            Self::EndAllSessions => client.delete(&format!("{user}/sessions")).bearer(admin),
            Self::Deactivate => client.patch(&user).bearer(admin).json(&json!({"active": false})),
            Self::ChangeRole => client.patch(&user).bearer(admin).json(&json!({"role": "viewer"})),
            Self::DeleteUser => client.delete(&user).bearer(admin),
            Self::ResetPassword => client.post(&format!("{user}/reset-password")).bearer(admin),
        }
    }
}

/// How long after a fault the revocation is sent, at the most; and how long after a revocation its server is killed.
pub(crate) const SOON: Duration = Duration::from_millis(40);
