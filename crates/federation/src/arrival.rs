//! The arrival of somebody whom a provider vouches for: which account is theirs, and the session that is opened for them.

use std::borrow::Cow;
use std::time::Duration;

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Actor, Event, Origin, ResourceKind};
use stratora_auth::{Account, AuthSource, ClientContext, DisplayName, NewAccount, Opening, Role, SignedIn, Username};
use stratora_clock::Timestamp;
use stratora_token::{EntropyError, random_uuid};

use crate::course::{Course, Halt};
use crate::policy::email;
use crate::{
    Attempt, Claims, Decision, Entry, FederatedSignIn, FederatedSignInError, Federation, Identity, Provider, Reference,
    RefusedCode, RefusedIdentity, RoleDecision, SessionOrigin, Step, Verified,
};

/// How long the browser has to use a delivered token: it does so as soon as the page has loaded.
const CONFIRM_WITHIN: Duration = Duration::from_mins(1);
/// How often a sign-in is decided anew after something changed meanwhile.
const TRIES: usize = 3;

impl Federation {
    /// Decides what becomes of somebody who is proved, and does it.
    pub(crate) async fn let_in(
        &self,
        provider: &Provider,
        verified: Verified,
        course: &mut Course<'_>,
    ) -> Result<SignedIn, Halt> {
        let Verified { claims, sid } = verified;
        let identity = Identity {
            provider: provider.id,
            issuer: provider.settings.issuer.to_string(),
            subject: claims.subject.clone(),
        };
        let (mut provider, mut tries, mut was_known) = (provider.clone(), 0, false);
        loop {
            tries += 1;
            let role = provider.policy.role(&claims.groups);
            let (entry, account) = self.decide(&provider, &identity, &claims, role.role, course).await?;
            let is_known = matches!(entry, Entry::Known(_));
            if was_known && !is_known {
                let note = "the account was deleted at this moment";
                return Err(course.end("account", note, RefusedCode::AccountInactive));
            }
            was_known |= is_known;
            let opening = Opening::prepare(
                self.parts.entropy.as_ref(),
                self.parts.clock.now(),
                self.parts.timeouts,
                account,
                course.client,
            )?;
            let origin = SessionOrigin { identity: identity.clone(), sid: sid.clone() };
            let sign_in = self.plan(&provider, &opening, (entry, role), &claims, origin, course)?;
            match self.parts.identities.sign_in(sign_in).await {
                Ok(()) => return Ok(opening.signed_in()),
                Err(FederatedSignInError::Changed | FederatedSignInError::NameTaken) if tries < TRIES => {
                    provider = self.unmoved(&provider, course).await?;
                }
                Err(FederatedSignInError::Changed | FederatedSignInError::NameTaken) => {
                    let note = "the account changed meanwhile";
                    return Err(course.end("account", note, RefusedCode::AccountInactive));
                }
                Err(FederatedSignInError::Store(error)) => return Err(error.into()),
            }
        }
    }

    /// The provider as it is now, if it still is the one that has vouched.
    async fn unmoved(&self, before: &Provider, course: &mut Course<'_>) -> Result<Provider, Halt> {
        let now = self.usable(Some(before.id), course).await?;
        let names = |provider: &Provider| (provider.settings.issuer.clone(), provider.settings.client_id.clone());
        if names(&now) == names(before) {
            Ok(now)
        } else {
            let note = "it became another provider while somebody signed in";
            Err(course.end("provider", note, RefusedCode::ProviderUnknown))
        }
    }

    async fn decide(
        &self,
        provider: &Provider,
        identity: &Identity,
        claims: &Claims,
        role: Role,
        course: &mut Course<'_>,
    ) -> Result<(Entry, Account), Halt> {
        let known = self.parts.identities.account_of(identity).await?;
        let same_email = match email(claims) {
            Some(email) if known.is_none() && provider.policy.may_link(claims) => {
                self.parts.identities.accounts_with_email(email.as_str()).await?
            }
            _ => Vec::new(),
        };
        match provider.policy.decide(claims, known.as_ref(), &same_email) {
            Decision::Known(id) => match known.filter(|account| account.id == id) {
                Some(account) => Ok((Entry::Known(id), Account { role, ..account })),
                None => Err(course.end("account", "the account changed meanwhile", RefusedCode::AccountInactive)),
            },
            Decision::Link(id) => match same_email.into_iter().find(|account| account.id == id) {
                Some(account) => Ok((Entry::Link(id), Account { role, ..account })),
                None => Err(course.end("account", "the account changed meanwhile", RefusedCode::AccountInactive)),
            },
            Decision::Provision(names) => {
                for username in names {
                    if !self.parts.identities.is_taken(&username).await? {
                        let new = self.new_account(username, claims, role)?;
                        return Ok((Entry::Provision(new.clone()), new.into()));
                    }
                }
                let note = "every name that was tried is taken: let the provider send another preferred_username";
                Err(course.end("account", note, RefusedCode::NotProvisioned))
            }
            Decision::Refuse(refused) => {
                let code = match refused {
                    RefusedIdentity::Inactive => RefusedCode::AccountInactive,
                    RefusedIdentity::NotProvisioned => RefusedCode::NotProvisioned,
                };
                Err(course.end("account", refused.to_string(), code))
            }
        }
    }

    fn new_account(&self, username: Username, claims: &Claims, role: Role) -> Result<NewAccount, EntropyError> {
        Ok(NewAccount {
            id: TypedUuid::from_untyped_uuid(random_uuid(self.parts.entropy.as_ref())?),
            username,
            display_name: display_name(claims),
            email: email(claims).map(|email| email.to_string()),
            role,
            source: AuthSource::Oidc,
            password: None,
            built_in: false,
            created_at: self.parts.clock.now(),
        })
    }

    fn plan(
        &self,
        provider: &Provider,
        opening: &Opening,
        (entry, role): (Entry, RoleDecision),
        claims: &Claims,
        origin: SessionOrigin,
        course: &Course<'_>,
    ) -> Result<FederatedSignIn, Halt> {
        let account = opening.account();
        let (how, made) = match &entry {
            Entry::Known(_) => ("known", None),
            Entry::Link(_) => ("linked by its verified mail address", Some(Action::IdentityLink)),
            Entry::Provision(_) => ("new", Some(Action::UserCreate)),
        };
        let by = role.by.map_or_else(|| "by default".to_owned(), |_| "by a group".to_owned());
        let mut steps = course.steps.clone();
        steps.push(Step::passed("account").noting(how));
        steps.push(Step::passed("role").noting(format!("{}, {by}", role.role.as_str())));
        let now = self.parts.clock.now();
        let reference = Reference::generate(self.parts.entropy.as_ref())?;
        let name = provider.name.to_string();
        let about = |event: Event| {
            event.with("method", "oidc").with("provider", name.clone()).with("reference", reference.as_str())
        };
        let made = made.map(|action| {
            let id = Some(account.id.into_untyped_uuid());
            let event = system_event(course.client, now, action).on(ResourceKind::User, id, account.username.as_str());
            about(event.with("role", role.role.as_str()))
        });
        let event = about(opening.event(course.client, Action::SignIn).with("role", role.role.as_str()));
        let mut session = opening.new_session();
        session.confirm_by = Some(session.created_at.plus(CONFIRM_WITHIN));
        let (name, address) = (display_name(claims), email(claims).map(|email| email.to_string()));
        let counts = provider.policy.vouches_for(claims);
        // What describes an account of a directory is the directory's word, by which others may find it.
        let describes = account.source == AuthSource::Oidc;
        Ok(FederatedSignIn {
            provider: provider.clone(),
            entry,
            role: role.role,
            display_name: if describes && !name.is_empty() { name } else { account.display_name.clone() },
            verified_email: address.clone().filter(|_| counts),
            email: address.filter(|_| describes).or_else(|| account.email.clone()),
            session,
            origin,
            attempt: Attempt {
                reference: reference.clone(),
                provider: Some((provider.id, provider.name.clone())),
                at: now,
                client: course.client.origin.client,
                code: Cow::Borrowed("signed_in"),
                username: Some(account.username.to_string()),
                steps,
            },
            made,
            event,
        })
    }
}

fn system_event(client: &ClientContext, now: Timestamp, action: Action) -> Event {
    let origin = Origin { actor: Actor::system(), ..client.origin.clone() };
    origin.event(now, action)
}

/// The name that the provider says, if it can be shown.
fn display_name(claims: &Claims) -> String {
    let name = claims.name.as_deref().and_then(|name| DisplayName::parse(name).ok());
    name.map(|name| name.as_str().to_owned()).unwrap_or_default()
}
