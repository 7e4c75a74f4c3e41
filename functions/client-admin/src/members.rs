//! From JSON members to values of the right type. What values they may be, the domain says.

use std::collections::BTreeMap;

use identety_domain::FieldError;
use identety_domain::client::RuleOrList;
use serde_json::Value;

/// One pass over members: collects what is wrong. `null` is as good as not given.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) errors: Vec<FieldError>,
}

impl Reader {
    pub(crate) fn refuse(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    pub(crate) fn wrong_type<T>(&mut self, name: &str, rule: &str) -> Option<T> {
        self.refuse(name, rule);
        None
    }

    pub(crate) fn text(&mut self, name: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            Value::Null => None,
            _ => self.wrong_type(name, "must be a string"),
        }
    }

    pub(crate) fn texts(&mut self, name: &str, value: Value) -> Option<Vec<String>> {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return None,
            _ => return self.wrong_type(name, "must be a list of strings"),
        };
        let texts = items.into_iter().map(|item| match item {
            Value::String(text) => Ok(text),
            _ => Err(()),
        });
        let texts: Result<_, ()> = texts.collect();
        texts.ok().or_else(|| self.wrong_type(name, "must be a list of strings"))
    }

    pub(crate) fn rule_or_texts(&mut self, name: &str, value: Value) -> Option<RuleOrList> {
        match value {
            Value::String(rule) => Some(RuleOrList::Rule(rule)),
            Value::Array(_) => self.texts(name, value).map(RuleOrList::List),
            Value::Null => None,
            _ => self.wrong_type(name, "must be a string or a list of strings"),
        }
    }

    pub(crate) fn seconds(&mut self, name: &str, value: &Value) -> Option<u64> {
        match value {
            Value::Null => None,
            value => value
                .as_u64()
                .or_else(|| self.wrong_type(name, "must be a whole number of seconds")),
        }
    }

    pub(crate) fn flag(&mut self, name: &str, value: &Value) -> Option<bool> {
        match value {
            Value::Bool(flag) => Some(*flag),
            Value::Null => None,
            _ => self.wrong_type(name, "must be true or false"),
        }
    }

    pub(crate) fn pairs(&mut self, name: &str, value: Value) -> Option<BTreeMap<String, String>> {
        let members = match value {
            Value::Object(members) => members,
            Value::Null => return None,
            _ => return self.wrong_type(name, "must be an object of strings"),
        };
        let pairs = members.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            _ => Err(()),
        });
        let pairs: Result<_, ()> = pairs.collect();
        pairs.ok().or_else(|| self.wrong_type(name, "must be an object of strings"))
    }
}
