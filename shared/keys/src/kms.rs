//! Data keys from AWS KMS.

use async_trait::async_trait;
pub use aws_sdk_kms::Client;
use aws_sdk_kms::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use identety_domain::keys::WrappedKey;
use zeroize::Zeroizing;

use crate::error::DataKeyError;
use crate::seal::{DataKey, DataKeys};

/// A KMS key that wraps data keys.
#[derive(Clone, Debug)]
pub struct Kms {
    client: Client,
    key_id: String,
}

/// The encryption context: KMS opens a wrapped key only for the purpose that it was wrapped for.
const PURPOSE: (&str, &str) = ("purpose", "identety-signing-keys");

impl Kms {
    /// The KMS key `key_id`: an id, an alias or an ARN.
    #[must_use]
    pub fn new(client: Client, key_id: String) -> Self {
        Self { client, key_id }
    }
}

#[async_trait]
impl DataKeys for Kms {
    async fn generate(&self) -> Result<(DataKey, WrappedKey), DataKeyError> {
        let made = self
            .client
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(PURPOSE.0, PURPOSE.1)
            .send()
            .await
            .map_err(|error| data_key_error(&error, &self.key_id))?;
        let wrapped = made.ciphertext_blob.ok_or_else(incomplete)?;
        let wrapped = WrappedKey(STANDARD_NO_PAD.encode(wrapped.into_inner()));
        Ok((data_key(made.plaintext)?, wrapped))
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<DataKey, DataKeyError> {
        let blob = STANDARD_NO_PAD
            .decode(&wrapped.0)
            .map_err(|_| DataKeyError::Refused("the wrapped key is damaged".into()))?;
        let opened = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(blob))
            .encryption_context(PURPOSE.0, PURPOSE.1)
            .send()
            .await
            .map_err(|error| data_key_error(&error, &self.key_id))?;
        data_key(opened.plaintext)
    }
}

fn data_key(plaintext: Option<Blob>) -> Result<DataKey, DataKeyError> {
    let bytes = Zeroizing::new(plaintext.ok_or_else(incomplete)?.into_inner());
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| incomplete())?;
    Ok(Zeroizing::new(key))
}

fn incomplete() -> DataKeyError {
    DataKeyError::Refused("the answer holds no key of 256 bits".into())
}

/// What a failure means to the person who reads the log, and whether it may pass by itself.
fn data_key_error<E>(error: &SdkError<E>, key_id: &str) -> DataKeyError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = error else {
        // Neither a request that could not be made nor an answer that is none tells of the key.
        return DataKeyError::Unavailable(DisplayErrorContext(error).to_string());
    };
    let code = service.err().code().unwrap_or_default();
    let said = service.err().message().unwrap_or("no more is known");
    let why = match code {
        "DisabledException" => "is disabled; enable it again",
        "KMSInvalidStateException" => "cannot be used in its state, such as pending deletion",
        "AccessDeniedException" => "may not be used by this identity: access is denied",
        "NotFoundException" => "does not exist",
        "IncorrectKeyException" => "is not the one that wrapped the stored key",
        "InvalidCiphertextException" => {
            "does not open the stored key: it is damaged, or wrapped by another KMS key"
        }
        "InvalidKeyUsageException" => "is not for encryption",
        "ThrottlingException"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException" => {
            return DataKeyError::Unavailable(format!("{code}: {said}"));
        }
        _ if service.raw().status().is_server_error() => {
            return DataKeyError::Unavailable(format!("{code}: {said}"));
        }
        _ => "cannot be used",
    };
    DataKeyError::Refused(format!("the KMS key {key_id} {why} ({code}: {said})"))
}
