//! Audit entries about what was refused. Whoever is refused can make requests faster than a log should grow, so the same
//! refusal to the same client is written once a minute; the memory of that is bounded, and what it forgets is written
//! once more.

use std::sync::Arc;
use std::time::Duration;

use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;
use stratora_audit::{Action, AuditLog, Event};
use stratora_auth::ClientKey;
use stratora_clock::Timestamp;

/// How long the same refusal to the same client stays unwritten.
const QUIET: Duration = Duration::from_mins(1);
/// How many refusals are remembered, at about 100 bytes each.
const REMEMBERED: u64 = 50_000;

/// One kind of refusal of one thing to one client.
type Kind = (Action, ClientKey, String);

/// Writes refusals to the audit log. The refusal itself never depends on it: it changes nothing that would have to be
/// undone, so a log that is away is an error in the server's log only.
pub struct Refusals {
    log: Arc<dyn AuditLog>,
    written: Cache<Kind, Timestamp>,
}

impl Refusals {
    /// Writes to `log`.
    pub fn new(log: Arc<dyn AuditLog>) -> Self {
        Self { log, written: Cache::new(REMEMBERED) }
    }

    /// Writes an event.
    pub async fn write(&self, event: Event) {
        let (action, request_id) = (event.action, event.request_id);
        if let Err(error) = self.log.append(event).await {
            let request_id = request_id.map(|id| id.to_string());
            tracing::error!(%action, request_id, error = &error as &dyn std::error::Error, "audit entry not written");
        }
    }

    /// Writes an event, unless one of the same action was written for `client` within the last minute: of the same actor
    /// where it is known, else on the same resource.
    pub async fn write_seldom(&self, event: Event, client: ClientKey) {
        if self.is_due(&event, client) {
            self.write(event).await;
        }
    }

    fn is_due(&self, event: &Event, client: ClientKey) -> bool {
        let resource = event.resource.as_ref();
        let subject = match event.actor.id.or_else(|| resource?.id) {
            Some(id) => id.to_string(),
            None => resource.map(|resource| resource.name.clone()).unwrap_or_default(),
        };
        let noted = self.written.entry((event.action, client, subject)).and_compute_with(|last| {
            let is_quiet = last.is_some_and(|last| event.at < last.value().plus(QUIET));
            if is_quiet { Op::Nop } else { Op::Put(event.at) }
        });
        matches!(noted, CompResult::Inserted(_) | CompResult::ReplacedWith(_))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use stratora_audit::{Origin, ResourceKind};

    use super::*;
    use crate::testing::RecordingLog;

    fn client(address: [u8; 4]) -> ClientKey {
        ClientKey::from(IpAddr::from(address))
    }

    fn event(at: Timestamp, action: Action, name: &str) -> Event {
        Origin::system().event(at, action).on(ResourceKind::Endpoint, None, name)
    }

    #[actix_web::test]
    async fn the_same_refusal_to_the_same_client_is_written_once_a_minute() {
        let log = Arc::new(RecordingLog::default());
        let refusals = Refusals::new(log.clone());
        let start = Timestamp::UNIX_EPOCH;
        for second in [0, 1, 59, 60, 61, 119, 120] {
            let event = event(start.plus(Duration::from_secs(second)), Action::RateLimit, "login");
            refusals.write_seldom(event, client([192, 0, 2, 1])).await;
        }
        assert_eq!(log.events().len(), 3);
    }

    #[actix_web::test]
    async fn other_clients_and_other_refusals_are_written_nonetheless() {
        let log = Arc::new(RecordingLog::default());
        let refusals = Refusals::new(log.clone());
        let now = Timestamp::UNIX_EPOCH;
        refusals.write_seldom(event(now, Action::RateLimit, "login"), client([192, 0, 2, 1])).await;
        refusals.write_seldom(event(now, Action::RateLimit, "sso"), client([192, 0, 2, 1])).await;
        refusals.write_seldom(event(now, Action::KeyRefuse, "login"), client([192, 0, 2, 1])).await;
        refusals.write_seldom(event(now, Action::RateLimit, "login"), client([192, 0, 2, 2])).await;
        assert_eq!(log.events().len(), 4);
    }

    #[actix_web::test]
    async fn a_known_actor_cannot_fill_the_log_by_trying_many_things() {
        let log = Arc::new(RecordingLog::default());
        let refusals = Refusals::new(log.clone());
        for number in 0..5 {
            let mut denied = event(Timestamp::UNIX_EPOCH, Action::AccessDeny, &number.to_string());
            denied.actor.id = Some(uuid::Uuid::from_u128(7));
            refusals.write_seldom(denied, client([192, 0, 2, 1])).await;
        }
        assert_eq!(log.events().len(), 1);
    }
}
