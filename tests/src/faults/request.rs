//! What a request is about, and which requests a rule means.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

/// A request, as far as faults are concerned.
#[derive(Clone, Debug)]
pub struct Request {
    /// The operation: `GetItem`.
    pub operation: String,
    /// The partitions of all items that it names.
    pub partitions: Vec<String>,
    /// Whether it changes anything.
    pub is_write: bool,
    /// Whether it asks for strong consistency. Writes do so by themselves.
    pub is_consistent: bool,
    /// All of it.
    pub body: Value,
}

impl Request {
    pub(super) fn of(http: &HttpRequest) -> Self {
        let target = http.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = http.body().bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let is_write = !matches!(
            operation.as_str(),
            "GetItem" | "BatchGetItem" | "Query" | "DescribeTable" | "DescribeTimeToLive"
        );
        Self {
            partitions: partitions(&operation, &body),
            is_consistent: is_write || is_consistent(&operation, &body),
            operation,
            is_write,
            body,
        }
    }
}

fn partitions(operation: &str, body: &Value) -> Vec<String> {
    let text = |value: &Value| value["S"].as_str().map(str::to_owned);
    let one = |value: &Value| {
        text(&value["Key"]["pk"]).or_else(|| text(&value["Item"]["pk"])).into_iter()
    };
    match operation {
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let writes = items.filter_map(|item| item.as_object()?.values().next());
            writes.flat_map(one).collect()
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            let keys = tables.flat_map(|(_, table)| table["Keys"].as_array().into_iter().flatten());
            keys.filter_map(|key| text(&key["pk"])).collect()
        }
        "Query" => {
            let values = body["ExpressionAttributeValues"].as_object().into_iter().flatten();
            values.filter_map(|(_, value)| text(value)).collect()
        }
        _ => one(body).collect(),
    }
}

fn is_consistent(operation: &str, body: &Value) -> bool {
    if operation == "BatchGetItem" {
        let mut tables = body["RequestItems"].as_object().into_iter().flatten();
        return tables.all(|(_, table)| table["ConsistentRead"] == true);
    }
    body["ConsistentRead"] == true
}

/// Which requests are meant.
#[derive(Clone, Debug, Default)]
pub struct Which {
    is_write: Option<bool>,
    operation: Option<&'static str>,
    partition: Option<String>,
    saying: Option<&'static str>,
}

impl Which {
    /// All.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those that change nothing.
    pub fn reads() -> Self {
        Self { is_write: Some(false), ..Self::default() }
    }

    /// Those that change something.
    pub fn writes() -> Self {
        Self { is_write: Some(true), ..Self::default() }
    }

    /// Of these, those of one operation.
    #[must_use]
    pub fn by(self, operation: &'static str) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// Of these, those that name an item whose partition begins so: `CLIENT#`.
    #[must_use]
    pub fn of(self, partition: impl Into<String>) -> Self {
        Self { partition: Some(partition.into()), ..self }
    }

    /// Of these, those that have this text in them.
    #[must_use]
    pub fn saying(self, text: &'static str) -> Self {
        Self { saying: Some(text), ..self }
    }

    /// Whether a request is meant.
    pub fn means(&self, request: &Request) -> bool {
        let Self { is_write, operation, partition, saying } = self;
        let begins = |prefix: &String| {
            request.partitions.iter().any(|partition| partition.starts_with(prefix.as_str()))
        };
        is_write.is_none_or(|is_write| is_write == request.is_write)
            && operation.is_none_or(|operation| operation == request.operation)
            && partition.as_ref().is_none_or(begins)
            && saying.is_none_or(|text| request.body.to_string().contains(text))
    }
}
