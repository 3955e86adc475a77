//! Why work on the database fails, and what of that is the operation's own answer.

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use stratora_port::StoreError;

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
