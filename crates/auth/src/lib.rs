//! Signing in: who may come in, with which password, in how many tries, and for how long. Decisions are pure functions
//! of a stored state and the time; services carry them out through the ports in this crate.

mod account;
mod brake;
mod client;
mod device;
mod directory;
mod id;
mod limit;
mod one_time;
mod opening;
mod own_password;
mod password;
mod person;
mod role;
mod session;
mod sessions;
mod sign_in;
mod through_directory;
mod username;
mod users;

pub use account::{
    Account, AccountChange, AccountStore, AuthSource, ChangePasswordError, CreateAccountError, MissingAccount,
    NewAccount, NewPassword,
};
pub use brake::{Admission, BrakeState, BrakeStore, BrakeSubject};
pub use client::ClientKey;
pub use device::{DeviceKey, KnownDevice};
pub use directory::{Directory, DirectoryPerson, DirectoryUnavailable};
pub use id::{DeviceId, DeviceKind, SessionId, SessionKind, UserId, UserKind, subject_of};
pub use limit::{Bucket, Decision, LimitStore, Per, Quota, RateLimiter, Window, quotas};
pub use one_time::OneTimePassword;
pub use opening::Opening;
pub use own_password::ChangeOwnPasswordError;
pub use password::{MalformedHash, Password, PasswordHash, PasswordPolicy, RefusedPassword};
pub use person::{DisplayName, EmailAddress, RefusedText};
pub use role::{Role, UnknownRole};
pub use session::{
    AuthenticatedSession, Channel, CookieToken, DirectorySignIn, Lifetime, MissingSession, NewSession,
    OpenSessionError, Proof, Session, SessionStore, SessionTimeouts, SessionToken, User,
};
pub use sessions::{AuthenticateError, LiveSession, Sessions};
pub use sign_in::{ClientContext, Credentials, SignIn, SignInError, SignInParts, SignedIn, Unavailable};
pub use username::{RefusedUsername, Username};
pub use users::{ChangeUserError, CreateUserError, ImportedUser, NewUser, ResetPasswordError, Users};

#[cfg(feature = "testing")]
pub mod testing;
