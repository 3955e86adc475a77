//! Every field wrong in turn.

use super::*;

fn key(letter: &str) -> String {
    format!("sk_stra_{}", letter.repeat(43))
}

fn token() -> String {
    format!("enroll_{}", "t".repeat(43))
}

fn enrolled() -> Value {
    serde_json::json!({"server_url": "https://stratora.example.com", "component_id": "0198-a", "api_key": key("k")})
}

fn read(value: &Value) -> Result<Settings, InvalidSettings> {
    Settings::from_json(value.to_string().as_bytes())
}

fn with(name: &str, value: Value) -> Result<Settings, InvalidSettings> {
    let mut fields = enrolled();
    fields[name] = value;
    read(&fields)
}

#[test]
fn a_token_or_an_identity_is_enough() {
    let with_token = serde_json::json!({"server_url": "http://127.0.0.1:8080/", "enrollment_token": token()});
    assert!(read(&with_token).unwrap().credentials.identity.is_none());
    let settings = read(&enrolled()).unwrap();
    assert_eq!(settings.credentials.identity.unwrap().component_id, "0198-a");
    assert!(!settings.insecure_skip_verify);
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let mut fields = enrolled();
    fields["new_api_key"] = key("n").into();
    fields["enrollment_token"] = token().into();
    fields["ca_file"] = "/etc/ssl/ours.pem".into();
    fields["insecure_skip_verify"] = true.into();
    let settings = read(&fields).unwrap();
    let again = Settings::from_json(&settings.to_json()).unwrap();
    assert!(again.credentials.are(&settings.credentials));
    assert_eq!(serde_json::from_slice::<Value>(&settings.to_json()).unwrap(), fields);
}

#[test]
fn each_field_that_is_wrong_is_named() {
    let wrong = [
        ("server_url", Value::Null),
        ("server_url", 5.into()),
        ("server_url", "".into()),
        ("server_url", "stratora.example.com".into()),
        ("server_url", "ftp://stratora.example.com".into()),
        ("server_url", "https://".into()),
        ("server_url", "https://stratora.example.com/console".into()),
        ("server_url", "https://user:secret@stratora.example.com".into()),
        ("server_url", "https://stratora.example.com/?a=b".into()),
        ("server_url", "http://stratora.example.com".into()),
        ("enrollment_token", 5.into()),
        ("enrollment_token", "enroll_short".into()),
        ("enrollment_token", key("k").into()),
        ("component_id", "".into()),
        ("component_id", "../../users".into()),
        ("component_id", "a".repeat(65).into()),
        ("component_id", true.into()),
        ("component_id", Value::Null),
        ("api_key", "".into()),
        ("api_key", token().into()),
        ("api_key", format!("{} ", key("k")).into()),
        ("api_key", Value::Null),
        ("new_api_key", "sk_stra_".into()),
        ("new_api_key", serde_json::json!([])),
        ("ca_file", "relative.pem".into()),
        ("ca_file", 1.into()),
        ("insecure_skip_verify", "true".into()),
        ("insecure_skip_verify", 0.into()),
        ("insecure_skip_verify", Value::Null),
    ];
    for (name, value) in wrong {
        let error = with(name, value.clone()).expect_err(name);
        assert!(matches!(error, InvalidSettings::Field(field, _) if field == name), "{name} {value}: {error}");
    }
}

#[test]
fn a_field_that_does_not_exist_is_refused_by_its_name() {
    assert_eq!(with("insecure", true.into()).unwrap_err(), InvalidSettings::Unknown("insecure".to_owned()));
}

#[test]
fn a_key_alone_names_what_is_missing() {
    let fields = serde_json::json!({"server_url": "https://s.example.com", "api_key": key("k")});
    assert!(read(&fields).unwrap_err().to_string().starts_with("`component_id` must be there"));
    let fields = serde_json::json!({"server_url": "https://s.example.com"});
    assert_eq!(read(&fields).unwrap_err(), InvalidSettings::Nobody);
}

#[test]
fn what_is_not_json_is_refused_in_one_line() {
    for text in ["", "{", "[]", "null", "{\"server_url\": \"https://a.example.com\",}", "<html>\n</html>", "\u{feff}{}"]
    {
        let error = Settings::from_json(text.as_bytes()).expect_err(text);
        assert!(matches!(error, InvalidSettings::Syntax(_)), "{text}: {error}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn no_message_repeats_a_value() {
    for name in ["server_url", "enrollment_token", "component_id", "api_key", "new_api_key", "ca_file"] {
        let error = with(name, format!("sk_stra_misplaced {}", "x".repeat(50)).into()).expect_err(name);
        assert!(!error.to_string().contains("misplaced"), "{error}");
    }
    let error = with("insecure_skip_verify", key("s").into()).unwrap_err();
    assert!(!error.to_string().contains("sss"), "{error}");
}

#[test]
fn debug_shows_no_secret() {
    let mut fields = enrolled();
    fields["enrollment_token"] = token().into();
    let shown = format!("{:?}", read(&fields).unwrap());
    assert!(!shown.contains("kkk") && !shown.contains("ttt"), "{shown}");
}
