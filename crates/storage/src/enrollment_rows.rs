//! Enrollment tokens and what was asked with them as rows, and the steps of the transaction that registers a component.

use std::future::Future;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, Insertable, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, QueryResult, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_clock::Timestamp;
use stratora_keys::{
    Admission, Allowance, Call, Component, ComponentId, Description, EnrollmentToken, EnrollmentTokenId, Host, Issued,
    KeyId, KeyState, Name, NewComponent, NewEnrollmentToken, NewKey, Offer, ProvenKey, Reenrollment, Situation,
    Standing, TakenName, Version, names_for,
};
use stratora_port::StoreError;
use stratora_token::Digest;

use crate::components::{ComponentRow, ComponentStatements as _, key_state, number_of, state};
use crate::failure::Trouble;
use crate::schema::{component_keys, components, enrollment_requests, enrollment_tokens, enrollments};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::address;
use crate::transaction::statements;

/// A stored SHA-256.
fn digest(bytes: Vec<u8>) -> Result<Digest, StoreError> {
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| StoreError::corrupt("digest", "not 32 bytes"))?;
    Ok(Digest::from_bytes(bytes))
}

/// A stored number of uses.
fn number(stored: i32) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|error| StoreError::corrupt("number of uses", error))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = enrollment_tokens)]
pub(crate) struct TokenRow {
    id: StoredId,
    description: String,
    multi_use: bool,
    max_uses: Option<i32>,
    uses: i32,
    created_at: StoredTime,
    expires_at: Option<StoredTime>,
    last_used_at: Option<StoredTime>,
}

impl TryFrom<TokenRow> for EnrollmentToken {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        let description = Description::parse(&row.description);
        let max_uses = row.max_uses.map(number).transpose()?.filter(|_| row.multi_use);
        let allowance = Allowance::of(row.multi_use, max_uses);
        Ok(Self {
            id: row.id.typed(),
            description: description.map_err(|error| StoreError::corrupt("description", error))?,
            allowance: allowance.map_err(|error| StoreError::corrupt("allowance", error))?,
            uses: number(row.uses)?,
            created_at: row.created_at.0,
            expires_at: row.expires_at.map(|at| at.0),
            last_used_at: row.last_used_at.map(|at| at.0),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = enrollment_tokens)]
pub(crate) struct NewTokenRow {
    id: StoredId,
    digest: Vec<u8>,
    description: String,
    multi_use: bool,
    max_uses: Option<i32>,
    uses: i32,
    created_at: StoredTime,
    expires_at: Option<StoredTime>,
}

impl NewTokenRow {
    pub(crate) fn of(new: &NewEnrollmentToken) -> Self {
        let token = &new.token;
        Self {
            id: token.id.into(),
            digest: new.digest.as_bytes().to_vec(),
            description: token.description.as_str().to_owned(),
            multi_use: token.allowance.is_multi_use(),
            max_uses: token.allowance.max_uses().map(u32::cast_signed),
            uses: 0,
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(StoredTime),
        }
    }
}

#[derive(Queryable, Selectable, Insertable, diesel::AsChangeset)]
#[diesel(table_name = enrollment_requests, treat_none_as_null = true)]
pub(crate) struct RequestRow {
    component_id: StoredId,
    token_id: StoredId,
    repeat_digest: Option<Vec<u8>>,
    client: Option<String>,
    version: String,
    requested_at: StoredTime,
    approved_at: Option<StoredTime>,
}

impl RequestRow {
    fn of(component: ComponentId, request: &Reenrollment) -> Self {
        Self {
            component_id: component.into(),
            token_id: request.token.into(),
            repeat_digest: request.repeat.map(|repeat| repeat.as_bytes().to_vec()),
            client: request.client.map(|client| client.to_string()),
            version: request.version.as_str().to_owned(),
            requested_at: request.requested_at.into(),
            approved_at: request.approved_at.map(StoredTime),
        }
    }
}

impl TryFrom<RequestRow> for Reenrollment {
    type Error = StoreError;

    fn try_from(row: RequestRow) -> Result<Self, StoreError> {
        Ok(Self {
            token: row.token_id.typed(),
            repeat: row.repeat_digest.map(digest).transpose()?,
            client: address(row.client)?,
            version: Version::parse(&row.version).map_err(|error| StoreError::corrupt("version", error))?,
            requested_at: row.requested_at.0,
            approved_at: row.approved_at.map(|at| at.0),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, diesel::AsChangeset)]
#[diesel(table_name = enrollments)]
struct IssuanceRow {
    component_id: StoredId,
    token_id: StoredId,
    repeat_digest: Vec<u8>,
    key_id: StoredId,
    was_new: bool,
    at: StoredTime,
}

statements! {
    /// Steps of the transaction that registers a component. It locks the token first and then the components, in the order
    /// of their identifiers; no other transaction locks a token after a component.
    pub(crate) trait EnrollmentStatements {
        /// All that bears on a call. What may decide about it is locked from here on.
        async fn situation(conn, call: &Call) -> Result<Situation, Trouble> {
            let known = enrollment_tokens::table.filter(enrollment_tokens::digest.eq(&call.token.as_bytes()[..]));
            let token: Option<TokenRow> = diesel::update(known)
                .set(enrollment_tokens::id.eq(enrollment_tokens::id))
                .returning(TokenRow::as_returning())
                .get_result(conn)
                .await
                .optional()?;
            let Some(token) = token else { return Ok(Situation::default()) };
            let mut situation = Situation { token: Some(token.try_into()?), ..Situation::default() };
            // In one statement, and so as of one moment: whoever does not see another registration of this host does not see
            // its name as taken either, and the unique index decides between them.
            let names: Vec<String> = names_for(&call.hostname).map(|name: Name| name.as_str().to_owned()).collect();
            let same_host = components::hostname
                .eq(call.hostname.as_str())
                .and(components::kind.eq(call.kind.as_str()))
                .assume_not_null();
            let rows: Vec<ComponentRow> = components::table
                .filter(same_host.or(components::name.eq_any(&names)))
                .select(ComponentRow::as_select())
                .order(components::id.asc())
                .load(conn)
                .await?;
            for row in rows {
                let component = Component::try_from(row)?;
                if names.iter().any(|name| name == component.name.as_str()) {
                    let hostname = component.hostname.as_ref().map(ToString::to_string);
                    situation.taken.push(TakenName { name: component.name.to_string(), hostname });
                }
                if is_host_of(&component, call) {
                    // It may have changed until it was locked.
                    let locked = conn.lock_component(component.id).await?.map(Component::try_from).transpose()?;
                    if let Some(component) = locked.filter(|component| is_host_of(component, call)) {
                        situation.hosts.push(conn.host(component).await?);
                    }
                }
            }
            let Some(key) = call.proof else { return Ok(situation) };
            situation.proof = conn.proven(key).await?;
            // Of the components none is locked here yet, so that they are locked in order in this case too.
            if let (Some(proven), true) = (situation.proof, situation.hosts.is_empty()) {
                let locked = conn.lock_component(proven.component).await?.map(Component::try_from).transpose()?;
                if let Some(component) = locked.filter(|component| component.kind == call.kind) {
                    situation.renamed = Some(conn.host(component).await?);
                }
                situation.proof = conn.proven(key).await?;
            }
            Ok(situation)
        }

        /// All that bears on a call besides the component, which is locked.
        async fn host(conn, component: Component) -> Result<Host, Trouble> {
            let request = conn.request_for(component.id).await?;
            let issued = conn.issued_to(component.id).await?;
            Ok(Host { component, request, issued })
        }

        /// Who asks for the component's place.
        async fn request_for(conn, component: ComponentId) -> Result<Option<Reenrollment>, Trouble> {
            let row: Option<RequestRow> = enrollment_requests::table
                .find(StoredId::from(component))
                .select(RequestRow::as_select())
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(Reenrollment::try_from).transpose()?)
        }

        /// What was last issued to the component with an idempotency key.
        async fn issued_to(conn, component: ComponentId) -> Result<Option<Issued>, Trouble> {
            let row: Option<IssuanceRow> = enrollments::table
                .find(StoredId::from(component))
                .select(IssuanceRow::as_select())
                .get_result(conn)
                .await
                .optional()?;
            let Some(row) = row else { return Ok(None) };
            let untouched: Option<StoredId> = component_keys::table
                .find(row.key_id)
                .filter(component_keys::component_number.eq_any(number_of(row.component_id)))
                .filter(component_keys::state.eq(state::LIVE))
                .filter(component_keys::first_used_at.is_null())
                .select(component_keys::id)
                .get_result(conn)
                .await
                .optional()?;
            Ok(Some(Issued {
                token: row.token_id.typed(),
                repeat: digest(row.repeat_digest)?,
                was_new: row.was_new,
                is_untouched: untouched.is_some(),
            }))
        }

        /// The key that the caller proved itself with, as it is now.
        async fn proven(conn, key: KeyId) -> Result<Option<ProvenKey>, Trouble> {
            let row: Option<(StoredId, String, Option<StoredTime>)> = component_keys::table
                .inner_join(components::table.on(components::number.eq(component_keys::component_number)))
                .filter(component_keys::id.eq(StoredId::from(key)))
                .select((components::id, component_keys::state, component_keys::grace_until))
                .get_result(conn)
                .await
                .optional()?;
            let Some((component, stored, until)) = row else { return Ok(None) };
            let state: KeyState = key_state(&stored, until)?;
            Ok(Some(ProvenKey { component: component.typed(), state }))
        }

        /// Counts one more use of a token. Returns whether there was one left.
        async fn count_use(conn, token: EnrollmentTokenId, now: Timestamp) -> QueryResult<bool> {
            let is_left = enrollment_tokens::max_uses
                .is_null()
                .or(enrollment_tokens::uses.nullable().lt(enrollment_tokens::max_uses).assume_not_null());
            let is_good = enrollment_tokens::expires_at
                .is_null()
                .or(enrollment_tokens::expires_at.gt(StoredTime(now)).assume_not_null());
            let counted = diesel::update(enrollment_tokens::table.find(StoredId::from(token)).filter(is_left).filter(is_good))
                .set((
                    enrollment_tokens::uses.eq(enrollment_tokens::uses + 1),
                    enrollment_tokens::last_used_at.eq(StoredTime(now)),
                ))
                .execute(conn)
                .await?;
            Ok(counted > 0)
        }

        /// Writes a component that comes in by itself, with its key.
        async fn insert_newcomer(
            conn,
            call: &Call,
            name: &Name,
            standing: Standing,
            offer: &Offer,
        ) -> QueryResult<ComponentRow> {
            let new = NewComponent {
                id: offer.component,
                name: name.clone(),
                hostname: Some(call.hostname.clone()),
                kind: call.kind,
                standing,
                key: offer.key.clone(),
            };
            let row = diesel::insert_into(components::table)
                .values(ComponentRow::of(&new).with_version(&call.version))
                .returning(ComponentRow::as_returning())
                .get_result(conn)
                .await?;
            conn.insert_key(offer.component, &offer.key).await?;
            Ok(row)
        }

        /// Gives a component that is there, and locked, the offered key in place of all that it had; it is what the call
        /// says it is, and where `lets_in` is set it is active from then on.
        async fn replace_keys(
            conn,
            component: &Component,
            call: &Call,
            lets_in: bool,
            key: &NewKey,
        ) -> QueryResult<ComponentRow> {
            let id = component.id;
            conn.end_keys(id, &[state::GRACE, state::LIVE], state::ROTATED).await?;
            conn.insert_key(id, key).await?;
            diesel::update(components::table.find(StoredId::from(id)))
                .set((components::version.eq(call.version.as_str()), components::hostname.eq(call.hostname.as_str())))
                .execute(conn)
                .await?;
            if lets_in {
                conn.let_in(id).await?;
            }
            conn.show_key(id, key).await
        }

        /// Remembers what the call was answered with, if it is one that may be repeated.
        async fn remember_answer(
            conn,
            call: &Call,
            token: EnrollmentTokenId,
            component: ComponentId,
            admission: &Admission,
            key: KeyId,
        ) -> QueryResult<()> {
            let Some(repeat) = call.repeat else { return Ok(()) };
            let row = IssuanceRow {
                component_id: component.into(),
                token_id: token.into(),
                repeat_digest: repeat.digest().as_bytes().to_vec(),
                key_id: key.into(),
                was_new: admission.is_new(),
                at: call.at.into(),
            };
            diesel::insert_into(enrollments::table)
                .values(&row)
                .on_conflict(enrollments::component_id)
                .do_update()
                .set(&row)
                .execute(conn)
                .await
                .map(drop)
        }

        /// Writes down who asks for the component's place.
        async fn write_request(conn, component: ComponentId, request: &Reenrollment) -> QueryResult<()> {
            let row = RequestRow::of(component, request);
            diesel::insert_into(enrollment_requests::table)
                .values(&row)
                .on_conflict(enrollment_requests::component_id)
                .do_update()
                .set(&row)
                .execute(conn)
                .await
                .map(drop)
        }
    }
}

fn is_host_of(component: &Component, call: &Call) -> bool {
    component.hostname.as_ref() == Some(&call.hostname) && component.kind == call.kind
}
