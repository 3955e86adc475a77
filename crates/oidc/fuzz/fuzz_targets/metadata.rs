//! Looks for metadata and keys that the parser does not survive, or that lead to endpoints without protection.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| stratora_oidc::fuzzing::metadata(bytes));
