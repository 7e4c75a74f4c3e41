//! The parameters of an authorization request as they came.

use crate::values::quoted;

/// One parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value; `None` when it is no text: a broken percent-encoding, not UTF-8, or control characters.
    pub value: Option<String>,
}

/// All parameters of a request. Whether one is repeated or unreadable matters only when it is known
/// where to answer.
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<Parameter>);

/// A parameter cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unusable;

/// Parameters that may come more than once (RFC 8707 §2).
const REPEATABLE: &str = "resource";

impl Parameters {
    /// The value of a parameter; one without a value counts as left out (RFC 6749 §3.1).
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Unusable> {
        let mut values = self.0.iter().filter(|parameter| parameter.name == name);
        let Some(first) = values.next() else { return Ok(None) };
        match (&first.value, values.next()) {
            (Some(value), None) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            (None, _) | (_, Some(_)) => Err(Unusable),
        }
    }

    /// All values of a parameter that may be repeated.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let own = self.0.iter().filter(|parameter| parameter.name == name);
        let values = own.filter_map(|parameter| parameter.value.clone());
        values.filter(|value| !value.is_empty()).collect()
    }

    /// RFC 6749 §3.1: parameters must not be included more than once, nor be unreadable. Says which one breaks that.
    pub(super) fn fault(&self) -> Option<String> {
        self.0.iter().enumerate().find_map(|(index, Parameter { name, value })| {
            let again = self.0.iter().take(index).any(|earlier| earlier.name == *name);
            if value.is_none() {
                let rule =
                    "is malformed: not UTF-8, badly percent-encoded, or with control characters";
                return Some(format!("the parameter {} {rule}", quoted(name)));
            }
            (again && name != REPEATABLE)
                .then(|| format!("the parameter {} is repeated", quoted(name)))
        })
    }

    /// Names and values, but for those that are no text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(|Parameter { name, value }| Some((name.as_str(), value.as_deref()?)))
    }
}

impl FromIterator<Parameter> for Parameters {
    fn from_iter<I: IntoIterator<Item = Parameter>>(parameters: I) -> Self {
        Self(parameters.into_iter().collect())
    }
}
