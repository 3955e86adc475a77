//! Who was seen and is not written yet.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stratora_clock::Timestamp;
use stratora_port::StoreError;

use crate::{Component, ComponentId, Hostname, Keys, Sighting, Version};

/// How many components are remembered as seen until that is written; more are not recorded until then. Bounds memory.
const MAX_PENDING: usize = 100_000;

/// How many are written in one go: what takes the store too long would never be written.
const WRITTEN_AT_ONCE: usize = 1_000;

/// What was seen of each component since that was last written. A tree, because it gives back memory as it empties: a hash
/// table of so many would stay as large as it ever was.
#[derive(Default)]
pub(crate) struct Sightings(Mutex<BTreeMap<ComponentId, Seen>>);

/// Small, since most are of components that reported nothing about themselves.
struct Seen {
    at: Timestamp,
    client: Option<IpAddr>,
    reported: Option<Box<Reported>>,
}

struct Reported {
    hostname: Option<Hostname>,
    version: Option<Version>,
}

impl Sightings {
    fn add(&self, sighting: Sighting) {
        let mut pending = self.lock();
        if let Some(seen) = pending.get_mut(&sighting.component) {
            seen.merge(sighting);
        } else if pending.len() < MAX_PENDING {
            pending.insert(sighting.component, Seen::from(sighting));
        }
    }

    /// Takes out the next few after a component, in the order of their identifiers.
    fn take_after(&self, component: Option<ComponentId>) -> Vec<Sighting> {
        let after = component.map_or(Bound::Unbounded, Bound::Excluded);
        let mut pending = self.lock();
        let next = pending.extract_if((after, Bound::Unbounded), |_, _| true).take(WRITTEN_AT_ONCE);
        next.map(|(component, seen)| seen.of(component)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ComponentId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl From<Sighting> for Seen {
    fn from(sighting: Sighting) -> Self {
        let Sighting { at, client, hostname, version, .. } = sighting;
        let is_silent = hostname.is_none() && version.is_none();
        let reported = if is_silent { None } else { Some(Box::new(Reported { hostname, version })) };
        Self { at, client, reported }
    }
}

impl Seen {
    fn of(self, component: ComponentId) -> Sighting {
        let (hostname, version) = self.reported.map_or((None, None), |reported| (reported.hostname, reported.version));
        Sighting { component, at: self.at, client: self.client, hostname, version }
    }

    /// Takes over what the later of both says; what it does not say stays.
    fn merge(&mut self, other: Sighting) {
        let is_other_later = other.at >= self.at;
        self.at = self.at.max(other.at);
        self.client = latest(self.client, other.client, is_other_later);
        let Some(reported) = &mut self.reported else {
            self.reported = Self::from(other).reported;
            return;
        };
        // What is reported every few seconds is the same, mostly.
        if reported.hostname != other.hostname {
            reported.hostname = latest(reported.hostname.take(), other.hostname, is_other_later);
        }
        if reported.version != other.version {
            reported.version = latest(reported.version.take(), other.version, is_other_later);
        }
    }
}

/// Of two reports the later one, or the only one.
fn latest<T>(one: Option<T>, other: Option<T>, is_other_later: bool) -> Option<T> {
    if is_other_later { other.or(one) } else { one.or(other) }
}

impl Keys {
    /// Remembers that a component was there. Written in batches: a write for each request would cost more than the request.
    pub fn sighted(&self, sighting: Sighting) {
        self.sightings.add(sighting);
    }

    /// The component with what is remembered and not written yet.
    pub(crate) fn as_last_seen(&self, mut component: Component) -> Component {
        let pending = self.sightings.lock();
        if let Some(seen) = pending.get(&component.id).filter(|seen| Some(seen.at) > component.last_seen_at) {
            component.last_seen_at = Some(seen.at);
            component.last_seen_ip = seen.client;
            if let Some(reported) = &seen.reported {
                component.hostname = reported.hostname.clone().or(component.hostname);
                component.version = reported.version.clone().or(component.version);
            }
        }
        component
    }

    /// Writes what is remembered. Called every few seconds, and at the end.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; what is remembered is kept for the next call.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let mut last = None;
        loop {
            // Each component once, however fast others are seen meanwhile.
            let part = self.sightings.take_after(last);
            last = part.last().map(|sighting| sighting.component);
            if last.is_none() {
                return Ok(());
            }
            if let Err(error) = self.parts.store.record_sightings(&part).await {
                for sighting in part {
                    self.sighted(sighting);
                }
                return Err(error);
            }
        }
    }
}
