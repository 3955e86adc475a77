//! The settings in the Windows registry, under `HKLM\SOFTWARE\Stratora\Agent`: the same fields, each a value of that
//! key.
//!
//! What stands in the registry and what it means is decided here without Windows, and tested everywhere. The few
//! calls that read and write it are for Windows alone.

use serde_json::{Map, Value};

use crate::secret::Secret;
use crate::settings::{InvalidSettings, Settings};

/// Where the values are, below `HKEY_LOCAL_MACHINE`.
pub const KEY: &str = r"SOFTWARE\Stratora\Agent";

/// A value of the registry.
#[derive(Clone, PartialEq, Eq)]
pub enum RegistryValue {
    /// `REG_SZ` or `REG_EXPAND_SZ`.
    Text(String),
    /// `REG_DWORD` or `REG_QWORD`.
    Number(u64),
    /// Any other.
    Other,
}

/// The settings that the values are. The registry has no truth values: `insecure_skip_verify` is a number, 0 or 1.
/// Administrative templates write an empty text where nothing is set, so that is the same as no value.
///
/// # Errors
/// [`InvalidSettings`] names the first value that is wrong.
pub fn settings_from(values: &[(String, RegistryValue)]) -> Result<Settings, InvalidSettings> {
    let mut fields = Map::new();
    for (name, value) in values {
        let value = match value {
            RegistryValue::Text(text) if text.is_empty() => continue,
            RegistryValue::Text(text) => Value::from(text.as_str()),
            RegistryValue::Number(number @ (0 | 1)) if name == "insecure_skip_verify" => Value::from(*number == 1),
            RegistryValue::Number(number) => Value::from(*number),
            RegistryValue::Other => Value::Array(Vec::new()),
        };
        fields.insert(name.clone(), value);
    }
    match Settings::from_fields(&fields) {
        Err(InvalidSettings::Field("insecure_skip_verify", _)) => {
            Err(InvalidSettings::Field("insecure_skip_verify", "a number, 0 or 1"))
        }
        result => result,
    }
}

/// The values that credentials become, in the order in which to write them: each is written, or removed where there
/// is none. A key that works is there at every moment.
pub fn values_of(settings: &Settings) -> Vec<(&'static str, Option<&str>)> {
    let credentials = &settings.credentials;
    let identity = credentials.identity.as_ref();
    let new = identity.and_then(|identity| identity.new_api_key.as_ref()).map(Secret::expose);
    let mut values = vec![
        ("api_key", identity.map(|identity| identity.api_key.expose())),
        ("component_id", identity.map(|identity| identity.component_id.as_str())),
        ("enrollment_token", credentials.enrollment_token.as_ref().map(Secret::expose)),
    ];
    // A new key comes before anything else, and goes when it has become the only one.
    values.insert(if new.is_some() { 0 } else { 2 }, ("new_api_key", new));
    values
}

#[cfg(windows)]
mod windows {
    //! The calls themselves. Nobody has run them yet.

    use std::io;

    use windows_registry::{LOCAL_MACHINE, Type};

    use super::{KEY, RegistryValue, settings_from, values_of};
    use crate::settings::{Credentials, Settings};
    use crate::store::{LoadError, SaveError, SettingsStore, Version};

    /// The registry.
    pub struct Registry;

    fn read_error(error: impl std::fmt::Display) -> LoadError {
        LoadError::Read(io::Error::other(error.to_string()))
    }

    fn write_error(error: impl std::fmt::Display) -> SaveError {
        SaveError::Write(io::Error::other(error.to_string()))
    }

    impl SettingsStore for Registry {
        fn load(&self) -> Result<Settings, LoadError> {
            let key = LOCAL_MACHINE.open(KEY).map_err(read_error)?;
            let values = key.values().map_err(read_error)?.map(|(name, value)| {
                let value = match value.ty() {
                    Type::String | Type::ExpandString => String::try_from(value).ok().map(RegistryValue::Text),
                    Type::U32 => u32::try_from(value).ok().map(|number| RegistryValue::Number(number.into())),
                    Type::U64 => u64::try_from(value).ok().map(RegistryValue::Number),
                    _ => None,
                };
                (name, value.unwrap_or(RegistryValue::Other))
            });
            Ok(settings_from(&values.collect::<Vec<_>>())?)
        }

        fn claim(&self) -> Result<(), LoadError> {
            // The service manager starts a service once.
            Ok(())
        }

        fn prove_writable(&self) -> Result<(), SaveError> {
            LOCAL_MACHINE.options().read().write().open(KEY).map(drop).map_err(write_error)
        }

        fn replace_credentials(&self, known: &Credentials, new: &Credentials) -> Result<(), SaveError> {
            let mut settings = self.load().map_err(|_| SaveError::Changed)?;
            if !settings.credentials.are(known) {
                return Err(SaveError::Changed);
            }
            settings.credentials = new.clone();
            let transaction = windows_registry::Transaction::new().map_err(write_error)?;
            let key =
                LOCAL_MACHINE.options().read().write().transaction(&transaction).open(KEY).map_err(write_error)?;
            for (name, value) in values_of(&settings) {
                match value {
                    Some(value) => key.set_string(name, value).map_err(write_error)?,
                    None if key.get_type(name).is_ok() => key.remove_value(name).map_err(write_error)?,
                    None => {}
                }
            }
            transaction.commit().map_err(write_error)
        }

        fn version(&self) -> Option<Version> {
            None
        }

        fn place(&self) -> String {
            format!(r"HKLM\{KEY}")
        }
    }
}

#[cfg(windows)]
pub use windows::Registry;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, text: &str) -> (String, RegistryValue) {
        (name.to_owned(), RegistryValue::Text(text.to_owned()))
    }

    fn key(letter: &str) -> String {
        format!("sk_stra_{}", letter.repeat(43))
    }

    fn enrolled() -> Vec<(String, RegistryValue)> {
        vec![text("server_url", "https://stratora.example.com"), text("component_id", "c1"), text("api_key", &key("k"))]
    }

    #[test]
    fn values_are_the_fields_of_the_file() {
        let mut values = enrolled();
        values.push(("insecure_skip_verify".to_owned(), RegistryValue::Number(1)));
        values.push(text("enrollment_token", ""));
        let settings = settings_from(&values).unwrap();
        assert!(settings.insecure_skip_verify && settings.credentials.enrollment_token.is_none());
        assert_eq!(settings.credentials.identity.unwrap().component_id, "c1");
    }

    #[test]
    fn each_value_of_a_wrong_kind_is_named() {
        for name in crate::settings::FIELDS {
            for wrong in [RegistryValue::Number(2), RegistryValue::Other, RegistryValue::Text("wrong value".to_owned())]
            {
                let mut values = enrolled();
                values.retain(|(present, _)| present != name);
                values.push((name.to_owned(), wrong));
                let error = settings_from(&values).unwrap_err();
                assert!(matches!(error, InvalidSettings::Field(field, _) if field == name), "{name}: {error}");
            }
        }
    }

    #[test]
    fn a_value_that_is_not_ours_is_named() {
        let mut values = enrolled();
        values.push(text("ServerUrl", "x"));
        assert_eq!(settings_from(&values).unwrap_err(), InvalidSettings::Unknown("ServerUrl".to_owned()));
    }

    /// The keys that are there after each single write.
    fn keys_on_the_way(values: &mut Vec<(String, RegistryValue)>, settings: &Settings) -> Vec<Vec<String>> {
        let mut seen = Vec::new();
        for (name, value) in values_of(settings) {
            values.retain(|(present, _)| present != name);
            values.extend(value.map(|value| text(name, value)));
            let identity = settings_from(values).unwrap().credentials.identity.unwrap();
            let keys = [identity.new_api_key, Some(identity.api_key)];
            seen.push(keys.into_iter().flatten().map(|key| key.expose().to_owned()).collect());
        }
        seen
    }

    #[test]
    fn whoever_is_interrupted_while_writing_a_rotation_has_a_key_that_works() {
        let mut values = enrolled();
        let mut settings = settings_from(&values).unwrap();
        settings.credentials.identity.as_mut().unwrap().new_api_key = Secret::api_key(&key("n"));
        let while_both_work = keys_on_the_way(&mut values, &settings);
        assert!(while_both_work.iter().all(|keys| keys.contains(&key("k"))));
        let identity = settings.credentials.identity.as_mut().unwrap();
        identity.api_key = identity.new_api_key.take().unwrap();
        let while_the_new_one_works = keys_on_the_way(&mut values, &settings);
        assert!(while_the_new_one_works.iter().all(|keys| keys.contains(&key("n"))));
        assert_eq!(while_the_new_one_works.last(), Some(&vec![key("n")]));
    }
}
