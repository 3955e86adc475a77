//! JSON that reads one way only. Of two members of one name some parsers take the first and some the last, so that two
//! programs read two things in one token (RFC 7515 §4, RFC 7519 §4, RFC 8259 §4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The object that `bytes` are; nothing when they are none, or when a name comes twice anywhere in it.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(bytes) {
        Ok(Strict(Value::Object(members))) => Some(members),
        _ => None,
    }
}

/// A value in which no object has two members of one name.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_may_come_once_at_each_level() {
        assert!(object(br#"{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 2}]}"#).is_some());
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":{"a":1,"a":2}}"#, r#"{"b":[{"a":1,"a":2}]}"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert_eq!(object(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn nothing_but_one_object_is_read() {
        for text in ["", "1", "[]", "null", "{} {}", "{}x", "{'a':1}", "\u{feff}{}", r#"{"a":NaN}"#] {
            assert_eq!(object(text.as_bytes()), None, "{text}");
        }
        let deep = format!("{}{}", r#"{"a":"#.repeat(1000), "}".repeat(1000));
        assert_eq!(object(deep.as_bytes()), None);
        assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_another_parser_reads(name in ".{0,5}", text in ".{0,10}", whole: i64, float: f64, flag: bool) {
            let value = json!({name: [text, whole, float, flag, null], "z": {"y": whole}});
            let text = value.to_string();
            prop_assert_eq!(object(text.as_bytes()), serde_json::from_str(&text).ok());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            object(&bytes);
        }
    }
}
