//! Who was seen and is not written yet.

use std::net::IpAddr;

use stratora_cache::WriteBehind;
use stratora_clock::Timestamp;
use stratora_port::StoreError;

use crate::{Component, ComponentId, Hostname, Keys, Sighting, Version};

/// What was seen of each component since that was last written.
pub(crate) type Sightings = WriteBehind<ComponentId, Seen>;

/// Small, since most are of components that reported nothing about themselves.
#[derive(Clone, PartialEq)]
pub(crate) struct Seen {
    at: Timestamp,
    client: Option<IpAddr>,
    reported: Option<Box<Reported>>,
}

#[derive(Clone, PartialEq)]
struct Reported {
    hostname: Option<Hostname>,
    version: Option<Version>,
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
    pub(crate) fn of(&self, component: ComponentId) -> Sighting {
        let Self { at, client, reported } = self.clone();
        let (hostname, version) = reported.map_or((None, None), |reported| (reported.hostname, reported.version));
        Sighting { component, at, client, hostname, version }
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
        reported.hostname = latest(reported.hostname.take(), other.hostname, is_other_later);
        reported.version = latest(reported.version.take(), other.version, is_other_later);
    }
}

/// Of two reports the later one, or the only one.
fn latest<T>(one: Option<T>, other: Option<T>, is_other_later: bool) -> Option<T> {
    if is_other_later { other.or(one) } else { one.or(other) }
}

impl Keys {
    /// Remembers that a component was there.
    pub fn sighted(&self, sighting: Sighting) {
        self.sightings.note(sighting.component, sighting, Seen::merge);
    }

    /// The component with what is remembered and not written yet.
    pub(crate) fn as_last_seen(&self, mut component: Component) -> Component {
        self.sightings.peek(&component.id, |seen| {
            if Some(seen.at) <= component.last_seen_at {
                return;
            }
            component.last_seen_at = Some(seen.at);
            component.last_seen_ip = seen.client;
            if let Some(reported) = &seen.reported {
                component.hostname = reported.hostname.clone().or(component.hostname.take());
                component.version = reported.version.clone().or(component.version.take());
            }
        });
        component
    }

    /// Writes what is remembered. Called every few seconds, and at the end.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails; what is remembered is kept for the next call.
    pub async fn flush(&self) -> Result<(), StoreError> {
        for part in self.sightings.parts() {
            let sightings: Vec<_> = part.entries().iter().map(|(component, seen)| seen.of(*component)).collect();
            self.parts.store.record_sightings(&sightings).await?;
            part.written();
        }
        Ok(())
    }
}
