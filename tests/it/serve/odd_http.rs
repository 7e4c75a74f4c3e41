//! Connections of `identety serve` on which no decent HTTP arrives, or hardly ever.

use identety_tests::serve::Serve;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{admin_token, folder};

/// Sends bytes as they are and reads what comes back.
async fn raw(serve: &Serve, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", serve.port)).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = socket.write_all(request).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn odd_http_is_never_a_500() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let admin = serve.admin();
    let pair = {
        use base64::Engine as _;
        let pair = format!(
            "{}:{}",
            admin["clientId"].as_str().unwrap(),
            admin["clientSecret"].as_str().unwrap()
        );
        base64::engine::general_purpose::STANDARD.encode(pair)
    };
    let post = format!(
        "POST /oauth2/token HTTP/1.1\r\nhost: x\r\nauthorization: Basic {pair}\r\n\
         content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n"
    );
    let form = "grant_type=client_credentials";
    let long = "x".repeat(100_000);
    for (case, request, expected) in [
        (
            "chunked",
            format!("{post}transfer-encoding: chunked\r\n\r\n1d\r\n{form}\r\n0\r\n\r\n"),
            "200",
        ),
        (
            "expect",
            format!("{post}expect: 100-continue\r\ncontent-length: {}\r\n\r\n{form}", form.len()),
            "100",
        ),
        ("trace", "TRACE / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".into(), "404"),
        ("connect", "CONNECT x:1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".into(), "404"),
        (
            "a header of 100 kB",
            format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\nconnection: close\r\n\r\n"),
            "431",
        ),
        ("an announced body of 1 GB", format!("{post}content-length: 1073741824\r\n\r\n"), "413"),
        ("no HTTP", "hello\r\n\r\n".into(), "400"),
        ("an old version", "GET / HTTP/1.0\r\n\r\n".into(), "404"),
    ] {
        let answer = raw(&serve, request.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(status, expected, "{case}: {answer:.200}");
    }
    assert_eq!(serve.server().get("/.well-known/jwks.json").send().await.status, 200);
}

#[tokio::test]
async fn a_head_that_trickles_is_given_up() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let mut socket = TcpStream::connect(("127.0.0.1", serve.port)).await.unwrap();
    socket.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    let (mut answers, mut letters) = socket.into_split();
    let drip = tokio::spawn(async move {
        // As long as the server takes them.
        while letters.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    });
    let mut answer = Vec::new();
    let patience = std::time::Duration::from_mins(1);
    let ended = tokio::time::timeout(patience, answers.read_to_end(&mut answer)).await;
    // The end of a connection may show as an error, too.
    let _ = ended.expect("the server ends it by itself");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    drip.abort();
    assert_eq!(serve.server().get("/.well-known/jwks.json").send().await.status, 200);
}

#[tokio::test]
async fn a_body_that_trickles_or_stays_away_is_given_up_and_others_are_answered_meanwhile() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let head = "POST /oauth2/token HTTP/1.1\r\nhost: x\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\ngrant_type=";
    let mut waiting = Vec::new();
    for drips in [true, false] {
        let mut socket = TcpStream::connect(("127.0.0.1", serve.port)).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        let (mut answers, mut letters) = socket.into_split();
        let drip = tokio::spawn(async move {
            // As long as the server takes them.
            while drips && letters.write_all(b"x").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            }
            letters
        });
        let reader = tokio::spawn(async move {
            let mut answer = Vec::new();
            let _ = answers.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
        waiting.push((drip, reader));
    }
    // Both are there, and nobody waits for them.
    admin_token(&serve).await;
    assert!(waiting.iter().all(|(_, reader)| !reader.is_finished()), "given up too early to tell");
    for (drip, reader) in waiting {
        let patience = std::time::Duration::from_mins(1);
        let answer = tokio::time::timeout(patience, reader).await;
        let answer = answer.expect("the server ends it by itself").unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        drip.abort();
    }
    admin_token(&serve).await;
}
