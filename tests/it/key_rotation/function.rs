//! The scheduled function, as a real process: against the Runtime API, DynamoDB over HTTP, and a KMS of moto.

use std::net::Ipv4Addr;
use std::sync::Arc;

use aws_sdk_kms::config::{Credentials, Region};
use identety_domain::Timestamp;
use identety_domain::keys::KeyRing;
use identety_domain::store::{Change, KeyStore};
use identety_dynamodb::{Embedded, KeyTable, Tables, create_tables};
use identety_http::ambient;
use identety_keys::kms::{self, Kms};
use identety_keys::{KeyVault, Sealing};
use identety_tests::binaries;
use identety_tests::lambda::{Function, RunningFunction};
use identety_tests::moto::Moto;
use serde_json::{Value, json};

use crate::leaks::assert_unseen;

const DAY: u64 = 86_400;

/// The function, and what it works with.
struct Scheduled {
    function: RunningFunction,
    keys: Arc<KeyTable>,
    key: String,
    moto: Moto,
    _embedded: Embedded,
}

impl Scheduled {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let moto = Moto::start().await;
        let embedded = Embedded::in_memory().unwrap();
        let tables = Tables::with_prefix("stack-");
        create_tables(&embedded.client(), &tables).await.unwrap();
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let dynamodb = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(listener, embedded.database().clone()));
        let key = moto.kms_key().await;
        let mut function = Function::new("key-rotation", binaries::function("KeyRotationFunction"))
            .env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)
            .env("AWS_ENDPOINT_URL_KMS", moto.url())
            .env("IDENTETY_TABLE_KEYS", &tables.keys)
            .env("IDENTETY_KMS_KEY", &key);
        for (name, value) in variables {
            function = function.env(*name, *value);
        }
        let function = function.start().await.unwrap();
        let keys = Arc::new(KeyTable::new(embedded.client(), tables.keys));
        Self { function, keys, key, moto, _embedded: embedded }
    }

    /// What an hour's event does. Its content does not matter.
    async fn invoke(&self) -> Result<Value, String> {
        let event = json!({"source": "aws.scheduler", "detail": {}});
        self.function.invoke(&event).await.map_err(|error| error.to_string())
    }

    /// The first start of a deployment, so many days ago.
    async fn first_start(&self, days: u64) {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version_latest()
            .endpoint_url(self.moto.url())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("x", "x", None, None, "test"));
        let kms = Kms::new(kms::Client::from_conf(config.build()), self.key.clone());
        let vault = KeyVault::new(self.keys.clone(), Sealing::Managed(Arc::new(kms)));
        let then = Timestamp::from_millis(ambient::now().millis() - days * DAY * 1000);
        vault.opened(then, &mut ambient::rng().unwrap()).await.unwrap();
    }

    async fn rings(&self) -> Vec<KeyRing> {
        self.keys.load().await.unwrap().rings
    }

    /// The lines of its log that are JSON with this member.
    fn lines(&self, member: &str) -> Vec<Value> {
        let logs = self.function.logs();
        let lines = logs.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line.get(member).is_some()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_rotates_what_is_due_says_so_and_does_it_once() {
    let scheduled = Scheduled::start(&[("IDENTETY_METRICS", "Identety/test")]).await;
    assert_eq!(scheduled.invoke().await, Ok(json!({"keys": "no keys yet"})));
    assert!(scheduled.rings().await.is_empty(), "the token function makes the first keys");
    assert!(scheduled.lines("_aws").is_empty());

    scheduled.first_start(91).await;
    let before = scheduled.rings().await;
    let answer = scheduled.invoke().await.unwrap();
    let after = scheduled.rings().await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(after.version, before.version + 1);
        let (from, to) = (&before.current().unwrap().kid, &after.current().unwrap().kid);
        let told = format!("{} rotated from {from} to {to}", before.alg.as_str());
        assert!(answer["keys"].as_str().unwrap().contains(&told), "{answer}");
    }
    let again = scheduled.invoke().await.unwrap();
    assert_eq!(again, json!({"keys": "RS256 nothing due; ES256 nothing due"}));
    assert_eq!(scheduled.rings().await, after);

    let told: Vec<_> = scheduled.lines("keys").iter().map(|line| line["keys"].clone()).collect();
    assert_eq!(told, [json!("no keys yet"), answer["keys"].clone(), again["keys"].clone()]);
    let metrics = scheduled.lines("_aws");
    assert_eq!(metrics.len(), 2, "one for each time that there were keys");
    assert_eq!(metrics[0]["KeyAgeDays"], 0);
    let about = &metrics[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        *about,
        json!({"Namespace": "Identety/test", "Dimensions": [[]],
            "Metrics": [{"Name": "KeyAgeDays", "Unit": "None"}]})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_period_is_what_the_deployment_says_and_the_age_is_in_whole_days() {
    let variables = [("IDENTETY_METRICS", "Identety/test"), ("IDENTETY_KEY_ROTATION_DAYS", "30")];
    let scheduled = Scheduled::start(&variables).await;
    scheduled.first_start(29).await;
    let answer = scheduled.invoke().await.unwrap();
    assert_eq!(answer, json!({"keys": "RS256 nothing due; ES256 nothing due"}));
    assert_eq!(scheduled.lines("_aws")[0]["KeyAgeDays"], 29);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_fails_loudly_when_keys_cannot_be_moved_on() {
    let scheduled = Scheduled::start(&[]).await;
    scheduled.first_start(91).await;
    let before = scheduled.rings().await;
    let Scheduled { function, keys, moto, .. } = scheduled;
    drop(moto);
    let failed = function.invoke(&json!({})).await.unwrap_err().to_string();
    assert!(failed.contains("the key management service is unavailable"), "{failed}");
    assert_eq!(keys.load().await.unwrap().rings, before);
    assert!(function.logs().contains("ERROR"), "{}", function.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_of_the_function_at_any_level_holds_a_key_or_a_credential() {
    let mut secrets = [
        "Qd7-the-secret-access-key-of-a-role",
        "Rk2-the-session-token-of-a-role",
        "Zx9-something-that-an-event-holds",
    ]
    .map(str::to_owned)
    .to_vec();
    let scheduled = Scheduled::start(&[
        ("IDENTETY_LOG", "trace,hyper=trace"),
        ("IDENTETY_METRICS", "Identety/test"),
        ("AWS_SECRET_ACCESS_KEY", &secrets[0]),
        ("AWS_SESSION_TOKEN", &secrets[1]),
    ])
    .await;
    assert!(scheduled.invoke().await.is_ok());
    scheduled.first_start(91).await;
    let mut stored = scheduled.rings().await;
    scheduled.invoke().await.unwrap();
    stored.extend(scheduled.rings().await);
    let event = json!({"detail": {"x": secrets[2]}, "x": secrets[2]});
    scheduled.function.invoke(&event).await.unwrap();

    let wrapped = scheduled.keys.load().await.unwrap().wrapped_key.unwrap().0;
    let blob = format!("{wrapped:=<width$}", width = wrapped.len().next_multiple_of(4));
    let input =
        json!({"CiphertextBlob": blob, "EncryptionContext": {"purpose": "identety-signing-keys"}});
    let opened = scheduled.moto.kms("Decrypt", &input).await;
    let opened = opened["Plaintext"].as_str().unwrap().trim_end_matches('=').to_owned();
    let opened_in_urls = opened.replace('+', "-").replace('/', "_");
    secrets.extend([wrapped, opened, opened_in_urls]);
    // Of a long text the end will do.
    let ends = stored.iter().flat_map(|ring| &ring.keys).map(|key| {
        let sealed = &key.sealed.0;
        sealed[sealed.len() - 40..].to_owned()
    });
    secrets.extend(ends);

    // And once more while KMS is out of reach, which is told at length.
    let Scheduled { function, moto, keys, .. } = scheduled;
    drop(moto);
    let mut rings = keys.load().await.unwrap().rings;
    for ring in &mut rings {
        ring.version += 1;
        for key in &mut ring.keys {
            key.since = Timestamp::from_millis(key.since.millis() - 91 * DAY * 1000);
        }
        assert_eq!(keys.put_ring(ring).await.unwrap(), Change::Done);
    }
    function.invoke(&json!({})).await.unwrap_err();
    let logs = function.logs();
    for expected in ["rotated from", "_aws", "ERROR"] {
        assert!(logs.contains(expected), "{expected}: {logs}");
    }
    assert_unseen(&logs, &secrets);
}
