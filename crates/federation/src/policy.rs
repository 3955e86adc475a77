//! Whom a provider may bring in, and as what. Pure decisions on claims and on the accounts that there are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stratora_auth::{Account, AuthSource, EmailAddress, Role, UserId, Username};

use crate::{Claims, Domain, GroupName, RefusedSetting};

/// Members of a group get a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleMapping {
    /// The group, compared byte for byte.
    pub group: GroupName,
    /// The role.
    #[serde(with = "role")]
    pub role: Role,
    /// Which mapping wins for a member of several groups; of equals the higher role.
    pub priority: i32,
}

/// What may become of people whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Whether people who were never here get an account.
    pub auto_provision: bool,
    /// Whether an account may be found by a verified mail address at the first sign-in.
    pub link_verified_email: bool,
    /// The domains for which this provider's word about a mail address counts.
    pub verified_domains: BTreeSet<Domain>,
    /// What people are without a mapping.
    #[serde(with = "role")]
    pub default_role: Role,
    /// What they are with one.
    pub role_mappings: Vec<RoleMapping>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            auto_provision: true,
            link_verified_email: false,
            verified_domains: BTreeSet::new(),
            default_role: Role::Viewer,
            role_mappings: Vec::new(),
        }
    }
}

/// Roles in the store, by name.
mod role {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use stratora_auth::Role;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(role: &Role, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(role.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The role that somebody gets, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDecision {
    /// The role.
    pub role: Role,
    /// The group that decided; the default when absent.
    pub by: Option<GroupName>,
}

/// What becomes of somebody whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// They are this account's owner, as before.
    Known(UserId),
    /// They are this account's owner from now on.
    Link(UserId),
    /// They get an account under the first of these names that is free.
    Provision(Vec<Username>),
    /// They are not let in.
    Refuse(RefusedIdentity),
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedIdentity {
    /// Their account was turned off.
    #[error("the account is turned off")]
    Inactive,
    /// They have no account, and the provider may not make one.
    #[error("there is no account, and this provider may not make one")]
    NotProvisioned,
}

/// As many as anybody has looked through by hand; they are read at every sign-in.
const MAX_DOMAINS: usize = 50;
const MAX_MAPPINGS: usize = 200;
/// How many names beside the wished one are tried.
const OTHER_NAMES: u32 = 20;

impl Policy {
    /// Takes its word about mail addresses of these domains.
    ///
    /// # Errors
    /// [`RefusedSetting`] when there are too many.
    pub fn set_verified_domains(&mut self, domains: BTreeSet<Domain>) -> Result<(), RefusedSetting> {
        self.verified_domains = domains;
        let is_too_much = self.verified_domains.len() > MAX_DOMAINS;
        if is_too_much { Err(RefusedSetting { field: "verified_domains", must: "must be at most 50" }) } else { Ok(()) }
    }

    /// Gives roles by these mappings.
    ///
    /// # Errors
    /// [`RefusedSetting`] when there are too many.
    pub fn set_role_mappings(&mut self, mappings: Vec<RoleMapping>) -> Result<(), RefusedSetting> {
        self.role_mappings = mappings;
        let is_too_much = self.role_mappings.len() > MAX_MAPPINGS;
        if is_too_much { Err(RefusedSetting { field: "role_mappings", must: "must be at most 200" }) } else { Ok(()) }
    }

    /// What members of these groups are.
    pub fn role(&self, groups: &BTreeSet<String>) -> RoleDecision {
        let fits = |mapping: &&RoleMapping| groups.contains(mapping.group.as_str());
        let won = self.role_mappings.iter().filter(fits).max_by_key(|mapping| (mapping.priority, mapping.role));
        match won {
            Some(mapping) => RoleDecision { role: mapping.role, by: Some(mapping.group.clone()) },
            None => RoleDecision { role: self.default_role, by: None },
        }
    }

    /// What becomes of the person with `claims`. `known` is the account that this identity has; `same_email` are all accounts
    /// with its mail address.
    pub fn decide(&self, claims: &Claims, known: Option<&Account>, same_email: &[Account]) -> Decision {
        if let Some(account) = known {
            return if account.active {
                Decision::Known(account.id)
            } else {
                Decision::Refuse(RefusedIdentity::Inactive)
            };
        }
        if let ([account], true) = (same_email, self.may_link(claims))
            && is_linkable(account)
        {
            return Decision::Link(account.id);
        }
        if self.auto_provision {
            Decision::Provision(names(claims))
        } else {
            Decision::Refuse(RefusedIdentity::NotProvisioned)
        }
    }

    /// Whether this provider's word about the mail address counts.
    pub fn vouches_for(&self, claims: &Claims) -> bool {
        let domain = claims.email.as_deref().and_then(|email| Some(email.rsplit_once('@')?.1));
        let is_listed = domain.is_some_and(|domain| self.verified_domains.iter().any(|known| known.as_str() == domain));
        // Other letters fold into those of somebody else's address.
        let is_plain = claims.email.as_deref().is_some_and(str::is_ascii);
        claims.email_verified && is_listed && is_plain
    }

    /// Whether an account may be found by the mail address.
    pub fn may_link(&self, claims: &Claims) -> bool {
        self.link_verified_email && self.vouches_for(claims)
    }
}

/// An account that holds a password here, or that may do more than look, is never handed to whoever has its mail address.
fn is_linkable(account: &Account) -> bool {
    account.source != AuthSource::Local && account.role == Role::Viewer && account.active && !account.built_in
}

/// Names for a new account, the best first. None is ever that of somebody else: the store gives the first that is free.
fn names(claims: &Claims) -> Vec<Username> {
    let claimed = [claims.preferred_username.as_deref(), claims.email.as_deref()];
    let wished = claimed.into_iter().flatten().find_map(|wish| Username::parse(wish).ok());
    let base = wished.unwrap_or_else(|| Username::parse("user").unwrap_or_else(|_| unreachable!("a plain name")));
    let others = (2..=OTHER_NAMES + 1).filter_map(|number| Username::parse(&format!("{base}-{number}")).ok());
    std::iter::once(base.clone()).chain(others).collect()
}

/// The mail address, if it is one.
pub(crate) fn email(claims: &Claims) -> Option<EmailAddress> {
    claims.email.as_deref().and_then(|email| EmailAddress::parse(email).ok())
}

#[cfg(test)]
mod tests {
    use newtype_uuid::TypedUuid;
    use proptest::prelude::*;
    use stratora_clock::Timestamp;

    use super::*;

    fn account(number: u128, role: Role, source: AuthSource) -> Account {
        Account {
            id: TypedUuid::from_u128(number),
            username: Username::parse("grace").unwrap(),
            display_name: String::new(),
            email: Some("grace@example.com".to_owned()),
            role,
            source,
            active: true,
            password: None,
            must_change_password: false,
            password_expires_at: None,
            built_in: false,
            created_at: Timestamp::UNIX_EPOCH,
            last_sign_in_at: None,
        }
    }

    fn claims() -> Claims {
        Claims {
            subject: "1".to_owned(),
            preferred_username: Some("Grace".to_owned()),
            email: Some("grace@example.com".to_owned()),
            email_verified: true,
            ..Claims::default()
        }
    }

    fn linking() -> Policy {
        Policy {
            link_verified_email: true,
            verified_domains: [Domain::parse("example.com").unwrap()].into(),
            ..Policy::default()
        }
    }

    fn mapping(group: &str, role: Role, priority: i32) -> RoleMapping {
        RoleMapping { group: GroupName::parse(group).unwrap(), role, priority }
    }

    #[test]
    fn the_mapping_of_highest_priority_wins_and_of_equals_the_higher_role() {
        let policy = Policy {
            role_mappings: vec![
                mapping("all", Role::Viewer, 0),
                mapping("ops", Role::Operator, 5),
                mapping("admins", Role::Admin, 5),
                mapping("interns", Role::Viewer, 9),
            ],
            ..Policy::default()
        };
        let role = |groups: &[&str]| policy.role(&groups.iter().map(|group| (*group).to_owned()).collect());
        assert_eq!(role(&["ops", "all"]).role, Role::Operator);
        assert_eq!(role(&["admins", "ops"]).role, Role::Admin);
        assert_eq!(
            role(&["admins", "interns"]),
            RoleDecision { role: Role::Viewer, by: Some(GroupName::parse("interns").unwrap()) }
        );
        assert_eq!(role(&["ADMINS", "admins ", ""]), RoleDecision { role: Role::Viewer, by: None });
    }

    #[test]
    fn an_identity_that_is_known_is_its_account_whatever_else_it_claims() {
        let (own, other) = (account(1, Role::Admin, AuthSource::Oidc), account(2, Role::Viewer, AuthSource::Oidc));
        assert_eq!(linking().decide(&claims(), Some(&own), &[other]), Decision::Known(own.id));
        let off = Account { active: false, ..own };
        assert_eq!(linking().decide(&claims(), Some(&off), &[]), Decision::Refuse(RefusedIdentity::Inactive));
    }

    #[test]
    fn a_mail_address_links_only_where_all_conditions_hold() {
        let target = account(2, Role::Viewer, AuthSource::Oidc);
        assert_eq!(linking().decide(&claims(), None, std::slice::from_ref(&target)), Decision::Link(target.id));
        let is_linked = |policy: &Policy, claims: &Claims, accounts: &[Account]| {
            matches!(policy.decide(claims, None, accounts), Decision::Link(_))
        };
        let off = Policy { link_verified_email: false, ..linking() };
        let elsewhere = Policy { verified_domains: [Domain::parse("example.org").unwrap()].into(), ..linking() };
        for policy in [Policy::default(), off, elsewhere] {
            assert!(!is_linked(&policy, &claims(), std::slice::from_ref(&target)));
        }
        let email = |email: &str| Claims { email: Some(email.to_owned()), ..claims() };
        for unproven in [
            Claims { email_verified: false, ..claims() },
            Claims { email: None, ..claims() },
            email("grace@example.com.evil.test"),
            email("grace@evil.test@Example.com"),
            email("grace@sub.example.com"),
        ] {
            assert!(!is_linked(&linking(), &unproven, std::slice::from_ref(&target)), "{unproven:?}");
        }
        for protected in [
            account(2, Role::Viewer, AuthSource::Local),
            account(2, Role::Operator, AuthSource::Oidc),
            account(2, Role::Admin, AuthSource::Oidc),
            Account { active: false, ..target.clone() },
            Account { built_in: true, ..target.clone() },
        ] {
            assert!(!is_linked(&linking(), &claims(), &[protected]));
        }
        assert!(!is_linked(&linking(), &claims(), &[target.clone(), target]), "two accounts share the address");
    }

    #[test]
    fn a_stranger_gets_an_account_only_where_the_provider_may_make_one() {
        let Decision::Provision(names) = Policy::default().decide(&claims(), None, &[]) else { panic!() };
        assert_eq!(names[..2], [Username::parse("grace").unwrap(), Username::parse("grace-2").unwrap()]);
        let closed = Policy { auto_provision: false, ..Policy::default() };
        assert_eq!(closed.decide(&claims(), None, &[]), Decision::Refuse(RefusedIdentity::NotProvisioned));
    }

    #[test]
    fn a_name_that_is_none_gives_way_to_the_mail_address_or_to_a_plain_one() {
        let first = |preferred: &str, email: Option<&str>| {
            let claims = Claims {
                preferred_username: Some(preferred.to_owned()),
                email: email.map(str::to_owned),
                ..Claims::default()
            };
            names(&claims).remove(0).to_string()
        };
        assert_eq!(first("<img src=x>", Some("grace@example.com")), "grace@example.com");
        assert_eq!(first("\u{202e}nimda", None), "user");
    }

    proptest! {
        #[test]
        fn no_claims_link_without_the_policy(
            email in ".*",
            verified: bool,
            preferred in proptest::option::of(".*"),
            groups in proptest::collection::btree_set(".*", 0..5),
        ) {
            let claims = Claims {
                subject: "1".to_owned(), preferred_username: preferred, name: None, email: Some(email),
                email_verified: verified, groups,
            };
            let target = account(2, Role::Viewer, AuthSource::Oidc);
            let decision = Policy::default().decide(&claims, None, &[target]);
            prop_assert!(matches!(decision, Decision::Provision(_)));
            prop_assert_eq!(Policy::default().role(&claims.groups).role, Role::Viewer);
        }
    }
}
