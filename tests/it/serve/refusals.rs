//! Where `identety serve` does not start: one line that says why, and exit code 1.

use std::fs;
use std::path::Path;

use identety_tests::serve::{self, Serve};
use rstest::rstest;

use super::folder;

/// Ends that are no start: exit code and the one line.
async fn refused(data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = serve::command(data).args(arguments).output().await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    (output.status.code(), text.trim().to_owned())
}

#[tokio::test]
async fn a_taken_port_is_one_line_and_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let data = folder();
    let mut command = tokio::process::Command::new(identety_tests::binaries::identety());
    let output = command
        .args(["serve", "--port", &port.to_string(), "--data"])
        .arg(data.path())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text, format!("identety: port {port} is taken; choose another with --port\n"));
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_used_is_one_line_and_exit_code_1() {
    let data = folder();
    let file = data.path().join("file");
    fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let (code, line) = refused(&path, &[]).await;
        assert_eq!(code, Some(1));
        assert!(line.starts_with("identety: the data folder "), "{line}");
        assert!(line.contains("cannot be used"), "{line}");
    }
}

#[tokio::test]
async fn data_of_a_newer_version_are_left_alone_with_one_line_and_exit_code_1() {
    let data = folder();
    assert!(Serve::start(data.path()).await.stop().await.status.success());
    fs::write(data.path().join("VERSION"), "2\n").unwrap();
    let (code, line) = refused(data.path(), &[]).await;
    assert_eq!(code, Some(1));
    assert!(line.contains("are of version 2, newer than this program (1)"), "{line}");
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_one_line_and_exit_code_1() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let (code, line) = refused(data.path(), &[]).await;
    assert_eq!(code, Some(1));
    assert!(line.contains("is in use by a running server; stop it first"), "{line}");
    assert_eq!(serve.server().get("/.well-known/jwks.json").send().await.status, 200);
}

#[rstest]
#[case("http://id.example.com", "https")]
#[case("https://id.example.com/", "slash")]
#[case("nonsense", "absolute URL")]
#[tokio::test]
async fn an_issuer_that_is_none_is_one_line_and_exit_code_1(
    #[case] issuer: &str,
    #[case] word: &str,
) {
    let data = folder();
    let (code, line) = refused(data.path(), &["--issuer", issuer]).await;
    assert_eq!(code, Some(1));
    assert!(line.starts_with("identety: --issuer: ") && line.contains(word), "{line}");
}

#[rstest]
#[case("VERSION")]
#[case("admin.json")]
#[case("seal.key")]
#[tokio::test]
async fn a_damaged_file_is_named_in_one_line_and_exit_code_1(#[case] name: &str) {
    let data = folder();
    assert!(Serve::start(data.path()).await.stop().await.status.success());
    fs::write(data.path().join(name), "nonsense").unwrap();
    let (code, line) = refused(data.path(), &[]).await;
    assert_eq!(code, Some(1));
    assert!(line.contains(name) && line.ends_with("is damaged"), "{line}");
}

#[tokio::test]
async fn with_another_sealing_key_or_none_it_does_not_start_and_makes_no_keys_over_the_old_ones() {
    let data = folder();
    let serve = Serve::start(data.path()).await;
    let published = serve.server().get("/.well-known/jwks.json").send().await.json();
    assert!(serve.stop().await.status.success());
    let seal = data.path().join("seal.key");
    let kept = fs::read(&seal).unwrap();

    fs::write(&seal, "0".repeat(64)).unwrap();
    let (code, line) = refused(data.path(), &[]).await;
    assert_eq!(code, Some(1));
    assert!(line.contains("cannot be opened: damaged, or sealed by another key"), "{line}");
    assert!(line.contains("seal.key"), "{line}");

    fs::remove_file(&seal).unwrap();
    let (code, line) = refused(data.path(), &[]).await;
    assert_eq!(code, Some(1));
    assert!(line.contains("seal.key is missing"), "{line}");
    assert!(!seal.exists(), "a new key hides that the old one is lost");

    fs::write(&seal, kept).unwrap();
    let serve = Serve::start(data.path()).await;
    let again = serve.server().get("/.well-known/jwks.json").send().await.json();
    assert_eq!(again, published);
}
