//! Enrollment tokens, registrations, and who asks for the place of a component.

use async_trait::async_trait;
use diesel::dsl::count_star;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_cache::CredentialTag;
use stratora_clock::Timestamp;
use stratora_keys::{
    Admission, Answer, ApproveRequestError, Call, Component, ComponentId, EnrollmentPolicy, EnrollmentStore,
    EnrollmentToken, EnrollmentTokenId, MissingRequest, MissingToken, NewEnrollmentToken, Offer, Reenrollment,
    RefusedRegistration, RegisterError, Spent, WaitingRequest, decide, subject_of,
};
use stratora_port::{Page, PageRequest, StoreError};
use uuid::Uuid;

use crate::Storage;
use crate::audit::AuditStatements as _;
use crate::changes::{ChangeStatements as _, Changed, Told};
use crate::components::{ComponentRow, ComponentStatements as _};
use crate::enrollment_rows::{EnrollmentStatements as _, NewTokenRow, RequestRow, TokenRow};
use crate::failure::{Failure, Violation, refused_on};
use crate::schema::{components, enrollment_requests, enrollment_tokens, enrollments};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::{count, overfull};
use crate::transaction::{with_change, with_read, with_tx};

/// What comes after the last of a page: its time and identifier.
fn key(at: Timestamp, id: impl std::fmt::Display) -> String {
    format!("{} {id}", at.as_micros())
}

fn read_key(key: &str) -> Option<(StoredTime, StoredId)> {
    let (at, id) = key.split_once(' ')?;
    Some((StoredTime(Timestamp::from_micros(at.parse().ok()?).ok()?), StoredId(Uuid::try_parse(id).ok()?)))
}

/// Where the page before ended. Whoever sends what is no key of ours is past the end.
fn after(page: &PageRequest) -> Option<(StoredTime, StoredId)> {
    let cursor = page.after.as_ref()?;
    Some(read_key(cursor.key()).unwrap_or((StoredTime(Timestamp::UNIX_EPOCH), StoredId(Uuid::nil()))))
}

fn refused(refused: RefusedRegistration) -> Failure<RegisterError> {
    Failure::Refused(refused.into())
}

#[async_trait]
impl EnrollmentStore for Storage {
    async fn create_token(&self, token: NewEnrollmentToken, event: Event) -> Result<(), StoreError> {
        with_tx!(self, |conn| {
            diesel::insert_into(enrollment_tokens::table).values(NewTokenRow::of(&token)).execute(conn).await?;
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn find_token(&self, id: EnrollmentTokenId) -> Result<Option<EnrollmentToken>, StoreError> {
        with_read!(self, |conn| {
            let row: Option<TokenRow> = enrollment_tokens::table
                .find(StoredId::from(id))
                .select(TokenRow::as_select())
                .get_result(conn)
                .await
                .optional()?;
            Ok(row.map(EnrollmentToken::try_from).transpose()?)
        })
    }

    async fn tokens(&self, page: &PageRequest) -> Result<Page<EnrollmentToken>, StoreError> {
        let (limit, after) = (page.limit, after(page));
        with_read!(self, |conn| {
            let mut query = enrollment_tokens::table.select(TokenRow::as_select()).into_boxed();
            if let Some((at, id)) = after {
                let earlier = enrollment_tokens::created_at.lt(at);
                query =
                    query.filter(earlier.or(enrollment_tokens::created_at.eq(at).and(enrollment_tokens::id.lt(id))));
            }
            let rows: Vec<TokenRow> = query
                .order((enrollment_tokens::created_at.desc(), enrollment_tokens::id.desc()))
                .limit(overfull(limit))
                .load(conn)
                .await?;
            let total: i64 = enrollment_tokens::table.select(count_star()).get_result(conn).await?;
            let found = rows.into_iter().map(EnrollmentToken::try_from).collect::<Result<Vec<_>, _>>()?;
            Ok(Page::from_overfull(found, limit, count(total)?, |token| key(token.created_at, token.id)))
        })
    }

    async fn delete_token(&self, id: EnrollmentTokenId, event: Event) -> Result<(), MissingToken> {
        with_tx!(self, |conn| {
            let deleted = diesel::delete(enrollment_tokens::table.find(StoredId::from(id))).execute(conn).await?;
            if deleted == 0 {
                return Err(Failure::Refused(MissingToken::Missing));
            }
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn register(
        &self,
        call: &Call,
        policy: EnrollmentPolicy,
        offer: Option<&Offer>,
    ) -> Result<Answer, RegisterError> {
        let (call, offer) = (call.clone(), offer.cloned());
        with_change!(self, |conn| {
            let situation = conn.situation(&call).await?;
            let decided = decide(&call, &situation, policy);
            let Some(token) = situation.token.as_ref().map(|token| token.id) else {
                return Err(refused(RefusedRegistration::UnknownToken));
            };
            let host = |id: ComponentId| situation.component(id).ok_or(Failure::Refused(RegisterError::Raced));
            let admission = match decided {
                Ok(admission) => admission,
                Err(RefusedRegistration::Exists { component, is_news }) => {
                    if is_news {
                        conn.write_request(component, &Reenrollment::of(&call, token)).await?;
                        conn.append(&call.refused(host(component)?)).await?;
                    }
                    return Ok(Changed::nothing(Answer::Exists { component }));
                }
                Err(reason) => return Err(refused(reason)),
            };
            let Some(offer) = &offer else { return Err(Failure::Refused(RegisterError::OfferNeeded)) };
            if !matches!(admission, Admission::Again { .. }) && !conn.count_use(token, call.at).await? {
                return Err(refused(RefusedRegistration::Spent(Spent::Used)));
            }
            let row: ComponentRow = match &admission {
                Admission::New { name, standing } => {
                    let inserted = conn.insert_newcomer(&call, name, *standing, offer).await;
                    refused_on(inserted, Violation::Unique, RegisterError::Raced)?
                }
                Admission::InPlace { component, .. } | Admission::Again { component, .. } => {
                    conn.replace_keys(host(*component)?, &call, admission.lets_in(), &offer.key).await?
                }
            };
            let component = Component::try_from(row)?;
            if matches!(admission, Admission::InPlace { .. }) {
                conn.forget_request(component.id).await?;
            }
            conn.remember_answer(&call, token, component.id, &admission, offer.key.id).await?;
            let issued = Some(CredentialTag::of(offer.key.digest.as_bytes()));
            let told = Told { subject: Some(subject_of(component.id)), issued };
            let event = call.admitted(&admission, &component, &offer.key.prefix);
            let change = conn.append_change(&event, told).await?;
            Ok(change.with(Answer::Admitted { admission, component: Box::new(component) }))
        })
    }

    async fn requests(&self, page: &PageRequest) -> Result<Page<WaitingRequest>, StoreError> {
        let (limit, after) = (page.limit, after(page));
        with_read!(self, |conn| {
            let mut query = enrollment_requests::table
                .inner_join(components::table)
                .select((ComponentRow::as_select(), RequestRow::as_select()))
                .into_boxed();
            if let Some((at, id)) = after {
                let same = enrollment_requests::requested_at.eq(at).and(enrollment_requests::component_id.lt(id));
                query = query.filter(enrollment_requests::requested_at.lt(at).or(same));
            }
            let rows: Vec<(ComponentRow, RequestRow)> = query
                .order((enrollment_requests::requested_at.desc(), enrollment_requests::component_id.desc()))
                .limit(overfull(limit))
                .load(conn)
                .await?;
            let total: i64 = enrollment_requests::table.select(count_star()).get_result(conn).await?;
            let mut found = Vec::with_capacity(rows.len());
            for (component, request) in rows {
                found.push(WaitingRequest { component: component.try_into()?, request: request.try_into()? });
            }
            Ok(Page::from_overfull(found, limit, count(total)?, |waiting| {
                key(waiting.request.requested_at, waiting.component.id)
            }))
        })
    }

    async fn approve_request(
        &self,
        component: ComponentId,
        requested_at: Option<Timestamp>,
        event: Event,
    ) -> Result<Component, ApproveRequestError> {
        with_tx!(self, |conn| {
            let row = conn.lock_component(component).await?.ok_or(Failure::Refused(ApproveRequestError::Missing))?;
            let waiting = conn.request_for(component).await?;
            let waiting = waiting.ok_or(Failure::Refused(ApproveRequestError::Missing))?;
            if requested_at.is_some_and(|at| at != waiting.requested_at) {
                return Err(Failure::Refused(ApproveRequestError::Changed));
            }
            diesel::update(enrollment_requests::table.find(StoredId::from(component)))
                .set(enrollment_requests::approved_at.eq(StoredTime(event.at)))
                .execute(conn)
                .await?;
            conn.append(&event).await?;
            Ok(Component::try_from(row)?)
        })
    }

    async fn dismiss_request(&self, component: ComponentId, event: Event) -> Result<(), MissingRequest> {
        with_tx!(self, |conn| {
            if !conn.forget_request(component).await? {
                return Err(Failure::Refused(MissingRequest::Missing));
            }
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        let before = StoredTime(before);
        with_tx!(self, |conn| {
            let is_used_up = enrollment_tokens::uses.nullable().ge(enrollment_tokens::max_uses);
            let was_used_up = is_used_up.and(enrollment_tokens::last_used_at.lt(before));
            let spent = enrollment_tokens::table.filter(enrollment_tokens::expires_at.lt(before).or(was_used_up));
            let purged = diesel::delete(spent).execute(conn).await?;
            diesel::delete(enrollment_requests::table.filter(enrollment_requests::requested_at.lt(before)))
                .execute(conn)
                .await?;
            diesel::delete(enrollments::table.filter(enrollments::at.lt(before))).execute(conn).await?;
            Ok(purged as u64)
        })
    }
}
