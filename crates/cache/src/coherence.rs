//! What this process knows of changes, and until when it may believe to know all of them. Read on every request, so
//! nothing here waits: all of it is a few atomic numbers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use metrics::{Counter, counter};
use stratora_clock::Stopwatch;
use uuid::Uuid;

use crate::{CredentialTag, IssuedCredentials};

/// How many slots subjects share. A change makes whatever shares its slot be read anew: at this number one credential in
/// 65 536, for half a megabyte.
const SLOTS: usize = 1 << 16;
/// A trust that does not end by itself.
const ALWAYS: u64 = u64::MAX;

/// What a change is about. Everything that is remembered belongs to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A component: its keys and the tag of its configuration.
    Component(Uuid),
    /// A person: their account and sessions.
    User(Uuid),
}

impl Subject {
    pub(crate) fn slot(self) -> Slot {
        // Identifiers are random, so any two bytes spread them evenly; components and people share the slots.
        let (Self::Component(id) | Self::User(id)) = self;
        let [.., high, low] = *id.as_bytes();
        Slot(u16::from_be_bytes([high, low]))
    }
}

/// Where the last change of a subject is kept: as much of it as has to be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u16);

impl Slot {
    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// The moment before something was read: what is read holds every change that was known of then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsOf(u64);

/// What is known of changes. Each has a number of its own, and each subject the number of its last change: what was read
/// as of that number or later is as the change left it.
pub struct Coherence {
    stopwatch: Arc<dyn Stopwatch>,
    /// In nanoseconds of the stopwatch.
    trusted_until: AtomicU64,
    changes: AtomicU64,
    /// What was read before this change is worth nothing, whatever it is about.
    all_changed: AtomicU64,
    last_changed: Box<[AtomicU64]>,
    issued: IssuedCredentials,
    invalidations: Counter,
    losses: Counter,
}

impl Coherence {
    /// Knows of no change and trusts nothing, until [`Self::trust_until`] or [`Self::trust_always`] say so.
    pub fn new(stopwatch: Arc<dyn Stopwatch>) -> Self {
        Self {
            stopwatch,
            trusted_until: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            all_changed: AtomicU64::new(0),
            last_changed: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            issued: IssuedCredentials::default(),
            invalidations: counter!("cache_invalidations_total"),
            losses: counter!("cache_lease_losses_total"),
        }
    }

    /// Whether what is remembered may be used at this moment.
    pub fn is_trusted(&self) -> bool {
        match self.trusted_until.load(SeqCst) {
            0 => false,
            ALWAYS => true,
            until => nanoseconds(self.stopwatch.elapsed()) < until,
        }
    }

    /// To be called before a read whose result is to be remembered.
    pub fn as_of_now(&self) -> AsOf {
        AsOf(self.changes.load(SeqCst))
    }

    /// Whether nothing is known to have changed about `subject` since.
    pub fn is_unchanged(&self, subject: Subject, since: AsOf) -> bool {
        self.is_unchanged_at(subject.slot(), since)
    }

    pub(crate) fn is_unchanged_at(&self, slot: Slot, since: AsOf) -> bool {
        let last = self.last_changed.get(slot.index()).map_or(ALWAYS, |last| last.load(SeqCst));
        last <= since.0 && self.all_changed.load(SeqCst) <= since.0
    }

    /// Something changed about `subject`. To be called after the change was committed and before it is answered for.
    pub fn changed(&self, subject: Subject) {
        let number = self.changes.fetch_add(1, SeqCst) + 1;
        if let Some(last) = self.last_changed.get(subject.slot().index()) {
            last.fetch_max(number, SeqCst);
        }
        self.invalidations.increment(1);
    }

    /// Anything may have changed, and credentials may have been issued.
    pub fn all_changed(&self) {
        self.issued.forget();
        let number = self.changes.fetch_add(1, SeqCst) + 1;
        self.all_changed.fetch_max(number, SeqCst);
        self.invalidations.increment(1);
    }

    /// The credentials that were issued. A new one is to be added before it is given out.
    pub const fn issued(&self) -> &IssuedCredentials {
        &self.issued
    }

    /// Whether no credential with that tag was ever issued, so that the store need not be asked.
    pub fn surely_lacks(&self, tag: CredentialTag) -> bool {
        // In this order, as with what is remembered: a server that registers anew forgets what was issued.
        self.is_trusted() && self.issued.lacks(tag)
    }

    /// Time as trust is measured: on a stopwatch that counts the time in which the machine slept.
    pub fn elapsed(&self) -> Duration {
        self.stopwatch.elapsed()
    }

    /// Trusts what is remembered until the stopwatch shows `until`. A trust that had run out meanwhile is counted as lost.
    pub fn trust_until(&self, until: Duration) {
        let was_trusted = self.is_trusted();
        if self.trusted_until.swap(nanoseconds(until), SeqCst) != 0 && !was_trusted {
            self.losses.increment(1);
        }
    }

    /// Trusts what is remembered for good: every change is made by this process, which calls [`Self::changed`].
    pub fn trust_always(&self) {
        self.trusted_until.store(ALWAYS, SeqCst);
    }

    /// Trusts nothing any more, until told otherwise.
    pub fn distrust(&self) {
        self.trusted_until.store(0, SeqCst);
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(ALWAYS - 1)
}

impl fmt::Debug for Coherence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coherence").field("is_trusted", &self.is_trusted()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use stratora_clock::ManualClock;

    use super::*;

    const ONE: Subject = Subject::Component(Uuid::from_u128(1));
    const OTHER: Subject = Subject::User(Uuid::from_u128(2));

    fn coherence() -> (Arc<ManualClock>, Coherence) {
        let stopwatch = Arc::new(ManualClock::default());
        (Arc::clone(&stopwatch), Coherence::new(stopwatch))
    }

    #[test]
    fn nothing_is_trusted_until_somebody_vouches_for_it() {
        let (_, coherence) = coherence();
        assert!(!coherence.is_trusted());
        coherence.trust_always();
        assert!(coherence.is_trusted());
        coherence.distrust();
        assert!(!coherence.is_trusted());
    }

    #[test]
    fn trust_ends_at_its_moment_by_itself() {
        let (stopwatch, coherence) = coherence();
        coherence.trust_until(coherence.elapsed() + Duration::from_secs(2));
        stopwatch.advance(Duration::from_micros(1_999_999));
        assert!(coherence.is_trusted());
        stopwatch.advance(Duration::from_micros(1));
        assert!(!coherence.is_trusted());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_current_after_it() {
        let (_, coherence) = coherence();
        let before = coherence.as_of_now();
        coherence.changed(ONE);
        assert!(!coherence.is_unchanged(ONE, before));
        assert!(coherence.is_unchanged(OTHER, before));
        assert!(coherence.is_unchanged(ONE, coherence.as_of_now()));
    }

    #[test]
    fn what_was_never_issued_is_known_only_while_it_would_be_heard_of() {
        let (stopwatch, coherence) = coherence();
        coherence.issued().begin_reading().complete();
        let tag = CredentialTag(7);
        assert!(!coherence.surely_lacks(tag));
        coherence.trust_until(coherence.elapsed() + Duration::from_secs(2));
        assert!(coherence.surely_lacks(tag));
        stopwatch.advance(Duration::from_secs(2));
        assert!(!coherence.surely_lacks(tag));
        coherence.trust_always();
        assert!(coherence.surely_lacks(tag));
        coherence.all_changed();
        assert!(!coherence.surely_lacks(tag));
    }

    #[test]
    fn when_all_may_have_changed_nothing_is_current() {
        let (_, coherence) = coherence();
        let before = coherence.as_of_now();
        coherence.all_changed();
        assert!(!coherence.is_unchanged(ONE, before) && !coherence.is_unchanged(OTHER, before));
        assert!(coherence.is_unchanged(ONE, coherence.as_of_now()));
    }
}
