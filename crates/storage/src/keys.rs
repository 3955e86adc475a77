//! Components and their keys.

use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::{
    BoolExpressionMethods as _, EscapeExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _,
    OptionalExtension as _, QueryDsl as _, SelectableHelper as _, TextExpressionMethods as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_cache::CredentialTag;
use stratora_clock::Timestamp;
use stratora_hashing::BcryptHash;
use stratora_keys::{
    ChangeComponentError, Component, ComponentFilter, ComponentId, ComponentUpdate, FirstUse, Grace, Hostname, KeyId,
    KeyRecord, KeyState, KeyStore, MissingComponent, NewComponent, NewKey, Sighting, Standing, Status, subject_of,
};
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::Digest;

use crate::Storage;
use crate::changes::{ChangeStatements as _, Changed, Told};
use crate::components::{ComponentRow, ComponentStatements as _, fold, key_state, kind, name, standing, state, works};
use crate::configs::etag;
use crate::failure::{Failure, Violation, refused_on};
use crate::prepared::Repeated as _;
use crate::schema::{component_keys, components};
use crate::sql_types::{StoredId, StoredTime, lower};
use crate::text::{containing, count, overfull};
use crate::transaction::{with_change, with_lookup, with_read, with_tx};

/// The query with the conditions of the filter.
macro_rules! matching {
    ($query:expr, $filter:expr, $now:expr) => {{
        let mut query = $query.into_boxed();
        if let Some(kind) = $filter.kind {
            query = query.filter(components::kind.eq(kind.as_str()));
        }
        if let Some(status) = $filter.status {
            let stands_for = match status {
                Status::Pending => Standing::Pending,
                Status::Active | Status::Offline => Standing::Active,
                Status::Revoked => Standing::Revoked,
            };
            query = query.filter(components::standing.eq(stands_for.as_str()));
            let on_line_since = StoredTime($now.minus(Status::OFFLINE_AFTER));
            query = match status {
                Status::Active => {
                    query.filter(components::last_seen_at.is_null().or(components::last_seen_at.ge(on_line_since)))
                }
                Status::Offline => query.filter(components::last_seen_at.lt(on_line_since)),
                Status::Pending | Status::Revoked => query,
            };
        }
        if let Some(text) = &$filter.text {
            let pattern = containing(text);
            query = query.filter(
                components::name_folded
                    .like(pattern.clone())
                    .escape('\\')
                    .or(components::hostname.like(pattern.clone()).escape('\\'))
                    .or(lower(components::key_prefix).like(pattern).escape('\\')),
            );
        }
        query
    }};
}

fn missing() -> Failure<ChangeComponentError> {
    Failure::Refused(ChangeComponentError::Missing)
}

fn wrong_standing(standing: Standing) -> Failure<ChangeComponentError> {
    Failure::Refused(ChangeComponentError::WrongStanding { standing })
}

/// What servers hear when a component is given a key.
fn issuing(component: ComponentId, key: &NewKey) -> Told {
    Told { subject: Some(subject_of(component)), issued: Some(CredentialTag::of(key.digest.as_bytes())) }
}

#[async_trait]
impl KeyStore for Storage {
    async fn find_key(&self, digest: &Digest) -> Result<Option<KeyRecord>, StoreError> {
        type Key = (StoredId, String, Option<StoredTime>, Option<StoredTime>, StoredTime);
        type Row = (Key, (StoredId, String, String, String, Option<StoredTime>, Option<String>));
        let digest = *digest.as_bytes();
        with_lookup!(self, |conn| {
            let row: Option<Row> = component_keys::table
                .inner_join(components::table.on(components::number.eq(component_keys::component_number)))
                .filter(component_keys::digest.eq(&digest[..]))
                .select((
                    (
                        component_keys::id,
                        component_keys::state,
                        component_keys::grace_until,
                        component_keys::first_used_at,
                        component_keys::created_at,
                    ),
                    (
                        components::id,
                        components::name,
                        components::kind,
                        components::standing,
                        components::rotation_requested_at,
                        components::config_etag,
                    ),
                ))
                .get_result(conn)
                .await
                .optional()?;
            let Some((key, (component_id, of_name, of_kind, stands, requested_at, config_etag))) = row else {
                return Ok(None);
            };
            let (id, state, grace_until, first_used_at, created_at) = key;
            Ok(Some(KeyRecord {
                key_id: id.typed(),
                state: key_state(&state, grace_until)?,
                used: first_used_at.is_some(),
                created_at: created_at.0,
                rotation_requested: requested_at.is_some(),
                component_id: component_id.typed(),
                name: name(of_name)?,
                kind: kind(&of_kind)?,
                standing: standing(&stands)?,
                config_etag: config_etag.as_deref().map(etag).transpose()?,
            }))
        })
    }

    async fn create(&self, component: NewComponent, event: Event) -> Result<Component, ChangeComponentError> {
        with_change!(self, |conn| {
            let inserted = diesel::insert_into(components::table)
                .values(ComponentRow::of(&component))
                .returning(ComponentRow::as_returning())
                .get_result(conn)
                .await;
            let row: ComponentRow = refused_on(inserted, Violation::Unique, ChangeComponentError::NameTaken)?;
            conn.insert_key(component.id, &component.key).await?;
            let change = conn.append_change(&event, issuing(component.id, &component.key)).await?;
            Ok(change.with(Component::try_from(row)?))
        })
    }

    async fn rotate(
        &self,
        id: ComponentId,
        key: NewKey,
        grace: Grace,
        event: Event,
    ) -> Result<Component, ChangeComponentError> {
        with_change!(self, |conn| {
            let before = Component::try_from(conn.lock_component(id).await?.ok_or_else(missing)?)?;
            if before.standing == Standing::Revoked {
                return Err(wrong_standing(before.standing));
            }
            conn.retire_keys(id, grace, key.created_at).await?;
            conn.insert_key(id, &key).await?;
            let row = conn.show_key(id, &key).await?;
            let change = conn.append_change(&event, issuing(id, &key)).await?;
            Ok(change.with(Component::try_from(row)?))
        })
    }

    async fn revoke(&self, id: ComponentId, now: Timestamp, event: Event) -> Result<Component, MissingComponent> {
        with_change!(self, |conn| {
            let Some(mut row) = conn.lock_component(id).await? else {
                return Err(Failure::Refused(MissingComponent::Missing));
            };
            if row.is_revoked() {
                conn.forget_request(id).await?;
            } else {
                row = conn.shut_out(id, now).await?;
            }
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(Component::try_from(row)?))
        })
    }

    async fn request_rotation(
        &self,
        id: ComponentId,
        now: Timestamp,
        event: Event,
    ) -> Result<Component, ChangeComponentError> {
        with_change!(self, |conn| {
            let mut component = Component::try_from(conn.lock_component(id).await?.ok_or_else(missing)?)?;
            if component.standing != Standing::Active {
                return Err(wrong_standing(component.standing));
            }
            component.rotation_requested_at.get_or_insert(now);
            conn.set_rotation_requested(id, component.rotation_requested_at).await?;
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(component))
        })
    }

    async fn restore(&self, id: ComponentId, key: NewKey, event: Event) -> Result<Component, ChangeComponentError> {
        with_change!(self, |conn| {
            let before = Component::try_from(conn.lock_component(id).await?.ok_or_else(missing)?)?;
            if before.standing != Standing::Revoked {
                return Err(wrong_standing(before.standing));
            }
            conn.insert_key(id, &key).await?;
            conn.show_key(id, &key).await?;
            let row = conn.let_in(id).await?;
            let change = conn.append_change(&event, issuing(id, &key)).await?;
            Ok(change.with(Component::try_from(row)?))
        })
    }

    async fn approve(&self, id: ComponentId, event: Event) -> Result<Component, ChangeComponentError> {
        with_change!(self, |conn| {
            let before = Component::try_from(conn.lock_component(id).await?.ok_or_else(missing)?)?;
            if before.standing != Standing::Pending {
                return Err(wrong_standing(before.standing));
            }
            let row = conn.let_in(id).await?;
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(Component::try_from(row)?))
        })
    }

    async fn update(
        &self,
        id: ComponentId,
        update: ComponentUpdate,
        event: Event,
    ) -> Result<Component, ChangeComponentError> {
        with_change!(self, |conn| {
            let mut component = Component::try_from(conn.lock_component(id).await?.ok_or_else(missing)?)?;
            component.name = update.name.clone().unwrap_or(component.name);
            component.hostname = update.hostname.clone().unwrap_or(component.hostname);
            let updated = diesel::update(components::table.find(StoredId::from(id)))
                .set((
                    components::name.eq(component.name.as_str()),
                    components::name_folded.eq(fold(&component.name)),
                    components::hostname.eq(component.hostname.as_ref().map(Hostname::as_str)),
                ))
                .execute(conn)
                .await;
            refused_on(updated, Violation::Unique, ChangeComponentError::NameTaken)?;
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(component))
        })
    }

    async fn delete(&self, id: ComponentId, event: Event) -> Result<(), MissingComponent> {
        with_change!(self, |conn| {
            let deleted = diesel::delete(components::table.find(StoredId::from(id))).execute(conn).await?;
            if deleted == 0 {
                return Err(Failure::Refused(MissingComponent::Missing));
            }
            let change = conn.append_change(&event, subject_of(id)).await?;
            Ok(change.with(()))
        })
    }

    async fn find(&self, id: ComponentId) -> Result<Option<Component>, StoreError> {
        with_read!(self, |conn| {
            let row: Option<ComponentRow> = components::table
                .select(ComponentRow::as_select())
                .find(StoredId::from(id))
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(Component::try_from).transpose()?)
        })
    }

    async fn page(
        &self,
        filter: &ComponentFilter,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<Component>, StoreError> {
        let (filter, limit) = (filter.clone(), page.limit);
        let after = page.after.as_ref().map_or_else(String::new, |cursor| cursor.key().to_owned());
        with_read!(self, |conn| {
            let rows: Vec<ComponentRow> = matching!(components::table.select(ComponentRow::as_select()), filter, now)
                .filter(components::name.gt(&after))
                .order(components::name.asc())
                .limit(overfull(limit))
                .load(conn)
                .await?;
            let total: i64 = matching!(components::table.select(count_star()), filter, now).get_result(conn).await?;
            let found = rows.into_iter().map(Component::try_from).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::from_overfull(found, limit, count(total)?, |component| component.name.as_str().to_owned()))
        })
    }

    async fn first_use(&self, key: KeyId, now: Timestamp, event: Event) -> Result<FirstUse, StoreError> {
        with_change!(self, |conn| {
            let Some(component) = conn.lock_component_of(key).await? else {
                return Ok(Changed::nothing(FirstUse::Ended));
            };
            let known = component_keys::table.find(StoredId::from(key));
            let (stored, until): (String, Option<StoredTime>) =
                known.select((component_keys::state, component_keys::grace_until)).get_result(conn).await?;
            let stored = key_state(&stored, until)?;
            if !works(stored, now) {
                return Ok(Changed::nothing(FirstUse::Ended));
            }
            let hash: Option<String> = diesel::update(known.filter(component_keys::first_used_at.is_null()))
                .set(component_keys::first_used_at.eq(StoredTime(now)))
                .returning(component_keys::hash)
                .get_result(conn)
                .await
                .optional()?;
            let Some(hash) = hash else {
                return Ok(Changed::nothing(FirstUse::Before));
            };
            let hash = BcryptHash::parse(&hash).map_err(|error| StoreError::corrupt("key hash", error))?;
            if stored == KeyState::Live {
                conn.end_keys(component, &[state::GRACE], state::ROTATED).await?;
            }
            let change = conn.append_change(&event, subject_of(component)).await?;
            Ok(change.with(FirstUse::Now(hash)))
        })
    }

    async fn mark_corrupt(&self, key: KeyId, event: Event) -> Result<(), StoreError> {
        with_change!(self, |conn| {
            let Some(component) = conn.lock_component_of(key).await? else {
                return Ok(Changed::nothing(()));
            };
            diesel::update(component_keys::table.find(StoredId::from(key)))
                .set((component_keys::state.eq(state::CORRUPT), component_keys::grace_until.eq(None::<StoredTime>)))
                .execute(conn)
                .await?;
            let change = conn.append_change(&event, subject_of(component)).await?;
            Ok(change.with(()))
        })
    }

    async fn report_leak(&self, digest: &Digest, now: Timestamp, event: Event) -> Result<bool, StoreError> {
        let digest = *digest.as_bytes();
        with_change!(self, |conn| {
            let key: Option<StoredId> = component_keys::table
                .filter(component_keys::digest.eq(&digest[..]))
                .select(component_keys::id)
                .get_result(conn)
                .await
                .optional()?;
            let Some(key) = key else {
                return Ok(Changed::nothing(false));
            };
            let Some(component) = conn.lock_component_of(key.typed()).await? else {
                return Ok(Changed::nothing(false));
            };
            let (stored, until): (String, Option<StoredTime>) = component_keys::table
                .find(key)
                .select((component_keys::state, component_keys::grace_until))
                .get_result(conn)
                .await?;
            match key_state(&stored, until)? {
                KeyState::Live => drop(conn.shut_out(component, now).await?),
                KeyState::Grace { until } if until.is_none_or(|until| now < until) => {
                    diesel::update(component_keys::table.find(key))
                        .set((
                            component_keys::state.eq(state::REVOKED),
                            component_keys::grace_until.eq(None::<StoredTime>),
                        ))
                        .execute(conn)
                        .await?;
                }
                KeyState::Grace { .. } | KeyState::Rotated | KeyState::Revoked | KeyState::Corrupt => {
                    return Ok(Changed::nothing(false));
                }
            }
            let change = conn.append_change(&event, subject_of(component)).await?;
            Ok(change.with(true))
        })
    }

    async fn record_sightings(&self, sightings: &[Sighting]) -> Result<(), StoreError> {
        // In one order everywhere, so that two replicas never wait for each other's rows.
        let mut sightings = sightings.to_vec();
        sightings.sort_by_key(|sighting| (sighting.component, sighting.at));
        with_tx!(self, |conn| {
            for sighting in &sightings {
                let at = StoredTime::from(sighting.at);
                let unseen = components::last_seen_at.is_null().or(components::last_seen_at.lt(at));
                let known = components::table.find(StoredId::from(sighting.component));
                diesel::update(known.filter(unseen))
                    .set((
                        components::last_seen_at.eq(at),
                        components::last_seen_ip.eq(sighting.client.map(|client| client.to_string())),
                        sighting.hostname.as_ref().map(|hostname| components::hostname.eq(hostname.as_str())),
                        sighting.version.as_ref().map(|version| components::version.eq(version.as_str())),
                    ))
                    .prepared_once()
                    .execute(conn)
                    .await?;
            }
            Ok(())
        })
    }
}
