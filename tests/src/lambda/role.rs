//! What the template lets a function do in DynamoDB and KMS, and whether a request keeps to it. Only so much of
//! IAM as the template uses: allowing statements, `dynamodb:LeadingKeys`, `dynamodb:Attributes` and
//! `kms:EncryptionContext`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::template::{Template, TemplateError};

const ROLE: &str = "AWS::IAM::Role";
/// Of the condition keys, those that name a part of the encryption context.
const CONTEXT: &str = "kms:EncryptionContext:";

/// A role, as far as it concerns DynamoDB and KMS.
#[derive(Clone, Debug)]
pub struct Role(Vec<Statement>);

#[derive(Clone, Debug)]
struct Statement {
    sid: String,
    actions: Vec<String>,
    resource: String,
    /// Patterns for the partition keys; `None` where any will do.
    leading_keys: Option<Vec<String>>,
    /// The attributes that may be named; `None` where any may.
    attributes: Option<Vec<String>>,
    /// What the encryption context must have.
    context: BTreeMap<String, String>,
}

/// The smallest part of a role that could be left out of it: of one statement, one action with one pattern
/// of keys, or one attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The statement's name.
    pub sid: String,
    /// The action, or the attribute.
    pub what: String,
    /// The pattern of partition keys, or `*`.
    pub keys: String,
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} {}", self.sid, self.what, self.keys)
    }
}

/// What a request does to one item or index, or to a key of KMS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `dynamodb:GetItem` and so on.
    pub action: String,
    /// The table's name, `{table}/index/{index}`, or the key of KMS.
    pub resource: String,
    /// The partition keys that it names.
    pub keys: Vec<String>,
    /// The attributes that it names.
    pub attributes: BTreeSet<String>,
    /// The encryption context.
    pub context: BTreeMap<String, String>,
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
        Ok(Self(chosen.filter_map(|value| Statement::read(value, conditions)).collect()))
    }

    /// Whether the role lets its function do that.
    #[must_use]
    pub fn allows(&self, access: &Access) -> bool {
        self.0.iter().any(|statement| statement.allows(access))
    }

    /// Everything that the role allows. What the functions do not ask for themselves is left out: that is
    /// the log, which Lambda writes for them.
    #[must_use]
    pub fn permissions(&self) -> BTreeSet<Permission> {
        let own = self.0.iter().filter(|statement| !statement.is_about_logs());
        own.flat_map(Statement::permissions).collect()
    }

    /// What of the role each statement needs to allow that: of a role without idle words, one statement.
    #[must_use]
    pub fn needed_for(&self, access: &Access) -> Vec<BTreeSet<Permission>> {
        let allowing = self.0.iter().filter(|statement| statement.allows(access));
        allowing.map(|statement| statement.needed_for(access)).collect()
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
    fn read(value: &Value, conditions: &[&str]) -> Option<Self> {
        let mut resource = chosen(&value["Resource"], conditions).as_str()?.to_owned();
        for written in ["${", "}", ".Arn"] {
            resource = resource.replace(written, "");
        }
        let condition = |operator: &str, key: &str| {
            value["Condition"].get(operator).and_then(|keys| keys.get(key)).map(texts)
        };
        let context = value["Condition"]["StringEquals"].as_object().into_iter().flatten();
        let context = context.filter_map(|(key, value)| {
            Some((key.strip_prefix(CONTEXT)?.to_owned(), value.as_str()?.to_owned()))
        });
        Some(Self {
            sid: value["Sid"].as_str()?.to_owned(),
            actions: texts(&value["Action"]),
            resource,
            leading_keys: condition("ForAllValues:StringLike", "dynamodb:LeadingKeys"),
            attributes: condition("ForAllValues:StringEquals", "dynamodb:Attributes"),
            context: context.collect(),
        })
    }

    fn is_about_logs(&self) -> bool {
        self.actions.iter().all(|action| action.starts_with("logs:"))
    }

    fn permissions(&self) -> BTreeSet<Permission> {
        let any = ["*".to_owned()];
        let patterns = self.leading_keys.as_deref().unwrap_or(&any);
        let actions = self.actions.iter().flat_map(|action| {
            patterns.iter().map(move |pattern| self.permission(action, pattern))
        });
        let attributes = self.attributes.iter().flatten();
        actions.chain(attributes.map(|attribute| self.permission(attribute, "*"))).collect()
    }

    fn needed_for(&self, access: &Access) -> BTreeSet<Permission> {
        let any = ["*".to_owned()];
        let patterns = self.leading_keys.as_deref().unwrap_or(&any);
        let needed = patterns.iter().filter(|pattern| {
            self.leading_keys.is_none() || access.keys.iter().any(|key| is_like(key, pattern))
        });
        let action = needed.map(|pattern| self.permission(&access.action, pattern));
        let named = self.attributes.iter().flatten();
        let named = named.filter(|attribute| access.attributes.contains(*attribute));
        action.chain(named.map(|attribute| self.permission(attribute, "*"))).collect()
    }

    fn permission(&self, what: &str, keys: &str) -> Permission {
        Permission { sid: self.sid.clone(), what: what.to_owned(), keys: keys.to_owned() }
    }

    fn allows(&self, access: &Access) -> bool {
        let Access { action, resource, keys, attributes, context } = access;
        let keys_fit = self.leading_keys.as_ref().is_none_or(|patterns| {
            keys.iter().all(|key| patterns.iter().any(|pattern| is_like(key, pattern)))
        });
        let attributes_fit = self
            .attributes
            .as_ref()
            .is_none_or(|allowed| attributes.iter().all(|attribute| allowed.contains(attribute)));
        let context_fits =
            self.context.iter().all(|(name, value)| context.get(name) == Some(value));
        let is_named = self.actions.contains(action) && self.resource == *resource;
        is_named && keys_fit && attributes_fit && context_fits
    }
}

/// Whether a key fits a pattern.
fn is_like(key: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => key.starts_with(beginning),
        None => key == pattern,
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
                    ..Self::default()
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

    /// What a request of this operation of KMS does. `logical_id` says what the template calls a key.
    pub fn of_kms(
        operation: &str,
        request: &Value,
        logical_id: impl Fn(&str) -> String,
    ) -> Vec<Self> {
        let context = request["EncryptionContext"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        vec![Self {
            action: format!("kms:{operation}"),
            resource: logical_id(&text(&request["KeyId"])),
            context: context.map(|(name, value)| (name.clone(), text(value))).collect(),
            ..Self::default()
        }]
    }

    fn to_item(operation: &str, request: &Value) -> Self {
        let item = request.get("Key").or_else(|| request.get("Item"));
        let names = item.and_then(Value::as_object).map(Map::keys).into_iter().flatten().cloned();
        Self {
            action: format!("dynamodb:{operation}"),
            resource: String::new(),
            keys: item.map(partition).into_iter().collect(),
            attributes: names.chain(named(request)).collect(),
            context: BTreeMap::new(),
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
mod tests;
