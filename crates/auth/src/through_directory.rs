//! Signing in with a password that a directory keeps. Whoever has a local account never comes here, so that neither store
//! answers for the other.

use newtype_uuid::{GenericUuid as _, TypedUuid};
use stratora_audit::{Action, Actor, Origin, Outcome, ResourceKind};
use stratora_hashing::Permit;
use stratora_token::{EntropyError, random_uuid};

use crate::sign_in::failure;
use crate::{
    Account, AuthSource, BrakeSubject, ClientContext, Directory, DirectoryPerson, DirectorySignIn, NewAccount,
    OpenSessionError, Opening, Password, SignIn, SignInError, SignedIn, Username,
};

/// Somebody who tries to sign in, counted against the brake already.
pub(crate) struct Attempt<'a> {
    pub(crate) account: Option<Account>,
    pub(crate) subject: BrakeSubject,
    pub(crate) password: Password,
    pub(crate) client: &'a ClientContext,
}

/// Whether the directory is to be asked: nobody has the name yet, or it is the directory's.
pub(crate) fn is_for_directory(account: Option<&Account>) -> bool {
    account.is_none_or(|account| account.source == AuthSource::Ldap && account.active)
}

impl SignIn {
    /// Opens a session for whoever the directory says has that password.
    pub(crate) async fn with_directory(
        &self,
        directory: &dyn Directory,
        permit: Permit,
        attempt: Attempt<'_>,
    ) -> Result<SignedIn, SignInError> {
        let Attempt { account, subject, password, client } = attempt;
        // A hash is computed beside, so that a name which only the directory could know takes as long as a local one, and so
        // that the hashing pool bounds how many ask the directory at once.
        let dummy = permit.verify(password.preimage(), self.0.hashing.dummy().clone());
        let (answer, dummy) = tokio::join!(directory.verify(&subject.username, &password), dummy);
        dummy?;
        let refused = match answer {
            Ok(Some(person)) => return self.open_from_directory(person, account, &subject, client).await,
            Ok(None) => ("wrong_password", SignInError::InvalidCredentials),
            Err(unavailable) => {
                tracing::warn!(advice = %unavailable, "the directory cannot be asked");
                ("directory_unavailable", unavailable.into())
            }
        };
        self.refuse(refused.0, account.as_ref(), &subject.username, client).await?;
        Err(refused.1)
    }

    async fn open_from_directory(
        &self,
        person: DirectoryPerson,
        account: Option<Account>,
        subject: &BrakeSubject,
        client: &ClientContext,
    ) -> Result<SignedIn, SignInError> {
        let entropy = self.0.entropy.as_ref();
        let made = match account {
            Some(_) => None,
            None => Some(self.new_account(subject.username.clone(), &person)?),
        };
        let (display_name, email) = (person.display_name.clone(), person.email.clone());
        let known = account.map(|account| Account { role: person.role, display_name, email, ..account });
        let Some(account) = known.or_else(|| made.clone().map(Account::from)) else {
            return Err(SignInError::InvalidCredentials);
        };
        let opening = Opening::prepare(entropy, self.0.clock.now(), self.0.timeouts, account, client)?;
        let (session, role) = (opening.new_session(), person.role.as_str());
        let event = opening.event(client, Action::SignIn).with("method", "ldap").with("role", role);
        let made = made.map(|account| {
            let origin = Origin { actor: Actor::system(), ..client.origin.clone() };
            let event = origin.event(session.created_at, Action::UserCreate);
            let id = Some(account.id.into_untyped_uuid());
            let event = event.on(ResourceKind::User, id, account.username.as_str());
            (account, event.with("method", "ldap").with("role", role))
        });
        let username = subject.username.clone();
        match self.0.sessions.open_from_directory(DirectorySignIn { session, person, made, event }, subject).await {
            Ok(()) => Ok(opening.signed_in()),
            Err(OpenSessionError::AccountChanged) => {
                self.refuse("account_changed", Some(opening.account()), &username, client).await?;
                Err(SignInError::InvalidCredentials)
            }
            Err(OpenSessionError::Store(error)) => Err(error.into()),
        }
    }

    fn new_account(&self, username: Username, person: &DirectoryPerson) -> Result<NewAccount, EntropyError> {
        Ok(NewAccount {
            id: TypedUuid::from_untyped_uuid(random_uuid(self.0.entropy.as_ref())?),
            username,
            display_name: person.display_name.clone(),
            email: person.email.clone(),
            role: person.role,
            source: AuthSource::Ldap,
            password: None,
            built_in: false,
            created_at: self.0.clock.now(),
        })
    }

    async fn refuse(
        &self,
        reason: &'static str,
        account: Option<&Account>,
        username: &Username,
        client: &ClientContext,
    ) -> Result<(), SignInError> {
        let event = failure(client, self.0.clock.now(), Action::SignIn, username, account);
        let event = event.ended(Outcome::Failure).with("method", "ldap").with("reason", reason);
        Ok(self.0.audit.append(event).await.map(drop)?)
    }
}
