//! What a function does before its first request, and whom it believes.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identety_tests::binaries;
use identety_tests::deployment::Deployment;
use identety_tests::lambda::{RunningFunction, Stage};
use serde_json::{Value, json};

/// What was asked of AWS since `before`, and by whom.
fn since(deployment: &Deployment, before: &[String]) -> Vec<String> {
    let mut asked = asked(deployment);
    for earlier in before {
        let at = asked.iter().position(|one| one == earlier).expect("what was asked stays asked");
        asked.remove(at);
    }
    asked
}

fn asked(deployment: &Deployment) -> Vec<String> {
    let uses = deployment.uses().into_iter();
    uses.map(|(function, access)| format!("{function} {} {}", access.action, access.resource))
        .collect()
}

/// An event for the token function, as far as it reads it.
fn event(method: &str, path: &str, basic: &str) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "requestContext": {
            "stage": "$default", "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
        },
        "isBase64Encoded": false,
    });
    if !basic.is_empty() {
        event["headers"]["authorization"] = format!("Basic {}", STANDARD.encode(basic)).into();
        event["body"] = "grant_type=client_credentials".into();
    }
    event
}

async fn status(function: &RunningFunction, event: &Value) -> Value {
    function.invoke(event).await.expect("an answer")["statusCode"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_first_request_a_function_reads_the_keys_and_the_one_that_signs_opens_them() {
    let deployment = Deployment::start(Stage::default()).await;
    for function in [&deployment.token, &deployment.authorize, &deployment.client_admin] {
        function.ready().await.unwrap();
    }
    let start = asked(&deployment);
    for function in ["AuthorizeFunction", "ClientAdminFunction"] {
        let own: Vec<_> = start.iter().filter(|one| one.starts_with(function)).collect();
        assert_eq!(own, [&format!("{function} dynamodb:Query KeysTable")]);
    }

    // The first token function has made the keys. Each one after it reads and opens them.
    let next = deployment.another_token_function("UNUSED", "").await;
    next.ready().await.unwrap();
    let opened = ["TokenFunction dynamodb:Query KeysTable", "TokenFunction kms:Decrypt SealingKey"];
    assert_eq!(since(&deployment, &start), opened);

    // No request waits for them any more.
    let call = deployment.server().post("/admin/clients").header("x-api-key", &deployment.api_key);
    let client = call.json(&json!({"name": "x", "type": "m2m"})).send().await;
    let basic = format!("{}:{}", client.text("clientId"), client.text("clientSecret"));
    let before = asked(&deployment);
    assert_eq!(status(&next, &event("GET", "/.well-known/jwks.json", "")).await, 200);
    assert_eq!(since(&deployment, &before), [""; 0]);
    // The first time in an hour that a secret is used is written down.
    let token = event("POST", "/oauth2/token", &basic);
    assert_eq!(status(&next, &token).await, 200);
    let before = asked(&deployment);
    assert_eq!(status(&next, &token).await, 200);
    assert_eq!(since(&deployment, &before), ["TokenFunction dynamodb:GetItem ClientsTable"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_the_environment_of_lambda_and_from_nowhere_else() {
    let deployment = Deployment::start(Stage::default()).await;
    deployment.token.ready().await.unwrap();
    let before = asked(&deployment);
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}", elsewhere.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    let keys = "[default]\naws_access_key_id = x\naws_secret_access_key = x\n";
    std::fs::write(&file, keys).unwrap();
    let without = deployment
        .token_function_with(&[
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", ""),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url),
            ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
            ("HOME", folder.path().to_str().unwrap()),
        ])
        .await;
    assert!(without.ready().await.is_err());
    assert!(
        without.logs().contains("the environment variable AWS_ACCESS_KEY_ID is missing"),
        "{}",
        without.logs()
    );
    assert_eq!(since(&deployment, &before), [""; 0]);
    let connected = elsewhere.accept().map(|(_, peer)| peer);
    assert_eq!(connected.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// `tests/servers/untrusted.py`, which ends when this is dropped.
struct Untrusted(Child);

impl Drop for Untrusted {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_this_machine_trusts_is_none_of_those_that_aws_uses() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(binaries::python());
    command.arg(binaries::root().join("tests/servers/untrusted.py")).arg(folder.path());
    let mut server = Untrusted(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let port = first.strip_prefix("trusted ").unwrap_or_else(|| panic!("{first}"));

    let deployment = Deployment::start(Stage::default()).await;
    let authority = folder.path().join("authority.pem");
    let function = deployment
        .token_function_with(&[
            ("AWS_ENDPOINT_URL_DYNAMODB", &format!("https://localhost:{port}")),
            ("SSL_CERT_FILE", authority.to_str().unwrap()),
        ])
        .await;
    function.ready().await.unwrap();
    // The server has told by then: the function has tried and failed.
    let outcome = lines.next().unwrap().unwrap();
    assert_eq!(outcome, "refused: TLSV1_ALERT_UNKNOWN_CA");
    assert_eq!(status(&function, &event("POST", "/oauth2/token", "m2m_x:y")).await, 503);
}
