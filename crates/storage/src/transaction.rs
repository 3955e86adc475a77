//! How work reaches the database. A piece of work is written once and compiled for both kinds of connection by two macros:
//! [`with_read!`] and [`with_tx!`]. It runs as a task of its own on the main runtime, so that a caller who goes away
//! neither cancels a query nor leaves half of an operation behind.

use std::future::Future;
use std::ops::{ControlFlow, Deref, DerefMut};

use deadpool::managed::Manager;
use diesel::QueryResult;
use diesel::connection::AnsiTransactionManager as SyncTransactions;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AnsiTransactionManager, AsyncConnection, AsyncPgConnection, TransactionManager as _};
use stratora_port::StoreError;

use crate::pool::SqliteLink;

/// How often a transaction that was rolled back is tried, the first time included.
const TRIES: u32 = 3;

/// What can go wrong in any statement.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The database said no, or nothing.
    Database(DieselError),
    /// What was read makes no sense.
    Store(StoreError),
}

/// Why a piece of work failed. Its transaction is then rolled back.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    /// By its own rules; trying again would end the same.
    Refused(E),
    /// By trouble with the database.
    Trouble(Trouble),
}

impl From<DieselError> for Trouble {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<DieselError> for Failure<E> {
    fn from(error: DieselError) -> Self {
        Self::Trouble(error.into())
    }
}

impl<E> From<StoreError> for Failure<E> {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl<E> From<Trouble> for Failure<E> {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Turns a violated constraint of that kind into `refusal`, and leaves every other failure as it is.
pub(crate) fn refused_on<T, E>(result: QueryResult<T>, kind: Violation, refusal: E) -> Result<T, Failure<E>> {
    result.map_err(|error| match (&error, kind) {
        (DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _), Violation::Unique)
        | (DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _), Violation::Reference) => {
            Failure::Refused(refusal)
        }
        _ => error.into(),
    })
}

/// A constraint that an operation expects to be violated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Violation {
    /// The value is taken.
    Unique,
    /// What is referred to is not there.
    Reference,
}

/// How one try of a piece of work ended, when not well.
#[derive(Debug)]
pub(crate) enum Ended<E> {
    /// For good, and without effect.
    Failed(Failure<E>),
    /// Without effect, and another try may end better.
    RolledBack(DieselError),
}

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

/// Whether a statement that failed so may succeed in a new transaction. Violated constraints and malformed values will not.
fn is_transient(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::ReadOnlyTransaction
                // Deadlocks and a server that shuts down come without a kind of their own.
                | DatabaseErrorKind::Unknown,
            _
        ) | DieselError::BrokenTransactionManager
    )
}

fn is_serialization_failure(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _))
}

/// Transactions that may write, on either kind of connection.
pub(crate) trait Transactions: Send + 'static {
    /// Whether to try again what was rolled back. On SQLite the only such failure is another process that writes, and that
    /// was waited for already.
    const TRIES_AGAIN: bool;

    fn begin(&mut self) -> impl Future<Output = QueryResult<()>> + Send;
    fn commit(&mut self) -> impl Future<Output = QueryResult<()>> + Send;
    fn roll_back(&mut self) -> impl Future<Output = QueryResult<()>> + Send;
}

impl Transactions for AsyncPgConnection {
    const TRIES_AGAIN: bool = true;

    async fn begin(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction(self).await
    }

    async fn commit(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::commit_transaction(self).await
    }

    async fn roll_back(&mut self) -> QueryResult<()> {
        AnsiTransactionManager::rollback_transaction(self).await
    }
}

impl Transactions for SqliteLink {
    const TRIES_AGAIN: bool = false;

    /// Takes the write lock at once: a transaction that reads first and writes later could not be waited for.
    async fn begin(&mut self) -> QueryResult<()> {
        self.spawn_blocking(|connection| SyncTransactions::begin_transaction_sql(connection, "BEGIN IMMEDIATE")).await
    }

    async fn commit(&mut self) -> QueryResult<()> {
        <Self as AsyncConnection>::TransactionManager::commit_transaction(self).await
    }

    async fn roll_back(&mut self) -> QueryResult<()> {
        <Self as AsyncConnection>::TransactionManager::rollback_transaction(self).await
    }
}

/// A connection on loan from the pool. It goes back only after it did its work; whatever else ends the lease (a failure, a
/// panic, a timeout) closes the connection, which rolls back what was open on it.
pub(crate) struct Lease<'p, C>
where
    C: 'static,
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    pool: &'p Pool<C>,
    object: Option<Object<C>>,
}

impl<'p, C> Lease<'p, C>
where
    C: Transactions,
    AsyncDieselConnectionManager<C>: Manager<Type = C, Error: std::error::Error + Send + Sync>,
{
    /// Borrows a connection, for reading.
    pub(crate) async fn take<E>(pool: &'p Pool<C>) -> Result<Self, Ended<E>> {
        match pool.get().await {
            Ok(object) => Ok(Self { pool, object: Some(object) }),
            Err(error) => Err(Ended::Failed(StoreError::unavailable(error).into())),
        }
    }

    /// Borrows a connection and begins a transaction.
    pub(crate) async fn begin<E>(pool: &'p Pool<C>) -> Result<Self, Ended<E>> {
        let mut lease = Self::take(pool).await?;
        match C::begin(&mut lease).await {
            Ok(()) => Ok(lease),
            Err(error) => Err(lease.close(error.into())),
        }
    }

    /// Commits, or rolls back after a failure.
    pub(crate) async fn end<T, E>(mut self, outcome: Result<T, Failure<E>>) -> Result<T, Ended<E>> {
        match outcome {
            Ok(value) => match C::commit(&mut self).await {
                Ok(()) => {
                    self.give_back();
                    Ok(value)
                }
                Err(error) if is_serialization_failure(&error) => Err(self.close(error.into())),
                // Whether it was committed is not known.
                Err(error) => Err(Ended::Failed(error.into())),
            },
            Err(Failure::Refused(refusal)) => {
                if C::roll_back(&mut self).await.is_ok() {
                    self.give_back();
                }
                Err(Ended::Failed(Failure::Refused(refusal)))
            }
            Err(failure) => Err(self.close(failure)),
        }
    }

    /// Ends a read.
    pub(crate) fn end_read<T, E>(self, outcome: Result<T, Failure<E>>) -> Result<T, Ended<E>> {
        match outcome {
            Ok(value) => {
                self.give_back();
                Ok(value)
            }
            Err(failure) => Err(self.close(failure)),
        }
    }

    fn give_back(mut self) {
        drop(self.object.take());
    }

    /// Closes the connection, and those in the pool that are likely to have died with it.
    fn close<E>(self, failure: Failure<E>) -> Ended<E> {
        match failure {
            Failure::Trouble(Trouble::Database(error)) if C::TRIES_AGAIN && is_transient(&error) => {
                if !is_serialization_failure(&error) {
                    self.pool.retain(|_, _| false);
                }
                Ended::RolledBack(error)
            }
            failure => Ended::Failed(failure),
        }
    }
}

impl<C> Deref for Lease<'_, C>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    type Target = C;

    fn deref(&self) -> &C {
        self.object.as_deref().unwrap_or_else(|| unreachable!("a lease holds its connection until it ends"))
    }
}

impl<C> DerefMut for Lease<'_, C>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    fn deref_mut(&mut self) -> &mut C {
        self.object.as_deref_mut().unwrap_or_else(|| unreachable!("a lease holds its connection until it ends"))
    }
}

impl<C> Drop for Lease<'_, C>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

/// Runs a transaction on the database of a [`crate::Storage`]. The body sees a connection under the given name, borrows
/// what it uses, since it may run more than once, and ends in `Ok` to commit or `Err` to roll back.
macro_rules! with_tx {
    ($storage:expr, |$conn:ident| $body:block) => {
        $crate::transaction::on_both!($storage, writer, |lease, pool| {
            match $crate::transaction::Lease::begin(pool).await {
                Ok(mut lease) => {
                    let outcome: Result<_, $crate::transaction::Failure<_>> = async {
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
            match $crate::transaction::Lease::take(pool).await {
                Ok(mut lease) => {
                    let outcome: Result<_, $crate::transaction::Failure<_>> = async {
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
