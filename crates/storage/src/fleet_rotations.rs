//! Rotations of the fleet.

use async_trait::async_trait;
use diesel::dsl::{count_star, exists, not};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_clock::Timestamp;
use stratora_keys::{
    ComponentId, ComponentKind, FleetRotation, FleetRotationId, FleetRotationStore, Member, NewFleetRotation,
    RotationState, Standing, StartRotationError, WavePlan, subject_of,
};
use stratora_port::StoreError;

use crate::Storage;
use crate::audit::AuditStatements as _;
use crate::changes::{ChangeStatements as _, Changed};
use crate::components::{ComponentStatements as _, kind, standing, state as key_states};
use crate::failure::{Failure, Violation, refused_on};
use crate::schema::{component_keys, components, fleet_rotation_members, fleet_rotations};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::{count, unreadable};
use crate::transaction::{with_change, with_read, with_tx};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = fleet_rotations)]
struct RotationRow {
    id: StoredId,
    kind: Option<String>,
    wave_size: i64,
    max_refused_percent: i64,
    wave_timeout_seconds: i64,
    state: String,
    reason: Option<String>,
    total: i64,
    wave: i64,
    wave_began_at: Option<StoredTime>,
    started_by: String,
    started_at: StoredTime,
    ended_at: Option<StoredTime>,
}

impl RotationRow {
    fn of(new: &NewFleetRotation, total: i64) -> Self {
        let plan = &new.plan;
        Self {
            id: new.id.into(),
            kind: plan.kind().map(|kind| kind.as_str().to_owned()),
            wave_size: plan.size().into(),
            max_refused_percent: plan.max_refused_percent().into(),
            wave_timeout_seconds: i64::try_from(plan.timeout().as_secs()).unwrap_or(i64::MAX),
            state: RotationState::Running.as_str().to_owned(),
            reason: None,
            total,
            wave: 0,
            wave_began_at: None,
            started_by: new.started_by.clone(),
            started_at: new.started_at.into(),
            ended_at: None,
        }
    }
}

impl TryFrom<RotationRow> for FleetRotation {
    type Error = StoreError;

    fn try_from(row: RotationRow) -> Result<Self, StoreError> {
        let number = |stored: i64| u32::try_from(stored).map_err(|error| StoreError::corrupt("plan", error));
        let plan = WavePlan::new(
            row.kind.as_deref().map(kind).transpose()?,
            Some(number(row.wave_size)?),
            Some(number(row.max_refused_percent)?),
            Some(number(row.wave_timeout_seconds)?),
        );
        Ok(Self {
            id: row.id.typed(),
            plan: plan.map_err(|error| StoreError::corrupt("plan", error))?,
            state: RotationState::parse(&row.state).ok_or_else(|| unreadable("state of a rotation"))?,
            reason: row.reason,
            total: count(row.total)?,
            wave: count(row.wave)?,
            wave_began_at: row.wave_began_at.map(|at| at.0),
            started_by: row.started_by,
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|at| at.0),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = fleet_rotation_members)]
struct MemberRow {
    rotation_id: StoredId,
    component_id: StoredId,
    wave: i64,
    key_id: StoredId,
    asked_at: Option<StoredTime>,
}

/// The components that can be asked in a rotation, joined with their live keys.
macro_rules! candidates {
    ($rotation:expr, $kind:expr, $started_at:expr, $seen_since:expr) => {{
        let taken = fleet_rotation_members::table
            .filter(fleet_rotation_members::rotation_id.eq(StoredId::from($rotation)))
            .filter(fleet_rotation_members::component_id.eq(components::id));
        let mut query = components::table
            .inner_join(component_keys::table.on(component_keys::component_number.eq(components::number)))
            .filter(components::standing.eq(Standing::Active.as_str()))
            .filter(components::last_seen_at.ge(StoredTime($seen_since)))
            .filter(component_keys::state.eq(key_states::LIVE))
            .filter(component_keys::created_at.lt(StoredTime($started_at)))
            .filter(not(exists(taken)))
            .into_boxed();
        let kind: Option<ComponentKind> = $kind;
        if let Some(kind) = kind {
            query = query.filter(components::kind.eq(kind.as_str()));
        }
        query
    }};
}

fn position(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| StoreError::corrupt("wave", error))
}

#[async_trait]
impl FleetRotationStore for Storage {
    async fn start(
        &self,
        new: NewFleetRotation,
        seen_since: Timestamp,
        event: Event,
    ) -> Result<FleetRotation, StartRotationError> {
        with_tx!(self, |conn| {
            let total: i64 = candidates!(new.id, new.plan.kind(), new.started_at, seen_since)
                .select(count_star())
                .get_result(conn)
                .await?;
            let inserted = diesel::insert_into(fleet_rotations::table)
                .values(RotationRow::of(&new, total))
                .returning(RotationRow::as_returning())
                .get_result(conn)
                .await;
            let row: RotationRow = refused_on(inserted, Violation::Unique, StartRotationError::Runs)?;
            // Of those before it is kept how they ended.
            diesel::delete(fleet_rotation_members::table).execute(conn).await?;
            conn.append(&event).await?;
            Ok(FleetRotation::try_from(row)?)
        })
    }

    async fn latest(&self) -> Result<Option<FleetRotation>, StoreError> {
        with_read!(self, |conn| {
            let row: Option<RotationRow> = fleet_rotations::table
                .select(RotationRow::as_select())
                .order((fleet_rotations::started_at.desc(), fleet_rotations::id.desc()))
                .first(conn)
                .await
                .optional()?;
            Ok(row.map(FleetRotation::try_from).transpose()?)
        })
    }

    async fn members(&self, id: FleetRotationId) -> Result<Vec<Member>, StoreError> {
        type Of = (StoredId, i64, Option<StoredTime>);
        type Row = (Of, (String, Option<StoredTime>), Option<StoredId>, Option<StoredTime>);
        with_read!(self, |conn| {
            let replaced = component_keys::component_number
                .eq(components::number)
                .and(component_keys::state.eq(key_states::LIVE))
                .and(component_keys::id.ne(fleet_rotation_members::key_id));
            let rows: Vec<Row> = fleet_rotation_members::table
                .inner_join(components::table)
                .left_join(component_keys::table.on(replaced))
                .filter(fleet_rotation_members::rotation_id.eq(StoredId::from(id)))
                .select((
                    (
                        fleet_rotation_members::component_id,
                        fleet_rotation_members::wave,
                        fleet_rotation_members::asked_at,
                    ),
                    (components::standing, components::last_seen_at),
                    component_keys::id.nullable(),
                    component_keys::first_used_at.nullable(),
                ))
                .order((fleet_rotation_members::wave.asc(), fleet_rotation_members::component_id.asc()))
                .load(conn)
                .await?;
            rows.into_iter()
                .map(|((component, wave, asked_at), (stands, seen_at), new_key, used_at)| {
                    Ok(Member {
                        component: component.typed(),
                        wave: count(wave)?,
                        asked_at: asked_at.map(|at| at.0),
                        standing: standing(&stands)?,
                        last_seen_at: seen_at.map(|at| at.0),
                        has_new_key: new_key.is_some(),
                        new_key_used_at: used_at.map(|at| at.0),
                    })
                })
                .collect::<Result<Vec<_>, Failure<StoreError>>>()
        })
    }

    async fn begin_wave(
        &self,
        id: FleetRotationId,
        wave: u64,
        seen_since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let (before, next) = (position(wave)?, position(wave.saturating_add(1))?);
        with_tx!(self, |conn| {
            // Locks the rotation: of several servers the later ones find the wave begun.
            let row: Option<RotationRow> = diesel::update(
                fleet_rotations::table
                    .find(StoredId::from(id))
                    .filter(fleet_rotations::state.eq(RotationState::Running.as_str()))
                    .filter(fleet_rotations::wave.eq(before)),
            )
            .set(fleet_rotations::wave.eq(fleet_rotations::wave))
            .returning(RotationRow::as_returning())
            .get_result(conn)
            .await
            .optional()?;
            let Some(row) = row else { return Ok(None) };
            let rotation = FleetRotation::try_from(row)?;
            let picked: Vec<(StoredId, StoredId)> =
                candidates!(id, rotation.plan.kind(), rotation.started_at, seen_since)
                    .select((components::id, component_keys::id))
                    .order(components::id.asc())
                    .limit(rotation.plan.size().into())
                    .load(conn)
                    .await?;
            if picked.is_empty() {
                return Ok(Some(0));
            }
            diesel::update(fleet_rotations::table.find(StoredId::from(id)))
                .set((fleet_rotations::wave.eq(next), fleet_rotations::wave_began_at.eq(StoredTime(now))))
                .execute(conn)
                .await?;
            for (component, key) in &picked {
                let member = MemberRow {
                    rotation_id: id.into(),
                    component_id: *component,
                    wave: next,
                    key_id: *key,
                    asked_at: None,
                };
                diesel::insert_into(fleet_rotation_members::table).values(member).execute(conn).await?;
            }
            Ok(Some(picked.len() as u64))
        })
    }

    async fn ask(
        &self,
        id: FleetRotationId,
        component: ComponentId,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError> {
        with_change!(self, |conn| {
            // Locks the rotation before the component, as the beginning of a wave does.
            let running = diesel::update(
                fleet_rotations::table
                    .find(StoredId::from(id))
                    .filter(fleet_rotations::state.eq(RotationState::Running.as_str())),
            )
            .set(fleet_rotations::wave.eq(fleet_rotations::wave))
            .execute(conn)
            .await?;
            if running == 0 {
                return Ok(Changed::nothing(false));
            }
            let Some(row) = conn.lock_component(component).await? else {
                return Ok(Changed::nothing(false));
            };
            let asked = diesel::update(
                fleet_rotation_members::table
                    .find((StoredId::from(id), StoredId::from(component)))
                    .filter(fleet_rotation_members::asked_at.is_null()),
            )
            .set(fleet_rotation_members::asked_at.eq(StoredTime(now)))
            .execute(conn)
            .await?;
            if asked == 0 {
                return Ok(Changed::nothing(false));
            }
            let found = stratora_keys::Component::try_from(row)?;
            if found.standing == Standing::Active {
                conn.set_rotation_requested(component, found.rotation_requested_at.or(Some(now))).await?;
            }
            let change = conn.append_change(&event, subject_of(component)).await?;
            Ok(change.with(true))
        })
    }

    async fn end(
        &self,
        id: FleetRotationId,
        state: RotationState,
        reason: Option<String>,
        now: Timestamp,
        event: Event,
    ) -> Result<bool, StoreError> {
        with_tx!(self, |conn| {
            let ended = diesel::update(
                fleet_rotations::table
                    .find(StoredId::from(id))
                    .filter(fleet_rotations::state.eq(RotationState::Running.as_str())),
            )
            .set((
                fleet_rotations::state.eq(state.as_str()),
                fleet_rotations::reason.eq(reason.as_deref()),
                fleet_rotations::ended_at.eq(StoredTime(now)),
            ))
            .execute(conn)
            .await?;
            if ended == 0 {
                return Ok(false);
            }
            conn.append(&event).await?;
            Ok(true)
        })
    }
}
