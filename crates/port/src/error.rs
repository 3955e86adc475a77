//! The failures that any call to a store can end in. Either way the door stays closed.

/// The underlying failure, for logs only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A store could not answer. Every port method is one transaction: what it changes was changed whole or not at all. Which
/// of the two is open only when the answer to the very commit was lost.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is away, too busy or out of space. The same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// A stored value does not read as what was written. Trying again will not help; the operator has to look.
    #[error("the store holds a {what} that cannot be read")]
    Corrupt {
        /// What kind of value it is. Never the value itself.
        what: &'static str,
        /// Why it does not read.
        #[source]
        source: Cause,
    },
}

impl StoreError {
    /// The store is away.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// A stored `what` does not read.
    pub fn corrupt(what: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Corrupt { what, source: cause.into() }
    }
}
