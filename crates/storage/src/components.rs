//! Components as rows, and the steps that transactions on them share.

use std::future::Future;

use diesel::dsl::auto_type;
use diesel::{
    ExpressionMethods as _, Insertable, NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    QueryResult, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_clock::Timestamp;
use stratora_keys::{
    ChangeComponentError, Component, ComponentId, ComponentKind, Grace, Hostname, KeyId, KeyPrefix, KeyState, Name,
    NewComponent, NewKey, Standing, Version,
};
use stratora_port::StoreError;

use crate::failure::Failure;
use crate::prepared::Repeated as _;
use crate::schema::{component_keys, components, enrollment_requests};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::{address, unreadable};
use crate::transaction::statements;

/// The stored names of [`KeyState`].
pub(crate) mod state {
    pub(crate) const LIVE: &str = "live";
    pub(crate) const GRACE: &str = "grace";
    pub(crate) const ROTATED: &str = "rotated";
    pub(crate) const REVOKED: &str = "revoked";
    pub(crate) const CORRUPT: &str = "corrupt";
}

/// The state of a key, as it is stored.
pub(crate) fn key_state(stored: &str, until: Option<StoredTime>) -> Result<KeyState, StoreError> {
    Ok(match stored {
        state::LIVE => KeyState::Live,
        state::GRACE => KeyState::Grace { until: until.map(|at| at.0) },
        state::ROTATED => KeyState::Rotated,
        state::REVOKED => KeyState::Revoked,
        state::CORRUPT => KeyState::Corrupt,
        _ => return Err(unreadable("state of a key")),
    })
}

/// Whether a key in that state is good for an active component.
pub(crate) fn works(state: KeyState, now: Timestamp) -> bool {
    match state {
        KeyState::Live => true,
        KeyState::Grace { until } => until.is_none_or(|until| now < until),
        KeyState::Rotated | KeyState::Revoked | KeyState::Corrupt => false,
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = components)]
pub(crate) struct ComponentRow {
    id: StoredId,
    name: String,
    name_folded: String,
    hostname: Option<String>,
    kind: String,
    standing: String,
    key_prefix: String,
    key_created_at: StoredTime,
    last_seen_at: Option<StoredTime>,
    last_seen_ip: Option<String>,
    version: Option<String>,
    created_at: StoredTime,
    revoked_at: Option<StoredTime>,
    rotation_requested_at: Option<StoredTime>,
}

impl ComponentRow {
    pub(crate) fn of(component: &NewComponent) -> Self {
        let key = &component.key;
        Self {
            id: component.id.into(),
            name: component.name.as_str().to_owned(),
            name_folded: fold(&component.name),
            hostname: component.hostname.as_ref().map(|hostname| hostname.as_str().to_owned()),
            kind: component.kind.as_str().to_owned(),
            standing: component.standing.as_str().to_owned(),
            key_prefix: key.prefix.as_str().to_owned(),
            key_created_at: key.created_at.into(),
            last_seen_at: None,
            last_seen_ip: None,
            version: None,
            created_at: key.created_at.into(),
            revoked_at: None,
            rotation_requested_at: None,
        }
    }
}

impl ComponentRow {
    /// The same with the version that it says it has.
    pub(crate) fn with_version(self, version: &Version) -> Self {
        Self { version: Some(version.as_str().to_owned()), ..self }
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.standing == Standing::Revoked.as_str()
    }
}

impl TryFrom<ComponentRow> for Component {
    type Error = StoreError;

    fn try_from(row: ComponentRow) -> Result<Self, StoreError> {
        let hostname = row.hostname.map(Hostname::parse).transpose();
        let version = row.version.map(Version::parse).transpose();
        Ok(Self {
            id: row.id.typed(),
            name: name(row.name)?,
            hostname: hostname.map_err(|error| StoreError::corrupt("host name", error))?,
            kind: kind(&row.kind)?,
            standing: standing(&row.standing)?,
            key_prefix: KeyPrefix::parse(&row.key_prefix).map_err(|error| StoreError::corrupt("key prefix", error))?,
            key_created_at: row.key_created_at.0,
            rotation_requested_at: row.rotation_requested_at.map(|at| at.0),
            last_seen_at: row.last_seen_at.map(|at| at.0),
            last_seen_ip: address(row.last_seen_ip)?,
            version: version.map_err(|error| StoreError::corrupt("version", error))?,
            created_at: row.created_at.0,
            revoked_at: row.revoked_at.map(|at| at.0),
        })
    }
}

/// What the text filter looks in. Folded here and not by the databases, whose ideas of lower case differ.
pub(crate) fn fold(name: &Name) -> String {
    name.as_str().to_lowercase()
}

pub(crate) fn name(stored: String) -> Result<Name, StoreError> {
    Name::parse(stored).map_err(|error| StoreError::corrupt("name of a component", error))
}

pub(crate) fn kind(stored: &str) -> Result<ComponentKind, StoreError> {
    ComponentKind::parse(stored).ok_or_else(|| unreadable("kind of component"))
}

pub(crate) fn standing(stored: &str) -> Result<Standing, StoreError> {
    Standing::parse(stored).ok_or_else(|| unreadable("standing"))
}

#[derive(Insertable)]
#[diesel(table_name = component_keys)]
struct NewKeyRow<'a> {
    id: StoredId,
    digest: &'a [u8],
    hash: &'a str,
    state: &'a str,
    created_at: StoredTime,
}

/// What the keys of the component refer to it by.
#[auto_type(no_type_alias)]
pub(crate) fn number_of(component: StoredId) -> _ {
    components::table.find(component).select(components::number)
}

statements! {
    /// Steps of transactions on components. Each such transaction locks its component first, whichever rows it changes
    /// after that, so that no two wait for each other and the later one sees what the earlier one did.
    pub(crate) trait ComponentStatements {
        /// Locks the component and reads it.
        async fn lock_component(conn, id: ComponentId) -> QueryResult<Option<ComponentRow>> {
            diesel::update(components::table.find(StoredId::from(id)))
                .set(components::id.eq(components::id))
                .returning(ComponentRow::as_returning())
                .prepared_once()
                .get_result(conn)
                .await
                .optional()
        }

        /// Locks the component that the key belongs to.
        async fn lock_component_of(conn, key: KeyId) -> QueryResult<Option<ComponentId>> {
            let owner = component_keys::table
                .filter(component_keys::id.eq(StoredId::from(key)))
                .select(component_keys::component_number);
            let id: Option<StoredId> = diesel::update(components::table.filter(components::number.eq_any(owner)))
                .set(components::id.eq(components::id))
                .returning(components::id)
                .prepared_once()
                .get_result(conn)
                .await
                .optional()?;
            Ok(id.map(StoredId::typed))
        }

        /// Writes a live key. There must be no other.
        async fn insert_key(conn, component: ComponentId, key: &NewKey) -> QueryResult<()> {
            let row = NewKeyRow {
                id: key.id.into(),
                digest: key.digest.as_bytes(),
                hash: key.hash.as_str(),
                state: state::LIVE,
                created_at: key.created_at.into(),
            };
            let holder = number_of(component.into()).single_value().assume_not_null();
            diesel::insert_into(component_keys::table)
                .values((row, component_keys::component_number.eq(holder)))
                .execute(conn)
                .await
                .map(drop)
        }

        /// Shows a component's new key on the component.
        async fn show_key(conn, component: ComponentId, key: &NewKey) -> QueryResult<ComponentRow> {
            diesel::update(components::table.find(StoredId::from(component)))
                .set((
                    components::key_prefix.eq(key.prefix.as_str()),
                    components::key_created_at.eq(StoredTime::from(key.created_at)),
                    components::rotation_requested_at.eq(None::<StoredTime>),
                ))
                .returning(ComponentRow::as_returning())
                .get_result(conn)
                .await
        }

        /// Retires the keys of a component that still work, for one that is made at `now`. Refuses, and changes nothing,
        /// when the component rotates itself with a key that may not.
        async fn retire_keys(
            conn,
            component: ComponentId,
            grace: Grace,
            now: Timestamp,
        ) -> Result<(), Failure<ChangeComponentError>> {
            let own = |key: KeyId| {
                component_keys::table
                    .filter(component_keys::id.eq(StoredId::from(key)))
                    .filter(component_keys::component_number.eq_any(number_of(component.into())))
            };
            if let Grace::UntilFirstUse(key) = grace {
                let found: Option<(String, Option<StoredTime>)> = own(key)
                    .select((component_keys::state, component_keys::grace_until))
                    .get_result(conn)
                    .await
                    .optional()?;
                let Some((stored, until)) = found else { return Err(Failure::Refused(ChangeComponentError::KeyEnded)) };
                let asking = key_state(&stored, until)?;
                if !works(asking, now) {
                    return Err(Failure::Refused(ChangeComponentError::KeyEnded));
                }
                if matches!(asking, KeyState::Grace { until: Some(_) }) {
                    return Err(Failure::Refused(ChangeComponentError::KeyHandedOver));
                }
            }
            let (live_becomes, until) = match grace {
                Grace::None | Grace::UntilFirstUse(_) => (state::ROTATED, None),
                Grace::For(span) => (state::GRACE, Some(StoredTime(now.plus(span)))),
            };
            conn.end_keys(component, &[state::GRACE], state::ROTATED).await?;
            diesel::update(
                component_keys::table
                    .filter(component_keys::component_number.eq_any(number_of(component.into())))
                    .filter(component_keys::state.eq(state::LIVE)),
            )
            .set((component_keys::state.eq(live_becomes), component_keys::grace_until.eq(until)))
            .execute(conn)
            .await?;
            if let Grace::UntilFirstUse(key) = grace {
                diesel::update(own(key)).set(component_keys::state.eq(state::GRACE)).execute(conn).await?;
            }
            Ok(())
        }

        /// Notes since when the component has been asked to rotate its key.
        async fn set_rotation_requested(conn, component: ComponentId, since: Option<Timestamp>) -> QueryResult<()> {
            diesel::update(components::table.find(StoredId::from(component)))
                .set(components::rotation_requested_at.eq(since.map(StoredTime)))
                .execute(conn)
                .await
                .map(drop)
        }

        /// Lets the component in, for the first time or again.
        async fn let_in(conn, component: ComponentId) -> QueryResult<ComponentRow> {
            diesel::update(components::table.find(StoredId::from(component)))
                .set((
                    components::standing.eq(Standing::Active.as_str()),
                    components::revoked_at.eq(None::<StoredTime>),
                ))
                .returning(ComponentRow::as_returning())
                .get_result(conn)
                .await
        }

        /// Ends every key of the component that is in one of the states `from`.
        async fn end_keys(conn, component: ComponentId, from: &[&str], to: &str) -> QueryResult<()> {
            diesel::update(
                component_keys::table
                    .filter(component_keys::component_number.eq_any(number_of(component.into())))
                    .filter(component_keys::state.eq_any(from)),
            )
            .set((component_keys::state.eq(to), component_keys::grace_until.eq(None::<StoredTime>)))
            .prepared_once()
            .execute(conn)
            .await
            .map(drop)
        }

        /// Forgets who asks for the component's place, approved or not. Returns whether anybody did.
        async fn forget_request(conn, component: ComponentId) -> QueryResult<bool> {
            let asked = enrollment_requests::table.find(StoredId::from(component));
            Ok(diesel::delete(asked).execute(conn).await? > 0)
        }

        /// Ends all keys of the component that still work, and shuts it out. What was approved before does not undo that.
        async fn shut_out(conn, component: ComponentId, now: Timestamp) -> QueryResult<ComponentRow> {
            conn.forget_request(component).await?;
            conn.end_keys(component, &[state::LIVE, state::GRACE], state::REVOKED).await?;
            diesel::update(components::table.find(StoredId::from(component)))
                .set((
                    components::standing.eq(Standing::Revoked.as_str()),
                    components::revoked_at.eq(Some(StoredTime(now))),
                    components::rotation_requested_at.eq(None::<StoredTime>),
                ))
                .returning(ComponentRow::as_returning())
                .prepared_once()
                .get_result(conn)
                .await
        }
    }
}
