//! Configurations of components, and what the components say about them.

use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use stratora_audit::Event;
use stratora_keys::{ComponentId, ConfigStore, ETag, MissingComponent, Report, ReportStatus, StoredConfig, subject_of};
use stratora_port::StoreError;

use crate::Storage;
use crate::audit::AuditStatements as _;
use crate::changes::ChangeStatements as _;
use crate::failure::{Failure, Violation, refused_on};
use crate::schema::{component_configs, component_reports, components};
use crate::sql_types::{StoredId, StoredTime};
use crate::text::unreadable;
use crate::transaction::{with_change, with_lookup, with_read, with_tx};

pub(crate) fn etag(stored: &str) -> Result<ETag, StoreError> {
    ETag::parse(stored).ok_or_else(|| unreadable("entity tag"))
}

#[async_trait]
impl ConfigStore for Storage {
    async fn config(&self, component: ComponentId) -> Result<Option<StoredConfig>, StoreError> {
        with_lookup!(self, |conn| {
            let stored: Option<(String, Option<String>)> = component_configs::table
                .inner_join(components::table)
                .filter(component_configs::component_id.eq(StoredId::from(component)))
                .select((component_configs::body, components::config_etag))
                .get_result(conn)
                .await
                .optional()?;
            Ok(match stored {
                Some((body, Some(tag))) => Some(StoredConfig { body, etag: etag(&tag)? }),
                Some((_, None)) => return Err(unreadable("configuration without a tag").into()),
                None => None,
            })
        })
    }

    async fn put_config(
        &self,
        component: ComponentId,
        config: StoredConfig,
        event: Event,
    ) -> Result<(), MissingComponent> {
        with_change!(self, |conn| {
            let tagged = diesel::update(components::table.find(StoredId::from(component)))
                .set(components::config_etag.eq(config.etag.as_str()))
                .execute(conn)
                .await?;
            if tagged == 0 {
                return Err(Failure::Refused(MissingComponent::Missing));
            }
            let body = component_configs::body.eq(&config.body);
            diesel::insert_into(component_configs::table)
                .values((component_configs::component_id.eq(StoredId::from(component)), body))
                .on_conflict(component_configs::component_id)
                .do_update()
                .set(body)
                .execute(conn)
                .await?;
            let change = conn.append_change(&event, subject_of(component)).await?;
            Ok(change.with(()))
        })
    }

    async fn put_report(&self, component: ComponentId, report: Report, event: Event) -> Result<(), MissingComponent> {
        with_tx!(self, |conn| {
            let content = (
                component_reports::config_hash.eq(&report.config_hash),
                component_reports::status.eq(report.status.as_str()),
                component_reports::message.eq(&report.message),
                component_reports::at.eq(StoredTime::from(report.at)),
            );
            let put = diesel::insert_into(component_reports::table)
                .values((component_reports::component_id.eq(StoredId::from(component)), content))
                .on_conflict(component_reports::component_id)
                .do_update()
                .set(content)
                .execute(conn)
                .await;
            refused_on(put, Violation::Reference, MissingComponent::Missing)?;
            conn.append(&event).await?;
            Ok(())
        })
    }

    async fn report(&self, component: ComponentId) -> Result<Option<Report>, StoreError> {
        with_read!(self, |conn| {
            let stored: Option<(String, String, String, StoredTime)> = component_reports::table
                .find(StoredId::from(component))
                .select((
                    component_reports::config_hash,
                    component_reports::status,
                    component_reports::message,
                    component_reports::at,
                ))
                .get_result(conn)
                .await
                .optional()?;
            Ok(match stored {
                Some((config_hash, status, message, at)) => Some(Report {
                    config_hash,
                    status: ReportStatus::parse(&status).ok_or_else(|| unreadable("status of a report"))?,
                    message,
                    at: at.0,
                }),
                None => None,
            })
        })
    }
}
