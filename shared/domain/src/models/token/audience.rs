//! Whom a token is for (RFC 7519 §4.1.3).

use serde::{Deserialize, Serialize};

/// Whom a token is for: one text on the wire when it is one, a list when there are more.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "OneOrMany")]
pub struct Audience(Vec<String>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Whether `resource` is among them.
    #[must_use]
    pub fn contains(&self, resource: &str) -> bool {
        self.0.iter().any(|own| own == resource)
    }

    /// Whether it names no resource.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<String> for Audience {
    /// Keeps the first of equal resources.
    fn from_iter<I: IntoIterator<Item = String>>(resources: I) -> Self {
        let mut audience = Self::default();
        for resource in resources {
            if !audience.contains(&resource) {
                audience.0.push(resource);
            }
        }
        audience
    }
}

impl From<OneOrMany> for Audience {
    fn from(wire: OneOrMany) -> Self {
        match wire {
            OneOrMany::One(resource) => Self(vec![resource]),
            OneOrMany::Many(resources) => Self(resources),
        }
    }
}

impl From<Audience> for OneOrMany {
    fn from(audience: Audience) -> Self {
        match <[String; 1]>::try_from(audience.0) {
            Ok([resource]) => Self::One(resource),
            Err(resources) => Self::Many(resources),
        }
    }
}
