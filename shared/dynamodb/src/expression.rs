//! Update expressions, written with placeholders only: attribute names may be reserved words or UUIDs.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An update expression and condition, in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Update {
    adds: Vec<String>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Update {
    /// `ADD path value`: counts on from what is there, or from 0.
    pub(crate) fn add(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.adds.push(format!("{path} {value}"));
    }

    /// `SET path = value`.
    pub(crate) fn set(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.sets.push(format!("{path} = {value}"));
    }

    /// `REMOVE path`.
    pub(crate) fn remove(&mut self, path: &[&str]) {
        let path = self.path(path);
        self.removes.push(path);
    }

    /// Only if `path = value`.
    pub(crate) fn require_equal(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.conditions.push(format!("{path} = {value}"));
    }

    /// Only if there is nothing at `path`.
    pub(crate) fn require_absent(&mut self, path: &[&str]) {
        let path = self.path(path);
        self.conditions.push(format!("attribute_not_exists({path})"));
    }

    /// Only if there is something at `path`.
    pub(crate) fn require_existing(&mut self, path: &[&str]) {
        let path = self.path(path);
        self.conditions.push(format!("attribute_exists({path})"));
    }

    /// Only if there is something above `value` at `path`.
    pub(crate) fn require_above(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.conditions.push(format!("{path} > {value}"));
    }

    /// Only if there is something below `value` at `path`.
    pub(crate) fn require_below(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.conditions.push(format!("{path} < {value}"));
    }

    /// Only if there is nothing at `path`, or something below `value`.
    pub(crate) fn require_absent_or_below(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({path}) OR {path} < {value})"));
    }

    /// Only if there is nothing at `path`, or nothing above `value`.
    pub(crate) fn require_at_most(&mut self, path: &[&str], value: AttributeValue) {
        let (path, value) = (self.path(path), self.value(value));
        self.conditions.push(format!("(attribute_not_exists({path}) OR {path} <= {value})"));
    }

    /// The update expression.
    pub(crate) fn expression(&self) -> String {
        let clause = |verb: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{verb} {} ", parts.join(", ")) }
        };
        clause("SET", &self.sets) + &clause("REMOVE", &self.removes) + &clause("ADD", &self.adds)
    }

    /// The condition expression.
    pub(crate) fn condition(&self) -> String {
        self.conditions.join(" AND ")
    }

    /// What the placeholders of names stand for.
    pub(crate) fn names(&self) -> HashMap<String, String> {
        let numbered = self.names.iter().enumerate();
        numbered.map(|(index, name)| (format!("#n{index}"), name.clone())).collect()
    }

    /// What the placeholders of values stand for.
    pub(crate) fn values(&self) -> HashMap<String, AttributeValue> {
        let numbered = self.values.iter().enumerate();
        numbered.map(|(index, value)| (format!(":v{index}"), value.clone())).collect()
    }

    /// The same, where a request must not say that there are none.
    pub(crate) fn values_if_any(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values())
    }

    fn path(&mut self, path: &[&str]) -> String {
        let placeholders: Vec<_> = path.iter().map(|name| self.name(name)).collect();
        placeholders.join(".")
    }

    fn name(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#n{index}")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_names_each_attribute_once_and_keeps_its_clauses_apart() {
        let mut update = Update::default();
        update.set(&["secrets", "a"], AttributeValue::N("1".into()));
        update.remove(&["secrets", "b"]);
        update.require_equal(&["version"], AttributeValue::N("2".into()));
        update.require_existing(&["secrets", "a"]);
        update.add(&["n"], AttributeValue::N("1".into()));
        update.require_absent_or_below(&["n"], AttributeValue::N("9".into()));
        assert_eq!(update.expression(), "SET #n0.#n1 = :v0 REMOVE #n0.#n2 ADD #n4 :v2 ");
        assert_eq!(
            update.condition(),
            "#n3 = :v1 AND attribute_exists(#n0.#n1) AND (attribute_not_exists(#n4) OR #n4 < :v3)"
        );
        assert_eq!(update.names()["#n0"], "secrets");
        assert_eq!(update.names().len(), 5);
        assert_eq!(update.values()[":v1"], AttributeValue::N("2".into()));
    }
}
