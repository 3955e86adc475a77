//! What somebody's groups make them here. Pure decisions.

use stratora_auth::Role;

use crate::distinguished_name::DistinguishedName;

/// Members of a group get a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleMapping {
    /// The group as it was written, for people.
    pub(crate) group: String,
    /// The same, to compare.
    pub(crate) name: DistinguishedName,
    pub(crate) role: Role,
    /// Which mapping wins for a member of several groups: the highest, and of equals the higher role.
    pub(crate) priority: i32,
}

/// All mappings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) mappings: Vec<RoleMapping>,
    /// What people are without one.
    pub(crate) default: Role,
}

impl Roles {
    /// The mapping that decides for the members of these groups; the default decides when there is none.
    pub(crate) fn deciding(&self, groups: &[String]) -> Option<&RoleMapping> {
        let groups: Vec<_> = groups.iter().filter_map(|group| DistinguishedName::parse(group)).collect();
        let fitting = self.mappings.iter().filter(|mapping| groups.contains(&mapping.name));
        fitting.max_by_key(|mapping| (mapping.priority, mapping.role))
    }

    /// The role of the members of these groups.
    pub(crate) fn of(&self, groups: &[String]) -> Role {
        self.deciding(groups).map_or(self.default, |mapping| mapping.role)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mapping(group: &str, role: Role, priority: i32) -> RoleMapping {
        RoleMapping { group: group.to_owned(), name: DistinguishedName::parse(group).unwrap(), role, priority }
    }

    fn roles() -> Roles {
        Roles {
            mappings: vec![
                mapping("cn=all,dc=a", Role::Viewer, 0),
                mapping("cn=ops,dc=a", Role::Operator, 5),
                mapping("CN=Admins, DC=A", Role::Admin, 5),
                mapping("cn=interns,dc=a", Role::Viewer, 9),
            ],
            default: Role::Viewer,
        }
    }

    fn role(groups: &[&str]) -> Role {
        roles().of(&groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_highest_priority_wins_and_of_equals_the_higher_role() {
        assert_eq!(role(&["cn=all,dc=a", "cn=ops,dc=a"]), Role::Operator);
        assert_eq!(role(&["cn=ops,dc=a", "cn=admins,dc=a"]), Role::Admin);
        assert_eq!(role(&["cn=admins,dc=a", "cn=interns,dc=a"]), Role::Viewer);
    }

    #[test]
    fn a_group_is_compared_whole_and_however_it_is_spelled() {
        assert_eq!(role(&["CN=ADMINS,dc=a"]), Role::Admin);
        for group in ["cn=admins", "cn=admins,dc=a,dc=b", "cn=x,cn=admins,dc=a", "cn=admins\\,dc=a", "admins", ""] {
            assert_eq!(role(&[group]), Role::Viewer, "{group}");
        }
    }

    #[test]
    fn what_decided_is_shown_as_it_was_written() {
        let roles = roles();
        let decided = roles.deciding(&["cn=admins,dc=a".to_owned()]).map(|mapping| mapping.group.as_str());
        assert_eq!(decided, Some("CN=Admins, DC=A"));
        assert_eq!(roles.deciding(&[]), None);
    }

    proptest! {
        #[test]
        fn groups_that_are_not_mapped_give_the_default(groups in proptest::collection::vec("\\PC{0,20}", 0..4)) {
            prop_assert_eq!(roles().of(&groups), Role::Viewer);
        }
    }
}
