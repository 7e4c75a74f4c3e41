//! What the real functions write: one line for each request, and the metrics in it.

mod throttling;

use std::sync::Arc;

use identety_domain::Reason;
use identety_tests::browser::{Browser, Form};
use identety_tests::call::{Answer, Call};
use identety_tests::deployment::Deployment;
use identety_tests::lambda::{RunningFunction, Stage};
use identety_tests::sign_in::{CALLBACK, CHALLENGE, PASSWORD, VERIFIER, authorize_path};
use identety_tests::story;
use serde_json::{Value, json};

const EMAIL: &str = "ann@example.com";

/// The lines about requests.
fn lines(function: &RunningFunction) -> Vec<Value> {
    let logs = function.logs();
    let parsed = logs.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|_| panic!("not a JSON object: {line}"))
    });
    parsed.filter(|line: &Value| line.get("route").is_some()).collect()
}

/// The line about the request that got this answer.
fn line_of(function: &RunningFunction, answer: &Answer) -> Value {
    let id = answer.header("x-request-id");
    let own = lines(function).into_iter().filter(|line| line["requestId"] == id);
    let own: Vec<_> = own.collect();
    assert_eq!(own.len(), 1, "{id}: {own:?}");
    own[0].clone()
}

/// Name, dimension's value and value of each metric of a line.
fn metrics(line: &Value) -> Vec<(String, String, u64)> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().cloned().unwrap_or_default();
    let metric = |directive: &Value| {
        assert_eq!(directive["Namespace"], "Identety/stack");
        let name = directive["Metrics"][0]["Name"].as_str().unwrap().to_owned();
        let dimension = directive["Dimensions"][0][0].as_str();
        let value = dimension.map(|dimension| line[dimension].as_str().unwrap().to_owned());
        let count = line[&name].as_u64().unwrap();
        (name, value.unwrap_or_default(), count)
    };
    directives.iter().map(metric).collect()
}

fn metric(name: &str, value: &str) -> (String, String, u64) {
    (name.to_owned(), value.to_owned(), 1)
}

/// A deployment, and what its tests register.
struct Told {
    deployment: Deployment,
}

impl Told {
    async fn start() -> Self {
        Self { deployment: Deployment::start(Stage::default()).await }
    }

    fn admin(&self, method: &str, path: &str) -> Call {
        let call = self.deployment.server().call(method.parse().unwrap(), path);
        call.header("x-api-key", &self.deployment.api_key)
    }

    /// Registers a client: its identifier and its secret.
    async fn client(&self, members: Value) -> (String, String) {
        let created = self.admin("POST", "/admin/clients").json(&members).send().await;
        assert_eq!(created.status, 201, "{}", created.json());
        (created.text("clientId"), created.text("clientSecret"))
    }

    async fn m2m(&self) -> (String, String) {
        let members = json!({"name": "x", "type": "m2m", "scopes": ["read"]});
        self.client(members).await
    }

    /// Registers an app of users: who it is, and where its authorization requests go.
    async fn photos(&self) -> ((String, String), String) {
        let members = json!({"name": "Photos", "type": "public", "redirectUris": [CALLBACK],
            "scopes": ["openid", "offline_access"], "skipConsent": true});
        let client = self.client(members).await;
        let path = authorize_path(&[
            ("client_id", &client.0),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid offline_access"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        (client, path)
    }

    fn browser(&self) -> Browser {
        Browser::new(self.deployment.server(), &self.deployment.issuer)
    }

    async fn token(&self, (id, secret): &(String, String), form: &[(&str, &str)]) -> Answer {
        let call = self.deployment.server().post("/oauth2/token");
        if secret.is_empty() {
            return call.form(&[&[("client_id", id.as_str())], form].concat()).send().await;
        }
        call.basic(id, secret).form(form).send().await
    }

    fn line_of(&self, answer: &Answer) -> Value {
        line_of(&self.deployment.token, answer)
    }
}

const CLIENT_CREDENTIALS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_one_short_line_with_the_ids_of_lambda_and_of_the_gateway() {
    let told = Told::start().await;
    let client = told.m2m().await;
    let first = told.token(&client, &CLIENT_CREDENTIALS).await;
    let second = told.token(&client, &CLIENT_CREDENTIALS).await;
    let line = told.line_of(&second);
    assert_eq!(line["apiRequestId"], second.header("apigw-requestid"));
    let expected = json!({
        "timestamp": line["timestamp"], "level": "INFO", "requestId": line["requestId"],
        "apiRequestId": line["apiRequestId"], "method": "POST", "route": "/oauth2/token",
        "status": 200, "durationMs": line["durationMs"], "client": client.0,
        "Grant": "client_credentials", "Tokens": 1, "_aws": line["_aws"],
    });
    assert_eq!(line, expected);
    assert_eq!(metrics(&line), [metric("Tokens", "client_credentials")]);
    let logs = told.deployment.token.logs();
    let own = logs.lines().find(|line| line.contains(second.header("x-request-id"))).unwrap();
    assert!(own.len() <= 450, "{} bytes", own.len());

    let cold = told.line_of(&first);
    let started = [metric("Tokens", "client_credentials"), metric("ColdStarts", "token")];
    assert_eq!(metrics(&cold), started);
    assert!(cold["initMs"].is_u64(), "{cold}");
    assert_eq!(lines(&told.deployment.token).len(), 2);
    let cold = lines(&told.deployment.client_admin)[0].clone();
    assert_eq!(metrics(&cold), [metric("ColdStarts", "client-admin")]);
    assert_eq!((&cold["status"], &cold["client"]), (&json!(201), &json!("api-key")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_is_one_line_with_its_reason() {
    let told = Told::start().await;
    let client = told.m2m().await;
    told.token(&client, &CLIENT_CREDENTIALS).await;
    let server = told.deployment.server();
    let wrong = (client.0.clone(), "wrong".to_owned());
    let scope = [CLIENT_CREDENTIALS[0], ("scope", "write")];
    for (answer, reason, named, grant) in [
        (told.token(&wrong, &CLIENT_CREDENTIALS).await, "invalid_client", false, true),
        (told.token(&client, &scope).await, "invalid_scope", true, true),
        (
            told.token(&client, &[("grant_type", "password")]).await,
            "unsupported_grant_type",
            true,
            false,
        ),
        (
            told.token(&client, &[("grant_type", "refresh_token")]).await,
            "unauthorized_client",
            true,
            true,
        ),
        (told.token(&client, &[]).await, "invalid_request", true, false),
        (server.get("/nothing/of/the/kind").send().await, "not_found", false, false),
        (server.get("/oauth2/token").send().await, "method_not_allowed", false, false),
        (
            server.get("/oauth2/userinfo").bearer("nonsense").send().await,
            "invalid_token",
            false,
            false,
        ),
    ] {
        let line = told.line_of(&answer);
        assert_eq!(metrics(&line), [metric("Refusals", reason)], "{line}");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["status"], answer.status);
        assert_eq!(line.get("client").is_some(), named, "{line}");
        assert_eq!(line.get("Grant").is_some(), grant, "{line}");
        assert!(line["cause"].is_string() || reason == "method_not_allowed", "{line}");
    }
    let not_found = server.get("/nothing/of/the/kind").send().await;
    assert_eq!(told.line_of(&not_found)["route"], "unmatched");
    let brew = server.call("BREW".parse().unwrap(), "/oauth2/token").send().await;
    assert_eq!(told.line_of(&brew)["method"], "other");

    let admin = &told.deployment.client_admin;
    for (answer, reason) in [
        (server.get("/admin/clients").header("x-api-key", "wrong").send().await, "unauthorized"),
        (told.admin("GET", "/admin/clients/nobody").send().await, "not_found"),
        (
            told.admin("POST", "/admin/clients").json(&json!({"name": ""})).send().await,
            "invalid_request",
        ),
        (told.admin("PUT", "/admin/clients").send().await, "method_not_allowed"),
    ] {
        let line = line_of(admin, &answer);
        assert_eq!(metrics(&line), [metric("Refusals", reason)], "{line}");
    }
}

/// A client that acts for users, and two codes that a browser got for it.
async fn signed_in(told: &Told) -> ((String, String), [String; 2]) {
    let user = json!({"email": EMAIL, "password": PASSWORD});
    let created = told.admin("POST", "/admin/users").json(&user).send().await;
    assert_eq!(created.status, 201);
    let (client, path) = told.photos().await;
    let mut browser = told.browser();
    let mut page = browser.open(&path).await.page();
    // Guesses, until there are too many; and then the right password, once an administrator has unlocked the account.
    for _ in 0..30 {
        if page.status != 429 {
            page = browser.submit(&page, &[("email", EMAIL), ("password", "wrong")]).await.page();
        }
    }
    assert_eq!(page.status, 429);
    let unlock = format!("/admin/users/{}/unlock", created.text("id"));
    assert_eq!(told.admin("POST", &unlock).send().await.status, 204);
    let shown = browser.submit(&page, &[("email", EMAIL), ("password", PASSWORD)]).await;
    let (landing, other) = (shown.client(), browser.open(&path).await.client());
    (client, [landing.get("code"), other.get("code")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_or_refresh_token_that_comes_twice_is_told_from_other_refusals() {
    let told = Told::start().await;
    let (client, [code, other]) = signed_in(&told).await;
    let redeem = async |code: &str| {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        told.token(&client, &form).await
    };
    assert_eq!(redeem(&other).await.status, 200);
    let tokens = redeem(&code).await;
    let line = told.line_of(&tokens);
    let grants = metrics(&line);
    assert_eq!(grants[0], metric("Tokens", "authorization_code"), "{line}");
    assert_eq!(line["client"], client.0.as_str());

    let refresh = async |tokens: &Answer| {
        let token = tokens.text("refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        told.token(&client, &form).await
    };
    let second = refresh(&tokens).await;
    assert_eq!(metrics(&told.line_of(&second)), [metric("Tokens", "refresh_token")]);
    let third = refresh(&second).await;
    assert_eq!(third.status, 200);
    let reused = refresh(&tokens).await;
    let line = told.line_of(&reused);
    let theft = [metric("Refusals", "invalid_grant"), metric("RefreshReuse", "")];
    assert_eq!(metrics(&line), theft, "{line}");
    assert_eq!((&line["level"], &line["Grant"]), (&json!("WARN"), &json!("refresh_token")));
    // The grant has ended; nothing that comes after is another theft.
    for late in [refresh(&third).await, refresh(&tokens).await, redeem(&code).await] {
        let line = told.line_of(&late);
        assert_eq!(metrics(&line), [metric("Refusals", "invalid_grant")], "{line}");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["cause"], "invalid grant: the grant has ended");
    }
    for (level, cause) in [("WARN", "the code was used before"), ("INFO", "the grant has ended")] {
        let replayed = told.line_of(&redeem(&other).await);
        assert_eq!(metrics(&replayed), [metric("Refusals", "invalid_grant")], "{replayed}");
        assert_eq!(replayed["level"], level);
        assert_eq!(replayed["cause"], format!("invalid grant: {cause}"));
    }

    let pages = lines(&told.deployment.authorize);
    let count = |reason: &str| pages.iter().filter(|line| line["Reason"] == reason).count();
    assert!(count("wrong_password") >= 10 && count("too_many_attempts") >= 1, "{pages:?}");
    let waiting = pages.iter().find(|line| line["Reason"] == "too_many_attempts").unwrap();
    assert_eq!(metrics(waiting), [metric("Refusals", "too_many_attempts")]);
    let cold = pages.iter().flat_map(metrics).filter(|(name, ..)| name == "ColdStarts");
    assert_eq!(cold.collect::<Vec<_>>(), [metric("ColdStarts", "authorize")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_is_refused_is_a_line_that_names_the_client_and_nobody_else() {
    let told = Told::start().await;
    let (client, path) = told.photos().await;
    let mut browser = told.browser();
    let sign_in = browser.open(&path).await.page();
    let link = format!("/register?transaction={}", Form::of(&sign_in).get("transaction"));
    let register = browser.open(&link).await.page();
    let fields = [("email", EMAIL), ("name", "Mallory Nobody"), ("password", "short")];
    let refused = browser.submit(&register, &fields).await.page();
    assert_eq!(refused.status, 400);
    let line = line_of(&told.deployment.authorize, &refused);
    assert_eq!(metrics(&line), [metric("Refusals", "invalid_request")], "{line}");
    assert_eq!((&line["route"], &line["client"]), (&json!("/register"), &json!(client.0)));
    assert!(!line.to_string().contains("Mallory") && !line.to_string().contains(EMAIL), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_attempts_of_a_throttled_store_are_counted_request_by_request() {
    let told = Told::start().await;
    let client = told.m2m().await;
    told.token(&client, &CLIENT_CREDENTIALS).await;
    let throttled = async |attempts| -> Arc<RunningFunction> {
        let url = throttling::start(attempts, told.deployment.dynamodb).await;
        let function =
            told.deployment.another_token_function("AWS_ENDPOINT_URL_DYNAMODB", &url).await;
        told.deployment.gateway.attach("token", function.clone());
        function
    };

    // Each call is made twice. The first request has those of the start, too.
    let slow = throttled(1).await;
    for expected in [None, Some(1), Some(1)] {
        let answer = told.token(&client, &CLIENT_CREDENTIALS).await;
        assert_eq!(answer.status, 200);
        let line = line_of(&slow, &answer);
        let retries = line["StoreRetries"].as_u64().unwrap_or_default();
        assert!(
            metrics(&line).contains(&("StoreRetries".into(), String::new(), retries)),
            "{line}"
        );
        assert!(expected.map_or(retries > 1, |expected| retries == expected), "{line}");
    }
    // What needs no store has none.
    let discovery = told.deployment.server().get("/.well-known/openid-configuration").send().await;
    assert_eq!(metrics(&line_of(&slow, &discovery)), []);

    // Each call is made three times, in vain.
    let down = throttled(3).await;
    told.token(&client, &CLIENT_CREDENTIALS).await;
    let answer = told.token(&client, &CLIENT_CREDENTIALS).await;
    assert_eq!(answer.status, 503);
    let line = line_of(&down, &answer);
    assert_eq!(
        (&line["level"], &line["Reason"]),
        (&json!("ERROR"), &json!("temporarily_unavailable"))
    );
    assert!(line["StoreRetries"].as_u64().is_some_and(|retries| retries >= 2), "{line}");
    // Counted apart from failures, for strangers can cause it: no roll-out ends by it.
    assert_eq!((&line["Unavailable"], line.get("Failures")), (&json!(1), None));
    assert!(metrics(&line).contains(&metric("Unavailable", "")), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_namespace_nothing_is_a_metric_and_the_line_is_the_same() {
    let told = Told::start().await;
    let client = told.m2m().await;
    let function = told.deployment.another_token_function("IDENTETY_METRICS", "").await;
    told.deployment.gateway.attach("token", function.clone());
    let answer = told.token(&client, &CLIENT_CREDENTIALS).await;
    let line = line_of(&function, &answer);
    assert_eq!((&line["Grant"], &line["Tokens"]), (&json!("client_credentials"), &json!(1)));
    assert_eq!(line["ColdStarts"], 1);
    assert!(!function.logs().contains("_aws"), "{}", function.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_stories_make_no_other_metrics_than_those_of_the_closed_sets() {
    let told = Told::start().await;
    let deployment = &told.deployment;
    story::m2m(&deployment.server(), &deployment.issuer, &deployment.api_key).await;
    story::sign_in(&deployment.server(), &deployment.issuer, &deployment.api_key).await;
    for number in 0..300 {
        let made_up = (format!("m2m_{number:024}"), format!("secret-{number}"));
        let (grant, scope) = (format!("grant-{number}"), format!("scope-{number}"));
        told.token(&made_up, &[("grant_type", &grant), ("scope", &scope)]).await;
    }
    let functions = [&deployment.token, &deployment.authorize, &deployment.client_admin];
    let mut series: Vec<_> = functions
        .iter()
        .flat_map(|function| lines(function))
        .flat_map(|line| metrics(&line))
        .map(|(name, value, _)| format!("{name} {value}"))
        .collect();
    series.sort_unstable();
    series.dedup();
    let reasons: Vec<_> =
        Reason::all().map(|reason| format!("Refusals {}", reason.as_str())).collect();
    let others = series.iter().filter(|one| !reasons.contains(one)).collect::<Vec<_>>();
    let expected = [
        "ColdStarts authorize",
        "ColdStarts client-admin",
        "ColdStarts token",
        "Tokens authorization_code",
        "Tokens client_credentials",
        "Tokens refresh_token",
    ];
    assert_eq!(others, expected);
    assert!(series.len() > 12, "{series:?}");
}

#[test]
fn the_runbook_names_every_metric_reason_and_grant() {
    let path = identety_tests::binaries::root().join("docs/operations.md");
    let runbook = std::fs::read_to_string(path).unwrap();
    let reasons = Reason::all().map(Reason::as_str);
    let grants = ["client_credentials", "authorization_code", "refresh_token"];
    let metrics = [
        "Tokens",
        "Refusals",
        "Failures",
        "Unavailable",
        "RefreshReuse",
        "StoreRetries",
        "ColdStarts",
        "KeyAgeDays",
    ];
    for word in reasons.chain(grants).chain(metrics) {
        assert!(runbook.contains(&format!("`{word}`")), "{word}");
    }
}
