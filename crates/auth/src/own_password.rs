//! Changing one's own password.

use std::time::Duration;

use stratora_audit::{Action, Outcome};
use stratora_hashing::Busy;

use crate::Opening;
use crate::sign_in::verifies;
use crate::{
    Account, Admission, AuthSource, BrakeSubject, ChangePasswordError, ClientContext, LiveSession, Password,
    PasswordHash, RefusedPassword, SignedIn, Unavailable, Users,
};

/// One's own password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeOwnPasswordError {
    /// The present password is another.
    #[error("wrong password")]
    WrongPassword,
    /// Too many failures for this account.
    #[error("too many failed attempts")]
    Throttled {
        /// How long to wait. `None`: until a reset.
        retry_after: Option<Duration>,
    },
    /// The new password was refused.
    #[error(transparent)]
    Refused(#[from] RefusedPassword),
    /// Another system keeps this account's password.
    #[error("not a local account")]
    NotLocal,
    /// Too many passwords are being checked.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Something that is needed is not there.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl<E: Into<Unavailable>> From<E> for ChangeOwnPasswordError {
    fn from(error: E) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Users {
    /// Replaces one's own password. Every session of the user ends; a new one is opened for who asks.
    ///
    /// # Errors
    /// [`ChangeOwnPasswordError`] says why not.
    pub async fn change_own_password(
        &self,
        own: &LiveSession,
        current: Password,
        new: Password,
        client: &ClientContext,
    ) -> Result<SignedIn, ChangeOwnPasswordError> {
        if own.user.source != AuthSource::Local {
            return Err(ChangeOwnPasswordError::NotLocal);
        }
        let account = self.parts.accounts.find(own.user.id).await?.ok_or(ChangeOwnPasswordError::WrongPassword)?;
        let stored = account.password.clone().ok_or(ChangeOwnPasswordError::NotLocal)?;
        self.policy.check(&new, &account.username)?;
        if new.matches(&current) {
            return Err(RefusedPassword::Unchanged.into());
        }
        let (checking, hashing) = (self.parts.hashing.reserve()?, self.parts.hashing.reserve()?);
        let known = client.device.filter(|device| device.user == account.id);
        let subject = BrakeSubject { username: account.username.clone(), device: known.map(|device| device.device) };
        let now = self.parts.clock.now();
        if let Admission::Throttled { retry_after } = self.parts.brake.attempt(&subject, now).await? {
            let event = self.event(&client.origin, Action::AccountThrottle, &account).ended(Outcome::Denied);
            self.parts.audit.append(event).await?;
            return Err(ChangeOwnPasswordError::Throttled { retry_after });
        }
        if !verifies(checking, &current, &stored).await? {
            let event = self.event(&client.origin, Action::PasswordChange, &account).ended(Outcome::Failure);
            self.parts.audit.append(event.with("reason", "wrong_password")).await?;
            return Err(ChangeOwnPasswordError::WrongPassword);
        }
        self.parts.brake.clear(&account.username).await?;
        let hash = PasswordHash::from_bcrypt(hashing.hash(new.preimage()).await?);
        let changed =
            Account { password: Some(hash.clone()), must_change_password: false, password_expires_at: None, ..account };
        let entropy = self.parts.entropy.as_ref();
        let opening = Opening::prepare(entropy, self.parts.clock.now(), self.parts.timeouts, changed, client)?;
        let event = opening.event(client, Action::PasswordChange);
        let (id, session) = (own.user.id, opening.new_session());
        match self.parts.accounts.change_password(id, &stored, hash, session, event).await {
            Ok(()) => Ok(opening.signed_in()),
            Err(ChangePasswordError::Changed) => Err(ChangeOwnPasswordError::WrongPassword),
            Err(ChangePasswordError::Store(error)) => Err(error.into()),
        }
    }
}
