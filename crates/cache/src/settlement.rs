//! When a change may be answered for: as soon as no replica can accept what it ended.

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;

use crate::Lease;

/// Which replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplicaId(pub Uuid);

/// A replica as the others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Replica {
    /// Which one.
    pub id: ReplicaId,
    /// How often it has renewed its lease.
    pub renewals: u64,
    /// The last change that it has heard of.
    pub acknowledged: u64,
    /// How long its leases last: as all others', unless somebody is just changing the setting.
    pub lease: Lease,
}

/// The wait between the commit of a change and its answer. A replica that has heard of the change does not accept what it
/// ended; one that has not can only hold a lease that it asked for before the commit, since a renewal tells every change
/// before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Settlement {
    change: u64,
    committed: Duration,
    over: Duration,
    /// Who has not said that they know, and how often they had renewed; `None` until the replicas are known.
    silent: Option<BTreeMap<ReplicaId, u64>>,
    /// When every lease has ended that was asked for before the replicas were first known.
    dead: Duration,
}

impl Settlement {
    /// Waits for a change that was committed before `committed`.
    pub fn of(change: u64, committed: Duration, lease: Lease) -> Self {
        Self { change, committed, over: lease.surely_over(committed), silent: None, dead: Duration::MAX }
    }

    /// These are all replicas there are, read after the commit and before `now`. One that is not among them has registered
    /// since, and so has read everything since, or was gone before.
    pub fn replicas_are(&mut self, replicas: &[Replica], now: Duration) {
        let longest = |from: Duration| replicas.iter().map(move |replica| replica.lease.surely_over(from)).max();
        self.over = self.over.max(longest(self.committed).unwrap_or_default());
        if self.silent.is_none() {
            self.dead = longest(now).unwrap_or(now);
        }
        let renewals = || replicas.iter().map(|replica| (replica.id, replica.renewals)).collect();
        let silent = self.silent.get_or_insert_with(renewals);
        silent.retain(|id, _| {
            let now = replicas.iter().find(|replica| replica.id == *id);
            now.is_some_and(|replica| replica.acknowledged < self.change)
        });
    }

    /// That replica has heard of all changes up to `change`.
    pub fn acknowledged(&mut self, replica: ReplicaId, change: u64) {
        if let Some(silent) = self.silent.as_mut().filter(|_| change >= self.change) {
            silent.remove(&replica);
        }
    }

    /// Whether the change may be answered for.
    pub fn is_settled(&self, now: Duration) -> bool {
        self.silent.as_ref().is_some_and(BTreeMap::is_empty) || now >= self.over
    }

    /// When it may be answered for at the latest.
    pub const fn over(&self) -> Duration {
        self.over
    }

    /// When those that have said nothing are dead, unless they have renewed their lease since.
    pub const fn dead(&self) -> Duration {
        self.dead
    }

    /// Those that have said nothing, with the renewals they had at first.
    pub fn silent(&self) -> impl Iterator<Item = (ReplicaId, u64)> {
        self.silent.iter().flatten().map(|(id, renewals)| (*id, *renewals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(id: u128, renewals: u64, acknowledged: u64) -> Replica {
        Replica { id: ReplicaId(Uuid::from_u128(id)), renewals, acknowledged, lease: Lease::default() }
    }

    fn settlement() -> Settlement {
        Settlement::of(7, Duration::from_secs(100), Lease::default())
    }

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn a_change_is_answered_for_when_every_replica_has_heard_of_it() {
        let mut settlement = settlement();
        settlement.replicas_are(&[replica(1, 3, 6), replica(2, 3, 7), replica(3, 9, 2)], NOW);
        assert!(!settlement.is_settled(NOW));
        settlement.acknowledged(ReplicaId(Uuid::from_u128(1)), 7);
        settlement.acknowledged(ReplicaId(Uuid::from_u128(3)), 6);
        assert!(!settlement.is_settled(NOW), "the third has heard of the one before only");
        settlement.acknowledged(ReplicaId(Uuid::from_u128(3)), 8);
        assert!(settlement.is_settled(NOW));
    }

    #[test]
    fn without_any_replica_there_is_nobody_to_wait_for() {
        let mut settlement = settlement();
        assert!(!settlement.is_settled(NOW), "not known yet");
        settlement.replicas_are(&[], NOW);
        assert!(settlement.is_settled(NOW));
    }

    #[test]
    fn nobody_is_waited_for_longer_than_a_lease_lasts() {
        let mut settlement = settlement();
        assert!(settlement.is_settled(settlement.over()), "even when nobody knows who is there");
        settlement.replicas_are(&[replica(1, 3, 6)], NOW);
        assert!(!settlement.is_settled(NOW + Duration::from_secs(2)));
        assert!(settlement.is_settled(settlement.over()));
        assert_eq!(settlement.silent().collect::<Vec<_>>(), [(ReplicaId(Uuid::from_u128(1)), 3)]);
    }

    #[test]
    fn whoever_has_a_longer_lease_is_waited_for_as_long() {
        let mut settlement = settlement();
        let lease = Lease::lasting(Duration::from_secs(9)).unwrap();
        settlement.replicas_are(&[Replica { lease, ..replica(1, 3, 6) }], NOW);
        assert!(settlement.over() > NOW + Duration::from_secs(9));
    }

    #[test]
    fn who_is_gone_or_came_later_is_not_waited_for() {
        let mut settlement = settlement();
        settlement.replicas_are(&[replica(1, 3, 6)], NOW);
        settlement.replicas_are(&[replica(2, 0, 0)], NOW);
        assert!(settlement.is_settled(NOW));
    }
}
