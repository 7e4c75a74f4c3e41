//! What the template lets a function do in DynamoDB, and whether a request keeps to it. Only so much of
//! IAM as the template uses: allowing statements, `dynamodb:LeadingKeys` and `dynamodb:Attributes`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::template::{Template, TemplateError};

const ROLE: &str = "AWS::IAM::Role";

/// A role, as far as it concerns DynamoDB.
#[derive(Clone, Debug)]
pub struct Role(Vec<Statement>);

#[derive(Clone, Debug)]
struct Statement {
    actions: Vec<String>,
    resource: String,
    /// Patterns for the partition keys; `None` where any will do.
    leading_keys: Option<Vec<String>>,
    /// The attributes that may be named; `None` where any may.
    attributes: Option<Vec<String>>,
}

/// What a request does to one item or index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `dynamodb:GetItem` and so on.
    pub action: String,
    /// The table's name, or `{table}/index/{index}`.
    pub resource: String,
    /// The partition keys that it names.
    pub keys: Vec<String>,
    /// The attributes that it names.
    pub attributes: BTreeSet<String>,
}

impl Role {
    /// The role of the function with this logical id. Of an `!If`, the branch for a true condition counts
    /// when the condition is one of `conditions`.
    ///
    /// # Errors
    ///
    /// When the template is no YAML, or the function has no role in it.
    pub fn of(yaml: &str, function: &str, conditions: &[&str]) -> Result<Self, TemplateError> {
        let template = Template::read(yaml)?;
        let role = template.referent(function, "Role", ROLE)?;
        let policies = template.property(role, "Policies")?.as_array().into_iter().flatten();
        let statements = policies.flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]));
        let chosen = statements.map(|statement| chosen(statement, conditions));
        Ok(Self(chosen.filter_map(Statement::read).collect()))
    }

    /// Whether the role lets its function do that.
    #[must_use]
    pub fn allows(&self, access: &Access) -> bool {
        self.0.iter().any(|statement| statement.allows(access))
    }
}

/// A branch of `!If`, or what is none.
fn chosen<'a>(value: &'a Value, conditions: &[&str]) -> &'a Value {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(condition), then, otherwise]) => {
            if conditions.contains(&condition.as_str()) { then } else { otherwise }
        }
        _ => value,
    }
}

/// One thing, or a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

impl Statement {
    /// `None` for what is not about tables.
    fn read(value: &Value) -> Option<Self> {
        let mut resource = value["Resource"].as_str()?.to_owned();
        for written in ["${", "}", ".Arn"] {
            resource = resource.replace(written, "");
        }
        let condition = |operator: &str, key: &str| {
            value["Condition"].get(operator).and_then(|keys| keys.get(key)).map(texts)
        };
        Some(Self {
            actions: texts(&value["Action"]),
            resource,
            leading_keys: condition("ForAllValues:StringLike", "dynamodb:LeadingKeys"),
            attributes: condition("ForAllValues:StringEquals", "dynamodb:Attributes"),
        })
    }

    fn allows(&self, access: &Access) -> bool {
        let Access { action, resource, keys, attributes } = access;
        let is_like = |key: &String, pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => key.starts_with(beginning),
            None => key == pattern,
        };
        let keys_fit = self.leading_keys.as_ref().is_none_or(|patterns| {
            keys.iter().all(|key| patterns.iter().any(|pattern| is_like(key, pattern)))
        });
        let attributes_fit = self
            .attributes
            .as_ref()
            .is_none_or(|allowed| attributes.iter().all(|attribute| allowed.contains(attribute)));
        self.actions.contains(action) && self.resource == *resource && keys_fit && attributes_fit
    }
}

impl Access {
    /// What a request of this operation does. `logical_id` says what the template calls a table.
    pub fn of(operation: &str, request: &Value, logical_id: impl Fn(&str) -> String) -> Vec<Self> {
        let table = |value: &Value| logical_id(value["TableName"].as_str().unwrap_or_default());
        match operation {
            "TransactWriteItems" => {
                let parts = list(&request["TransactItems"]).iter().filter_map(Value::as_object);
                let one = |(kind, part): (&String, &Value)| Self {
                    resource: table(part),
                    ..Self::to_item(&format!("{kind}Item"), part)
                };
                parts.flatten().map(one).collect()
            }
            "BatchGetItem" => {
                let tables = request["RequestItems"].as_object().into_iter().flatten();
                let one = |(name, wanted): (&String, &Value)| Self {
                    action: "dynamodb:BatchGetItem".to_owned(),
                    resource: logical_id(name),
                    keys: list(&wanted["Keys"]).iter().map(partition).collect(),
                    attributes: BTreeSet::new(),
                };
                tables.map(one).collect()
            }
            _ => {
                let index = request["IndexName"].as_str();
                let index = index.map(|name| format!("/index/{name}")).unwrap_or_default();
                let resource = format!("{}{index}", table(request));
                vec![Self { resource, ..Self::to_item(operation, request) }]
            }
        }
    }

    fn to_item(operation: &str, request: &Value) -> Self {
        let item = request.get("Key").or_else(|| request.get("Item"));
        let names = item.and_then(Value::as_object).map(Map::keys).into_iter().flatten().cloned();
        Self {
            action: format!("dynamodb:{operation}"),
            resource: String::new(),
            keys: item.map(partition).into_iter().collect(),
            attributes: names.chain(named(request)).collect(),
        }
    }
}

fn partition(key: &Value) -> String {
    key["pk"]["S"].as_str().unwrap_or_default().to_owned()
}

/// The attributes of which the expressions speak, by the first name of each path.
fn named(request: &Value) -> BTreeSet<String> {
    let mut attributes = BTreeSet::new();
    for expression in ["UpdateExpression", "ConditionExpression"] {
        let text = request[expression].as_str().unwrap_or_default();
        for (at, _) in text.match_indices('#').filter(|(at, _)| !text[..*at].ends_with('.')) {
            let end = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
            let rest = &text[at + 1..];
            let name = format!("#{}", rest.split(end).next().unwrap_or_default());
            let name = request["ExpressionAttributeNames"][&name].as_str();
            attributes.extend(name.map(str::to_owned));
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::deployment::template;

    fn allows(function: &str, operation: &str, table: &str, key: &str) -> bool {
        let request = json!({"TableName": table, "Key": {"pk": {"S": key}}});
        let accesses = Access::of(operation, &request, str::to_owned);
        let role = Role::of(&template(), function, &[]).unwrap();
        accesses.iter().all(|access| role.allows(access))
    }

    #[rstest]
    #[case("TokenFunction", "GetItem", "ClientsTable", "CLIENT#1", true)]
    #[case("TokenFunction", "GetItem", "ClientsTable", "APIKEY", false)]
    #[case("TokenFunction", "PutItem", "ClientsTable", "CLIENT#1", false)]
    #[case("TokenFunction", "UpdateItem", "GrantsTable", "GRANT#1", true)]
    #[case("TokenFunction", "PutItem", "GrantsTable", "GRANT#1", false)]
    #[case("TokenFunction", "UpdateItem", "GrantsTable", "SESSION#1", false)]
    #[case("TokenFunction", "UpdateItem", "AccountsTable", "USER#1", false)]
    #[case("AuthorizeFunction", "PutItem", "GrantsTable", "GRANT#1", true)]
    #[case("AuthorizeFunction", "UpdateItem", "GrantsTable", "GRANT#1", false)]
    #[case("AuthorizeFunction", "DeleteItem", "GrantsTable", "GRANT#1", false)]
    #[case("AuthorizeFunction", "GetItem", "ClientsTable", "APIKEY", false)]
    #[case("AuthorizeFunction", "UpdateItem", "ClientsTable", "CLIENT#1", false)]
    #[case("AuthorizeFunction", "PutItem", "AccountsTable", "USER#1", false)]
    #[case("AuthorizeFunction", "DeleteItem", "AccountsTable", "CONSENT#1", false)]
    #[case("AuthorizeFunction", "PutItem", "KeysTable", "KEY", false)]
    #[case("ClientAdminFunction", "PutItem", "KeysTable", "KEY", false)]
    #[case("ClientAdminFunction", "UpdateItem", "GrantsTable", "GRANT#1", false)]
    #[case("ClientAdminFunction", "GetItem", "GrantsTable", "GRANT#1", false)]
    fn a_role_reaches_no_further_than_its_function(
        #[case] function: &str,
        #[case] operation: &str,
        #[case] table: &str,
        #[case] key: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(allows(function, operation, table, key), expected);
    }

    #[test]
    fn users_are_written_only_where_people_may_register_themselves() {
        let put = |table, key| json!({"Put": {"TableName": table, "Item": {"pk": {"S": key}}}});
        let request = json!({"TransactItems": [
            put("AccountsTable", "USER#1"), put("AccountsTable", "EMAIL#a@example.com"),
        ]});
        let accesses = Access::of("TransactWriteItems", &request, str::to_owned);
        assert_eq!(accesses.len(), 2);
        for (conditions, expected) in [(&[][..], false), (&["RegistrationIsOpen"][..], true)] {
            let role = Role::of(&template(), "AuthorizeFunction", conditions).unwrap();
            assert!(accesses.iter().all(|access| role.allows(access) == expected));
        }
    }

    #[rstest]
    #[case("TokenFunction", "ClientsTable", "CLIENT#1", "secrets", true)]
    #[case("TokenFunction", "ClientsTable", "CLIENT#1", "metadata", false)]
    #[case("AuthorizeFunction", "AccountsTable", "USER#1", "password", true)]
    #[case("AuthorizeFunction", "AccountsTable", "USER#1", "details", false)]
    fn of_an_item_a_role_may_change_only_these_attributes(
        #[case] function: &str,
        #[case] table: &str,
        #[case] key: &str,
        #[case] attribute: &str,
        #[case] expected: bool,
    ) {
        let request = json!({
            "TableName": table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "SET #a.#b = :value",
            "ConditionExpression": "#a.#b = :old",
            "ExpressionAttributeNames": {"#a": attribute, "#b": "inner"},
        });
        let role = Role::of(&template(), function, &[]).unwrap();
        let accesses = Access::of("UpdateItem", &request, str::to_owned);
        assert!(accesses.iter().all(|access| role.allows(access) == expected), "{accesses:?}");
    }
}
