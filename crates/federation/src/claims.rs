//! What a provider says about a person, once it is proved that the provider said it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::ClaimName;

/// The longest text of a claim that is looked at, in bytes: a mail address is a quarter of that, and no name is longer.
const MAX_TEXT: usize = 1024;
/// The longest subject, in bytes (OpenID Connect Core 1.0 §2).
const MAX_SUBJECT: usize = 255;
/// How many groups are looked at. Entra ID itself sends no more than 200, and a link instead.
const MAX_GROUPS: usize = 1000;

/// Claims of a verified ID token. Text is as the provider wrote it: whoever uses it parses it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// Who, for ever, at that provider: the only claim that identifies (OpenID Connect Core 1.0 §5.7).
    pub subject: String,
    /// What the person likes to be called when signing in. Any provider may say any name.
    pub preferred_username: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// A mail address.
    pub email: Option<String>,
    /// Whether the provider says `true`, and nothing that only looks like it, about having verified the address.
    pub email_verified: bool,
    /// Their groups, each once.
    pub groups: BTreeSet<String>,
}

/// The claims name nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sub must be a text of 1 to {MAX_SUBJECT} printable ASCII characters")]
pub struct RefusedClaims;

impl Claims {
    /// Reads the claims of a token or of a trial. What has another type than it should, or is too long, counts as absent; only
    /// a person without a subject is refused.
    ///
    /// # Errors
    /// [`RefusedClaims`] when there is no subject.
    pub fn read(claims: &Map<String, Value>, groups_claim: &ClaimName) -> Result<Self, RefusedClaims> {
        let text = |name: &str| {
            let text = claims.get(name)?.as_str()?;
            (text.len() <= MAX_TEXT && !text.contains('\0')).then(|| text.to_owned())
        };
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| is_subject(subject));
        Ok(Self {
            subject: subject.ok_or(RefusedClaims)?.to_owned(),
            preferred_username: text("preferred_username"),
            name: text("name"),
            email: text("email"),
            email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
            groups: claims.get(groups_claim.as_str()).map(groups).unwrap_or_default(),
        })
    }
}

fn is_subject(subject: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&subject.len()) && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A list of texts, or one text, as some providers write a list of one.
fn groups(claim: &Value) -> BTreeSet<String> {
    let all = match claim {
        Value::Array(groups) => groups.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts = all.iter().filter_map(Value::as_str).filter(|group| group.len() <= MAX_TEXT);
    texts.take(MAX_GROUPS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Result<Claims, RefusedClaims> {
        Claims::read(claims.as_object().unwrap(), &ClaimName::parse("groups").unwrap())
    }

    #[test]
    fn claims_are_taken_as_the_provider_wrote_them() {
        let claims = read(&json!({
            "sub": "248289761001", "preferred_username": "Grace", "name": "Grace Hopper", "email": "grace@example.com",
            "email_verified": true, "groups": ["ops", "all", "ops"], "auth_time": 0.5,
        }));
        let expected = Claims {
            subject: "248289761001".to_owned(),
            preferred_username: Some("Grace".to_owned()),
            name: Some("Grace Hopper".to_owned()),
            email: Some("grace@example.com".to_owned()),
            email_verified: true,
            groups: ["all", "ops"].map(str::to_owned).into(),
        };
        assert_eq!(claims, Ok(expected));
    }

    #[test]
    fn nobody_is_signed_in_without_a_subject() {
        for subject in [json!(null), json!(7), json!(""), json!("\u{0}"), json!("grüße"), json!("a".repeat(256))] {
            assert_eq!(read(&json!({"sub": subject})), Err(RefusedClaims), "{subject}");
        }
        assert_eq!(read(&json!({})), Err(RefusedClaims));
    }

    #[test]
    fn only_true_itself_says_that_an_address_was_verified() {
        for value in [json!("true"), json!(1), json!("1"), json!(null), json!([true]), json!(false)] {
            assert!(!read(&json!({"sub": "1", "email_verified": value})).unwrap().email_verified, "{value}");
        }
    }

    #[test]
    fn one_group_may_stand_without_a_list_and_what_is_no_text_is_no_group() {
        let groups = |groups: Value| read(&json!({"sub": "1", "groups": groups})).unwrap().groups;
        assert_eq!(groups(json!("ops")), ["ops".to_owned()].into());
        assert_eq!(groups(json!(["ops", 7, null, ["admins"]])), ["ops".to_owned()].into());
        assert!(groups(json!({"admins": true})).is_empty());
        assert_eq!(groups(json!(vec!["a"; 5000])).len(), 1);
    }

    proptest! {
        #[test]
        fn whatever_claims_hold_they_read_or_are_refused(text in ".*", number: i64, flag: bool) {
            for value in [json!(text), json!(number), json!(flag), json!([text, number]), json!({"a": text})] {
                let claims = json!({
                    "sub": "1", "preferred_username": value, "name": value, "email": value, "email_verified": value,
                    "groups": value,
                });
                let read = read(&claims).unwrap();
                prop_assert_eq!(read.subject, "1");
                prop_assert_eq!(read.email_verified, value == json!(true));
            }
        }
    }
}
