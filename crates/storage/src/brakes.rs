//! Counters of failed sign-ins.

use async_trait::async_trait;
use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use stratora_auth::{Admission, BrakeState, BrakeStore, BrakeSubject, DeviceId, Username};
use stratora_clock::Timestamp;
use stratora_port::StoreError;
use uuid::Uuid;

use crate::Storage;
use crate::failure::Failure;
use crate::schema::brakes;
use crate::sql_types::{StoredId, StoredTime};
use crate::transaction::{with_lookup, with_tx};

/// The device column's value for a device; the nil UUID, which is no device's, for strangers.
pub(crate) fn device_column(device: Option<DeviceId>) -> StoredId {
    device.map_or(StoredId(Uuid::nil()), StoredId::from)
}

fn state((failures, last_failure_at): (i32, Option<StoredTime>)) -> Result<BrakeState, StoreError> {
    Ok(BrakeState {
        failures: u32::try_from(failures).map_err(|error| StoreError::corrupt("counter", error))?,
        last_failure_at: last_failure_at.map(|at| at.0),
    })
}

/// What ends an attempt's transaction without a write.
enum NotCounted {
    Throttled(Admission),
    Store(StoreError),
}

impl From<StoreError> for NotCounted {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[async_trait]
impl BrakeStore for Storage {
    /// A read refuses what is refused anyway. Otherwise the counter's row is made or locked first, so that attempts that
    /// run side by side are decided one after another.
    async fn attempt(&self, subject: &BrakeSubject, now: Timestamp) -> Result<Admission, StoreError> {
        let (username, device) = (subject.username.as_str().to_owned(), device_column(subject.device));
        let counter = (username.clone(), device);
        let seen: Option<(i32, Option<StoredTime>)> = with_lookup!(self, |conn| {
            let row = brakes::table
                .find((&counter.0, counter.1))
                .select((brakes::failures, brakes::last_failure_at))
                .get_result(conn)
                .await
                .optional()?;
            Ok::<_, Failure<StoreError>>(row)
        })?;
        if let Some(Err(throttled)) = seen.map(state).transpose()?.map(|state| state.attempt(now)) {
            return Ok(throttled);
        }
        let attempted: Result<(), NotCounted> = with_tx!(self, |conn| {
            let locked: (i32, Option<StoredTime>) = diesel::insert_into(brakes::table)
                .values((brakes::username.eq(&username), brakes::device.eq(device), brakes::failures.eq(0)))
                .on_conflict((brakes::username, brakes::device))
                .do_update()
                .set(brakes::failures.eq(brakes::failures))
                .returning((brakes::failures, brakes::last_failure_at))
                .get_result(conn)
                .await?;
            let next =
                state(locked)?.attempt(now).map_err(|throttled| Failure::Refused(NotCounted::Throttled(throttled)))?;
            diesel::update(brakes::table.find((&username, device)))
                .set((
                    brakes::failures.eq(i32::try_from(next.failures).unwrap_or(i32::MAX)),
                    brakes::last_failure_at.eq(next.last_failure_at.map(StoredTime)),
                ))
                .execute(conn)
                .await?;
            Ok(())
        });
        match attempted {
            Ok(()) => Ok(Admission::Admitted),
            Err(NotCounted::Throttled(throttled)) => Ok(throttled),
            Err(NotCounted::Store(error)) => Err(error),
        }
    }

    async fn clear(&self, username: &Username) -> Result<(), StoreError> {
        let username = username.as_str().to_owned();
        with_tx!(self, |conn| {
            diesel::delete(brakes::table.filter(brakes::username.eq(&username))).execute(conn).await?;
            Ok(())
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let kept_from = i32::try_from(BrakeState::KEPT_FROM).unwrap_or(i32::MAX);
        with_tx!(self, |conn| {
            let untouched = brakes::last_failure_at.is_null().or(brakes::last_failure_at.lt(StoredTime::from(before)));
            let purged = diesel::delete(brakes::table.filter(brakes::failures.lt(kept_from)).filter(untouched))
                .execute(conn)
                .await?;
            Ok(purged as u64)
        })
    }
}
