//! What administrators do with providers.

use std::collections::BTreeSet;
use std::sync::Arc;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Event, Origin, Outcome, ResourceKind};
use stratora_auth::Role;
use stratora_clock::Timestamp;
use stratora_port::{Page, PageRequest, StoreError};
use stratora_token::{EntropyError, random_uuid};

use crate::client_secret::{open_secret, seal_secret};
use crate::federation::{FederationParts, NEEDS_HTTPS};
use crate::pin::pin;
use crate::policy::email;
use crate::{
    Algorithm, Attempt, AttemptFilter, ChangeProviderError, ClaimName, Claims, ClientAuth, ClientId, ClientSecret,
    Decision, Domain, Identity, Issuer, Policy, Probe, ProbeStep, Provider, ProviderId, ProviderName, ProviderSettings,
    RefusedIdentity, RefusedSetting, RoleDecision, RoleMapping, Scope,
};

/// How many providers there may be: more buttons than a sign-in page can show.
const MAX_PROVIDERS: usize = 50;

/// A provider as an administrator first describes it.
#[derive(Debug, Clone)]
pub struct NewProvider {
    /// What people call it.
    pub name: ProviderName,
    /// Who it is.
    pub issuer: Issuer,
    /// Who we are there.
    pub client_id: ClientId,
}

/// What an administrator says of a provider; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct ProviderUpdate {
    /// What people call it.
    pub name: Option<ProviderName>,
    /// Whether people can sign in through it.
    pub enabled: Option<bool>,
    /// Who it is.
    pub issuer: Option<Issuer>,
    /// Who we are there.
    pub client_id: Option<ClientId>,
    /// The client secret; `Some(None)` removes it.
    pub secret: Option<Option<ClientSecret>>,
    /// How we prove who we are.
    pub client_auth: Option<ClientAuth>,
    /// What is asked for.
    pub scopes: Option<Vec<Scope>>,
    /// With what ID tokens may be signed.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Where the groups are.
    pub groups_claim: Option<ClaimName>,
    /// Whether people who were never here get an account.
    pub auto_provision: Option<bool>,
    /// Whether an account may be found by a verified mail address.
    pub link_verified_email: Option<bool>,
    /// The domains for which its word about a mail address counts.
    pub verified_domains: Option<BTreeSet<Domain>>,
    /// What people are without a mapping.
    pub default_role: Option<Role>,
    /// What they are with one.
    pub role_mappings: Option<Vec<RoleMapping>>,
}

impl ProviderUpdate {
    /// Sets all but the secret.
    fn apply(self, provider: &mut Provider) -> Result<(), RefusedSetting> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut provider.name, self.name);
        set(&mut provider.enabled, self.enabled);
        let settings = &mut provider.settings;
        set(&mut settings.issuer, self.issuer);
        set(&mut settings.client_id, self.client_id);
        set(&mut settings.client_auth, self.client_auth);
        set(&mut settings.groups_claim, self.groups_claim);
        self.scopes.map_or(Ok(()), |scopes| settings.set_scopes(scopes))?;
        self.algorithms.map_or(Ok(()), |algorithms| settings.set_algorithms(algorithms))?;
        let policy = &mut provider.policy;
        set(&mut policy.auto_provision, self.auto_provision);
        set(&mut policy.link_verified_email, self.link_verified_email);
        set(&mut policy.default_role, self.default_role);
        self.verified_domains.map_or(Ok(()), |domains| policy.set_verified_domains(domains))?;
        self.role_mappings.map_or(Ok(()), |mappings| policy.set_role_mappings(mappings))
    }
}

/// What was asked for a provider was not done.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// There is none.
    #[error("no such provider")]
    Missing,
    /// Another one is called so.
    #[error("the name is taken")]
    NameTaken,
    /// Others changed it at the same time, again and again.
    #[error("the provider changed meanwhile")]
    Changed,
    /// A setting does not go with the others.
    #[error(transparent)]
    Setting(#[from] RefusedSetting),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl From<ChangeProviderError> for ProviderError {
    fn from(error: ChangeProviderError) -> Self {
        match error {
            ChangeProviderError::Missing => Self::Missing,
            ChangeProviderError::NameTaken => Self::NameTaken,
            ChangeProviderError::Changed => Self::Changed,
            ChangeProviderError::Store(error) => Self::Store(error),
        }
    }
}

/// What would become of somebody with certain claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// Their role.
    pub role: RoleDecision,
    /// `sign_in`, `link`, `provision` or why they are refused.
    pub decision: &'static str,
    /// The account, or the name that it would get.
    pub username: Option<String>,
}

/// Looks after providers.
pub struct Providers(pub(crate) Arc<FederationParts>);

impl Providers {
    /// Looks after providers with the parts that people are signed in with.
    pub fn new(parts: FederationParts) -> Self {
        Self(Arc::new(parts))
    }

    /// All, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn all(&self) -> Result<Vec<Provider>, StoreError> {
        self.0.providers.all().await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`ProviderError`] when there is none, or the store fails.
    pub async fn find(&self, id: ProviderId) -> Result<Provider, ProviderError> {
        self.0.providers.find(id).await?.ok_or(ProviderError::Missing)
    }

    /// Sets one up.
    ///
    /// # Errors
    /// [`ProviderError`] says why not.
    pub async fn create(
        &self,
        new: NewProvider,
        update: ProviderUpdate,
        origin: &Origin,
    ) -> Result<Provider, ProviderError> {
        if self.0.providers.all().await?.len() >= MAX_PROVIDERS {
            return Err(RefusedSetting { field: "name", must: "must be one of at most 50 providers" }.into());
        }
        let blank = Provider {
            id: TypedUuid::from_untyped_uuid(random_uuid(self.0.entropy.as_ref())?),
            name: new.name,
            enabled: true,
            settings: ProviderSettings::new(new.issuer, new.client_id),
            policy: Policy::default(),
            secret: None,
            created_at: self.now(),
        };
        let provider = self.updated(&blank, update)?;
        let event = self.event(origin, Action::ProviderCreate, &provider);
        self.0.providers.create(provider.clone(), event).await?;
        Ok(provider)
    }

    /// Changes one. What is pinned of another issuer is forgotten.
    ///
    /// # Errors
    /// [`ProviderError`] says why not.
    pub async fn update(
        &self,
        id: ProviderId,
        update: ProviderUpdate,
        origin: &Origin,
    ) -> Result<Provider, ProviderError> {
        let before = self.find(id).await?;
        let after = self.updated(&before, update)?;
        let event =
            self.event(origin, Action::ProviderUpdate, &after).with("changed", changed(&before, &after).join(" "));
        let event = event.with("default_role", after.policy.default_role.as_str());
        self.0.providers.replace(&before, after.clone(), event).await?;
        self.0.relying_party.forget(id);
        Ok(after)
    }

    fn updated(&self, before: &Provider, mut update: ProviderUpdate) -> Result<Provider, ProviderError> {
        let secret = update.secret.take();
        let mut provider = before.clone();
        update.apply(&mut provider)?;
        let is_another = provider.settings.issuer != before.settings.issuer;
        if is_another {
            provider.settings.endpoints = None;
        }
        match secret {
            Some(secret) => {
                provider.secret = secret.map(|secret| seal_secret(&self.0, before.id, &secret)).transpose()?;
            }
            // It is the secret of another provider, which must not get to see it.
            None if is_another && provider.secret.is_some() => {
                let must = "must be given anew, because the issuer changes";
                return Err(RefusedSetting { field: "client_secret", must }.into());
            }
            None => {}
        }
        check(&provider.settings, provider.secret.is_some())?;
        if provider.policy.auto_provision && provider.policy.default_role == Role::Admin {
            let must = "must not be admin while auto_provision is on: everybody at the provider would be one";
            return Err(RefusedSetting { field: "default_role", must }.into());
        }
        Ok(provider)
    }

    /// Deletes one. Sessions that came from it end; accounts stay.
    ///
    /// # Errors
    /// [`ProviderError`] when there is none, or the store fails.
    pub async fn delete(&self, id: ProviderId, origin: &Origin) -> Result<(), ProviderError> {
        let provider = self.find(id).await?;
        self.0.providers.delete(id, self.event(origin, Action::ProviderDelete, &provider)).await?;
        self.0.relying_party.forget(id);
        Ok(())
    }

    /// Looks whether one can be used.
    ///
    /// # Errors
    /// [`ProviderError`] when there is none, or the store fails.
    pub async fn test(&self, id: ProviderId, origin: &Origin) -> Result<Probe, ProviderError> {
        let provider = self.find(id).await?;
        let probe = match open_secret(&self.0.sealing, &provider) {
            Ok(secret) => self.probe(&provider, secret.as_ref(), origin).await?,
            Err(advice) => Probe { steps: vec![ProbeStep::failed("client_secret", advice)], endpoints: None },
        };
        let outcome = if probe.is_good() { Outcome::Success } else { Outcome::Failure };
        let event = self.event(origin, Action::ProviderTest, &provider).ended(outcome);
        self.0.attempts.note(event).await?;
        Ok(probe)
    }

    /// Looks, and pins what is found if all is well: an administrator who tests a provider takes it as it is now.
    async fn probe(
        &self,
        provider: &Provider,
        secret: Option<&ClientSecret>,
        origin: &Origin,
    ) -> Result<Probe, StoreError> {
        let mut probe = self.0.relying_party.probe(provider, secret).await;
        if let (true, Some(endpoints)) = (probe.is_good(), probe.endpoints.clone()) {
            match pin(&self.0, provider, endpoints, origin).await? {
                // A secret is shown at pinned endpoints only: whether it is right can be seen now.
                Ok(pinned) if pinned != *provider => probe = self.0.relying_party.probe(&pinned, secret).await,
                Ok(_) => {}
                Err(advice) => probe.steps.push(ProbeStep::failed("endpoints", advice)),
            }
        }
        if !self.0.keeps_cookies {
            probe.steps.push(ProbeStep::failed("external_url", NEEDS_HTTPS));
        }
        Ok(probe)
    }

    /// Writes down that the directory was tested.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn directory_was_tested(&self, is_good: bool, origin: &Origin) -> Result<(), StoreError> {
        let outcome = if is_good { Outcome::Success } else { Outcome::Failure };
        let event = origin.event(self.now(), Action::ProviderTest).on(ResourceKind::Provider, None, "LDAP");
        self.0.attempts.note(event.ended(outcome)).await
    }

    /// Says what would become of somebody with these claims, and does nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn dry_run(&self, provider: &Provider, claims: &Claims) -> Result<DryRun, StoreError> {
        let identity = Identity {
            provider: provider.id,
            issuer: provider.settings.issuer.to_string(),
            subject: claims.subject.clone(),
        };
        let known = self.0.identities.account_of(&identity).await?;
        let same_email = match email(claims) {
            Some(email) if provider.policy.may_link(claims) => {
                self.0.identities.accounts_with_email(email.as_str()).await?
            }
            _ => Vec::new(),
        };
        let role = provider.policy.role(&claims.groups);
        let (decision, username) = match provider.policy.decide(claims, known.as_ref(), &same_email) {
            Decision::Known(_) => ("sign_in", known.map(|account| account.username)),
            Decision::Link(_) => ("link", same_email.into_iter().next().map(|account| account.username)),
            Decision::Provision(names) => {
                let mut free = None;
                for name in names {
                    if !self.0.identities.is_taken(&name).await? {
                        free = Some(name);
                        break;
                    }
                }
                (if free.is_some() { "provision" } else { "not_provisioned" }, free)
            }
            Decision::Refuse(RefusedIdentity::Inactive) => ("account_inactive", known.map(|account| account.username)),
            Decision::Refuse(RefusedIdentity::NotProvisioned) => ("not_provisioned", None),
        };
        Ok(DryRun { role, decision, username: username.map(|username| username.to_string()) })
    }

    /// The records of sign-ins that match, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn attempts(&self, filter: &AttemptFilter, page: &PageRequest) -> Result<Page<Attempt>, StoreError> {
        self.0.attempts.attempts(filter, page).await
    }

    fn event(&self, origin: &Origin, action: Action, provider: &Provider) -> Event {
        event(origin, self.now(), action, provider)
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

/// What has changed, in the words of the API.
fn changed(before: &Provider, after: &Provider) -> Vec<&'static str> {
    let (old, new) = (&before.settings, &after.settings);
    let (was, is) = (&before.policy, &after.policy);
    [
        ("name", before.name != after.name),
        ("enabled", before.enabled != after.enabled),
        ("issuer", old.issuer != new.issuer),
        ("client_id", old.client_id != new.client_id),
        ("client_secret", before.secret != after.secret),
        ("token_endpoint_auth_method", old.client_auth != new.client_auth),
        ("scopes", old.scopes != new.scopes),
        ("id_token_signing_algs", old.algorithms != new.algorithms),
        ("groups_claim", old.groups_claim != new.groups_claim),
        ("auto_provision", was.auto_provision != is.auto_provision),
        ("link_verified_email", was.link_verified_email != is.link_verified_email),
        ("verified_domains", was.verified_domains != is.verified_domains),
        ("default_role", was.default_role != is.default_role),
        ("role_mappings", was.role_mappings != is.role_mappings),
    ]
    .into_iter()
    .filter_map(|(name, has_changed)| has_changed.then_some(name))
    .collect()
}

/// Whoever has a secret proves itself with it, and a public client has none.
fn check(settings: &ProviderSettings, has_secret: bool) -> Result<(), RefusedSetting> {
    let must = match (settings.client_auth, has_secret) {
        (ClientAuth::None, true) => "must be left out where token_endpoint_auth_method is none",
        (ClientAuth::Basic | ClientAuth::Post, false) => "must be given unless token_endpoint_auth_method is none",
        _ => return Ok(()),
    };
    Err(RefusedSetting { field: "client_secret", must })
}

pub(crate) fn event(origin: &Origin, now: Timestamp, action: Action, provider: &Provider) -> Event {
    let id = Some(provider.id.into_untyped_uuid());
    let event = origin.event(now, action).on(ResourceKind::Provider, id, provider.name.as_str());
    event.with("issuer", provider.settings.issuer.as_str()).with("enabled", provider.enabled.to_string())
}
