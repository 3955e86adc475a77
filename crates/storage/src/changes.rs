//! Changes of what servers may have in memory: each is told to all of them before it is answered for.

use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use stratora_audit::Event;
use stratora_cache::Subject;
use uuid::Uuid;

use crate::audit::AuditStatements as _;
use crate::failure::Trouble;
use crate::pool::SqliteLink;
use crate::replicas::INVALIDATED;
use crate::sql_types::{StoredId, sql};

/// A change, made but not yet answered for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// Its position among all changes: that of its audit record.
    pub(crate) seq: u64,
    /// What it is about.
    pub(crate) subject: Subject,
}

impl Change {
    /// What the operation returns.
    pub(crate) const fn with<T>(self, value: T) -> Changed<T> {
        Changed { value, change: Some(self) }
    }
}

/// What an operation returns, and what it changed.
#[derive(Debug)]
pub(crate) struct Changed<T> {
    pub(crate) value: T,
    pub(crate) change: Option<Change>,
}

impl<T> Changed<T> {
    /// The operation found nothing to change.
    pub(crate) const fn nothing(value: T) -> Self {
        Self { value, change: None }
    }
}

const COMPONENT: &str = "component";
const USER: &str = "user";

/// A subject as other processes read it: its kind and its identifier.
pub(crate) const fn told(subject: Subject) -> (&'static str, Uuid) {
    match subject {
        Subject::Component(id) => (COMPONENT, id),
        Subject::User(id) => (USER, id),
    }
}

/// The subject that another process told of so.
pub(crate) fn heard(kind: &str, id: Uuid) -> Option<Subject> {
    match kind {
        COMPONENT => Some(Subject::Component(id)),
        USER => Some(Subject::User(id)),
        _ => None,
    }
}

/// The last step of a transaction that changes what servers may have in memory.
pub(crate) trait ChangeStatements: Send {
    /// Puts `event` at the end of the audit log, and the change of `subject` before all servers.
    fn append_change(
        &mut self,
        event: &Event,
        subject: Subject,
    ) -> impl Future<Output = Result<Change, Trouble>> + Send;
}

impl ChangeStatements for AsyncPgConnection {
    async fn append_change(&mut self, event: &Event, subject: Subject) -> Result<Change, Trouble> {
        // The head of the log is locked until the commit, so changes become visible in the order of their positions.
        let seq = self.append(event).await?;
        let (kind, id) = told(subject);
        diesel::sql_query(
            "WITH noted AS (INSERT INTO invalidations (seq, subject_kind, subject) VALUES ($1, $2, $3)) \
             SELECT pg_notify($4, '')",
        )
        .bind::<BigInt, _>(seq.cast_signed())
        .bind::<Text, _>(kind)
        .bind::<sql::Id, _>(StoredId(id))
        .bind::<Text, _>(INVALIDATED)
        .execute(self)
        .await?;
        Ok(Change { seq, subject })
    }
}

/// An SQLite database has one server, which hears of its own changes without the database.
impl ChangeStatements for SqliteLink {
    async fn append_change(&mut self, event: &Event, subject: Subject) -> Result<Change, Trouble> {
        Ok(Change { seq: self.append(event).await?, subject })
    }
}
