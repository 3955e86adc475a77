//! Why somebody is not let in, or nobody can be asked; and what to do about it.

use std::borrow::Cow;

use crate::conversation::Stage;

/// Either of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Refusal(Refusal),
    Trouble(Trouble),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Failure {
    /// One sentence that says what to fix. Nothing that the directory wrote.
    pub(crate) fn advice(&self) -> Cow<'static, str> {
        match self {
            Self::Refusal(refusal) => refusal.advice().into(),
            Self::Trouble(trouble) => trouble.advice(),
        }
    }
}

/// Somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The password has nothing but white space.
    BlankPassword,
    /// The username would name somebody of another domain.
    OtherDomain,
    /// Nobody has that name and that password.
    Credentials,
    /// Nobody has that name.
    Unknown,
    /// The password was taken, but the entry is not to be seen.
    Unseen,
    /// The entry that was found is somebody else's.
    SomebodyElse,
}

impl Refusal {
    const fn advice(self) -> &'static str {
        match self {
            Self::BlankPassword => {
                "the password is blank; type one, since many directories take an empty one for anybody's"
            }
            Self::OtherDomain => {
                "the username names a domain, which ldap.bind does already; sign in with the name before the @ or after the \\"
            }
            Self::Credentials => {
                "the directory refuses this name with this password; if they are right, correct ldap.bind, or look whether \
                 the account is locked"
            }
            Self::Unknown => {
                "no entry has this name; if there is one, correct ldap.base_dn, ldap.username_attribute or ldap.user_filter"
            }
            Self::Unseen => {
                "the directory takes the password but shows no entry of that name; correct ldap.base_dn, \
                 ldap.username_attribute or ldap.user_filter, or let people read their own entry"
            }
            Self::SomebodyElse => {
                "the entry that was found is not that of whoever has this password; correct ldap.bind or \
                 ldap.username_attribute, so that both name the same person"
            }
        }
    }
}

/// Nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    UnknownHost,
    Unreachable,
    NoStartTls,
    NoTls,
    Untrusted,
    WrongHost,
    OutOfDate,
    BadCertificate,
    /// It did not answer in time.
    Slow(Stage),
    /// It hung up, or what it says is not LDAP.
    Broken,
    /// All places were taken for all of the time.
    Busy,
    /// It did not answer several times in a row.
    Paused,
    ServiceRefused,
    TlsRequired,
    Referral,
    NoBase,
    Denied,
    Ambiguous,
    TooManyGroups,
    /// Another result code (RFC 4511 appendix A).
    Code(u32),
}

impl Trouble {
    /// Whether the directory was not there, rather than there and not as it should be.
    pub(crate) const fn is_outage(self) -> bool {
        use Trouble as T;
        match self {
            T::UnknownHost
            | T::Unreachable
            | T::NoStartTls
            | T::NoTls
            | T::Untrusted
            | T::WrongHost
            | T::OutOfDate
            | T::BadCertificate
            | T::Slow(_)
            | T::Broken => true,
            T::Busy
            | T::Paused
            | T::ServiceRefused
            | T::TlsRequired
            | T::Referral
            | T::NoBase
            | T::Denied
            | T::Ambiguous
            | T::TooManyGroups
            | T::Code(_) => false,
        }
    }

    fn advice(self) -> Cow<'static, str> {
        let advice = match self {
            Self::UnknownHost => "the host of ldap.url has no address; correct it, or the name service of this machine",
            Self::Unreachable => {
                "nothing answers at ldap.url; correct its host or port, or let this machine through to it"
            }
            Self::NoStartTls => {
                "the directory refuses StartTLS; give it a certificate, or set ldap.url to ldaps:// without ldap.start_tls"
            }
            Self::NoTls => "no TLS is spoken at ldap.url; correct its port, or use ldap:// with ldap.start_tls",
            Self::Untrusted => {
                "nobody who is trusted vouches for the directory's certificate; set ldap.ca_file to the certificate of its \
                 authority"
            }
            Self::WrongHost => "the directory's certificate is for another host; use a name in ldap.url that it holds",
            Self::OutOfDate => {
                "the certificate at ldap.url is out of date or not yet valid; renew it, or set the clocks right"
            }
            Self::BadCertificate => {
                "the directory's certificate cannot be used; give the directory at ldap.url one for TLS servers from the \
                 authority in ldap.ca_file"
            }
            Self::Slow(Stage::Connect) => {
                "nothing answers at ldap.url within ldap.timeout; correct its host or port, or let this machine through to it"
            }
            Self::Slow(Stage::Tls) => {
                "no TLS is spoken at ldap.url within ldap.timeout; correct its port, or use ldap:// with ldap.start_tls"
            }
            Self::Slow(_) => {
                "the directory did not answer within ldap.timeout; look at its load, or allow it more time"
            }
            Self::Broken => {
                "the connection to the directory broke off or carried something else than LDAP; look whether ldap.url is \
                 that of a directory, and at the directory's log"
            }
            Self::Busy => {
                "all connections to the directory are in use; look why it answers slowly, and keep ldap.timeout short"
            }
            Self::Paused => {
                "the directory did not answer several times and is asked again in seconds; look whether ldap.url is up"
            }
            Self::ServiceRefused => {
                "the directory refuses the account of ldap.search_bind; correct its dn and password, or unlock it"
            }
            Self::TlsRequired => {
                "the directory takes passwords over TLS only; set ldap.url to ldaps://, or set ldap.start_tls instead of \
                 ldap.insecure"
            }
            Self::Referral => {
                "the directory refers to another one, which is not followed; set ldap.url to the server that holds \
                 ldap.base_dn"
            }
            Self::NoBase => {
                "there is no ldap.base_dn or ldap.groups_base_dn in the directory, or it may not be read; correct it"
            }
            Self::Denied => {
                "the directory does not permit the search; let people read below ldap.base_dn, and the account of \
                 ldap.search_bind if there is one"
            }
            Self::Ambiguous => {
                "several entries have this username; narrow ldap.base_dn or ldap.user_filter, or use another \
                 ldap.username_attribute"
            }
            Self::TooManyGroups => {
                "the directory returns only some of the groups, so no role can be told; set ldap.nested_groups and a narrow \
                 ldap.groups_base_dn"
            }
            Self::Code(code) => {
                return format!("the directory at ldap.url answers with LDAP result code {code}; look at its log")
                    .into();
            }
        };
        advice.into()
    }

    /// Why a search failed.
    pub(crate) const fn of_search(code: u32) -> Self {
        match code {
            // sizeLimitExceeded, adminLimitExceeded
            4 | 11 => Self::TooManyGroups,
            // noSuchObject, invalidDNSyntax
            32 | 34 => Self::NoBase,
            // operationsError is what Active Directory says to those who are nobody.
            1 | 50 => Self::Denied,
            other => Self::of_any(other),
        }
    }

    /// What these codes mean in any answer.
    pub(crate) const fn of_any(code: u32) -> Self {
        match code {
            // strongerAuthRequired, confidentialityRequired
            8 | 13 => Self::TlsRequired,
            10 => Self::Referral,
            other => Self::Code(other),
        }
    }
}

/// What came of somebody's own bind.
pub(crate) fn of_bind(code: u32) -> Result<(), Failure> {
    match code {
        0 => Ok(()),
        // invalidCredentials; and noSuchObject, invalidDNSyntax, constraintViolation (locked), inappropriateAuthentication
        // (no password) and unwillingToPerform (turned off) from directories that say more than they should.
        49 | 32 | 34 | 19 | 48 | 53 => Err(Refusal::Credentials.into()),
        other => Err(Trouble::of_any(other).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TROUBLES: [Trouble; 22] = [
        Trouble::UnknownHost,
        Trouble::Unreachable,
        Trouble::NoStartTls,
        Trouble::NoTls,
        Trouble::Untrusted,
        Trouble::WrongHost,
        Trouble::OutOfDate,
        Trouble::BadCertificate,
        Trouble::Slow(Stage::Connect),
        Trouble::Slow(Stage::Tls),
        Trouble::Slow(Stage::Bind),
        Trouble::Broken,
        Trouble::Busy,
        Trouble::Paused,
        Trouble::ServiceRefused,
        Trouble::TlsRequired,
        Trouble::Referral,
        Trouble::NoBase,
        Trouble::Denied,
        Trouble::Ambiguous,
        Trouble::TooManyGroups,
        Trouble::Code(80),
    ];

    #[test]
    fn advice_on_trouble_is_one_sentence_that_names_a_setting() {
        for trouble in TROUBLES {
            let advice = trouble.advice();
            assert!(advice.contains("ldap."), "{advice}");
            assert!(!advice.contains(". ") && !advice.ends_with('.') && !advice.contains("  "), "{advice}");
        }
    }

    #[test]
    fn only_what_says_that_nobody_has_this_password_is_a_refusal() {
        assert_eq!(of_bind(0), Ok(()));
        for code in [19, 32, 34, 48, 49, 53] {
            assert_eq!(of_bind(code), Err(Refusal::Credentials.into()), "{code}");
        }
        for code in [1, 2, 3, 7, 8, 10, 11, 13, 14, 50, 51, 52, 80] {
            assert!(matches!(of_bind(code), Err(Failure::Trouble(_))), "{code}");
        }
    }
}
