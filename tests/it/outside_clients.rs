//! OAuth clients and verifiers that others wrote, against the real program.

use std::path::Path;
use std::process::Stdio;

use identety_tests::binaries;
use identety_tests::serve::Serve;
use tokio::process::Command;

/// Runs a program of `tests/clients` against a server of its own.
async fn agrees(program: impl AsRef<Path>, script: &str) {
    let data = tempfile::tempdir().unwrap();
    let serve = Serve::start(data.path()).await;
    let output = Command::new(program.as_ref())
        .arg(binaries::root().join("tests/clients").join(script))
        .env("IDENTETY_URL", &serve.url)
        .env("IDENTETY_ADMIN", data.path().join("admin.json"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}\n{why}");
    assert!(told.lines().filter(|line| line.starts_with("ok: ")).count() >= 3, "{told}");
}

#[tokio::test]
async fn authlib_fetches_and_verifies_tokens() {
    agrees(binaries::python(), "m2m_authlib.py").await;
}

#[tokio::test]
async fn openid_client_and_jose_discover_fetch_and_verify() {
    let modules = binaries::root().join("tests/clients/node_modules");
    assert!(modules.exists(), "{} is missing; `make test` sets it up", modules.display());
    agrees("node", "m2m_openid_client.mjs").await;
}

#[tokio::test]
async fn identetys_own_sdk_manages_clients_unchanged() {
    agrees(binaries::python(), "identety_sdk.py").await;
}

#[tokio::test]
async fn curl_does_what_a_person_would_do() {
    agrees("bash", "curl.sh").await;
}
