//! What Lambda does to a process, and KMS to a cold start: the real binaries are killed amid a request,
//! frozen and thawed, and asked for several clients one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identety_domain::grant::{Grant, GrantId};
use identety_tests::app::{TestClient, unverified};
use identety_tests::browser::Browser;
use identety_tests::deployment::Deployment;
use identety_tests::faults::{Network, Traffic};
use identety_tests::lambda::{RunningFunction, Stage};
use identety_tests::sign_in::{CALLBACK, PASSWORD, VERIFIER, request};
use identety_tests::story;
use serde_json::{Value, json};

use crate::lambda::{event, invoke};

const DYNAMODB: &str = "AWS_ENDPOINT_URL_DYNAMODB";
const KMS: &str = "AWS_ENDPOINT_URL_KMS";

/// A deployment with a client, and a user who has signed in.
struct Scene {
    deployment: Deployment,
    client: TestClient,
    browser: Browser,
}

impl Scene {
    async fn new() -> Self {
        let deployment = Deployment::start(Stage::default()).await;
        let members = json!({
            "name": "Photos", "type": "private", "skipConsent": true, "redirectUris": [CALLBACK],
            "scopes": ["openid", "profile", "email"], "accessTokenLifetime": 5,
            "accessTokenSigningAlg": "ES256", "idTokenSigningAlg": "ES256",
        });
        let client = created(&deployment, "clients", &members).await;
        let members = json!({"email": "alice@example.com", "password": PASSWORD});
        created(&deployment, "users", &members).await;
        let browser = Browser::new(deployment.server(), &deployment.issuer);
        Self { deployment, client, browser }
    }

    async fn code(&mut self) -> String {
        let path = request(&self.client, &[]);
        let landing = self.browser.authorize(&path, "alice@example.com", PASSWORD).await;
        landing.get("code")
    }

    fn redeem(&self, code: &str) -> Value {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        post("/oauth2/token", &self.client, &parameters)
    }

    fn refresh(&self, token: &str) -> Value {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
        post("/oauth2/token", &self.client, &parameters)
    }

    async fn grant(&self, code: &str) -> Grant {
        let id = GrantId::of_code(code);
        self.deployment.stores.grants.find_grant(&id).await.unwrap().expect("a grant")
    }
}

async fn created(deployment: &Deployment, kind: &str, members: &Value) -> TestClient {
    let call = deployment.server().post(format!("/admin/{kind}"));
    let answer = call.header("x-api-key", &deployment.api_key).json(members).send().await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    TestClient {
        id: answer.text("id"),
        client_id: answer.text("clientId"),
        secret: answer.text("clientSecret"),
    }
}

/// A form that a client posts, as an event.
fn post(path: &str, client: &TestClient, parameters: &[(&str, &str)]) -> Value {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    let pair = STANDARD.encode(format!("{}:{}", client.client_id, client.secret));
    let headers = json!({
        "authorization": format!("Basic {pair}"),
        "content-type": "application/x-www-form-urlencoded",
    });
    event("POST", path, &headers, Some((&form.finish(), false)))
}

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn machine(deployment: &Deployment, name: &str, scope: &str) -> TestClient {
    let members = json!({"name": name, "type": "m2m", "scopes": [scope],
        "accessTokenSigningAlg": "ES256"});
    created(deployment, "clients", &members).await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_kms_cannot_open_the_keys_a_cold_start_answers_503_and_then_goes_on_by_itself() {
    let deployment = Deployment::start(Stage::default()).await;
    let client = machine(&deployment, "Orders", "read").await;
    let post = post("/oauth2/token", &client, &GRANT);
    // The keys are made and sealed first.
    assert_eq!(invoke(&deployment.token, &post).await.0, 200);
    let (_, kms) = deployment.services_of_token();
    for ill in [Traffic::Cut, Traffic::RequestsHeld, Traffic::AnswersHeld(0)] {
        let network = Network::before(kms).await.unwrap();
        network.set(ill);
        let cold = deployment.another_token_function(KMS, &network.url()).await;
        let answer = cold.invoke(&post).await.unwrap();
        assert_eq!(answer["statusCode"], 503, "{ill:?}: {answer}");
        assert_eq!(answer["headers"]["retry-after"], "1", "{ill:?}");
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["error"], "temporarily_unavailable", "{ill:?}");
        assert_eq!(body.get("access_token"), None, "never an unsigned token");
        let jwks = event("GET", "/.well-known/jwks.json", &json!({}), None);
        assert_eq!(invoke(&cold, &jwks).await.0, 503, "{ill:?}: nor a key set without keys");
        network.set(Traffic::Flows);
        let (status, body) = invoke(&cold, &post).await;
        assert_eq!(status, 200, "{ill:?}: the same process, once KMS is well again: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_killed_amid_a_request_gives_nothing_twice_and_loses_nothing() {
    const MOST_PIECES: u32 = 60;
    let mut scene = Scene::new().await;
    let (dynamodb, _) = scene.deployment.services_of_token();
    let network = Network::before(dynamodb).await.unwrap();
    // Once after each piece that DynamoDB answers, until the function gets to its end.
    let (mut used, mut unused) = (0, 0);
    for pieces in 0..=MOST_PIECES {
        assert!(pieces < MOST_PIECES, "it never ends");
        let code = scene.code().await;
        network.set(Traffic::AnswersHeld(pieces));
        let function = scene.deployment.another_token_function(DYNAMODB, &network.url()).await;
        let redeem = scene.redeem(&code);
        let asked = {
            let (function, redeem) = (function.clone(), redeem.clone());
            tokio::spawn(async move { function.invoke(&redeem).await })
        };
        tokio::pin!(asked);
        let answer = tokio::select! {
            answer = &mut asked => Some(answer),
            () = network.holds() => None,
        };
        if let Some(answer) = answer {
            assert_eq!(answer.unwrap().unwrap()["statusCode"], 200);
            break;
        }
        function.signal("KILL").await.unwrap();
        let lost = asked.await.unwrap();
        assert!(lost.is_err(), "{lost:?}");
        network.set(Traffic::Flows);

        // The client hears 500 of API Gateway, and tries again elsewhere.
        let before = scene.grant(&code).await;
        let (status, body) = invoke(&scene.deployment.token, &redeem).await;
        let after = scene.grant(&code).await;
        if before.redeemed.is_some() {
            assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")), "{pieces}");
            assert!(after.ended_at.is_some(), "what was given to nobody is of no use to anybody");
            used += 1;
        } else {
            assert_eq!(status, 200, "{pieces}: {body}");
            let refresh = scene.refresh(body["refresh_token"].as_str().unwrap());
            assert_eq!(invoke(&scene.deployment.token, &refresh).await.0, 200);
            unused += 1;
        }
        assert_eq!(after.redeemed.expect("it is used").generation, 1, "one family");
    }
    assert!(used > 0 && unused > 3, "{used} after the redemption, {unused} before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_was_frozen_goes_by_the_time_of_its_thaw() {
    let mut scene = Scene::new().await;
    let (dynamodb, _) = scene.deployment.services_of_token();
    let network = Network::before(dynamodb).await.unwrap();
    let function = scene.deployment.another_token_function(DYNAMODB, &network.url()).await;
    let code = scene.code().await;
    let (status, tokens) = invoke(&function, &scene.redeem(&code)).await;
    assert_eq!(status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    let introspect = post("/oauth2/introspect", &scene.client, &[("token", access)]);
    assert_eq!(invoke(&function, &introspect).await.1["active"], true);

    // The token lives for five seconds, and so long nothing moves; connections end meanwhile.
    function.signal("STOP").await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    network.set(Traffic::Cut);
    network.set(Traffic::Flows);
    function.signal("CONT").await.unwrap();
    let (status, body) = invoke(&function, &introspect).await;
    assert_eq!((status, body), (200, json!({"active": false})));
    let refresh = scene.refresh(tokens["refresh_token"].as_str().unwrap());
    let (status, next) = invoke(&function, &refresh).await;
    assert_eq!(status, 200, "{next}");
    let (_, old) = unverified(access);
    let (_, new) = unverified(next["access_token"].as_str().unwrap());
    assert!(new["iat"].as_u64().unwrap() >= old["iat"].as_u64().unwrap() + 5, "{old} {new}");

    // Frozen amid a request: it is answered, or the answer is that it may be tried again.
    network.set(Traffic::AnswersHeld(0));
    let asked = {
        let (function, introspect) = (function.clone(), introspect.clone());
        tokio::spawn(async move { invoke(&function, &introspect).await })
    };
    network.holds().await;
    function.signal("STOP").await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    network.set(Traffic::Flows);
    function.signal("CONT").await.unwrap();
    let (status, body) = asked.await.unwrap();
    assert!(matches!(status, 200 | 503), "{status} {body}");
    assert_eq!(invoke(&function, &introspect).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_keeps_nothing_of_one_client_for_the_next() {
    let mut deployment = Deployment::start(Stage::default()).await;
    let folder = tempfile::tempdir().unwrap();
    deployment.replace_by_functions_without_files(folder.path()).await;
    let one = machine(&deployment, "One", "one:read").await;
    let other = machine(&deployment, "Other", "other:read").await;
    let function = &deployment.token;
    for _ in 0..3 {
        for (client, scope) in [(&one, "one:read"), (&other, "other:read")] {
            let (status, body) = invoke(function, &post("/oauth2/token", client, &GRANT)).await;
            assert_eq!((status, &body["scope"]), (200, &json!(scope)), "{body}");
            let (_, claims) = unverified(body["access_token"].as_str().unwrap());
            assert_eq!(claims["client_id"], client.client_id.as_str());
        }
        // The secret that matched a moment ago is still that of one client alone.
        let mixed = TestClient { secret: one.secret.clone(), ..other.clone() };
        assert_eq!(invoke(function, &post("/oauth2/token", &mixed, &GRANT)).await.0, 401);
        // Nor does a request without credentials or body have those of the one before.
        let headers = json!({"content-type": "application/x-www-form-urlencoded"});
        let bare = event("POST", "/oauth2/token", &headers, Some(("", false)));
        let (status, body) = invoke(function, &bare).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
    }
    check_files(function, folder.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_writes_a_file_whatever_it_is_asked_for() {
    let mut deployment = Deployment::start(Stage::default()).await;
    let folder = tempfile::tempdir().unwrap();
    deployment.replace_by_functions_without_files(folder.path()).await;
    let own = deployment.token.folder().parent().unwrap().to_owned();
    let before = files(&own);
    let (server, issuer) = (deployment.server(), deployment.issuer.clone());
    story::m2m(&server, &issuer, &deployment.api_key).await;
    story::sign_in(&server, &issuer, &deployment.api_key).await;
    let event = json!({"id": "1", "detail-type": "Scheduled Event", "source": "aws.events"});
    deployment.key_rotation.invoke(&event).await.unwrap();
    let Deployment { token, authorize, client_admin, key_rotation, .. } = &deployment;
    for function in [token, authorize, client_admin, key_rotation] {
        check_files(function, folder.path());
    }
    assert_eq!(files(&own), before, "beside the code");
}

/// Checks that a function that may write no byte to a file has opened none either, and has left none that is
/// empty where temporary ones go.
fn check_files(function: &RunningFunction, temporary: &Path) {
    for id in function.ids() {
        // Otherwise all this would prove nothing.
        let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
        let limit = limits.lines().find_map(|line| line.strip_prefix("Max file size"));
        assert_eq!(limit.unwrap().split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
        let mut seen = 0;
        for entry in fs::read_dir(format!("/proc/{id}/fd")).unwrap() {
            // Sockets, pipes and the like have no path.
            let path = fs::read_link(entry.unwrap().path()).unwrap_or_default();
            assert!(!path.is_file(), "{} is open", path.display());
            seen += 1;
        }
        assert!(seen > 3, "{seen}");
    }
    assert_eq!(files(temporary), [], "temporary files");
}

/// What is in a folder and below it, and when it was changed.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let changed = fs::symlink_metadata(&path).unwrap().modified().unwrap();
        found.push((path.clone(), changed));
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        }
    }
    found.sort_unstable();
    found
}
