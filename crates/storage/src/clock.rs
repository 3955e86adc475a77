//! One time for all servers on a PostgreSQL database: that database's. Each server asks for it at start and then every
//! half minute; in between its own monotonic clock counts.

use std::sync::{Arc, Weak};
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use stratora_clock::{Clock, MonotonicClock, SystemClock, Timestamp};
use stratora_port::StoreError;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::pool::WORK_WITHIN;
use crate::sql_types::StoredTime;

/// Machines of today drift by less than 100 ppm: 3 ms in this time.
const STEER_EVERY: Duration = Duration::from_secs(30);
/// The most by which one reading moves time: a database whose clock is turned drags ours along slowly, so that no window
/// opens and no session ends at a stroke.
const LARGEST_STEP: Duration = Duration::from_millis(500);

diesel::define_sql_function! {
    fn clock_timestamp() -> crate::sql_types::sql::Instant;
}

/// A clock that follows the database's until it is dropped.
pub(crate) async fn shared_clock(
    pool: Pool<AsyncPgConnection>,
    runtime: &Handle,
) -> Result<Arc<MonotonicClock>, StoreError> {
    let now = runtime.spawn(read(pool.clone())).await.map_err(StoreError::unavailable)??;
    let clock = Arc::new(MonotonicClock::starting_at(now));
    runtime.spawn(follow(Arc::downgrade(&clock), pool));
    Ok(clock)
}

async fn follow(clock: Weak<MonotonicClock>, pool: Pool<AsyncPgConnection>) {
    let mut ticks = interval(STEER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let reading = read(pool.clone()).await;
        let Some(clock) = clock.upgrade() else { return };
        match reading {
            Ok(now) => {
                let micros_off = clock.steer(now, LARGEST_STEP);
                if micros_off != 0 {
                    tracing::warn!(micros_off, "the database's clock jumped; following it slowly");
                }
            }
            Err(error) => tracing::debug!(%error, "could not read the database's clock"),
        }
    }
}

/// The database's time at the moment the answer is here: the answer was on its way for about half of the round trip.
async fn read(pool: Pool<AsyncPgConnection>) -> Result<Timestamp, StoreError> {
    let stopwatch = SystemClock::start();
    let reading = async {
        let mut connection = pool.get().await.map_err(StoreError::unavailable)?;
        let asked = stopwatch.now();
        let now: StoredTime =
            diesel::select(clock_timestamp()).get_result(&mut connection).await.map_err(StoreError::unavailable)?;
        Ok(now.0.plus(stopwatch.now().since(asked) / 2))
    };
    timeout(WORK_WITHIN, reading).await.unwrap_or_else(|late| Err(StoreError::unavailable(late)))
}
