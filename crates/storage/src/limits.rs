//! Windows of admitted requests.

use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use stratora_auth::{Bucket, Decision, LimitStore, Window};
use stratora_clock::Timestamp;
use stratora_port::StoreError;

use crate::Storage;
use crate::failure::Failure;
use crate::schema::rate_windows;
use crate::sql_types::StoredTime;
use crate::transaction::{with_lookup, with_tx};

/// Bytes of a time in the stored form: big-endian microseconds since the Unix epoch.
const TIME: usize = size_of::<i64>();

fn encode(window: &Window) -> Vec<u8> {
    window.times().iter().flat_map(|time| time.as_micros().to_be_bytes()).collect()
}

fn decode(hits: &[u8]) -> Result<Window, StoreError> {
    let (times, rest) = hits.as_chunks::<TIME>();
    if !rest.is_empty() {
        return Err(StoreError::corrupt("window", "not a whole number of times"));
    }
    times
        .iter()
        .map(|time| Timestamp::from_micros(i64::from_be_bytes(*time)))
        .collect::<Result<Vec<_>, _>>()
        .map(Window::from_times)
        .map_err(|error| StoreError::corrupt("window", error))
}

/// Decides about a request. The window is returned when it is to be stored.
fn decide(hits: &[u8], bucket: &Bucket, now: Timestamp) -> Result<(Decision, Option<Window>), StoreError> {
    let mut window = decode(hits)?;
    let before = window.clone();
    let decision = window.decide(bucket.quota, now);
    // What left the window on its own need not be written down; a time that was corrected must be.
    let is_worth_storing = match decision {
        Decision::Admitted { .. } => true,
        Decision::Refused { .. } => before.times().last() > window.times().last(),
    };
    Ok((decision, is_worth_storing.then_some(window)))
}

#[async_trait]
impl LimitStore for Storage {
    /// A read refuses what is refused anyway. Otherwise the window's row is made or locked first, so that requests that
    /// run side by side are decided one after another.
    async fn admit(&self, bucket: &Bucket, now: Timestamp) -> Result<Decision, StoreError> {
        let bucket = *bucket;
        let (quota, client) = (bucket.quota.name, bucket.client.to_string());
        let key = client.clone();
        let seen: Option<Vec<u8>> = with_lookup!(self, |conn| {
            let hits =
                rate_windows::table.find((quota, &key)).select(rate_windows::hits).get_result(conn).await.optional()?;
            Ok::<_, Failure<StoreError>>(hits)
        })?;
        if let Some(hits) = seen
            && let (refused, None) = decide(&hits, &bucket, now)?
        {
            return Ok(refused);
        }
        with_tx!(self, |conn| {
            let locked: Vec<u8> = diesel::insert_into(rate_windows::table)
                .values((
                    rate_windows::quota.eq(quota),
                    rate_windows::client.eq(&client),
                    rate_windows::hits.eq(&[][..]),
                    rate_windows::last_hit_at.eq(StoredTime::from(now)),
                ))
                .on_conflict((rate_windows::quota, rate_windows::client))
                .do_update()
                .set(rate_windows::hits.eq(rate_windows::hits))
                .returning(rate_windows::hits)
                .get_result(conn)
                .await?;
            let (decision, changed) = decide(&locked, &bucket, now)?;
            if let Some(window) = changed {
                diesel::update(rate_windows::table.find((quota, &client)))
                    .set((
                        rate_windows::hits.eq(encode(&window)),
                        rate_windows::last_hit_at.eq(StoredTime(window.times().last().copied().unwrap_or(now))),
                    ))
                    .execute(conn)
                    .await?;
            }
            Ok(decision)
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        with_tx!(self, |conn| {
            let idle = rate_windows::table.filter(rate_windows::last_hit_at.lt(StoredTime::from(before)));
            let purged = diesel::delete(idle).execute(conn).await?;
            Ok(purged as u64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_back_as_it_was_stored() {
        let window = Window::from_times(vec![Timestamp::UNIX_EPOCH, Timestamp::from_micros(-7).unwrap()]);
        assert_eq!(decode(&encode(&window)).unwrap(), window);
        assert!(decode(&[0; 9]).is_err());
    }
}
