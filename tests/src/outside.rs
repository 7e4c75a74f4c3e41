//! Programs that others' libraries are in, run against a server of their own.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::binaries;
use crate::serve::Serve;

/// Runs a script of `tests/` with `program`. It prints `ok: …` for each thing that it has shown, and fails
/// with an exit code.
pub async fn agrees(program: impl AsRef<Path>, script: &str) {
    let data = tempfile::tempdir().expect("a folder");
    let serve = Serve::start(data.path()).await;
    let output = Command::new(program.as_ref())
        .arg(binaries::root().join("tests").join(script))
        .env("IDENTETY_URL", &serve.url)
        .env("IDENTETY_ADMIN", data.path().join("admin.json"))
        .env("IDENTETY_SCREENSHOTS", binaries::target().join("screenshots"))
        .env("IDENTETY_OUTSIDE", binaries::target().join("outside"))
        .env("IDENTETY_PROGRAM", binaries::identety())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("an end");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}\n{why}");
    assert!(told.lines().filter(|line| line.starts_with("ok: ")).count() >= 3, "{told}");
}

/// Runs a JavaScript program of `tests/`.
pub async fn agrees_in_javascript(script: &str) {
    for modules in ["tests/clients/node_modules", "tests/clients/mcp/node_modules"] {
        let modules = binaries::root().join(modules);
        assert!(modules.exists(), "{} is missing; `make test` sets it up", modules.display());
    }
    agrees("node", script).await;
}

/// Runs a Python program of `tests/`.
pub async fn agrees_in_python(script: &str) {
    agrees(binaries::python(), script).await;
}
