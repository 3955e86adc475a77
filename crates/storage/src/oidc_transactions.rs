//! Sign-ins through providers that are on their way.

use async_trait::async_trait;
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use stratora_clock::Timestamp;
use stratora_federation::{StoredTransaction, TransactionStore};
use stratora_port::StoreError;
use stratora_sealing::Sealed;
use stratora_token::Digest;

use crate::Storage;
use crate::schema::oidc_transactions;
use crate::sql_types::{StoredId, StoredTime};
use crate::transaction::with_tx;

#[async_trait]
impl TransactionStore for Storage {
    async fn begin(&self, transaction: StoredTransaction) -> Result<(), StoreError> {
        with_tx!(self, |conn| {
            diesel::insert_into(oidc_transactions::table)
                .values((
                    oidc_transactions::state.eq(&transaction.state.as_bytes()[..]),
                    oidc_transactions::provider_id.eq(StoredId::from(transaction.provider)),
                    oidc_transactions::binding.eq(&transaction.binding.as_bytes()[..]),
                    oidc_transactions::secrets.eq(transaction.secrets.to_bytes()),
                    oidc_transactions::created_at.eq(StoredTime::from(transaction.created_at)),
                ))
                .execute(conn)
                .await?;
            Ok(())
        })
    }

    async fn consume(&self, state: &Digest) -> Result<Option<StoredTransaction>, StoreError> {
        let state = *state;
        with_tx!(self, |conn| {
            let row: Option<(StoredId, Vec<u8>, Vec<u8>, StoredTime)> =
                diesel::delete(oidc_transactions::table.find(&state.as_bytes()[..]))
                    .returning((
                        oidc_transactions::provider_id,
                        oidc_transactions::binding,
                        oidc_transactions::secrets,
                        oidc_transactions::created_at,
                    ))
                    .get_result(conn)
                    .await
                    .optional()?;
            let Some((provider, binding, secrets, created_at)) = row else { return Ok(None) };
            let binding = <[u8; 32]>::try_from(binding).map_err(|_| StoreError::corrupt("binding", "not a digest"))?;
            Ok(Some(StoredTransaction {
                state,
                provider: provider.typed(),
                binding: Digest::from_bytes(binding),
                secrets: Sealed::from_bytes(&secrets).map_err(|error| StoreError::corrupt("transaction", error))?,
                created_at: created_at.0,
            }))
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, StoreError> {
        with_tx!(self, |conn| {
            let over = oidc_transactions::table.filter(oidc_transactions::created_at.lt(StoredTime::from(before)));
            Ok(diesel::delete(over).execute(conn).await? as u64)
        })
    }
}
