//! The Lambda function `key-rotation`: joins the table of keys with the rules of rotation.

use std::sync::Arc;

use identety_domain::keys::RotationPeriod;
use identety_dynamodb::{KeyTable, config};
use identety_http::environment;
use identety_http::lambda::{self, StartError};
use identety_http::logging::Function;
use identety_keys::kms::{self, Kms};
use identety_keys::{Rotator, Sealing};
use key_rotation::KeyRotation;
use lambda_runtime::service_fn;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartError> {
    lambda::start_log(Function::KeyRotation, config::take_retries);
    let aws = config::from_environment()?;
    let keys = environment::required("IDENTETY_TABLE_KEYS")?;
    let keys = KeyTable::new(config::dynamodb(&aws), keys);
    let kms = Kms::new(kms::Client::new(&aws), environment::required("IDENTETY_KMS_KEY")?);
    let period = match environment::optional("IDENTETY_KEY_ROTATION_DAYS") {
        Some(days) => {
            days.parse().map_err(|error| format!("IDENTETY_KEY_ROTATION_DAYS: {error}"))?
        }
        None => RotationPeriod::default(),
    };
    let rotation = KeyRotation {
        rotator: Rotator::new(Arc::new(keys), Sealing::Managed(Arc::new(kms))),
        period,
        metrics: environment::optional("IDENTETY_METRICS"),
    };
    Ok(lambda_runtime::run(service_fn(|event| rotation.handle(event))).await?)
}
