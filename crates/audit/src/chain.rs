//! The chain: each record's hash covers its event and the hash before it, so that nothing in the middle can be changed,
//! removed or moved without breaking every hash after it.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Event;

/// SHA-256 over a record and the hash before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What stands before the first record.
    pub const GENESIS: Self = Self([0; 32]);

    /// A hash that was stored earlier.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Lower-case hexadecimal.
impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The end of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Position of the last record; 0 while there is none.
    pub seq: u64,
    /// Hash of the last record.
    pub hash: ChainHash,
}

impl Head {
    /// The end of a chain without records.
    pub const EMPTY: Self = Self { seq: 0, hash: ChainHash::GENESIS };

    /// Puts `event` behind this head. The record's position and hash are the new head.
    pub fn append(self, event: Event) -> Record {
        let seq = self.seq + 1;
        let hash = hash(seq, self.hash, &event);
        Record { seq, event, hash }
    }
}

/// An event with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Position, from 1, without gaps.
    pub seq: u64,
    /// What happened.
    pub event: Event,
    /// Hash over this record and the one before.
    pub hash: ChainHash,
}

impl Record {
    /// The head that this record makes.
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

/// Walks a chain from its start and stops at the first record that is not what was written.
#[derive(Debug)]
pub struct Verifier {
    head: Head,
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record is missing, repeated or out of order.
    #[error("record {expected} is missing; record {found} stands in its place")]
    Gap {
        /// The position that should have come.
        expected: u64,
        /// The position that came.
        found: u64,
    },
    /// A record is not what was hashed.
    #[error("record {seq} was changed after it was written")]
    Changed {
        /// Its position.
        seq: u64,
    },
    /// Records at the end are missing.
    #[error("the log ends at record {found}, but {expected} were written")]
    Truncated {
        /// How many there were.
        expected: u64,
        /// The last one found.
        found: u64,
    },
}

impl Verifier {
    /// Starts at `head`: [`Head::EMPTY`], or a checkpoint whose signature was verified.
    pub const fn from(head: Head) -> Self {
        Self { head }
    }

    /// Checks the next record.
    ///
    /// # Errors
    /// [`Broken`] when it is not the record that was written at this place.
    pub fn next(&mut self, record: &Record) -> Result<(), Broken> {
        let expected = self.head.seq + 1;
        if record.seq != expected {
            return Err(Broken::Gap { expected, found: record.seq });
        }
        if hash(record.seq, self.head.hash, &record.event) != record.hash {
            return Err(Broken::Changed { seq: record.seq });
        }
        self.head = record.head();
        Ok(())
    }

    /// Checks that the chain ends where the store says it does. Returns the number of the last record.
    ///
    /// # Errors
    /// [`Broken::Truncated`] when records at the end are missing, [`Broken::Changed`] when the last one is another.
    pub fn finish(self, stored: Head) -> Result<u64, Broken> {
        if self.head.seq != stored.seq {
            return Err(Broken::Truncated { expected: stored.seq, found: self.head.seq });
        }
        if self.head.hash != stored.hash {
            return Err(Broken::Changed { seq: stored.seq });
        }
        Ok(self.head.seq)
    }
}

/// Every field is preceded by its length, so that no two records share an encoding.
fn hash(seq: u64, previous: ChainHash, event: &Event) -> ChainHash {
    let mut hasher = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    field(b"stratora audit record v1");
    field(&seq.to_be_bytes());
    field(previous.as_bytes());
    field(&event.at.as_micros().to_be_bytes());
    field(event.actor.kind.as_str().as_bytes());
    field(event.actor.id.as_ref().map_or(&[][..], |id| id.as_bytes()));
    field(event.actor.name.as_bytes());
    field(event.action.as_str().as_bytes());
    let resource = event.resource.as_ref();
    field(resource.map_or("", |resource| resource.kind.as_str()).as_bytes());
    field(resource.and_then(|resource| resource.id.as_ref()).map_or(&[][..], |id| id.as_bytes()));
    field(resource.map_or("", |resource| resource.name.as_str()).as_bytes());
    field(event.outcome.as_str().as_bytes());
    field(event.client.map(|client| client.to_string()).unwrap_or_default().as_bytes());
    field(event.request_id.map(|id| id.as_uuid()).as_ref().map_or(&[][..], |id| id.as_bytes()));
    field(&(event.details.len() as u64).to_be_bytes());
    for (name, value) in &event.details {
        field(name.as_bytes());
        field(value.as_bytes());
    }
    ChainHash(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use stratora_clock::Timestamp;

    use super::*;
    use crate::{Action, Origin, Outcome};

    fn chain(length: usize) -> Vec<Record> {
        let mut head = Head::EMPTY;
        (0..length)
            .map(|number| {
                let event = Origin::system().event(Timestamp::UNIX_EPOCH, Action::SignIn).with("n", number.to_string());
                let record = head.append(event);
                head = record.head();
                record
            })
            .collect()
    }

    fn verify(records: &[Record], stored: Head) -> Result<u64, Broken> {
        let mut verifier = Verifier::from(Head::EMPTY);
        records.iter().try_for_each(|record| verifier.next(record))?;
        verifier.finish(stored)
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let records = chain(5);
        assert_eq!(verify(&records, records[4].head()), Ok(5));
        assert_eq!(verify(&[], Head::EMPTY), Ok(0));
    }

    #[test]
    fn a_changed_record_is_found() {
        let mut records = chain(5);
        let head = records[4].head();
        records[2].event.outcome = Outcome::Failure;
        assert_eq!(verify(&records, head), Err(Broken::Changed { seq: 3 }));
    }

    #[test]
    fn a_removed_or_moved_record_is_found() {
        let records = chain(5);
        let head = records[4].head();
        let mut removed = records.clone();
        removed.remove(1);
        assert_eq!(verify(&removed, head), Err(Broken::Gap { expected: 2, found: 3 }));
        let mut swapped = records.clone();
        swapped.swap(1, 2);
        assert_eq!(verify(&swapped, head), Err(Broken::Gap { expected: 2, found: 3 }));
        assert_eq!(verify(&records[..4], head), Err(Broken::Truncated { expected: 5, found: 4 }));
    }

    #[test]
    fn text_moved_between_fields_changes_the_hash() {
        let one = Origin::system().event(Timestamp::UNIX_EPOCH, Action::SignIn).with("ab", "c");
        let other = Origin::system().event(Timestamp::UNIX_EPOCH, Action::SignIn).with("a", "bc");
        assert_ne!(Head::EMPTY.append(one).hash, Head::EMPTY.append(other).hash);
    }
}
