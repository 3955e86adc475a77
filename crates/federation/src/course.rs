//! How far a sign-in has come: what its record will say, and why it goes no further.

use stratora_auth::ClientContext;
use stratora_port::StoreError;
use stratora_token::EntropyError;

use crate::{FlowError, Provider, RefusedCode, Step};

/// How far a sign-in has come, for its record.
pub(crate) struct Course<'a> {
    pub(crate) client: &'a ClientContext,
    pub(crate) provider: Option<Provider>,
    pub(crate) steps: Vec<Step>,
}

impl<'a> Course<'a> {
    pub(crate) const fn of(client: &'a ClientContext) -> Self {
        Self { client, provider: None, steps: Vec::new() }
    }

    pub(crate) fn passed(&mut self, check: &'static str) {
        self.steps.push(Step::passed(check));
    }

    /// Ends here.
    pub(crate) fn end(&mut self, check: &'static str, note: impl Into<String>, code: RefusedCode) -> Halt {
        self.steps.push(Step::failed(check, note));
        Halt::Refused(code)
    }

    /// Ends at what the provider did.
    pub(crate) fn end_with(&mut self, error: FlowError) -> Halt {
        let FlowError { check, is_unavailable, advice } = error;
        let code = if is_unavailable { RefusedCode::ProviderUnavailable } else { RefusedCode::TokenInvalid };
        self.end(check, advice, code)
    }
}

/// Why a sign-in goes no further.
pub(crate) enum Halt {
    Refused(RefusedCode),
    Store(StoreError),
    Entropy(EntropyError),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<EntropyError> for Halt {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}
