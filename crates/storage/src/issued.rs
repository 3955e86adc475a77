//! Keeping it known which keys were issued, so that a guess costs no read.

use std::time::Duration;

use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use stratora_cache::CredentialTag;
use stratora_port::StoreError;
use tokio::time::sleep;

use crate::Storage;
use crate::schema::component_keys;
use crate::text::unreadable;
use crate::transaction::with_read;

/// How many keys are read at a time.
const PAGE: i64 = 10_000;
/// How soon it is noticed that keys may have been issued unheard.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Reads all keys at the start, and again whenever some may have been missed. Until then every key is looked up.
pub(crate) async fn keep_known(storage: Storage) {
    let coherence = storage.coherence();
    loop {
        if coherence.is_trusted()
            && !coherence.issued().is_complete()
            && let Err(error) = read_all(&storage).await
        {
            tracing::debug!(%error, "which keys were issued is not known; all are looked up");
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn read_all(storage: &Storage) -> Result<(), StoreError> {
    let coherence = storage.coherence();
    let reading = coherence.issued().begin_reading();
    let mut after = Vec::new();
    loop {
        let page = read_page(storage, after).await?;
        let Some(last) = page.last() else { break };
        after = last.to_vec();
        if !reading.add(page.iter().map(CredentialTag::of)) {
            return Ok(());
        }
    }
    reading.complete();
    Ok(())
}

/// The digests that follow `after`.
async fn read_page(storage: &Storage, after: Vec<u8>) -> Result<Vec<[u8; 32]>, StoreError> {
    with_read!(storage, |conn| {
        let digests: Vec<Vec<u8>> = component_keys::table
            .filter(component_keys::digest.gt(&after))
            .select(component_keys::digest)
            .order(component_keys::digest.asc())
            .limit(PAGE)
            .load(conn)
            .await?;
        digests.into_iter().map(|digest| digest.try_into().map_err(|_| unreadable("digest of a key").into())).collect()
    })
}
