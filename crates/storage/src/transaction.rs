//! How work reaches the database. A piece of work is written once and compiled for both kinds of connection by two macros:
//! [`with_read!`] and [`with_tx!`]. It runs as a task of its own on the main runtime, so that a caller who goes away
//! neither cancels a query nor leaves half of an operation behind.

use std::ops::ControlFlow;

use diesel::result::Error as DieselError;
use stratora_port::StoreError;

use crate::failure::{Failure, Trouble};
use crate::lease::Ended;

/// How often a transaction that was rolled back is tried, the first time included.
const TRIES: u32 = 3;

/// Counts the tries of a piece of work.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Whether to go on after a try ended so. Never after a commit whose answer was lost: it may have happened.
    pub(crate) fn after<T, E: From<StoreError>>(&mut self, ended: Result<T, Ended<E>>) -> ControlFlow<Result<T, E>> {
        self.0 += 1;
        ControlFlow::Break(match ended {
            Ok(value) => Ok(value),
            Err(Ended::RolledBack(_)) if self.0 < TRIES => return ControlFlow::Continue(()),
            Err(Ended::RolledBack(error)) => Err(StoreError::unavailable(error).into()),
            Err(Ended::Failed(Failure::Refused(refusal))) => Err(refusal),
            Err(Ended::Failed(Failure::Trouble(Trouble::Store(error)))) => Err(error.into()),
            Err(Ended::Failed(Failure::Trouble(Trouble::Database(error)))) => Err(match error {
                DieselError::DeserializationError(cause) => StoreError::corrupt("value", cause),
                error => StoreError::unavailable(error),
            }
            .into()),
        })
    }
}

/// Runs a transaction on the database of a [`crate::Storage`]. The body sees a connection under the given name, borrows
/// what it uses, since it may run more than once, and ends in `Ok` to commit or `Err` to roll back.
macro_rules! with_tx {
    ($storage:expr, |$conn:ident| $body:block) => {
        $crate::transaction::on_both!($storage, writer, |lease, pool| {
            match $crate::lease::Lease::begin(pool).await {
                Ok(mut lease) => {
                    let outcome: Result<_, $crate::failure::Failure<_>> = async {
                        let $conn = &mut *lease;
                        $body
                    }
                    .await;
                    lease.end(outcome).await
                }
                Err(ended) => Err(ended),
            }
        })
    };
}

/// Runs reads, each a snapshot of its own.
macro_rules! with_read {
    ($storage:expr, |$conn:ident| $body:block) => {
        $crate::transaction::on_both!($storage, readers, |lease, pool| {
            match $crate::lease::Lease::take(pool).await {
                Ok(mut lease) => {
                    let outcome: Result<_, $crate::failure::Failure<_>> = async {
                        let $conn = &mut *lease;
                        $body
                    }
                    .await;
                    lease.end_read(outcome)
                }
                Err(ended) => Err(ended),
            }
        })
    };
}

/// Writes `$work` once for each kind of pool, and tries it until it is done or has failed for good.
macro_rules! on_both {
    ($storage:expr, $sqlite:ident, |$lease:ident, $pool:ident| $work:block) => {{
        let pools = $storage.pools();
        $storage
            .run(async move {
                let mut tries = $crate::transaction::Tries::default();
                loop {
                    let ended = match &pools {
                        $crate::pool::Pools::Postgres($pool) => $work,
                        $crate::pool::Pools::Sqlite { $sqlite: $pool, .. } => $work,
                    };
                    if let std::ops::ControlFlow::Break(result) = tries.after(ended) {
                        break result;
                    }
                }
            })
            .await
    }};
}

/// A trait of statements that several transactions share, written once and compiled for both kinds of connection.
macro_rules! statements {
    (
        $(#[$doc:meta])*
        $vis:vis trait $name:ident {
            $($(#[$fn_doc:meta])* async fn $fn:ident($conn:ident $(, $arg:ident: $ty:ty)* $(,)?) -> $ret:ty $body:block)+
        }
    ) => {
        $(#[$doc])*
        $vis trait $name: Send {
            $($(#[$fn_doc])* fn $fn(&mut self $(, $arg: $ty)*) -> impl Future<Output = $ret> + Send;)+
        }

        impl $name for diesel_async::AsyncPgConnection {
            $(async fn $fn(&mut self $(, $arg: $ty)*) -> $ret {
                let $conn = self;
                $body
            })+
        }

        impl $name for $crate::pool::SqliteLink {
            $(async fn $fn(&mut self $(, $arg: $ty)*) -> $ret {
                let $conn = self;
                $body
            })+
        }
    };
}

pub(crate) use {on_both, statements, with_read, with_tx};
