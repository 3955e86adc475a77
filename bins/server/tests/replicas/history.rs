//! What was asked, what was answered, and whether the promise was kept.

use std::fmt;
use std::time::{Duration, Instant};

/// Which credential a request presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// The one that is ended.
    Ended,
    /// One of the same kind that nobody ends.
    Kept,
}

/// How a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    /// 401 or 403.
    Refused,
    /// 503, or no answer.
    Failed,
}

/// A request with a credential.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) credential: Credential,
    pub(crate) replica: usize,
    pub(crate) started: Instant,
    pub(crate) outcome: Outcome,
}

/// Everything that happened around one revocation.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) requests: Vec<Request>,
    /// When the revocation was sent, and when its answer that it is done had arrived.
    pub(crate) revocation: Option<(Instant, Option<Instant>)>,
}

/// The promise was broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A credential was accepted by a request that started so long after the answer that it has ended.
    AcceptedAfterItsEnd { replica: usize, late_by: Duration },
    /// A credential that nobody ended was refused.
    RefusedWithoutCause { replica: usize },
    /// The revocation was never answered, and nothing that went wrong explains it.
    NotAnswered,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AcceptedAfterItsEnd { replica, late_by } => {
                write!(f, "replica {replica} accepted an ended credential {late_by:?} after the answer")
            }
            Self::RefusedWithoutCause { replica } => write!(f, "replica {replica} refused a credential that stands"),
            Self::NotAnswered => f.write_str("the revocation was not answered"),
        }
    }
}

impl History {
    /// What broke the promise.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let ended = self.revocation.and_then(|(_, answered)| answered);
        let broken = |request: &Request| match (request.credential, request.outcome) {
            (Credential::Ended, Outcome::Accepted) => {
                let late_by = request.started.checked_duration_since(ended?)?;
                Some(Violation::AcceptedAfterItsEnd { replica: request.replica, late_by })
            }
            (Credential::Kept, Outcome::Refused) => Some(Violation::RefusedWithoutCause { replica: request.replica }),
            _ => None,
        };
        self.requests.iter().filter_map(broken).collect()
    }

    /// How long the revocation took, if it was answered.
    pub(crate) fn took(&self) -> Option<Duration> {
        let (sent, answered) = self.revocation?;
        Some(answered?.duration_since(sent))
    }
}

mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a history is one of real time")]
    fn history(credential: Credential, outcome: Outcome, started_after: Duration) -> History {
        let sent = Instant::now();
        let answered = sent + Duration::from_millis(5);
        let request = Request { credential, replica: 2, started: sent + started_after, outcome };
        History { requests: vec![request], revocation: Some((sent, Some(answered))) }
    }

    #[test]
    fn an_ended_credential_that_is_accepted_later_is_found() {
        let broken = history(Credential::Ended, Outcome::Accepted, Duration::from_millis(6));
        let late_by = Duration::from_millis(1);
        assert_eq!(broken.violations(), [Violation::AcceptedAfterItsEnd { replica: 2, late_by }]);
        let in_time = history(Credential::Ended, Outcome::Accepted, Duration::from_millis(4));
        assert_eq!(in_time.violations(), []);
        for outcome in [Outcome::Refused, Outcome::Failed] {
            assert_eq!(history(Credential::Ended, outcome, Duration::from_millis(6)).violations(), []);
        }
    }

    #[test]
    fn a_credential_that_stands_and_is_refused_is_found() {
        let broken = history(Credential::Kept, Outcome::Refused, Duration::ZERO);
        assert_eq!(broken.violations(), [Violation::RefusedWithoutCause { replica: 2 }]);
        assert_eq!(history(Credential::Kept, Outcome::Accepted, Duration::from_millis(9)).violations(), []);
    }

    #[test]
    fn a_revocation_without_an_answer_promises_nothing() {
        let mut open = history(Credential::Ended, Outcome::Accepted, Duration::from_millis(6));
        open.revocation = open.revocation.map(|(sent, _)| (sent, None));
        assert_eq!(open.violations(), []);
    }
}
