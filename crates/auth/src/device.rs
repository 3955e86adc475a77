//! Known devices: a browser that has signed in gets a signed cookie, so that the account's brake can tell it from the
//! strangers who guess. It proves a past sign-in and nothing else; it never signs anybody in.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_clock::Timestamp;
use stratora_token::MacKey;
use uuid::Uuid;

use crate::{DeviceId, UserId};

/// How long a device is known after its last sign-in.
const LIFETIME: Duration = Duration::from_hours(365 * 24);
const CONTEXT: &str = "stratora device cookie v1";
const ID: usize = 16;
const TIME: usize = 8;
const TAG: usize = 32;

/// The key that signs device cookies.
#[derive(Debug, Clone)]
pub struct DeviceKey(MacKey);

/// A device that has signed in to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDevice {
    /// To which account.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// When it last did.
    pub signed_in_at: Timestamp,
}

impl DeviceKey {
    /// Signs with `key`.
    pub const fn new(key: MacKey) -> Self {
        Self(key)
    }

    /// The value of the device cookie.
    pub fn seal(&self, device: KnownDevice) -> String {
        let mut bytes = Vec::with_capacity(ID + ID + TIME + TAG);
        bytes.extend_from_slice(device.user.as_untyped_uuid().as_bytes());
        bytes.extend_from_slice(device.device.as_untyped_uuid().as_bytes());
        bytes.extend_from_slice(&device.signed_in_at.as_micros().to_be_bytes());
        let tag = self.0.tag(CONTEXT, &[&bytes]);
        bytes.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The device that the cookie names, if we signed it within the last year.
    pub fn open(&self, cookie: &str, now: Timestamp) -> Option<KnownDevice> {
        let mut bytes = [0; ID + ID + TIME + TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(cookie, &mut bytes).ok()?;
        let (signed, tag) = bytes.get(..length)?.split_at_checked(ID + ID + TIME)?;
        if !self.0.verify(CONTEXT, &[signed], tag) {
            return None;
        }
        let (user, rest) = signed.split_first_chunk::<ID>()?;
        let (device, rest) = rest.split_first_chunk::<ID>()?;
        let (time, _) = rest.split_first_chunk::<TIME>()?;
        let signed_in_at = Timestamp::from_micros(i64::from_be_bytes(*time)).ok()?;
        (now.since(signed_in_at) < LIFETIME).then(|| KnownDevice {
            user: TypedUuid::from_untyped_uuid(Uuid::from_bytes(*user)),
            device: TypedUuid::from_untyped_uuid(Uuid::from_bytes(*device)),
            signed_in_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> KnownDevice {
        KnownDevice {
            user: TypedUuid::from_untyped_uuid(Uuid::from_u128(1)),
            device: TypedUuid::from_untyped_uuid(Uuid::from_u128(2)),
            signed_in_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn key() -> DeviceKey {
        DeviceKey::new(MacKey::from_bytes([1; 32]))
    }

    #[test]
    fn a_sealed_device_is_known_for_a_year() {
        let cookie = key().seal(device());
        assert_eq!(key().open(&cookie, Timestamp::UNIX_EPOCH.plus(Duration::from_hours(1))), Some(device()));
        assert_eq!(key().open(&cookie, Timestamp::UNIX_EPOCH.plus(LIFETIME)), None);
    }

    #[test]
    fn a_cookie_that_was_changed_or_made_up_is_unknown() {
        let cookie = key().seal(device());
        let now = Timestamp::UNIX_EPOCH;
        for index in 0..cookie.len() {
            let mut forged = cookie.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(key().open(std::str::from_utf8(&forged).unwrap(), now), None, "at {index}");
        }
        for made_up in ["", "AAAA", "%", &"A".repeat(96), &"A".repeat(5000)] {
            assert_eq!(key().open(made_up, now), None);
        }
        assert_eq!(DeviceKey::new(MacKey::from_bytes([2; 32])).open(&cookie, now), None);
    }
}
