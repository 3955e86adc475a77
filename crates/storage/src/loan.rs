//! A connection on loan: what is done on it either ends well, or the connection ends with it.

use std::future::Future;
use std::ops::{Deref, DerefMut};

use deadpool::managed::Manager;
use diesel::QueryResult;
use diesel::connection::AnsiTransactionManager as SyncTransactions;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AnsiTransactionManager, AsyncConnection, AsyncPgConnection, TransactionManager as _};
use stratora_port::StoreError;

use crate::failure::{Failure, Trouble};
use crate::pool::SqliteLink;

/// How one try of a piece of work ended, when not well.
#[derive(Debug)]
pub(crate) enum Ended<E> {
    /// For good, and without effect.
    Failed(Failure<E>),
    /// Without effect, and another try may end better.
    RolledBack(DieselError),
    /// The answer to the commit was lost: whether it happened is not known.
    InDoubt(DieselError),
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

/// A connection on loan from the pool. It goes back only after it did its work; whatever else ends the loan (a failure, a
/// panic, a timeout) closes the connection, which rolls back what was open on it.
pub(crate) struct Loan<'p, C>
where
    C: 'static,
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    pool: &'p Pool<C>,
    object: Option<Object<C>>,
}

impl<'p, C> Loan<'p, C>
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
        let mut loan = Self::take(pool).await?;
        match C::begin(&mut loan).await {
            Ok(()) => Ok(loan),
            Err(error) => Err(loan.close(error.into())),
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
                Err(error) => Err(Ended::InDoubt(error)),
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

impl<C> Deref for Loan<'_, C>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    type Target = C;

    fn deref(&self) -> &C {
        self.object.as_deref().unwrap_or_else(|| unreachable!("a loan holds its connection until it ends"))
    }
}

impl<C> DerefMut for Loan<'_, C>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    fn deref_mut(&mut self) -> &mut C {
        self.object.as_deref_mut().unwrap_or_else(|| unreachable!("a loan holds its connection until it ends"))
    }
}

impl<C> Drop for Loan<'_, C>
where
    AsyncDieselConnectionManager<C>: Manager<Type = C>,
{
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}
