//! What is done for the fleet in the background: its rotations go on, and its components are counted for the figures.

use std::time::Duration;

use metrics::gauge;
use stratora_keys::{ComponentFilter, Status};
use stratora_port::{Limit, PageRequest, StoreError};

use crate::compose::Core;

/// How often it is looked whether a rotation of the fleet has something to do: one read of one row, mostly.
const STEP: Duration = Duration::from_secs(2);
/// How often components are counted: as long as one has to be silent before it counts as offline.
const COUNT: Duration = Status::OFFLINE_AFTER;

/// Goes on for as long as the server does.
pub async fn look_after(core: Core) {
    let mut step = tokio::time::interval(STEP);
    let mut count = tokio::time::interval(COUNT);
    loop {
        tokio::select! {
            _ = step.tick() => {
                if let Err(error) = core.services.fleet_rotations.step().await {
                    tracing::warn!(%error, "the rotation of the fleet will go on later");
                }
            }
            _ = count.tick() => {
                if let Err(error) = count_components(&core).await {
                    tracing::debug!(%error, "components will be counted later");
                }
            }
        }
    }
}

async fn count_components(core: &Core) -> Result<(), StoreError> {
    let one = PageRequest { limit: Limit::new(1).unwrap_or_default(), after: None };
    for status in [Status::Pending, Status::Active, Status::Offline, Status::Revoked] {
        let filter = ComponentFilter { status: Some(status), ..ComponentFilter::default() };
        let total = core.services.keys.page(&filter, &one).await?.total;
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 components")]
        gauge!("components", "status" => status.as_str()).set(total as f64);
    }
    Ok(())
}
