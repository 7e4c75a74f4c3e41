//! How conditional writes end.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use identety_domain::store::StoreError;

use crate::error::failed;
use crate::item::Item;

/// How a conditional write ended.
pub(crate) enum Written {
    /// It is written.
    Done,
    /// Its condition failed. The item as it is, if there is one and the request asked for it.
    Clash(Option<Item>),
}

/// Sends an update.
pub(crate) async fn send(update: UpdateItemFluentBuilder) -> Result<Written, StoreError> {
    let Err(error) = update.send().await else { return Ok(Written::Done) };
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(clash)) => {
            Ok(Written::Clash(clash.item().cloned()))
        }
        Some(_) | None => Err(failed(&error)),
    }
}
