//! Expressions of requests: what a write changes, and on what condition. They are written with
//! placeholders only, because attribute names may be reserved words or UUIDs.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::attributes::Item;

/// The names that lead to an attribute: of an attribute of the item, of a member of that one, and so on.
type Path = Vec<String>;

fn path(names: &[&str]) -> Path {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A condition on the item as it is stored. By default it always holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    /// All of them must hold.
    tests: Vec<Test>,
}

#[derive(Clone, Debug)]
enum Test {
    Absent(Path),
    Existing(Path),
    Compared(Path, &'static str, AttributeValue),
    Between(Path, [AttributeValue; 2]),
    Either(Box<[Condition; 2]>),
}

impl Condition {
    /// And there is nothing at `at`.
    pub(crate) fn absent(self, at: &[&str]) -> Self {
        self.and_test(Test::Absent(path(at)))
    }

    /// And there is something at `at`.
    pub(crate) fn existing(self, at: &[&str]) -> Self {
        self.and_test(Test::Existing(path(at)))
    }

    /// And `value` is at `at`.
    pub(crate) fn equal(self, at: &[&str], value: AttributeValue) -> Self {
        self.and_test(Test::Compared(path(at), "=", value))
    }

    /// And something above `value` is at `at`.
    pub(crate) fn above(self, at: &[&str], value: AttributeValue) -> Self {
        self.and_test(Test::Compared(path(at), ">", value))
    }

    /// And something below `value` is at `at`.
    pub(crate) fn below(self, at: &[&str], value: AttributeValue) -> Self {
        self.and_test(Test::Compared(path(at), "<", value))
    }

    /// And something that is `value` or below it is at `at`.
    pub(crate) fn at_most(self, at: &[&str], value: AttributeValue) -> Self {
        self.and_test(Test::Compared(path(at), "<=", value))
    }

    /// And something from `least` to `most` is at `at`.
    pub(crate) fn between(self, at: &[&str], least: AttributeValue, most: AttributeValue) -> Self {
        self.and_test(Test::Between(path(at), [least, most]))
    }

    /// Both this condition and `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.tests.extend(other.tests);
        self
    }

    /// This condition or `other`, or both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { tests: vec![Test::Either(Box::new([self, other]))] }
    }

    fn and_test(mut self, test: Test) -> Self {
        self.tests.push(test);
        self
    }

    fn written(&self, table: &mut Placeholders) -> String {
        let tests: Vec<_> = self.tests.iter().map(|test| test.written(table)).collect();
        tests.join(" AND ")
    }
}

impl Test {
    fn written(&self, table: &mut Placeholders) -> String {
        match self {
            Self::Absent(path) => format!("attribute_not_exists({})", table.path(path)),
            Self::Existing(path) => format!("attribute_exists({})", table.path(path)),
            Self::Compared(path, operator, value) => {
                format!("{} {operator} {}", table.path(path), table.value(value))
            }
            Self::Between(path, [least, most]) => {
                let path = table.path(path);
                format!("{path} BETWEEN {} AND {}", table.value(least), table.value(most))
            }
            Self::Either(conditions) => {
                let [one, other] = conditions.each_ref().map(|either| either.written(table));
                format!("({one} OR {other})")
            }
        }
    }
}

/// What a write changes of an item, attribute by attribute. The rest stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Update {
    sets: Vec<(Path, AttributeValue)>,
    defaults: Vec<(Path, AttributeValue)>,
    removes: Vec<Path>,
    adds: Vec<(Path, AttributeValue)>,
}

impl Update {
    /// What makes `after` of `before`. Maps are changed member by member, so that a member which neither
    /// of the two has stays in the stored item.
    pub(crate) fn between(before: &Item, after: &Item) -> Self {
        let mut update = Self::default();
        update.make(&[], before, after);
        update
    }

    fn make(&mut self, above: &[&str], before: &Item, after: &Item) {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let at = [above, &[name.as_str()]].concat();
            match (before.get(name), after.get(name)) {
                (Some(AttributeValue::M(before)), Some(AttributeValue::M(after))) => {
                    self.make(&at, before, after);
                }
                (old, Some(new)) if old != Some(new) => self.set(&at, new.clone()),
                (Some(_), None) => self.remove(&at),
                (_, Some(_)) | (None, None) => {}
            }
        }
    }

    /// Puts `value` at `at`.
    pub(crate) fn set(&mut self, at: &[&str], value: AttributeValue) {
        self.sets.push((path(at), value));
    }

    /// Puts `value` at `at` where there is nothing.
    pub(crate) fn set_if_absent(&mut self, at: &[&str], value: AttributeValue) {
        self.defaults.push((path(at), value));
    }

    /// Takes away what is at `at`.
    pub(crate) fn remove(&mut self, at: &[&str]) {
        self.removes.push(path(at));
    }

    /// Adds a number to the one at `at`, or texts to the set at `at`. Where there is nothing, it begins
    /// with 0, or with the empty set.
    pub(crate) fn add(&mut self, at: &[&str], value: AttributeValue) {
        self.adds.push((path(at), value));
    }

    fn written(&self, table: &mut Placeholders) -> String {
        let mut sets = Vec::new();
        for (path, value) in &self.sets {
            sets.push(format!("{} = {}", table.path(path), table.value(value)));
        }
        for (path, value) in &self.defaults {
            let path = table.path(path);
            sets.push(format!("{path} = if_not_exists({path}, {})", table.value(value)));
        }
        let removes: Vec<_> = self.removes.iter().map(|path| table.path(path)).collect();
        let mut adds = Vec::new();
        for (path, value) in &self.adds {
            adds.push(format!("{} {}", table.path(path), table.value(value)));
        }
        let clauses = [("SET", sets), ("REMOVE", removes), ("ADD", adds)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let clauses = clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", ")));
        clauses.collect::<Vec<_>>().join(" ")
    }
}

/// The expressions of one request, as the request takes them. What there is none of is `None`: a request
/// must not say that it is empty.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    /// What is changed.
    pub(crate) update: Option<String>,
    /// On what condition.
    pub(crate) condition: Option<String>,
    /// What the placeholders of names stand for.
    pub(crate) names: Option<HashMap<String, String>>,
    /// What the placeholders of values stand for.
    pub(crate) values: Option<HashMap<String, AttributeValue>>,
}

impl Expressions {
    /// Those of an update under a condition.
    pub(crate) fn of(update: &Update, only_if: &Condition) -> Self {
        let mut table = Placeholders::default();
        let update = update.written(&mut table);
        let condition = only_if.written(&mut table);
        table.expressions(update, condition)
    }

    /// Those of a write that has no update: of a whole item, or of a deletion.
    pub(crate) fn of_condition(only_if: &Condition) -> Self {
        Self::of(&Update::default(), only_if)
    }
}

/// The placeholders of one request, which its expressions share.
#[derive(Default)]
struct Placeholders {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Placeholders {
    fn path(&mut self, path: &[String]) -> String {
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

    fn value(&mut self, value: &AttributeValue) -> String {
        self.values.push(value.clone());
        format!(":v{}", self.values.len() - 1)
    }

    fn expressions(self, update: String, condition: String) -> Expressions {
        let names = self.names.into_iter().enumerate();
        let names: HashMap<_, _> =
            names.map(|(index, name)| (format!("#n{index}"), name)).collect();
        let values = self.values.into_iter().enumerate();
        let values: HashMap<_, _> =
            values.map(|(index, value)| (format!(":v{index}"), value)).collect();
        Expressions {
            update: (!update.is_empty()).then_some(update),
            condition: (!condition.is_empty()).then_some(condition),
            names: (!names.is_empty()).then_some(names),
            values: (!values.is_empty()).then_some(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{map, number, text};

    fn item(members: &[(&str, AttributeValue)]) -> Item {
        members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn an_update_and_its_condition_share_one_table_that_names_each_attribute_once() {
        let mut update = Update::default();
        update.set(&["secrets", "a"], number(1));
        update.set_if_absent(&["schema"], number(3));
        update.remove(&["secrets", "b"]);
        update.add(&["n"], number(1));
        let only_if = Condition::default().equal(&["version"], number(2));
        let only_if = only_if.existing(&["secrets", "a"]);
        let below = Condition::default().below(&["n"], number(9));
        let only_if = only_if.and(Condition::default().absent(&["n"]).or(below));
        let Expressions { update, condition, names, values } = Expressions::of(&update, &only_if);
        assert_eq!(
            update.unwrap(),
            "SET #n0.#n1 = :v0, #n2 = if_not_exists(#n2, :v1) REMOVE #n0.#n3 ADD #n4 :v2"
        );
        assert_eq!(
            condition.unwrap(),
            "#n5 = :v3 AND attribute_exists(#n0.#n1) AND (attribute_not_exists(#n4) OR #n4 < :v4)"
        );
        let names = names.unwrap();
        assert_eq!((names["#n0"].as_str(), names.len()), ("secrets", 6));
        assert_eq!(values.unwrap()[":v3"], number(2));
    }

    #[test]
    fn what_a_request_has_none_of_is_left_out() {
        let nothing = Expressions::of(&Update::default(), &Condition::default());
        assert_eq!((nothing.update, nothing.condition), (None, None));
        assert_eq!((nothing.names, nothing.values), (None, None));
        let absent = Expressions::of_condition(&Condition::default().absent(&["pk"]));
        assert_eq!(absent.condition.as_deref(), Some("attribute_not_exists(#n0)"));
        assert_eq!((absent.update, absent.values), (None, None));
    }

    #[test]
    fn the_update_between_two_items_writes_members_that_differ_and_no_others() {
        let details = |members: &[_]| ("details", map(item(members)));
        let before = item(&[
            ("pk", text("key")),
            ("version", number(1)),
            ("password", text("old")),
            details(&[("name", text("a")), ("same", text("b")), ("gone", text("c"))]),
        ]);
        let after = item(&[
            ("pk", text("key")),
            ("version", number(2)),
            details(&[("name", text("z")), ("same", text("b")), ("new", text("d"))]),
        ]);
        let update = Update::between(&before, &after);
        let Expressions { update, names, .. } = Expressions::of(&update, &Condition::default());
        let mut update = update.unwrap();
        for (placeholder, name) in names.unwrap() {
            update = update.replace(&placeholder, &name);
        }
        assert_eq!(
            update,
            "SET details.name = :v0, details.new = :v1, version = :v2 \
             REMOVE details.gone, password"
        );
    }
}
