//! What a `CloudFormation` (or SAM) template declares: the routes, and how resources refer to each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
};

use serde::Deserialize;
use serde_json::Value;

use super::routes::Route;

const ROUTE: &str = "AWS::ApiGatewayV2::Route";
const INTEGRATION: &str = "AWS::ApiGatewayV2::Integration";
const FUNCTION: &str = "AWS::Serverless::Function";

/// Why a template does not yield what is looked for.
#[derive(Debug)]
pub enum TemplateError {
    /// The text is no YAML, or its resources do not look like resources.
    Yaml(String),
    /// A resource lacks a property, or the property is no text.
    Missing {
        /// The resource's logical id.
        resource: String,
        /// The property's name.
        property: &'static str,
    },
    /// A property of a resource does not refer to exactly one resource of the type.
    Unresolved {
        /// The resource's logical id.
        resource: String,
        /// The property's name.
        property: &'static str,
        /// The type that it should refer to.
        wanted: &'static str,
    },
    /// Two routes have the same key.
    Repeated(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yaml(error) => write!(formatter, "the template cannot be read: {error}"),
            Self::Missing { resource, property } => {
                write!(formatter, "{resource} has no {property}")
            }
            Self::Unresolved { resource, property, wanted } => {
                write!(formatter, "{property} of {resource} does not refer to one {wanted}")
            }
            Self::Repeated(key) => write!(formatter, "two routes have the key {key}"),
        }
    }
}

impl Error for TemplateError {}

/// The part of a template that matters here. Its tags (`!Sub`, `!GetAtt`, …) are dropped in
/// reading, which leaves the references in their text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Template {
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

/// The routes, with the functions that they lead to.
pub(super) fn routes(yaml: &str) -> Result<Vec<Route>, TemplateError> {
    let template = Template::read(yaml)?;
    let mut keys = BTreeSet::new();
    let mut routes = Vec::new();
    for (id, _) in template.resources.iter().filter(|(_, resource)| resource.r#type == ROUTE) {
        let key = template.text(id, "RouteKey")?.to_owned();
        let integration = template.referent(id, "Target", INTEGRATION)?;
        let function = template.referent(integration, "IntegrationUri", FUNCTION)?;
        let code = template.text(function, "CodeUri")?.trim_end_matches('/');
        let package = code.rsplit('/').next().unwrap_or(code).to_owned();
        if !keys.insert(key.clone()) {
            return Err(TemplateError::Repeated(key));
        }
        routes.push(Route { key, function: function.to_owned(), package });
    }
    Ok(routes)
}

impl Template {
    /// Reads a template.
    pub(super) fn read(yaml: &str) -> Result<Self, TemplateError> {
        serde_saphyr::from_str(yaml).map_err(|error| TemplateError::Yaml(error.to_string()))
    }

    /// A property of a resource.
    pub(super) fn property(
        &self,
        id: &str,
        property: &'static str,
    ) -> Result<&Value, TemplateError> {
        let value = self.resources.get(id).and_then(|resource| resource.properties.get(property));
        value.ok_or_else(|| TemplateError::Missing { resource: id.to_owned(), property })
    }

    fn text(&self, id: &str, property: &'static str) -> Result<&str, TemplateError> {
        let text = self.property(id, property)?.as_str();
        text.ok_or_else(|| TemplateError::Missing { resource: id.to_owned(), property })
    }

    /// The one resource of the type that the property names, in whatever way it does: `!Ref X`,
    /// `!GetAtt X.Arn`, `!Sub …${X.Arn}…`, `Fn::Join`, and so on all spell the logical id out.
    pub(super) fn referent(
        &self,
        id: &str,
        property: &'static str,
        wanted: &'static str,
    ) -> Result<&str, TemplateError> {
        let mut words = BTreeSet::new();
        collect_words(self.property(id, property)?, &mut words);
        let mut named = self.resources.iter().filter_map(|(id, resource)| {
            (resource.r#type == wanted && words.contains(id.as_str())).then_some(id.as_str())
        });
        match (named.next(), named.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(TemplateError::Unresolved { resource: id.to_owned(), property, wanted }),
        }
    }
}

fn collect_words<'a>(value: &'a Value, words: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => words.extend(text.split(|char: char| !char.is_alphanumeric())),
        Value::Array(values) => values.iter().for_each(|value| collect_words(value, words)),
        Value::Object(members) => members.values().for_each(|value| collect_words(value, words)),
        _ => {}
    }
}
