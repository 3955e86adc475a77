//! Who else vouches for people: identity providers and the directory, connected.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use stratora_api::DirectoryTest;
use stratora_auth::{Password, SessionTimeouts, Username};
use stratora_clock::Clock;
use stratora_federation::FederationParts;
use stratora_ldap::LdapDirectory;
use stratora_oidc::{OpenIdConnect, OpenIdConnectParts};
use stratora_sealing::{Keyring, SealingKeys};
use stratora_storage::Storage;
use stratora_token::Entropy;
use stratora_wire as wire;

use crate::key_file;
use crate::settings::Settings;

/// What signing in through providers needs.
pub(crate) fn federation(
    settings: &Settings,
    storage: &Storage,
    sealing: SealingKeys,
    entropy: Arc<dyn Entropy>,
    timeouts: SessionTimeouts,
) -> anyhow::Result<FederationParts> {
    let origin = settings.external_origin()?;
    let clock: Arc<dyn Clock> = storage.clock();
    let store = Arc::new(storage.clone());
    let relying_party = OpenIdConnect::new(OpenIdConnectParts {
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        redirect_uri: format!("{}/api/v1/auth/oidc/callback", origin.as_str()),
        post_logout_redirect_uri: format!("{}/login", origin.as_str()),
        policy: settings.oidc.policy()?,
    });
    Ok(FederationParts {
        providers: store.clone(),
        transactions: store.clone(),
        identities: store.clone(),
        attempts: store,
        relying_party: Arc::new(relying_party.context("oidc")?),
        sealing: Arc::new(keyring(sealing, settings.security.key_file.clone())),
        clock,
        entropy,
        timeouts,
        keeps_cookies: origin.keeps_cookies(),
    })
}

fn keyring(keys: SealingKeys, file: PathBuf) -> Keyring {
    Keyring::new(keys, move || match key_file::load(&file) {
        Ok(keys) => Some(keys.sealing),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the key file does not read");
            None
        }
    })
}

/// An administrator's test of the directory.
pub(crate) struct Tested(pub(crate) Arc<LdapDirectory>);

#[async_trait]
impl DirectoryTest for Tested {
    async fn test(&self, somebody: Option<(&Username, &Password)>) -> wire::DirectoryTest {
        let probe = self.0.probe(somebody).await;
        let ok = probe.is_good();
        let mut steps: Vec<_> = probe
            .steps
            .into_iter()
            .map(|step| wire::TestStep { check: step.check.to_owned(), ok: step.advice.is_none(), advice: step.advice })
            .collect();
        if !probe.is_encrypted {
            let advice = "passwords go to the directory unencrypted: use ldaps:// or ldap.start_tls";
            steps.push(wire::TestStep { check: "encryption".to_owned(), ok: true, advice: Some(advice.to_owned()) });
        }
        let (groups, role, role_mapped_by) = probe.person.map_or((Vec::new(), None, None), |person| {
            (person.groups, Some(person.role.to_string()), person.decided_by)
        });
        wire::DirectoryTest { ok, steps, groups, role, role_mapped_by }
    }
}
