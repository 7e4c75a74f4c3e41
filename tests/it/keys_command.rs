//! `identety keys`: with a data folder, and with a stack.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kms::config::{Credentials, Region};
use axum::Router;
use axum::response::IntoResponse as _;
use http::StatusCode;
use identety_domain::keys::Signer as _;
use identety_domain::store::Change;
use identety_domain::{Timestamp, client::SigningAlg};
use identety_dynamodb::{Embedded, KeyTable, Tables, config};
use identety_http::ambient;
use identety_keys::kms::{self, Kms};
use identety_keys::{KeyVault, Sealing};
use identety_tests::app::unverified;
use identety_tests::binaries;
use identety_tests::call::Server;
use identety_tests::moto::Moto;
use identety_tests::serve::{self, Serve};
use identety_tests::stand_in::StandIn;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::process::Command;

/// How a command ended.
struct Ended {
    succeeded: bool,
    stdout: String,
    stderr: String,
}

/// Runs `identety keys` with these arguments and variables, and no others.
async fn keys(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let mut command = Command::new(binaries::identety());
    command.arg("keys").args(arguments).env_clear().envs(variables.iter().copied());
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended {
        succeeded: output.status.success(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// The keys of a data folder: algorithm, state and kid.
async fn listed(data: &Path) -> Vec<(String, String, String)> {
    let ended = keys(&["list", "--output", "json", "--data", data.to_str().unwrap()], &[]).await;
    assert!(ended.succeeded, "{}", ended.stderr);
    shown(&ended.stdout)
}

fn shown(json: &str) -> Vec<(String, String, String)> {
    let keys: Vec<Value> = serde_json::from_str(json).unwrap();
    let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    keys.iter().map(|key| (text(key, "alg"), text(key, "state"), text(key, "kid"))).collect()
}

fn kid(keys: &[(String, String, String)], alg: &str, state: &str) -> String {
    let found = keys.iter().find(|key| (key.0.as_str(), key.1.as_str()) == (alg, state));
    found.map(|key| key.2.clone()).unwrap_or_default()
}

#[tokio::test]
async fn the_keys_of_a_data_folder_are_listed_rotated_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    assert!(Serve::start(&data).await.stop().await.status.success());
    let first = listed(&data).await;
    let order = first.iter().map(|(alg, state, _)| (alg.as_str(), state.as_str()));
    let expected =
        [("RS256", "next"), ("RS256", "current"), ("ES256", "next"), ("ES256", "current")];
    assert!(order.eq(expected), "{first:?}");
    let table = keys(&["list", "--data", path], &[]).await.stdout;
    assert!(first.iter().all(|(_, _, kid)| table.contains(kid)), "{table}");
    assert!(table.contains("may sign from 20"), "{table}");

    let refused = keys(&["rotate", "--data", path], &[]).await;
    assert!(!refused.succeeded && refused.stdout.is_empty());
    assert!(refused.stderr.contains("RS256: the next key is not known everywhere before 20"));
    assert!(refused.stderr.contains("--force") && refused.stderr.lines().count() == 1);
    assert_eq!(listed(&data).await, first);

    let forced =
        keys(&["rotate", "--force", "--alg", "ES256", "--data", path, "--output", "json"], &[])
            .await;
    assert!(forced.succeeded, "{}", forced.stderr);
    assert!(
        forced.stderr.contains("warning: ES256: the key that signs now was published only lately")
    );
    let rotated: Value = serde_json::from_str(&forced.stdout).unwrap();
    let second = listed(&data).await;
    assert_eq!(rotated[0]["from"], kid(&first, "ES256", "current"));
    assert_eq!(kid(&second, "ES256", "previous"), kid(&first, "ES256", "current"));
    assert_eq!(kid(&second, "ES256", "current"), kid(&first, "ES256", "next"));
    assert_eq!(kid(&second, "RS256", "current"), kid(&first, "RS256", "current"));

    let current = kid(&second, "ES256", "current");
    let revoked = keys(&["revoke", &current, "--data", path], &[]).await;
    assert!(revoked.succeeded, "{}", revoked.stderr);
    assert!(revoked.stdout.starts_with(&format!("ES256: {current} is revoked")));
    let third = listed(&data).await;
    assert!(third.iter().all(|key| key.2 != current), "{third:?}");
    assert_eq!(kid(&third, "ES256", "current"), kid(&second, "ES256", "next"));
    let again = keys(&["revoke", &current, "--data", path], &[]).await;
    assert_eq!(again.stderr, format!("identety: there is no key {current}\n"));

    // The server goes on with what was made of its keys.
    let serve = Serve::start(&data).await;
    let set = serve.server().get("/.well-known/jwks.json").send().await.json();
    let mut published: Vec<_> =
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    let mut expected: Vec<_> = third.iter().map(|key| key.2.as_str()).collect();
    published.sort_unstable();
    expected.sort_unstable();
    assert_eq!(published, expected);
}

/// Makes the keys of a data folder older by so many days.
async fn age(data: &Path, days: u64) {
    let embedded = Embedded::open(&data.join("identety.db")).unwrap();
    let stores = identety_dynamodb::stores(&embedded.client(), &Tables::with_prefix("identety-"));
    for mut ring in stores.keys.load().await.unwrap().rings {
        ring.version += 1;
        for key in &mut ring.keys {
            key.since = Timestamp::from_millis(key.since.millis() - days * 86_400_000);
        }
        assert_eq!(stores.keys.put_ring(&ring).await.unwrap(), Change::Done);
    }
}

#[tokio::test]
async fn a_server_moves_the_keys_on_by_itself_when_they_are_as_old_as_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert!(Serve::start(data).await.stop().await.status.success());
    let first = listed(data).await;
    age(data, 10).await;
    // Ninety days is what it does by itself, and these are ten days old.
    Serve::start(data).await.stop().await;
    assert_eq!(listed(data).await, first);

    // It does so while it starts to answer, so this one may have been too short a life for it.
    for _ in 0..20 {
        let mut command = serve::command(data);
        command.args(["--key-rotation-days", "10"]);
        let serve = Serve::spawn(command, data).await;
        assert_eq!(serve.server().get("/.well-known/jwks.json").send().await.status, 200);
        tokio::time::sleep(Duration::from_millis(500)).await;
        serve.stop().await;
        let moved = listed(data).await;
        if SigningAlg::ALL.iter().all(|alg| {
            kid(&moved, alg.as_str(), "current") == kid(&first, alg.as_str(), "next")
                && kid(&moved, alg.as_str(), "previous") == kid(&first, alg.as_str(), "current")
        }) {
            return;
        }
    }
    panic!("the keys stay as they are: {:?}", listed(data).await);
}

#[tokio::test]
async fn the_keys_of_a_running_server_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let _serve = Serve::start(folder.path()).await;
    let ended = keys(&["list", "--data", folder.path().to_str().unwrap()], &[]).await;
    assert!(!ended.succeeded);
    assert!(ended.stderr.contains("is in use by a running server; stop it first"));
}

#[tokio::test]
async fn a_folder_without_data_is_not_made_by_looking() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none");
    let ended = keys(&["list", "--data", data.to_str().unwrap()], &[]).await;
    assert!(!ended.succeeded && ended.stderr.contains("there is no data folder"));
    assert!(!data.exists());
}

#[tokio::test]
async fn a_kid_may_begin_with_a_hyphen() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Serve::start(folder.path()).await.stop().await.status.success());
    let path = folder.path().to_str().unwrap();
    for arguments in [["revoke", "-abc", "--data", path], ["revoke", "--data", path, "-abc"]] {
        let ended = keys(&arguments, &[]).await;
        assert_eq!(ended.stderr, "identety: there is no key -abc\n");
    }
}

const REGION: &str = "eu-central-1";

/// What a stack of this server tells of itself, with the table of its keys and the key that seals them.
fn template(with_outputs: bool) -> Value {
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    // The template makes a global table, which moto does not know; the program reads the outputs alone.
    let table = json!({"Type": "AWS::DynamoDB::Table", "Properties": {
        "TableName": "stack-keys", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "AttributeDefinitions": [attribute("pk"), attribute("sk")],
    }});
    let mut template = json!({
        "Resources": {"KeysTable": table, "SealingKey": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {}}}},
    });
    if with_outputs {
        template["Outputs"] = json!({
            "Issuer": {"Value": "https://id.example.com"},
            "ClientsTableName": {"Value": "stack-clients"},
            "AccountsTableName": {"Value": "stack-accounts"},
            "KeysTableName": {"Value": {"Ref": "KeysTable"}},
            "GrantsTableName": {"Value": "stack-grants"},
            "SealingKeyArn": {"Value": {"Fn::GetAtt": ["SealingKey", "Arn"]}},
        });
    }
    template
}

async fn create_stack(moto: &Moto, name: &str, template: &Value) {
    let scope = "AWS4-HMAC-SHA256 Credential=x/20300101/eu-central-1/cloudformation/aws4_request, \
                 SignedHeaders=host, Signature=x";
    let body = template.to_string();
    let form = [
        ("Action", "CreateStack"),
        ("StackName", name),
        ("TemplateBody", &body),
        ("Version", "2010-05-15"),
    ];
    let call = Server::Url(moto.url()).post("/").header("authorization", scope).form(&form);
    let answer = call.send().await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// What a person has set who has credentials.
fn credentials(url: &str) -> [(&str, &str); 4] {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "example"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
    ]
}

/// A process of the stack: it makes the first keys, or opens those that are there.
fn process(moto: &Moto, key: &str) -> KeyVault {
    let config = aws_sdk_kms::Config::builder()
        .behavior_version_latest()
        .endpoint_url(moto.url())
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new("x", "x", None, None, "test"));
    let kms = Kms::new(kms::Client::from_conf(config.build()), key.to_owned());
    let table = KeyTable::new(config::dynamodb_at(&moto.url()), "stack-keys");
    KeyVault::new(Arc::new(table), Sealing::Managed(Arc::new(kms)))
}

async fn signing(vault: &KeyVault, now: Timestamp) -> String {
    let keys = vault.opened(now, &mut ambient::rng().unwrap()).await.unwrap();
    let token = keys.sign(SigningAlg::Rs256, "JWT", b"{}").unwrap();
    unverified(&token).0["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_keys_of_a_stack_are_listed_rotated_and_revoked() {
    let moto = Moto::start().await;
    create_stack(&moto, "identity", &template(true)).await;
    let url = moto.url();
    let credentials = credentials(&url);
    let list = ["list", "--stack", "identity", "--output", "json"];
    let none = keys(&["list", "--stack", "identity"], &credentials).await;
    assert!(none.stdout.starts_with("There are no keys yet"), "{}", none.stderr);
    let early = keys(&["rotate", "--stack", "identity"], &credentials).await;
    assert!(early.stderr.contains("there are no keys yet"), "{}", early.stderr);

    let vault = process(&moto, &sealing_key(&moto).await);
    let now = ambient::now();
    let old = signing(&vault, now).await;
    let first = shown(&keys(&list, &credentials).await.stdout);
    assert_eq!(kid(&first, "RS256", "current"), old);
    let rotated = keys(&["rotate", "--force", "--stack", "identity"], &credentials).await;
    assert!(rotated.succeeded, "{}", rotated.stderr);
    let revoked = keys(&["revoke", &old, "--stack", "identity"], &credentials).await;
    assert!(revoked.succeeded, "{}", revoked.stderr);
    assert_eq!(signing(&vault, now.plus(300)).await, kid(&first, "RS256", "next"));
    let last = shown(&keys(&list, &credentials).await.stdout);
    assert!(last.iter().all(|key| key.2 != old), "{last:?}");
}

async fn sealing_key(moto: &Moto) -> String {
    let answer = moto.kms_in(REGION, "ListKeys", &json!({})).await;
    answer["Keys"][0]["KeyArn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn region_and_credentials_may_come_from_a_profile() {
    let moto = Moto::start().await;
    create_stack(&moto, "identity", &template(true)).await;
    let folder = tempfile::tempdir().unwrap();
    let (config, secrets) = (folder.path().join("config"), folder.path().join("credentials"));
    std::fs::write(&config, format!("[profile work]\nregion = {REGION}\n")).unwrap();
    let text = "[work]\naws_access_key_id = example\naws_secret_access_key = example\n";
    std::fs::write(&secrets, text).unwrap();
    let url = moto.url();
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_PROFILE", "work"),
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", secrets.to_str().unwrap()),
    ];
    let ended = keys(&["list", "--stack", "identity"], &variables).await;
    assert!(
        ended.succeeded && ended.stdout.starts_with("There are no keys yet"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_stack_that_is_not_there_or_not_ours_is_named() {
    let moto = Moto::start().await;
    create_stack(&moto, "other", &template(false)).await;
    let url = moto.url();
    let missing = keys(&["list", "--stack", "identity"], &credentials(&url)).await;
    assert_eq!(
        missing.stderr,
        "identety: there is no stack identity in eu-central-1; is the name right, and the region \
         (AWS_REGION)?\n"
    );
    let other = keys(&["list", "--stack", "other"], &credentials(&url)).await;
    let expected = "identety: the stack other (CREATE_COMPLETE) has no output Issuer: ";
    assert!(other.stderr.starts_with(expected), "{}", other.stderr);
    assert!(!missing.succeeded && !other.succeeded);
}

#[tokio::test]
async fn without_region_or_credentials_it_says_what_to_set() {
    let url = "http://127.0.0.1:9";
    let [_, region, ..] = credentials(url);
    let ended = keys(&["list", "--stack", "identity"], &[]).await;
    assert!(ended.stderr.contains("no AWS region is set; set AWS_REGION"), "{}", ended.stderr);
    let ended = keys(&["list", "--stack", "identity"], &[region]).await;
    assert!(ended.stderr.contains("no AWS credentials were found"), "{}", ended.stderr);
}

#[rstest]
#[case("AccessDenied", "may not read the stack identity (cloudformation:DescribeStacks)")]
#[case("ExpiredToken", "AWS does not accept these credentials: ExpiredToken: said by the service")]
#[case("InvalidClientTokenId", "AWS does not accept these credentials")]
#[case("Other", "CloudFormation failed: Other: said by the service")]
#[tokio::test]
async fn what_cloud_formation_refuses_is_told(#[case] code: &'static str, #[case] told: &str) {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>said by the service</Message></Error></ErrorResponse>"
    );
    let refuse = move || async move { (StatusCode::FORBIDDEN, body).into_response() };
    let service = StandIn::start(Router::new().fallback(refuse)).await;
    let ended = keys(&["list", "--stack", "identity"], &credentials(&service.url)).await;
    assert!(!ended.succeeded && ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1);
}
