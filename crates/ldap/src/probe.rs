//! What an administrator's test of the directory finds.

use stratora_auth::Role;

use crate::conversation::{Person, Progress};
use crate::failure::Failure;
use crate::roles::Roles;

/// What a test found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What was looked at, in order. The first that fails is the last.
    pub steps: Vec<ProbeStep>,
    /// Whether passwords go to the directory encrypted.
    pub is_encrypted: bool,
    /// Who was tried, when they may sign in.
    pub person: Option<ProbedPerson>,
}

impl Probe {
    /// Whether nothing is left to fix.
    pub fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.advice.is_none())
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStep {
    /// Which: `connect`, `tls`, `service_bind`, `search`, `bind`, `entry` or `groups`; `queue` before all of them.
    pub check: &'static str,
    /// What to fix, in one sentence; nothing when absent.
    pub advice: Option<String>,
}

/// What the directory says about somebody, and what that makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbedPerson {
    /// How they want to be called; may be empty.
    pub display_name: String,
    /// A mail address.
    pub email: Option<String>,
    /// Their groups, as the directory writes them.
    pub groups: Vec<String>,
    /// What they are here.
    pub role: Role,
    /// The group whose mapping decided, as the settings write it; the default decided when absent.
    pub decided_by: Option<String>,
}

impl Probe {
    pub(crate) fn new(
        outcome: Result<Option<Person>, Failure>,
        progress: &Progress,
        is_encrypted: bool,
        roles: &Roles,
    ) -> Self {
        let good = progress.passed.iter().map(|stage| ProbeStep { check: stage.as_str(), advice: None });
        let advice = outcome.as_ref().err().map(|failure| failure.advice().into_owned());
        let last = ProbeStep { check: progress.stage.as_str(), advice };
        let person = outcome.ok().flatten().map(|person| ProbedPerson {
            role: roles.of(&person.groups),
            decided_by: roles.deciding(&person.groups).map(|mapping| mapping.group.clone()),
            display_name: person.display_name,
            email: person.email,
            groups: person.groups,
        });
        Self { steps: good.chain([last]).collect(), is_encrypted, person }
    }
}
