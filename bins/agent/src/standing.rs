//! How the agent stands with the server, as all its parts see it.

use std::cell::{Ref, RefCell};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::settings::{Credentials, Identity};

/// How the agent stands with the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "why")]
pub enum Standing {
    /// It has not heard from the server yet.
    Starting,
    /// Its key is taken.
    Good,
    /// An administrator has to agree first.
    AwaitingApproval,
    /// It will not be enrolled with what it has.
    NotEnrolled(String),
    /// Its key is not taken.
    Refused(String),
    /// The server cannot be reached, or is not well.
    Away(String),
}

/// What the parts of the agent share while they work with one server.
pub struct Connection {
    standing: RefCell<Standing>,
    credentials: RefCell<Credentials>,
    changed: Notify,
}

impl Connection {
    /// A connection that has not been tried yet.
    pub fn new(credentials: Credentials) -> Self {
        let (standing, changed) = (RefCell::new(Standing::Starting), Notify::new());
        Self { standing, credentials: RefCell::new(credentials), changed }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Whether the server takes the key.
    pub fn is_good(&self) -> bool {
        *self.standing.borrow() == Standing::Good
    }

    /// It stands otherwise from now on.
    pub fn stands(&self, standing: Standing) {
        self.standing.replace(standing);
        self.changed.notify_waiters();
    }

    /// Waits until it stands as wanted.
    pub async fn until(&self, wanted: impl Fn(&Standing) -> bool) {
        loop {
            // Before looking, so that no change is missed.
            let changed = self.changed.notified();
            if wanted(&self.standing.borrow()) {
                return;
            }
            changed.await;
        }
    }

    /// The credentials in use.
    pub fn credentials(&self) -> Ref<'_, Credentials> {
        self.credentials.borrow()
    }

    /// Who the agent is, if it is somebody.
    pub fn identity(&self) -> Option<Identity> {
        self.credentials.borrow().identity.clone()
    }

    /// Other credentials are used from now on.
    pub fn use_credentials(&self, credentials: Credentials) {
        self.credentials.replace(credentials);
    }
}
