//! How components come in by themselves: with an enrollment token, once or many times; and how one that was there before
//! gets a new key without taking over anybody else's place.

mod decision;
mod service;
mod store;
mod token;

pub use decision::{
    Admission, Call, EnrollmentPolicy, Ground, Host, Issued, ProvenKey, Reenrollment, RefusedRegistration, Situation,
    TakenName, decide, names_for,
};
pub use service::{ApproveError, Enrollment, NewTokenRequest, Registered, RegistrationError};
pub use store::{
    Answer, ApproveRequestError, EnrollmentStore, MissingRequest, MissingToken, NewEnrollmentToken, Offer,
    RegisterError, WaitingRequest,
};
pub use token::{
    Allowance, Description, EnrollmentSecret, EnrollmentToken, IdempotencyKey, RefusedAllowance, RefusedIdempotencyKey,
    Spent, Validity,
};
