//! The closed list of what is written down. Names are stable: they are stored, filtered by and hashed.

use std::fmt;
use std::str::FromStr;

/// The name is not one of [`Action::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown audit action")]
pub struct UnknownAction;

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// Something that happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])* $variant,)+ }

        impl Action {
            /// Every action there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name, `subject.verb`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl FromStr for Action {
            type Err = UnknownAction;

            fn from_str(name: &str) -> Result<Self, UnknownAction> {
                match name { $($name => Ok(Self::$variant),)+ _ => Err(UnknownAction) }
            }
        }
    };
}

actions! {
    /// A sign-in, with a password or through a provider; the outcome tells whether it succeeded.
    SignIn = "session.sign_in",
    /// The token of a sign-in through a provider was used in the browser that it was sent to.
    SessionConfirm = "session.confirm",
    /// A holder ended the session it spoke with.
    SignOut = "session.sign_out",
    /// A session was ended from another one.
    SessionEnd = "session.end",
    /// All of a user's sessions, or all but one, were ended.
    SessionEndAll = "session.end_all",
    /// A sign-in was refused because of too many failures for the account.
    AccountThrottle = "account.throttle",
    /// A user changed their own password.
    PasswordChange = "password.change",
    /// An administrator or the command line gave a user a one-time password.
    PasswordReset = "password.reset",
    /// A user was created.
    UserCreate = "user.create",
    /// A user's name, mail address, role or activity was changed.
    UserUpdate = "user.update",
    /// A user was deleted.
    UserDelete = "user.delete",
    /// A user was taken over from another installation.
    UserImport = "user.import",
    /// An identity at a provider came to an account that was there.
    IdentityLink = "identity.link",
    /// An identity provider was set up.
    ProviderCreate = "provider.create",
    /// An identity provider was changed.
    ProviderUpdate = "provider.update",
    /// From now on an identity provider is spoken to where its metadata says.
    ProviderPin = "provider.pin",
    /// An identity provider was deleted.
    ProviderDelete = "provider.delete",
    /// An identity provider was tested, or what it would do to somebody.
    ProviderTest = "provider.test",
    /// A component and its first key were created.
    ComponentCreate = "component.create",
    /// A component's name or host name was changed.
    ComponentUpdate = "component.update",
    /// A pending component was let in.
    ComponentApprove = "component.approve",
    /// A component was given a new key.
    ComponentRotate = "component.rotate",
    /// A component was asked to rotate its key.
    RotationRequest = "component.request_rotation",
    /// A rotation of the whole fleet was begun.
    FleetRotationStart = "fleet.rotate",
    /// A rotation of the whole fleet ended: by itself, or because somebody ended it.
    FleetRotationEnd = "fleet.end_rotation",
    /// A component's keys were ended.
    ComponentRevoke = "component.revoke",
    /// A revoked component was let in again with a new key.
    ComponentRestore = "component.restore",
    /// A component was deleted.
    ComponentDelete = "component.delete",
    /// A component came in by itself with an enrollment token; the outcome tells whether it was let in.
    ComponentRegister = "component.register",
    /// A component that was there was given a new key with an enrollment token, or somebody asked for that and was refused.
    ComponentReenroll = "component.reenroll",
    /// An enrollment token was made.
    EnrollmentTokenCreate = "enrollment_token.create",
    /// An enrollment token was deleted.
    EnrollmentTokenDelete = "enrollment_token.delete",
    /// That somebody asks for a component's place was put aside.
    EnrollmentRequestDismiss = "enrollment_request.dismiss",
    /// A component's configuration was replaced.
    ConfigSet = "config.set",
    /// A component told how applying its configuration went.
    ConfigReport = "config.report",
    /// A key was used for the first time, which ends its predecessor's grace.
    KeyFirstUse = "key.first_use",
    /// A key was reported as leaked.
    KeyLeakReport = "key.leak_report",
    /// A key was refused: unknown, rotated, revoked or not approved.
    KeyRefuse = "key.refuse",
    /// A key's two stored hashes disagree.
    KeyCorrupt = "key.corrupt",
    /// An authenticated caller asked for what its role does not allow.
    AccessDeny = "access.deny",
    /// A request that changes something came from another origin with a cookie.
    OriginRefuse = "access.refuse_origin",
    /// A rate limit was reached.
    RateLimit = "access.rate_limit",
    /// A handler panicked.
    Panic = "server.panic",
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_action() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        assert_eq!("session.steal".parse::<Action>(), Err(UnknownAction));
    }
}
