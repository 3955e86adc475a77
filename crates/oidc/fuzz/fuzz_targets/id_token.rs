//! Looks for bytes that pass for a token, or that no check of claims survives.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    stratora_oidc::fuzzing::id_token(bytes);
    stratora_oidc::fuzzing::claims(bytes);
});
