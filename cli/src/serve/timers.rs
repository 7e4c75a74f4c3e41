//! What a deployment's scheduler and DynamoDB do by themselves, done by timers.

use std::time::Duration;

use identety_domain::keys::RotationPeriod;
use identety_dynamodb::Embedded;
use identety_http::ambient;
use identety_keys::{KeysError, Rotator};

/// Deletes what has expired, once an hour, as DynamoDB does by itself.
pub(crate) async fn forget_expired(embedded: Embedded) {
    let mut hourly = tokio::time::interval(Duration::from_hours(1));
    loop {
        hourly.tick().await;
        if let Err(error) = embedded.forget_expired() {
            tracing::warn!(%error, "expired items were not deleted");
        }
    }
}

/// Moves the signing keys on, at the start and once an hour, as the scheduled function of a deployment
/// does.
pub(crate) async fn rotate_keys(rotator: Rotator, period: RotationPeriod) {
    let mut hourly = tokio::time::interval(Duration::from_hours(1));
    loop {
        hourly.tick().await;
        let now = ambient::now();
        let stepped = match ambient::rng() {
            Ok(mut rng) => rotator.step(period, now, &mut rng).await,
            Err(_) => Err(KeysError::NoRandomness),
        };
        match stepped {
            Ok(report) if report.is_eventful() => report.log(now),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the signing keys could not be moved on"),
        }
    }
}
