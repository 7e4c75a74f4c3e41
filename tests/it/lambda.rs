//! The real Lambda binaries, behind a stand-in for API Gateway.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use identety_tests::app::TestApp;
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::deployment::Deployment;
use identety_tests::lambda::{RunningFunction, Stage};
use identety_tests::sign_in::authorize_path;
use identety_tests::story;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn the_m2m_story_at_the_default_stage() {
    let deployment = Deployment::start(Stage::default()).await;
    story::m2m(&deployment.server(), &deployment.issuer, &deployment.api_key).await;
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), []);
    let routes =
        [(&*deployment.token, "/oauth2/token"), (&deployment.client_admin, "/admin/clients/{id}")];
    logs_are_json_lines_without(std::slice::from_ref(&deployment.api_key), &routes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_m2m_story_behind_a_stage_prefix() {
    let deployment = Deployment::start(Stage::named("prod")).await;
    assert!(deployment.issuer.ends_with("/prod"));
    story::m2m(&deployment.server(), &deployment.issuer, &deployment.api_key).await;
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_users_at_the_default_stage() {
    let deployment = Deployment::start(Stage::default()).await;
    let issuer = &deployment.issuer;
    let secrets = story::sign_in(&deployment.server(), issuer, &deployment.api_key).await;
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), []);
    let routes = [
        (&*deployment.token, "/oauth2/userinfo"),
        (&deployment.authorize, "/consent"),
        (&deployment.client_admin, "/admin/users/{id}"),
    ];
    logs_are_json_lines_without(&secrets, &routes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_users_behind_a_stage_prefix() {
    let deployment = Deployment::start(Stage::named("prod")).await;
    let issuer = &deployment.issuer;
    story::sign_in(&deployment.server(), issuer, &deployment.api_key).await;
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), []);
}

/// That the logs have these routes, and nothing of `secrets`.
fn logs_are_json_lines_without(secrets: &[String], routes: &[(&RunningFunction, &str)]) {
    for (function, route) in routes {
        let logs = function.logs();
        let mut routes = Vec::new();
        for line in logs.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            routes.push(line["route"].as_str().unwrap_or_default().to_owned());
        }
        assert!(routes.iter().any(|own| own == route), "{logs}");
        assert!(secrets.iter().all(|secret| !logs.contains(secret)), "{logs}");
        assert!(!logs.contains("_secret_") && !logs.contains("eyJ"), "{logs}");
    }
}

/// An event as an HTTP API sends it.
pub(crate) fn event(
    method: &str,
    path: &str,
    headers: &Value,
    body: Option<(&str, bool)>,
) -> Value {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "api.example.com",
            "domainPrefix": "api", "requestId": "request", "routeKey": "$default",
            "stage": "$default", "time": "01/Jan/2030:00:00:00 +0000", "timeEpoch": 1_893_456_000_000_u64,
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "test",
            },
        },
        "isBase64Encoded": body.is_some_and(|(_, encoded)| encoded),
    });
    if let Some((body, _)) = body {
        event["body"] = body.into();
    }
    event
}

pub(crate) async fn invoke(function: &RunningFunction, event: &Value) -> (u64, Value) {
    let answer = function.invoke(event).await.expect("an answer");
    let body = serde_json::from_str(answer["body"].as_str().unwrap_or("null"));
    (answer["statusCode"].as_u64().expect("a status"), body.unwrap_or(Value::Null))
}

/// A client of the deployment, as a Basic header.
async fn basic(deployment: &Deployment) -> String {
    let call = deployment.server().post("/admin/clients").header("x-api-key", &deployment.api_key);
    let created = call.json(&json!({"name": "x", "type": "m2m", "scopes": ["read"]})).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    let pair = format!("{}:{}", created.text("clientId"), created.text("clientSecret"));
    format!("Basic {}", STANDARD.encode(pair))
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_events_get_the_answers_that_serve_gives() {
    let deployment = Deployment::start(Stage::default()).await;
    let (token, admin) = (&deployment.token, &deployment.client_admin);
    let basic = basic(&deployment).await;
    let form = "grant_type=client_credentials&scope=read";
    let encoded = STANDARD.encode(form);
    let headers = json!({
        "authorization": basic, "content-type": "application/x-www-form-urlencoded",
    });
    let post = |body| event("POST", "/oauth2/token", &headers, body);

    // Bodies in clear, in base64, and missing.
    assert_eq!(invoke(token, &post(Some((form, false)))).await.0, 200);
    assert_eq!(invoke(token, &post(Some((&encoded, true)))).await.0, 200);
    for empty in [None, Some(("", false)), Some(("", true))] {
        let (status, body) = invoke(token, &post(empty)).await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
    }
    // A body that says base64 and is not UTF-8 inside.
    let (status, body) = invoke(token, &post(Some(("/////w==", true)))).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));

    // Headers that came twice arrive joined by a comma.
    let mut twice = post(Some((form, false)));
    twice["headers"]["authorization"] = format!("{basic},{basic}").into();
    assert_eq!(invoke(token, &twice).await.0, 401);
    let mut twice = post(Some((form, false)));
    twice["headers"]["content-type"] =
        "application/x-www-form-urlencoded,application/x-www-form-urlencoded".into();
    assert_eq!(invoke(token, &twice).await.0, 400);
    let key = format!("{0},{0}", deployment.api_key);
    let list = |key: &str| event("GET", "/admin/clients", &json!({"x-api-key": key}), None);
    assert_eq!(invoke(admin, &list(&key)).await.0, 401);
    assert_eq!(invoke(admin, &list(&deployment.api_key)).await.0, 200);

    // Queries, with a name twice.
    let mut queried = list(&deployment.api_key);
    queried["rawQueryString"] = "limit=1&sort=asc".into();
    queried["queryStringParameters"] = json!({"limit": "1", "sort": "asc"});
    let (status, body) = invoke(admin, &queried).await;
    assert_eq!((status, &body["meta"]["limit"]), (200, &json!(1)));
    queried["rawQueryString"] = "limit=1&limit=2".into();
    queried["queryStringParameters"] = json!({"limit": "1,2"});
    let (status, body) = invoke(admin, &queried).await;
    assert_eq!((status, &body["errors"][0]["field"]), (400, &json!("query")));

    // Paths as nobody means them.
    for path in ["/oauth2/token/", "/oauth2//token", "//oauth2/token", "/OAUTH2/TOKEN", "/"] {
        let (status, body) =
            invoke(token, &event("POST", path, &headers, Some((form, false)))).await;
        assert_eq!((status, &body["error"]), (404, &json!("invalid_request")), "{path}");
    }
    // Nothing of this has ended a process.
    assert_eq!(invoke(token, &post(Some((form, false)))).await.0, 200);
}

/// A client of the deployment that asks for no consent, as its request for a code.
async fn authorization_request(deployment: &Deployment) -> String {
    let call = deployment.server().post("/admin/clients").header("x-api-key", &deployment.api_key);
    let uri = "https://app.example.com/callback";
    let members = json!({"name": "x", "type": "private", "scopes": ["openid"], "redirectUris": [uri],
        "skipConsent": true});
    let created = call.json(&members).send().await;
    assert_eq!(created.status, 201, "{}", created.json());
    authorize_path(&[
        ("client_id", &created.text("clientId")),
        ("redirect_uri", uri),
        ("response_type", "code"),
        ("scope", "openid"),
    ])
}

/// The cookies that an answer sets, by name and value.
fn cookies_set(answer: &Value) -> Vec<String> {
    let cookies = answer["cookies"].as_array().cloned().unwrap_or_default();
    let pair = |cookie: &Value| cookie.as_str()?.split(';').next().map(str::to_owned);
    cookies.iter().filter_map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_events_of_browsers_get_pages() {
    let deployment = Deployment::start(Stage::default()).await;
    let authorize = &deployment.authorize;
    let user = json!({"email": "ann@example.com", "password": "a password of this test"});
    let call = deployment.server().post("/admin/users").header("x-api-key", &deployment.api_key);
    assert_eq!(call.json(&user).send().await.status, 201);
    let path = authorization_request(&deployment).await;
    let (path, query) = path.split_once('?').unwrap();
    let mut begin = event("GET", path, &json!({}), None);
    begin["rawQueryString"] = query.into();

    // A request that waits gets a cookie of its own, whichever cookies came with it.
    let answer = authorize.invoke(&begin).await.unwrap();
    assert_eq!(answer["statusCode"], 303);
    let cookies = cookies_set(&answer);
    assert!(cookies.len() == 1 && cookies[0].starts_with("identety-request-"), "{answer}");
    begin["cookies"] = json!([]);
    let other = cookies_set(&authorize.invoke(&begin).await.unwrap());
    assert!(other.len() == 1 && other != cookies);
    begin["cookies"] = json!(["theme=dark", cookies[0], "identety-session=nonsense"]);
    let answer = authorize.invoke(&begin).await.unwrap();
    assert_eq!((cookies_set(&answer).len(), &answer["statusCode"]), (1, &json!(303)));
    let cookies = cookies_set(&answer);

    // The sign-in page is that browser's alone.
    let location = answer["headers"]["location"].as_str().unwrap();
    let (_, query) = location.split_once('?').unwrap();
    let mut show = event("GET", "/signin", &json!({}), None);
    show["rawQueryString"] = query.into();
    assert_eq!(authorize.invoke(&show).await.unwrap()["statusCode"], 400);
    show["cookies"] = json!(other);
    assert_eq!(authorize.invoke(&show).await.unwrap()["statusCode"], 400);
    show["cookies"] = json!(cookies);
    let page = authorize.invoke(&show).await.unwrap();
    assert_eq!(page["statusCode"], 200, "{page}");

    // Its form in clear, in base64, missing, and not UTF-8 inside.
    let page = page["body"].as_str().unwrap().to_owned();
    let page = Answer { status: 200, headers: http::HeaderMap::new(), body: page.into() };
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(Form::of(&page).hidden);
    form.append_pair("email", "ann@example.com").append_pair("password", "a password of this test");
    let form = form.finish();
    let (mistyped, encoded) = (format!("{form}x"), STANDARD.encode(&form));
    let headers = json!({"content-type": "application/x-www-form-urlencoded"});
    let post = |body| {
        let mut event = event("POST", "/signin", &headers, body);
        event["cookies"] = json!(cookies);
        event
    };
    for wrong in [None, Some(("", true)), Some(("/////w==", true))] {
        let answer = authorize.invoke(&post(wrong)).await.unwrap();
        assert_eq!((&answer["statusCode"], cookies_set(&answer)), (&json!(400), vec![]));
        assert_eq!(answer["headers"]["content-type"], "text/html; charset=utf-8");
    }
    let mistyped = authorize.invoke(&post(Some((&mistyped, false)))).await.unwrap();
    assert_eq!((&mistyped["statusCode"], cookies_set(&mistyped)), (&json!(400), vec![]));
    assert!(mistyped["body"].as_str().unwrap().contains("password is wrong"), "{mistyped}");
    let answer = authorize.invoke(&post(Some((&encoded, true)))).await.unwrap();
    assert_eq!(answer["statusCode"], 303, "{answer}");
    let session = cookies_set(&answer);
    let names: Vec<_> = session.iter().filter_map(|it| Some(it.split_once('=')?.0)).collect();
    assert_eq!(names, ["identety-session", "identety-device"], "{answer}");
    // With the session's cookie, it goes on to the client.
    show["cookies"] = json!([&cookies[..], &session[..]].concat());
    let answer = authorize.invoke(&show).await.unwrap();
    let location = answer["headers"]["location"].as_str().unwrap();
    assert!(location.starts_with("https://app.example.com/callback?code="), "{location}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_paths_of_browsers_are_no_fault_of_the_servers() {
    let deployment = Deployment::start(Stage::default()).await;
    // API Gateway decodes a path before it chooses the route, and hands it on decoded.
    for (path, status) in [
        ("/oauth2%2fauthorize", 400),
        ("/oauth2%252Fauthorize", 400),
        ("/signin%2f", 404),
        ("/%2fsignin", 404),
        ("/signin%00", 404),
        ("/SIGNIN", 404),
        ("/signin/", 404),
        ("/consent;x=y", 404),
        ("/oauth2/authorize%3Fclient_id=x", 400),
    ] {
        let answer = deployment.server().get(path).send().await;
        assert_eq!(answer.status, status, "{path}");
    }
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_register_themselves_only_where_the_deployment_lets_them() {
    let deployment = Deployment::start(Stage::default()).await;
    let mut browser = Browser::new(deployment.server(), &deployment.issuer);
    let path = authorization_request(&deployment).await;
    let page = browser.open(&path).await.page();
    let transaction = Form::of(&page).get("transaction");
    assert!(html(&page).contains("/register?transaction="));
    let page = browser.open(&format!("/register?transaction={transaction}")).await.page();
    let entered = [
        ("email", "ben@example.com"),
        ("name", "Ben"),
        ("password", "a password that Ben has chosen"),
    ];
    let landing = browser.submit(&page, &entered).await.client();
    assert!(!landing.get("code").is_empty(), "{}", landing.url);
    assert!(!deployment.authorize.logs().contains("a password that Ben has chosen"));

    let closed = deployment.authorize_function_without_registration().await;
    let mut ask = event("GET", "/register", &json!({}), None);
    ask["rawQueryString"] = format!("transaction={transaction}").into();
    let answer = closed.invoke(&ask).await.unwrap();
    assert_eq!(answer["statusCode"], 404, "{answer}");
    assert!(answer["body"].as_str().unwrap().contains("Registration is closed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_that_is_counted_is_the_gateways_source_ip() {
    let deployment = Deployment::start(Stage::default()).await;
    let attempt = |source: &str, forwarded: &str| {
        let headers = json!({
            "authorization": format!("Basic {}", STANDARD.encode("m2m_nobody:wrong")),
            "content-type": "application/x-www-form-urlencoded", "x-forwarded-for": forwarded,
        });
        let body = Some(("grant_type=client_credentials", false));
        let mut event = event("POST", "/oauth2/token", &headers, body);
        event["requestContext"]["http"]["sourceIp"] = source.into();
        event
    };
    let mut refused = 0;
    // A minute may end in between, once; then the count begins anew.
    for n in 0..250 {
        let event = attempt("192.0.2.1", &format!("198.51.100.{n}"));
        refused += u32::from(invoke(&deployment.token, &event).await.0 == 429);
    }
    assert!((50..=150).contains(&refused), "{refused} of 250");
    assert_eq!(invoke(&deployment.token, &attempt("192.0.2.2", "192.0.2.1")).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_and_lambda_answer_alike() {
    let app = TestApp::start().await;
    let deployment = Deployment::start(Stage::default()).await;
    let key = |server: &identety_tests::call::Server, key: &str, method: &str, path: &str| {
        server.call(method.parse().unwrap(), path).header("x-api-key", key)
    };
    for (method, path, body) in [
        ("GET", "/", ""),
        ("GET", "/nothing", ""),
        ("GET", "/oauth2/token", ""),
        ("PUT", "/oauth2/token", ""),
        ("POST", "/oauth2/token", "{}"),
        ("OPTIONS", "/oauth2/token", ""),
        ("DELETE", "/.well-known/jwks.json", ""),
        ("GET", "/admin", ""),
        ("GET", "/admin/nothing", ""),
        ("GET", "/admin/clients", ""),
        ("GET", "/oauth2/authorize", ""),
        ("DELETE", "/oauth2/authorize", ""),
        ("POST", "/oauth2/authorize", "{}"),
        ("GET", "/oauth2/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example", ""),
        ("GET", "/signin", ""),
        ("POST", "/signin", "{}"),
        ("GET", "/register", ""),
        ("GET", "/consent?transaction=x", ""),
        ("POST", "/consent", ""),
        ("GET", "/signout", ""),
        ("GET", "/style.css", ""),
        ("HEAD", "/form_post.js", ""),
        ("POST", "/oauth2/revoke", "{}"),
        ("POST", "/oauth2/introspect", ""),
        ("GET", "/oauth2/userinfo", ""),
        ("OPTIONS", "/oauth2/userinfo", ""),
        ("GET", "/admin/clients?limit=0", ""),
        ("PUT", "/admin/clients", ""),
        ("POST", "/admin/clients", "{"),
        ("POST", "/admin/clients", r#"{"name": ""}"#),
        ("GET", "/admin/clients/nobody", ""),
        ("PATCH", "/admin/clients/nobody", "{}"),
        ("DELETE", "/admin/clients/nobody", ""),
        ("POST", "/admin/clients/nobody/secrets", ""),
        ("DELETE", "/admin/clients/nobody/secrets/none", ""),
        ("GET", "/admin/users", ""),
        ("POST", "/admin/users", r#"{"email": ""}"#),
        ("PUT", "/admin/users/nobody", "{}"),
        ("GET", "/admin/users/nobody/password", ""),
    ] {
        for authenticated in [false, true] {
            let mut answers = Vec::new();
            for (server, api_key) in
                [(&app.server, &app.api_key), (&deployment.server(), &deployment.api_key)]
            {
                let api_key = if authenticated { api_key } else { "wrong" };
                let mut call = key(server, api_key, method, path);
                if !body.is_empty() {
                    call = call.body("application/json", body);
                }
                let answer = call.send().await;
                let header = |name| answer.header(name).to_owned();
                let headers = ["content-type", "cache-control", "allow", "www-authenticate"];
                answers.push((answer.status, headers.map(header), answer.json()));
            }
            assert_eq!(answers[0], answers[1], "{method} {path}");
        }
    }
    assert_eq!(deployment.gateway.failures(), []);
    assert_eq!(deployment.refusals(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_of_names_below_the_host_only_where_the_deployment_says_so() {
    let deployment = Deployment::start(Stage::default()).await;
    let policy = async || {
        let answer = deployment.server().get("/.well-known/jwks.json").send().await;
        answer.header("strict-transport-security").to_owned()
    };
    assert_eq!(policy().await, "max-age=63072000");
    let variable = "IDENTETY_HSTS_INCLUDE_SUB_DOMAINS";
    let function = deployment.another_token_function(variable, "true").await;
    deployment.gateway.attach("token", function);
    assert_eq!(policy().await, "max-age=63072000; includeSubDomains");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_that_start_at_once_make_one_set_of_keys() {
    let deployment = Deployment::start(Stage::default()).await;
    let mut functions = vec![deployment.token.clone()];
    for _ in 0..4 {
        functions.push(deployment.another_token_function("UNUSED", "").await);
    }
    let jwks = event("GET", "/.well-known/jwks.json", &json!({}), None);
    let mut sets = Vec::new();
    for function in &functions {
        let (status, body) = invoke(function, &jwks).await;
        assert_eq!(status, 200);
        sets.push(body);
    }
    assert!(sets.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(sets[0]["keys"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_kms_key_the_answer_is_503_and_never_a_token() {
    let deployment = Deployment::start(Stage::default()).await;
    let basic = basic(&deployment).await;
    // The keys are sealed under the right KMS key first.
    let form = Some(("grant_type=client_credentials", false));
    let headers = json!({
        "authorization": basic, "content-type": "application/x-www-form-urlencoded",
    });
    let post = event("POST", "/oauth2/token", &headers, form);
    assert_eq!(invoke(&deployment.token, &post).await.0, 200);

    let unknown = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000";
    let blind: Arc<RunningFunction> =
        deployment.another_token_function("IDENTETY_KMS_KEY", unknown).await;
    let (status, body) = invoke(&blind, &post).await;
    assert_eq!((status, &body["error"]), (503, &json!("temporarily_unavailable")));
    let jwks = event("GET", "/.well-known/jwks.json", &json!({}), None);
    assert_eq!(invoke(&blind, &jwks).await.0, 503);
    let discovery = event("GET", "/.well-known/openid-configuration", &json!({}), None);
    assert_eq!(invoke(&blind, &discovery).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_out_of_reach_is_503_and_discovery_still_answers() {
    let deployment = Deployment::start(Stage::default()).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{closed}");
    let cut = deployment.another_token_function("AWS_ENDPOINT_URL_DYNAMODB", &endpoint).await;
    let headers = json!({
        "authorization": basic(&deployment).await,
        "content-type": "application/x-www-form-urlencoded",
    });
    let form = Some(("grant_type=client_credentials", false));
    let answer = cut.invoke(&event("POST", "/oauth2/token", &headers, form)).await.unwrap();
    assert_eq!(answer["statusCode"], 503);
    assert_eq!(answer["headers"]["retry-after"], "1");
    let discovery = event("GET", "/.well-known/openid-configuration", &json!({}), None);
    assert_eq!(invoke(&cut, &discovery).await.0, 200);
}
