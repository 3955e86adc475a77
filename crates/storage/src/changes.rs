//! Changes of what servers may have in memory: each is told to all of them before it is answered for.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use stratora_audit::Event;
use stratora_cache::{Coherence, CredentialTag, Subject};
use uuid::Uuid;

use crate::audit::AuditStatements as _;
use crate::failure::Trouble;
use crate::pool::SqliteLink;
use crate::prepared::Repeated as _;
use crate::replicas::INVALIDATED;
use crate::sql_types::{StoredId, sql};

/// What others have to hear of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// What it is about; anything when absent.
    pub(crate) subject: Option<Subject>,
    /// The key that was issued with it.
    pub(crate) issued: Option<CredentialTag>,
}

const COMPONENT: &str = "component";
const USER: &str = "user";
const ALL: &str = "all";

impl Told {
    /// Anything may have changed.
    pub(crate) const ANYTHING: Self = Self { subject: None, issued: None };

    /// What another process told with these words.
    pub(crate) fn heard(kind: &str, id: Uuid, issued: Option<u64>) -> Option<Self> {
        let subject = match kind {
            COMPONENT => Some(Subject::Component(id)),
            USER => Some(Subject::User(id)),
            ALL => None,
            _ => return None,
        };
        Some(Self { subject, issued: issued.map(CredentialTag) })
    }

    /// The subject's kind and identifier, as other processes read them.
    pub(crate) const fn subject(&self) -> (&'static str, Uuid) {
        match self.subject {
            Some(Subject::Component(id)) => (COMPONENT, id),
            Some(Subject::User(id)) => (USER, id),
            None => (ALL, Uuid::nil()),
        }
    }

    /// This process knows of it from now on.
    pub(crate) fn note(&self, coherence: &Coherence) {
        if let Some(tag) = self.issued {
            coherence.issued().add(tag);
        }
        match self.subject {
            Some(subject) => coherence.changed(subject),
            None => coherence.all_changed(),
        }
    }
}

impl From<Subject> for Told {
    fn from(subject: Subject) -> Self {
        Self { subject: Some(subject), issued: None }
    }
}

/// A change, made but not yet answered for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    /// Its position among all changes: that of its audit record.
    pub(crate) seq: u64,
    /// What others have to hear of it.
    pub(crate) told: Told,
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

/// The last step of a transaction that changes what servers may have in memory.
pub(crate) trait ChangeStatements: Send {
    /// Puts `event` at the end of the audit log, and what changed before all servers.
    fn append_change(
        &mut self,
        event: &Event,
        told: impl Into<Told> + Send,
    ) -> impl Future<Output = Result<Change, Trouble>> + Send;
}

impl ChangeStatements for AsyncPgConnection {
    async fn append_change(&mut self, event: &Event, told: impl Into<Told> + Send) -> Result<Change, Trouble> {
        // The head of the log is locked until the commit, so changes become visible in the order of their positions.
        let seq = self.append(event).await?;
        let told = told.into();
        let (kind, id) = told.subject();
        diesel::sql_query(
            "WITH noted AS (INSERT INTO invalidations (seq, subject_kind, subject, issued) VALUES ($1, $2, $3, $4)) \
             SELECT pg_notify($5, '')",
        )
        .bind::<BigInt, _>(seq.cast_signed())
        .bind::<Text, _>(kind)
        .bind::<sql::Id, _>(StoredId(id))
        .bind::<Nullable<BigInt>, _>(told.issued.map(|CredentialTag(tag)| tag.cast_signed()))
        .bind::<Text, _>(INVALIDATED)
        .prepared_once()
        .execute(self)
        .await?;
        Ok(Change { seq, told })
    }
}

/// An SQLite database has one server, which hears of its own changes without the database.
impl ChangeStatements for SqliteLink {
    async fn append_change(&mut self, event: &Event, told: impl Into<Told> + Send) -> Result<Change, Trouble> {
        Ok(Change { seq: self.append(event).await?, told: told.into() })
    }
}
