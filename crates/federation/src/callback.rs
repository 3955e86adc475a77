//! What a browser brings back from a provider, before any of it is believed.

use stratora_token::{Digest, Secret};
use zeroize::Zeroizing;

use crate::course::{Course, Halt};
use crate::{CallbackResponse, RefusedCode};

/// What a browser sent to the callback.
#[derive(Debug, Default)]
pub struct CallbackParameters {
    /// Each `state`.
    pub states: Vec<String>,
    /// Each `code`.
    pub codes: Vec<Zeroizing<String>>,
    /// Each `iss`.
    pub issuers: Vec<String>,
    /// Each `error`.
    pub errors: Vec<String>,
}

impl CallbackParameters {
    /// What tells the cookie of the sign-in that this claims to be, if it claims to be exactly one.
    pub fn cookie(&self) -> Option<String> {
        self.state().map(|state| cookie_of(&state.digest()))
    }

    pub(crate) fn state(&self) -> Option<Secret> {
        let [state] = self.states.as_slice() else { return None };
        Secret::parse(state).ok()
    }
}

/// Eight characters that a browser may see: they tell sign-ins apart that one browser has started side by side.
pub(crate) fn cookie_of(state: &Digest) -> String {
    let [a, b, c, d, ..] = *state.as_bytes();
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

/// What the provider sent back, if it let the person in.
pub(crate) fn response_of(parameters: CallbackParameters, course: &mut Course<'_>) -> Result<CallbackResponse, Halt> {
    let CallbackParameters { mut codes, mut issuers, errors, .. } = parameters;
    if !errors.is_empty() {
        return Err(course.end("response", known_error(&errors), RefusedCode::ProviderRefused));
    }
    let (1, 0..=1) = (codes.len(), issuers.len()) else {
        let note = "it has no code, or a parameter twice";
        return Err(course.end("response", note, RefusedCode::ResponseInvalid));
    };
    course.passed("response");
    Ok(CallbackResponse { code: codes.pop().unwrap_or_default(), iss: issuers.pop() })
}

/// The error in our words, if it is one of those that providers send (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
fn known_error(errors: &[String]) -> &'static str {
    const KNOWN: [(&str, &str); 8] = [
        (
            "access_denied",
            "access_denied: the person or the provider said no; is the person assigned to the application?",
        ),
        ("login_required", "login_required: the person is not signed in at the provider"),
        ("interaction_required", "interaction_required: the provider needs the person to do something first"),
        ("consent_required", "consent_required: an administrator of the provider has to consent to the application"),
        ("invalid_scope", "invalid_scope: the provider does not know one of the scopes"),
        ("unauthorized_client", "unauthorized_client: the provider does not allow this flow to the application"),
        ("server_error", "server_error: the provider has failed"),
        ("temporarily_unavailable", "temporarily_unavailable: the provider is overloaded or being maintained"),
    ];
    let [error] = errors else { return "the provider sent several errors" };
    KNOWN.iter().find(|(name, _)| name == error).map_or("the provider sent an error of its own", |(_, note)| note)
}
