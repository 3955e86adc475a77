//! Every credential that was ever issued, as little of each as tells it from a guess: what is not among them is nobody's,
//! and the store need not be asked.

use std::collections::HashSet;
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The first bytes of a credential's digest. Two credentials may share a tag; a guess that hits one costs a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialTag(pub u64);

impl CredentialTag {
    /// The tag of the credential with that digest.
    pub fn of(digest: &[u8; 32]) -> Self {
        Self(digest.first_chunk().map_or(0, |beginning| u64::from_be_bytes(*beginning)))
    }
}

/// The tags of all credentials that were issued, some twenty bytes for each. Nothing is ever taken out: a credential that
/// has ended is refused with its reason, which the store knows. Says nothing before it was read whole.
#[derive(Default)]
pub struct IssuedCredentials(RwLock<Issued>);

#[derive(Default)]
struct Issued {
    tags: HashSet<CredentialTag>,
    /// Which reading they come from.
    reading: u64,
    is_complete: bool,
}

/// A reading of all credentials from the store, under way. It is void once [`IssuedCredentials::forget`] was called, or
/// another one has begun.
#[derive(Debug)]
pub struct IssuedReading<'a> {
    issued: &'a IssuedCredentials,
    number: u64,
}

impl IssuedCredentials {
    /// One more was issued.
    pub fn add(&self, tag: CredentialTag) {
        self.write().tags.insert(tag);
    }

    /// Some may have been issued unheard: says nothing until all were read again.
    pub fn forget(&self) {
        let mut issued = self.write();
        issued.reading += 1;
        issued.is_complete = false;
    }

    /// To be called before all credentials are read from the store. What is issued meanwhile must be added.
    pub fn begin_reading(&self) -> IssuedReading<'_> {
        self.forget();
        IssuedReading { issued: self, number: self.read().reading }
    }

    /// Whether all are known.
    pub fn is_complete(&self) -> bool {
        self.read().is_complete
    }

    /// Whether no credential with that tag was ever issued. Only to be relied on by whoever hears of all that are issued:
    /// ask [`Coherence::surely_lacks`](crate::Coherence::surely_lacks).
    pub(crate) fn lacks(&self, tag: CredentialTag) -> bool {
        let issued = self.read();
        issued.is_complete && !issued.tags.contains(&tag)
    }

    fn read(&self) -> RwLockReadGuard<'_, Issued> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Issued> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IssuedReading<'_> {
    /// Some of those that were read. Returns whether the reading still counts.
    pub fn add(&self, tags: impl IntoIterator<Item = CredentialTag>) -> bool {
        let mut issued = self.issued.write();
        let counts = issued.reading == self.number;
        if counts {
            issued.tags.extend(tags);
        }
        counts
    }

    /// All were read.
    pub fn complete(self) {
        let mut issued = self.issued.write();
        issued.is_complete = issued.reading == self.number;
    }
}

impl fmt::Debug for IssuedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedCredentials").field("is_complete", &self.is_complete()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CredentialTag = CredentialTag(1);
    const OTHER: CredentialTag = CredentialTag(2);

    #[test]
    fn nothing_is_said_before_all_were_read() {
        let issued = IssuedCredentials::default();
        assert!(!issued.lacks(ONE));
        let reading = issued.begin_reading();
        assert!(reading.add([ONE]));
        assert!(!issued.lacks(OTHER));
        reading.complete();
        assert!(issued.lacks(OTHER) && !issued.lacks(ONE));
    }

    #[test]
    fn what_is_issued_while_they_are_read_is_known_afterwards() {
        let issued = IssuedCredentials::default();
        let reading = issued.begin_reading();
        issued.add(ONE);
        reading.complete();
        assert!(!issued.lacks(ONE));
        issued.add(OTHER);
        assert!(!issued.lacks(OTHER));
    }

    #[test]
    fn a_reading_that_was_overtaken_is_void() {
        let issued = IssuedCredentials::default();
        let reading = issued.begin_reading();
        issued.forget();
        assert!(!reading.add([ONE]));
        reading.complete();
        assert!(!issued.is_complete() && !issued.lacks(OTHER));
    }

    #[test]
    fn a_tag_is_the_beginning_of_the_digest() {
        let mut digest = [0; 32];
        digest[..9].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(CredentialTag::of(&digest), CredentialTag(0x0102_0304_0506_0708));
    }
}
