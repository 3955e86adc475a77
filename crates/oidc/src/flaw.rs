//! How what went wrong is said: at which step, and one sentence about what to fix. A provider's text is never part of it.

use std::borrow::Cow;

use stratora_federation::FlowError;

/// The provider is not there, or one side is not set up right.
pub(crate) fn unavailable(check: &'static str, advice: impl Into<Cow<'static, str>>) -> FlowError {
    FlowError { check, is_unavailable: true, advice: advice.into().into_owned() }
}

/// What the provider said is not good.
pub(crate) fn refused(check: &'static str, advice: impl Into<Cow<'static, str>>) -> FlowError {
    FlowError { check, is_unavailable: false, advice: advice.into().into_owned() }
}
