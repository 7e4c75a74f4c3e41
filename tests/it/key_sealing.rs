//! What seals the signing keys refuses: then there is a clear error, and nothing is written.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::{Credentials, Region};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use identety::app::App;
use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyRing, KeyState, RotationPeriod, Signer as _, WrappedKey};
use identety_domain::store::{Change, KeyStore, StoreError, StoredKeys};
use identety_domain::{Choices, Issuer, Services, Settings, Timestamp};
use identety_dynamodb::{Embedded, KeyTable, Tables, create_tables};
use identety_http::ambient;
use identety_keys::kms::{self, Kms};
use identety_keys::{DataKeyError, KeyVault, KeysError, OpenedKeys, Rotator, Sealing, Step};
use identety_tests::app::TestApp;
use identety_tests::call::Server;
use identety_tests::moto::Moto;
use identety_tests::stand_in::StandIn;
use rstest::rstest;
use serde_json::json;
use zeroize::Zeroizing;

/// The KMS of moto behind a gate that refuses as AWS does, which moto does not.
struct Gate {
    kms: Kms,
    refusal: Arc<Mutex<Option<(u16, &'static str)>>>,
    _kept: StandIn,
}

impl Gate {
    async fn new() -> Self {
        let moto = Moto::shared().await;
        let refusal: Arc<Mutex<Option<(u16, &'static str)>>> = Arc::default();
        let (reading, url) = (refusal.clone(), moto.url());
        let answer = move |request: Request| {
            let (refused, url) = (*reading.lock().unwrap(), url.clone());
            async move {
                match refused {
                    Some((status, code)) => refuse(status, code),
                    None => forward(request, &url).await,
                }
            }
        };
        let gate = StandIn::start(Router::new().fallback(answer)).await;
        let config = aws_sdk_kms::Config::builder()
            .behavior_version_latest()
            .endpoint_url(&gate.url)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("x", "x", None, None, "test"))
            .retry_config(RetryConfig::disabled());
        let kms = Kms::new(kms::Client::from_conf(config.build()), moto.kms_key().await);
        Self { kms, refusal, _kept: gate }
    }

    fn sealing(&self) -> Sealing {
        Sealing::Managed(Arc::new(self.kms.clone()))
    }

    fn refuse(&self, code: &'static str) {
        *self.refusal.lock().unwrap() = Some((400, code));
    }

    fn fail(&self) {
        *self.refusal.lock().unwrap() = Some((500, "KMSInternalException"));
    }

    fn open(&self) {
        *self.refusal.lock().unwrap() = None;
    }
}

fn refuse(status: u16, code: &str) -> Response {
    let body = json!({"__type": code, "message": "said by the service"}).to_string();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.1")], body).into_response()
}

async fn forward(mut request: Request, url: &str) -> Response {
    *request.uri_mut() = url.parse().unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    client.request(request).await.unwrap().map(Body::new)
}

async fn table() -> Arc<dyn KeyStore> {
    let dynamo = Embedded::in_memory().unwrap().client();
    let tables = Tables::with_prefix("");
    create_tables(&dynamo, &tables).await.unwrap();
    Arc::new(KeyTable::new(dynamo, tables.keys))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_900_000_000 + seconds)
}

async fn opened(vault: &KeyVault, now: Timestamp) -> Result<Arc<OpenedKeys>, KeysError> {
    vault.opened(now, &mut ambient::rng().unwrap()).await
}

fn is_empty(stored: &StoredKeys) -> bool {
    stored.rings.is_empty() && stored.wrapped_key.is_none()
}

const YEAR: u64 = 365 * 86_400;

#[rstest]
#[case("DisabledException", "is disabled; enable it again")]
#[case("AccessDeniedException", "access is denied")]
#[case("KMSInvalidStateException", "cannot be used in its state")]
#[case("NotFoundException", "does not exist")]
#[case("IncorrectKeyException", "is not the one that wrapped the stored key")]
#[case("InvalidCiphertextException", "damaged, or wrapped by another KMS key")]
#[case("SomethingNewException", "cannot be used (SomethingNewException: said by the service)")]
#[tokio::test]
async fn a_kms_key_that_refuses_is_named_with_the_reason_and_nothing_is_written(
    #[case] code: &'static str,
    #[case] reason: &str,
) {
    let (gate, table) = (Gate::new().await, table().await);
    let assert_refused = |error: KeysError| {
        assert!(matches!(error, KeysError::DataKey(DataKeyError::Refused(_))), "{error}");
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains("arn:aws:kms:"), "{text}");
    };
    gate.refuse(code);
    let early = KeyVault::new(table.clone(), gate.sealing());
    assert_refused(opened(&early, at(0)).await.unwrap_err());
    assert!(is_empty(&table.load().await.unwrap()), "no keys without their seal");

    gate.open();
    let warm = KeyVault::new(table.clone(), gate.sealing());
    let first = opened(&warm, at(0)).await.unwrap();
    let before = table.load().await.unwrap().rings;
    gate.refuse(code);
    let cold = KeyVault::new(table.clone(), gate.sealing());
    assert_refused(opened(&cold, at(1)).await.unwrap_err());
    let rotator = Rotator::new(table.clone(), gate.sealing());
    let mut rng = ambient::rng().unwrap();
    let report = rotator.step(RotationPeriod::default(), at(YEAR), &mut rng).await.unwrap();
    assert!(report.failure().is_some_and(|error| error.to_string().contains(reason)), "{report}");
    let kid = before[0].in_state(KeyState::Current).unwrap().kid.clone();
    let error = rotator.revoke(&kid, at(YEAR), &mut rng).await.unwrap_err();
    assert!(error.to_string().contains(reason), "{error}");
    assert_eq!(table.load().await.unwrap().rings, before);
    // Who has opened them keeps them.
    assert!(Arc::ptr_eq(&first, &opened(&warm, at(YEAR)).await.unwrap()));

    gate.open();
    let report = rotator.step(RotationPeriod::default(), at(YEAR), &mut rng).await.unwrap();
    assert!(report.rings.iter().all(|ring| matches!(ring.step, Ok(Step::Rotated(_)))), "{report}");
    opened(&cold, at(YEAR)).await.unwrap().sign(SigningAlg::Es256, "JWT", b"{}").unwrap();
}

#[tokio::test]
async fn a_kms_that_is_down_is_unavailable_and_needs_nobody_to_mend_it() {
    let (gate, table) = (Gate::new().await, table().await);
    gate.fail();
    let vault = KeyVault::new(table.clone(), gate.sealing());
    let error = opened(&vault, at(0)).await.unwrap_err();
    assert!(matches!(error, KeysError::DataKey(DataKeyError::Unavailable(_))), "{error}");
    gate.open();
    opened(&vault, at(0)).await.unwrap();
}

#[tokio::test]
async fn a_server_whose_kms_key_is_disabled_answers_503_and_names_no_key_to_callers() {
    let (gate, hosting) = (Gate::new().await, TestApp::start_without_keys().await);
    gate.refuse("DisabledException");
    let issuer = Issuer::parse(hosting.issuer).unwrap();
    let settings = Settings { default_audience: issuer.as_str().into(), issuer };
    let clock = Arc::new(ambient::now);
    let (stores, hasher) = (&hosting.stores, &hosting.hasher);
    let choices = Choices::default();
    let services = Services::new(settings, stores.clone(), hasher.clone(), choices);
    let app = App::new(&services, gate.sealing(), clock).unwrap();
    let server = Server::Router(app.into_router());
    for call in [
        server.get("/.well-known/jwks.json"),
        server.post("/oauth2/token").basic("a", "b").form(&[("grant_type", "client_credentials")]),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.outcome(), (503, "temporarily_unavailable".into()));
        assert!(!String::from_utf8_lossy(&answer.body).contains("arn:"));
    }
    assert!(is_empty(&hosting.stores.keys.load().await.unwrap()));
}

/// A table that has lost the wrapped key.
struct WithoutSeal(Arc<dyn KeyStore>);

#[async_trait]
impl KeyStore for WithoutSeal {
    async fn load(&self) -> Result<StoredKeys, StoreError> {
        Ok(StoredKeys { wrapped_key: None, ..self.0.load().await? })
    }

    async fn put_ring(&self, ring: &KeyRing) -> Result<Change, StoreError> {
        self.0.put_ring(ring).await
    }

    async fn put_wrapped_key(&self, _: &WrappedKey) -> Result<Change, StoreError> {
        panic!("a new sealing key hides that the old one is lost")
    }
}

#[tokio::test]
async fn keys_without_the_wrapped_key_that_seals_them_are_not_sealed_anew() {
    let (gate, table) = (Gate::new().await, table().await);
    opened(&KeyVault::new(table.clone(), gate.sealing()), at(0)).await.unwrap();
    let without: Arc<dyn KeyStore> = Arc::new(WithoutSeal(table));
    let vault = KeyVault::new(without.clone(), gate.sealing());
    assert!(matches!(opened(&vault, at(0)).await, Err(KeysError::SealMissing)));
    let rotator = Rotator::new(without, gate.sealing());
    let mut rng = ambient::rng().unwrap();
    let report = rotator.step(RotationPeriod::default(), at(YEAR), &mut rng).await.unwrap();
    assert!(matches!(report.failure(), Some(KeysError::SealMissing)), "{report}");
}

#[tokio::test]
async fn with_another_local_key_nothing_is_opened_and_nothing_written() {
    let table = table().await;
    let sealing = |byte| Sealing::Local(Zeroizing::new([byte; 32]));
    opened(&KeyVault::new(table.clone(), sealing(1)), at(0)).await.unwrap();
    let before = table.load().await.unwrap().rings;
    let wrong = KeyVault::new(table.clone(), sealing(2));
    assert!(matches!(opened(&wrong, at(0)).await, Err(KeysError::Damaged(_))));
    let rotator = Rotator::new(table.clone(), sealing(2));
    let mut rng = ambient::rng().unwrap();
    let report = rotator.step(RotationPeriod::default(), at(YEAR), &mut rng).await.unwrap();
    assert!(matches!(report.failure(), Some(KeysError::Damaged(_))), "{report}");
    for state in [KeyState::Current, KeyState::Next] {
        let kid = before[0].in_state(state).unwrap().kid.clone();
        rotator.revoke(&kid, at(YEAR), &mut rng).await.unwrap_err();
    }
    assert!(rotator.rotate(None, true, at(YEAR), &mut rng).await.is_err());
    assert_eq!(table.load().await.unwrap().rings, before);
}

/// A table where one of two rings is not there yet.
struct OneRing(Arc<dyn KeyStore>);

#[async_trait]
impl KeyStore for OneRing {
    async fn load(&self) -> Result<StoredKeys, StoreError> {
        let mut stored = self.0.load().await?;
        stored.rings.retain(|ring| ring.alg == SigningAlg::Rs256);
        Ok(stored)
    }

    async fn put_ring(&self, ring: &KeyRing) -> Result<Change, StoreError> {
        panic!("{} sealed by another key than the rest", ring.alg.as_str())
    }

    async fn put_wrapped_key(&self, key: &WrappedKey) -> Result<Change, StoreError> {
        self.0.put_wrapped_key(key).await
    }
}

#[tokio::test]
async fn a_ring_is_added_only_by_a_key_that_opens_the_other() {
    let table = table().await;
    let sealing = |byte| Sealing::Local(Zeroizing::new([byte; 32]));
    opened(&KeyVault::new(table.clone(), sealing(1)), at(0)).await.unwrap();
    let wrong = KeyVault::new(Arc::new(OneRing(table)), sealing(2));
    assert!(matches!(opened(&wrong, at(0)).await, Err(KeysError::Damaged(_))));
}
