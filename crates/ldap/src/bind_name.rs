//! Under which name somebody binds: a template with one place for the username, which can fill that place and nothing else.

use ldap3::dn_escape;
use stratora_auth::Username;

use crate::distinguished_name::DistinguishedName;

/// Where the username goes.
const PLACE: &str = "{username}";

/// What makes a name one of another domain or path, in the forms of Active Directory (MS-ADTS §5.1.1.1.1).
const QUALIFIERS: [char; 3] = ['@', '\\', '/'];

/// A template for names to bind with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BindName {
    before: String,
    after: String,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `uid={username},ou=people,dc=example,dc=com`
    DistinguishedName,
    /// `{username}@corp.example.com` or `CORP\{username}`
    ActiveDirectory,
}

impl BindName {
    /// Reads a template; `None` when it is none of the three forms, or has not exactly one place for the username.
    pub(crate) fn parse(template: &str) -> Option<Self> {
        let (before, after) = template.split_once(PLACE)?;
        let is_domain =
            |text: &str| !text.is_empty() && !text.contains(|c: char| QUALIFIERS.contains(&c) || c.is_whitespace());
        let principal = before.is_empty() && after.strip_prefix('@').is_some_and(is_domain);
        let down_level = after.is_empty() && before.strip_suffix('\\').is_some_and(is_domain);
        let form = if principal || down_level { Form::ActiveDirectory } else { Form::DistinguishedName };
        let is_unambiguous = match form {
            Form::ActiveDirectory => !before.contains('=') && !after.contains('='),
            // A backslash would take the first character of the username for its own.
            Form::DistinguishedName => !before.ends_with('\\') && places_value(before, after),
        };
        (is_unambiguous && !after.contains(PLACE)).then(|| Self {
            before: before.to_owned(),
            after: after.to_owned(),
            form,
        })
    }

    /// The name of that person; `None` for a username that would name somebody of another domain.
    pub(crate) fn of(&self, username: &Username) -> Option<String> {
        let username = username.as_str();
        let filling = match self.form {
            Form::DistinguishedName => dn_escape(username),
            Form::ActiveDirectory if username.contains(QUALIFIERS) => return None,
            Form::ActiveDirectory => username.into(),
        };
        Some(format!("{}{filling}{}", self.before, self.after))
    }
}

/// Whether what stands between these is within a value of a distinguished name.
fn places_value(before: &str, after: &str) -> bool {
    // No hexadecimal digits, so that it completes no escape.
    const SOMEBODY: &str = "xyzzyx";
    !before.contains(SOMEBODY)
        && !after.contains(SOMEBODY)
        && DistinguishedName::parse(&format!("{before}{SOMEBODY}{after}"))
            .is_some_and(|name| name.has_value_with(SOMEBODY))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEOPLE: &str = "uid={username},ou=people,dc=example,dc=com";

    fn name(template: &str, username: &str) -> Option<String> {
        BindName::parse(template).unwrap().of(&Username::parse(username).unwrap())
    }

    #[test]
    fn a_username_is_one_value_of_a_distinguished_name() {
        for (username, escaped) in [
            ("grace", "grace"),
            ("grace+uid", "grace\\2buid"),
            ("corp\\grace", "corp\\5cgrace"),
            ("\\2agrace", "\\5c2agrace"),
            ("grace@example.com", "grace@example.com"),
            ("josé", "josé"),
        ] {
            let expected = format!("uid={escaped},ou=people,dc=example,dc=com");
            assert_eq!(name(PEOPLE, username), Some(expected), "{username}");
        }
    }

    #[test]
    fn no_username_leaves_its_domain() {
        for template in ["{username}@corp.example.com", "CORP\\{username}"] {
            for username in ["grace@evil.test", "EVIL\\grace", "grace@", "\\grace"] {
                assert_eq!(name(template, username), None, "{template} {username}");
            }
        }
        assert_eq!(name("{username}@corp.example.com", "Grace").as_deref(), Some("grace@corp.example.com"));
        assert_eq!(name("CORP\\{username}", "grace").as_deref(), Some("CORP\\grace"));
    }

    #[test]
    fn a_template_has_one_place_and_one_of_three_forms() {
        for template in [
            "",
            "{username}",
            "uid=grace,dc=example",
            "uid={username},cn={username}",
            "{username}=grace,dc=example",
            "uid={username",
            "uid=\\{username},dc=example",
            "uid=\\2{username},dc=example",
            "uid=#{username},dc=example",
            "uid=\"{username}\",dc=example",
            "{username}@",
            "{username}@corp@example",
            "{username}@corp example",
            "\\{username}",
            "CORP/{username}",
            "CORP\\{username}@example",
        ] {
            assert_eq!(BindName::parse(template), None, "{template}");
        }
        assert!(BindName::parse("cn=user-{username}+ou=x,dc=example").is_some());
    }

    proptest! {
        #[test]
        fn whoever_binds_is_below_people(text in "\\PC{1,20}|[a-z@+.\\\\_-]{1,12}") {
            if let Ok(username) = Username::parse(&text) {
                let bound = BindName::parse(PEOPLE).unwrap().of(&username).unwrap();
                let bound = DistinguishedName::parse(&bound).unwrap();
                let expected = format!("uid={},ou=people,dc=example,dc=com", hexadecimal(username.as_str()));
                prop_assert_eq!(bound, DistinguishedName::parse(&expected).unwrap());
            }
        }
    }

    /// The same with every byte escaped, which is right for sure.
    fn hexadecimal(text: &str) -> String {
        use std::fmt::Write as _;
        text.bytes().fold(String::new(), |mut escaped, byte| {
            write!(escaped, "\\{byte:02x}").unwrap();
            escaped
        })
    }
}
