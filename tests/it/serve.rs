//! `identety serve`, the real program.

mod odd_http;
mod refusals;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use identety_tests::app::unverified;
use identety_tests::serve::{self, Serve};
use identety_tests::story;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A token of the administrator of `admin.json`.
async fn admin_token(serve: &Serve) -> String {
    let admin = serve.admin();
    let (id, secret) =
        (admin["clientId"].as_str().unwrap(), admin["clientSecret"].as_str().unwrap());
    let call = serve.server().post("/oauth2/token").basic(id, secret);
    let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.text("access_token")
}

#[tokio::test]
async fn the_m2m_story() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let api_key = serve.admin()["apiKey"].as_str().unwrap().to_owned();
    story::m2m(&serve.server(), &serve.url, &api_key).await;
    assert!(serve.stop().await.status.success());
}

#[tokio::test]
async fn the_story_of_users() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let api_key = serve.admin()["apiKey"].as_str().unwrap().to_owned();
    story::sign_in(&serve.server(), &serve.url, &api_key).await;
    assert!(serve.stop().await.status.success());
}

#[tokio::test]
async fn the_three_lines_it_prints_do_what_they_say() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let lines: Vec<_> = serve
        .welcome
        .iter()
        .filter(|line| line.starts_with("curl ") || line.starts_with("TOKEN="))
        .cloned()
        .collect();
    assert_eq!(lines.len(), 3);
    let mut shell = tokio::process::Command::new("bash");
    let output = shell.arg("-c").arg(lines.join("\necho\n")).stdin(Stdio::null()).output().await;
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut printed = text.lines().filter(|line| !line.is_empty());
    let created: Value = serde_json::from_str(printed.next().unwrap()).unwrap();
    assert_eq!(created["clientId"], "reports");
    let (_, claims) = unverified(printed.next().unwrap());
    assert_eq!(claims["sub"], "reports");
    let list: Value = serde_json::from_str(printed.next().unwrap()).unwrap();
    assert_eq!(list["nodes"][0]["name"], "Reports");
}

#[tokio::test]
async fn a_second_start_finds_everything_as_it_was_and_prints_no_secret() {
    let data = folder();
    let first = Serve::start(data.path()).await;
    let admin = first.admin();
    let token = admin_token(&first).await;
    let jwks = first.server().get("/.well-known/jwks.json").send().await.body;
    let port = first.port;
    assert!(first.stop().await.status.success());

    let mut command = serve::command(data.path());
    command.arg("--issuer").arg(format!("http://localhost:{port}"));
    let second = Serve::spawn(command, data.path()).await;
    assert_eq!(second.admin(), admin);
    assert_eq!(second.server().get("/.well-known/jwks.json").send().await.body, jwks);
    let list = second.server().get("/admin/clients").bearer(&token).send().await;
    assert_eq!(list.status, 200, "a token from before still verifies");
    let printed = second.welcome.join("\n");
    let password = &admin["demoUser"]["password"];
    for secret in [&admin["clientSecret"], &admin["apiKey"], password] {
        assert!(!printed.contains(secret.as_str().unwrap()));
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_in_the_midst_of_writes() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let port = serve.port;
    let api_key = serve.admin()["apiKey"].as_str().unwrap().to_owned();
    let token = admin_token(&serve).await;
    let (acknowledged, mut received) = tokio::sync::mpsc::unbounded_channel();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (server, key, sender) = (serve.server(), api_key.clone(), acknowledged.clone());
            tokio::spawn(async move {
                for n in 0..10_000 {
                    let members = json!({"name": format!("{writer}-{n}"), "type": "m2m"});
                    let call = server.post("/admin/clients").header("x-api-key", &key);
                    let answer = call.json(&members).send().await;
                    assert_eq!(answer.status, 201);
                    let pair = (answer.text("clientId"), answer.text("clientSecret"));
                    sender.send(pair).unwrap();
                }
            })
        })
        .collect();
    let mut clients = Vec::new();
    while clients.len() < 100 {
        clients.push(received.recv().await.unwrap());
    }
    serve.kill().await;
    drop(acknowledged);
    for writer in writers {
        let ended = writer.await;
        assert!(ended.is_err(), "the connection broke");
    }
    while let Some(client) = received.recv().await {
        clients.push(client);
    }

    let mut command = serve::command(data.path());
    command.arg("--issuer").arg(format!("http://localhost:{port}"));
    let again = Serve::spawn(command, data.path()).await;
    let server = again.server();
    for (id, secret) in &clients {
        let call = server.post("/oauth2/token").basic(id, secret);
        let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
        assert_eq!(answer.status, 200, "{id} of {} clients is lost", clients.len());
    }
    let list = server.get("/admin/clients").bearer(&token).send().await;
    assert_eq!(list.status, 200, "tokens still verify");
}

#[tokio::test]
async fn only_admin_json_holds_a_secret_in_clear_and_only_its_owner_may_read_it() {
    let above = folder();
    let data = above.path().join("data");
    let serve = Serve::start(&data).await;
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let admin = serve.admin();
    admin_token(&serve).await;
    assert_eq!(admin["issuer"], serve.url.as_str());
    let ended = serve.stop().await;
    let members: Vec<_> = admin.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["apiKey", "clientId", "clientSecret", "demoUser", "issuer"]);
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if ["admin.json", "seal.key"].contains(&name.as_str()) {
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}");
        }
        if name != "admin.json" {
            let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            let password = &admin["demoUser"]["password"];
            for secret in [&admin["clientSecret"], &admin["apiKey"], password] {
                assert!(!content.contains(secret.as_str().unwrap()), "{name}");
            }
        }
    }
    assert!(!ended.stderr.contains(admin["clientSecret"].as_str().unwrap()));
}

#[rstest]
#[case("INT")]
#[case("TERM")]
#[tokio::test]
async fn a_signal_lets_the_request_in_hand_finish_and_takes_no_more(#[case] signal: &str) {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let api_key = serve.admin()["apiKey"].as_str().unwrap().to_owned();
    let address = ("127.0.0.1", serve.port);
    let body = json!({"name": "In hand", "type": "m2m"}).to_string();
    let (half, rest) = body.split_at(10);
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /admin/clients HTTP/1.1\r\nhost: localhost\r\nx-api-key: {api_key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{half}",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // An answered request says that the server has seen the first bytes of the earlier connection.
    assert_eq!(serve.server().get("/.well-known/jwks.json").send().await.status, 200);
    serve.signal(signal).await;
    // The server has heard the signal when it takes no more connections.
    for _ in 0..500 {
        if TcpStream::connect(address).await.is_err() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(TcpStream::connect(address).await.is_err(), "still listening");
    socket.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let ended = serve.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);

    let again = Serve::start(data.path()).await;
    let call = again.server().get("/admin/clients").header("x-api-key", &api_key);
    assert_eq!(call.send().await.json()["nodes"][0]["name"], "In hand");
}

#[tokio::test]
async fn no_secret_reaches_the_log_at_any_level() {
    let data = folder();
    let mut command = serve::command(data.path());
    command.args(["--log", "trace"]);
    let serve = Serve::spawn(command, data.path()).await;
    let admin = serve.admin();
    let api_key = admin["apiKey"].as_str().unwrap().to_owned();
    let token = admin_token(&serve).await;
    let server = serve.server();
    let secret = "a-secret-that-somebody-chose";
    let members = json!({
        "name": "Leaky", "type": "m2m", "clientId": "leaky", "clientSecret": secret,
    });
    let created = server.post("/admin/clients").header("x-api-key", &api_key).json(&members).send();
    assert_eq!(created.await.status, 201);
    let grant = ("grant_type", "client_credentials");
    let fetched = server.post("/oauth2/token").basic("leaky", secret).form(&[grant]).send().await;
    let path = format!("/oauth2/token?client_secret={secret}-in-the-query");
    let wrong = [("client_secret", "a-wrong-secret-as-well"), ("client_id", "leaky"), grant];
    for call in [
        server.post(&path).form(&[grant]),
        server.post("/oauth2/token").form(&wrong),
        server.post("/oauth2/token").bearer(&token).form(&[grant]),
        server.get("/admin/clients").header("x-api-key", "a-wrong-key-that-stays-unseen"),
        server.get(format!("/{secret}/in-the-path")),
        server.get("/admin/clients").bearer(&format!("{token}x")),
        server.get("/admin/clients").bearer(&token).header("cookie", "session=a-cookie-value"),
    ] {
        call.send().await;
    }
    let of_users = story::sign_in(&server, &serve.url, &api_key).await;
    let path = format!(
        "/oauth2/authorize?client_id={secret}&state=the-state-of-a-request&nonce=the-nonce-of-a-request"
    );
    server.get(path).send().await;
    let log = serve.stop().await.stderr;
    assert!(log.contains("POST /oauth2/token 200 "), "{log}");
    assert!(log.contains("POST /consent 303 "), "{log}");
    for unseen in of_users.iter().map(String::as_str).chain([
        secret,
        api_key.as_str(),
        admin["clientSecret"].as_str().unwrap(),
        token.as_str(),
        fetched.text("access_token").as_str(),
        "a-wrong-secret-as-well",
        "a-wrong-key-that-stays-unseen",
        "a-cookie-value",
        "the-state-of-a-request",
        "the-nonce-of-a-request",
        "$argon2id$",
    ]) {
        assert!(!log.contains(unseen), "{unseen}");
    }
}
