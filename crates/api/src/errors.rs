//! From what can go wrong in a service to what the caller is told: here, and nowhere else, an outcome becomes a status.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use stratora_actix::ApiError;
use stratora_auth::{
    ChangeOwnPasswordError, ChangeUserError, CreateUserError, MissingSession, ResetPasswordError, SignInError,
    Unavailable,
};
use stratora_federation::{BackChannelError, ProviderError};
use stratora_keys::{
    ApproveError, ChangeComponentError, IssueKeyError, MissingComponent, MissingRequest, MissingToken, PutConfigError,
    RefusedRegistration, RegistrationError, Spent, Standing,
};

use crate::input;

/// How long a directory that does not answer is left alone, about.
const DIRECTORY_PAUSE: Duration = Duration::from_secs(10);

fn unavailable(error: Unavailable) -> ApiError {
    match error {
        Unavailable::Store(error) => error.into(),
        error => ApiError::unavailable(error),
    }
}

fn throttled(retry_after: Option<Duration>) -> ApiError {
    let message = match retry_after {
        Some(_) => "Too many failed sign-ins for this account. Wait as long as Retry-After says.",
        None => {
            "Too many failed sign-ins for this account. Sign in from a device you used before, or have an \
            administrator reset the password."
        }
    };
    ApiError::throttled("account_throttled", message, retry_after)
}

pub(crate) fn sign_in(error: SignInError) -> ApiError {
    match error {
        SignInError::InvalidCredentials => {
            let message = "Wrong username or password.";
            ApiError::new(StatusCode::UNAUTHORIZED, "invalid_credentials", message)
                .with_header((WWW_AUTHENTICATE, "Bearer"))
        }
        SignInError::Throttled { retry_after } => throttled(retry_after),
        SignInError::Busy(busy) => ApiError::busy(busy.retry_after),
        SignInError::DirectoryUnavailable(cause) => {
            let message = "The directory cannot be asked at the moment. Try again soon; local accounts can sign in.";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "directory_unavailable", message)
                .with_retry_after(DIRECTORY_PAUSE)
                .caused_by(cause)
        }
        SignInError::Unavailable(error) => unavailable(error),
    }
}

pub(crate) fn change_password(error: ChangeOwnPasswordError) -> ApiError {
    match error {
        ChangeOwnPasswordError::WrongPassword => {
            ApiError::new(StatusCode::FORBIDDEN, "wrong_password", "The current password is another. Try again.")
        }
        ChangeOwnPasswordError::Throttled { retry_after } => throttled(retry_after),
        ChangeOwnPasswordError::Refused(reason) => input::refused("new_password")(&reason),
        ChangeOwnPasswordError::NotLocal => not_local(),
        ChangeOwnPasswordError::Busy(busy) => ApiError::busy(busy.retry_after),
        ChangeOwnPasswordError::Unavailable(error) => unavailable(error),
    }
}

fn not_local() -> ApiError {
    ApiError::conflict("not_local", "Another system keeps this account's password. Change it there.")
}

pub(crate) fn missing_session(error: MissingSession) -> ApiError {
    match error {
        MissingSession::Missing => ApiError::not_found(),
        MissingSession::Store(error) => error.into(),
    }
}

pub(crate) fn create_user(error: CreateUserError) -> ApiError {
    match error {
        CreateUserError::Conflict => ApiError::conflict("username_taken", "This username is taken. Choose another."),
        CreateUserError::Refused(reason) => input::refused("password")(&reason),
        CreateUserError::Busy(busy) => ApiError::busy(busy.retry_after),
        CreateUserError::Unavailable(error) => unavailable(error),
    }
}

pub(crate) fn change_user(error: ChangeUserError) -> ApiError {
    match error {
        ChangeUserError::Missing => ApiError::not_found(),
        ChangeUserError::OwnAccount => ApiError::new(
            StatusCode::FORBIDDEN,
            "own_account",
            "Nobody changes their own role, deactivates or deletes themselves. Ask another administrator.",
        ),
        ChangeUserError::BuiltIn => ApiError::new(
            StatusCode::FORBIDDEN,
            "built_in_account",
            "The built-in administrator stays an active administrator.",
        ),
        ChangeUserError::Store(error) => error.into(),
    }
}

pub(crate) fn reset_password(error: ResetPasswordError) -> ApiError {
    match error {
        ResetPasswordError::Missing => ApiError::not_found(),
        ResetPasswordError::NotLocal => not_local(),
        ResetPasswordError::Busy(busy) => ApiError::busy(busy.retry_after),
        ResetPasswordError::Unavailable(error) => unavailable(error),
    }
}

pub(crate) fn missing_component(error: MissingComponent) -> ApiError {
    match error {
        MissingComponent::Missing => ApiError::not_found(),
        MissingComponent::Store(error) => error.into(),
    }
}

pub(crate) fn change_component(error: ChangeComponentError) -> ApiError {
    match error {
        ChangeComponentError::Missing => ApiError::not_found(),
        ChangeComponentError::NameTaken => {
            ApiError::conflict("name_taken", "Another component has this name. Choose another.")
        }
        ChangeComponentError::WrongStanding { standing: Standing::Revoked } => {
            ApiError::conflict("component_revoked", "This component is revoked. Restore it to give it a new key.")
        }
        ChangeComponentError::WrongStanding { standing: Standing::Active } => {
            ApiError::conflict("component_active", "This component is let in already.")
        }
        ChangeComponentError::WrongStanding { standing: Standing::Pending } => {
            ApiError::conflict("component_pending", "This component waits for approval. Approve it first.")
        }
        // As the guard says it of a request that starts now.
        ChangeComponentError::KeyEnded => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "key_rotated",
            "This key was replaced. Use the component's new key.",
        )
        .with_header((WWW_AUTHENTICATE, "X-API-Key")),
        ChangeComponentError::KeyHandedOver => ApiError::conflict(
            "key_replaced",
            "An administrator has made this component a new key. Use that one; this one ends at its deadline.",
        ),
        ChangeComponentError::Store(error) => error.into(),
    }
}

pub(crate) fn issue_key(error: IssueKeyError) -> ApiError {
    match error {
        IssueKeyError::Component(error) => change_component(error),
        IssueKeyError::Busy(busy) => ApiError::busy(busy.retry_after),
        IssueKeyError::Hashing(error) => ApiError::unavailable(error),
        IssueKeyError::Entropy(error) => ApiError::unavailable(error),
    }
}

pub(crate) fn missing_token(error: MissingToken) -> ApiError {
    match error {
        MissingToken::Missing => ApiError::not_found(),
        MissingToken::Store(error) => error.into(),
    }
}

pub(crate) fn missing_request(error: MissingRequest) -> ApiError {
    match error {
        MissingRequest::Missing => ApiError::not_found(),
        MissingRequest::Store(error) => error.into(),
    }
}

pub(crate) fn approve(error: ApproveError) -> ApiError {
    match error {
        ApproveError::Component(error) => change_component(error),
        ApproveError::Changed => ApiError::conflict(
            "request_changed",
            "Somebody else asks for this place by now, or nobody does. Look at the requests again.",
        ),
    }
}

pub(crate) fn refused_registration(refused: RefusedRegistration) -> ApiError {
    match refused {
        RefusedRegistration::UnknownToken => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "enrollment_token_unknown",
            "There is no such enrollment token. Ask an administrator for a new one.",
        )
        .with_header((WWW_AUTHENTICATE, "Enrollment")),
        RefusedRegistration::Spent(Spent::Used) => ApiError::new(
            StatusCode::GONE,
            "enrollment_token_used",
            "This enrollment token was used as often as it may be. Ask an administrator for a new one.",
        ),
        RefusedRegistration::Spent(Spent::Expired) => ApiError::new(
            StatusCode::GONE,
            "enrollment_token_expired",
            "This enrollment token has expired. Ask an administrator for a new one.",
        ),
        RefusedRegistration::Exists { .. } => ApiError::conflict(
            "component_exists",
            "There is a component of this host already. Send its key in X-API-Key, or have an administrator approve this \
            request and send it again.",
        ),
        RefusedRegistration::NoName => ApiError::conflict(
            "name_taken",
            "Other components have every name that this host could be given. Have an administrator rename them.",
        ),
    }
}

pub(crate) fn registration(error: RegistrationError) -> ApiError {
    match error {
        RegistrationError::Refused(refused) => refused_registration(refused),
        RegistrationError::Busy(busy) => ApiError::busy(busy.retry_after),
        RegistrationError::Hashing(error) => ApiError::unavailable(error),
        RegistrationError::Entropy(error) => ApiError::unavailable(error),
        RegistrationError::Store(error) => error.into(),
    }
}

pub(crate) fn provider(error: ProviderError) -> ApiError {
    match error {
        ProviderError::Missing => ApiError::not_found(),
        ProviderError::NameTaken => ApiError::conflict("name_taken", "Another provider has this name. Choose another."),
        ProviderError::Changed => ApiError::conflict(
            "changed_meanwhile",
            "Somebody else changed this provider just now. Look at it, and try again.",
        ),
        ProviderError::Setting(refused) => input::refused(refused.field)(&refused),
        ProviderError::Store(error) => error.into(),
        ProviderError::Entropy(error) => ApiError::unavailable(error),
    }
}

pub(crate) fn logout_token() -> ApiError {
    ApiError::bad_request(
        "invalid_logout_token",
        "Send one logout_token that this provider has signed for this client.",
    )
}

pub(crate) fn back_channel(error: BackChannelError) -> ApiError {
    match error {
        BackChannelError::Missing => ApiError::not_found(),
        BackChannelError::Refused(cause) => logout_token().caused_by(cause),
        BackChannelError::Store(error) => error.into(),
    }
}

pub(crate) fn put_config(error: PutConfigError) -> ApiError {
    match error {
        PutConfigError::NotToml { line } => {
            ApiError::invalid_field("body", format!("The configuration is not TOML: see line {line}."))
        }
        PutConfigError::Component(error) => missing_component(error),
    }
}
