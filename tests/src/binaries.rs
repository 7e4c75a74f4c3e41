//! The real binaries, built when they are not there or not fresh.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// The program `identety`: the one that `IDENTETY_BINARY` names, or as it is built for tests.
pub fn identety() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(given) = std::env::var_os("IDENTETY_BINARY") {
            return given.into();
        }
        // As `cargo test --workspace` has built what the program is made of: for the program by itself, Cargo
        // would choose fewer features of tokio and others, and compile all that stands on them once more.
        let status = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--workspace", "--bin", "identety", "--test", "it"])
            .current_dir(root())
            .status()
            .expect("cargo");
        assert!(status.success(), "cargo build --workspace --bin identety");
        target().join("debug/identety")
    })
}

/// The Lambda function with this logical id in the template: the very file that `sam build` makes for a
/// deployment, without the link-time optimisation that takes minutes.
pub fn function(logical_id: &str) -> PathBuf {
    const BUILD_DIR: &str = ".aws-sam/test/build";
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let status = Command::new(root().join("infra/build.sh"))
            .arg(BUILD_DIR)
            .env("QUICK", "1")
            .env("PATH", path_with_venv())
            .status()
            .expect("infra/build.sh");
        assert!(status.success(), "infra/build.sh; `make test` sets up what it needs");
    });
    root().join(BUILD_DIR).join(logical_id).join("bootstrap")
}

/// The Python of the tests' virtual environment.
pub fn python() -> PathBuf {
    let python = venv().join("python");
    assert!(python.exists(), "{} is missing; `make test` sets it up", python.display());
    python
}

/// PATH, with the programs of the virtual environment before all others.
pub fn path_with_venv() -> OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(venv()).chain(std::env::split_paths(&rest));
    std::env::join_paths(folders.collect::<Vec<_>>()).expect("PATH")
}

fn venv() -> PathBuf {
    root().join(".venv/bin")
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
