//! How work reaches the database. A piece of work is written once and compiled for both kinds of connection by two macros:
//! [`with_read!`] and [`with_tx!`], or [`with_lookup!`] for what every request needs and [`with_change!`] where servers have to
//! hear of it. It runs as a task of its own on the main runtime, so that a caller who goes away neither cancels a query nor
//! leaves half of an operation behind.

use std::ops::ControlFlow;

use diesel::result::Error as DieselError;
use stratora_port::StoreError;

use crate::failure::{Failure, Trouble};
use crate::loan::Ended;

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
            Err(Ended::RolledBack(error) | Ended::InDoubt(error)) => Err(StoreError::unavailable(error).into()),
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
    ($storage:ident, |$conn:ident| $body:block) => {
        $crate::transaction::transaction!($storage.run, |$conn| $body)
    };
}

/// Runs a transaction whose body ends in a [`crate::changes::Changed`], and returns its value when no server trusts any more
/// what it had in memory about the subject of the change.
macro_rules! with_change {
    ($storage:ident, |$conn:ident| $body:block) => {
        $crate::transaction::transaction!($storage.run_change, |$conn| $body)
    };
}

/// A transaction, run by that method of the storage.
macro_rules! transaction {
    ($storage:ident.$run:ident, |$conn:ident| $body:block) => {
        $crate::transaction::on_both!($storage.$run, writer, |loan, pool| {
            match $crate::loan::Loan::begin(pool).await {
                Ok(mut loan) => {
                    let outcome: Result<_, $crate::failure::Failure<_>> = async {
                        let $conn = &mut *loan;
                        $body
                    }
                    .await;
                    loan.end(outcome).await
                }
                Err(ended) => Err(ended),
            }
        })
    };
}

/// Runs reads, each a snapshot of its own.
macro_rules! with_read {
    ($storage:ident, |$conn:ident| $body:block) => {
        $crate::transaction::read!($storage, readers, |$conn| $body)
    };
}

/// The same for a row or two that an index leads to and that a sign-in or a component waits for. On SQLite no search holds it
/// up.
macro_rules! with_lookup {
    ($storage:ident, |$conn:ident| $body:block) => {
        $crate::transaction::read!($storage, lookups, |$conn| $body)
    };
}

/// Reads, run on those connections to SQLite.
macro_rules! read {
    ($storage:ident, $sqlite:ident, |$conn:ident| $body:block) => {
        $crate::transaction::on_both!($storage.run, $sqlite, |loan, pool| {
            match $crate::loan::Loan::take(pool).await {
                Ok(mut loan) => {
                    let outcome: Result<_, $crate::failure::Failure<_>> = async {
                        let $conn = &mut *loan;
                        $body
                    }
                    .await;
                    loan.end_read(outcome)
                }
                Err(ended) => Err(ended),
            }
        })
    };
}

/// Writes `$work` once for each kind of pool, and tries it until it is done or has failed for good.
macro_rules! on_both {
    ($storage:ident.$run:ident, $sqlite:ident, |$loan:ident, $pool:ident| $work:block) => {{
        let (pools, coherence) = ($storage.pools(), $storage.coherence());
        $storage
            .$run(async move {
                let mut tries = $crate::transaction::Tries::default();
                loop {
                    let ended = match &pools {
                        $crate::pool::Pools::Postgres($pool) => $work,
                        $crate::pool::Pools::Sqlite { $sqlite: $pool, .. } => $work,
                    };
                    if matches!(ended, Err($crate::loan::Ended::InDoubt(_))) {
                        coherence.all_changed();
                    }
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

pub(crate) use {on_both, read, statements, transaction, with_change, with_lookup, with_read, with_tx};
