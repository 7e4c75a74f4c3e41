//! The scheduled handler that moves the signing keys on: next → current → previous → gone.
//!
//! It is called every hour and mostly finds nothing to do. Called twice, or late, or never for a week, it
//! breaks nothing: what is due follows from the stored times alone, and each change is one conditional
//! write.

use identety_domain::Timestamp;
use identety_domain::keys::RotationPeriod;
use identety_http::ambient;
use identety_keys::{Report, Rotator};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};

/// What the handler works with.
pub struct KeyRotation {
    /// Changes the keys.
    pub rotator: Rotator,
    /// How long a key signs.
    pub period: RotationPeriod,
    /// The CloudWatch namespace for the metric `KeyAgeDays`; `None`: no metric.
    pub metrics: Option<String>,
}

impl KeyRotation {
    /// Does what is due, whatever the event says, and answers with what was done.
    ///
    /// # Errors
    /// When the store or the key management service refuses: the invocation fails, and the function's
    /// metric `Errors` counts it.
    pub async fn handle(&self, _event: LambdaEvent<Value>) -> Result<Value, Error> {
        let now = ambient::now();
        let report = self.rotator.step(self.period, now, &mut ambient::rng()?).await;
        let report = report
            .inspect_err(|error| tracing::error!(%error, "the signing keys could not be read"))?;
        report.log(now);
        if let Some(metric) = self.metrics.as_deref().and_then(|name| metric(name, &report, now)) {
            println!("{metric}");
        }
        match report.failure() {
            Some(error) => Err(error.to_string().into()),
            None => Ok(json!({ "keys": report.to_string() })),
        }
    }
}

/// The age of the oldest key that signs, in whole days, as a log line that CloudWatch makes a metric of
/// (its embedded metric format).
fn metric(namespace: &str, report: &Report, now: Timestamp) -> Option<Value> {
    let age = report.key_age_days(now)?;
    Some(json!({
        "_aws": {
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [[]],
                "Metrics": [{ "Name": "KeyAgeDays", "Unit": "None" }],
            }],
        },
        "KeyAgeDays": age,
    }))
}
