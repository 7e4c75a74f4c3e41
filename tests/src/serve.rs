//! `identety serve` as a process.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::binaries;
use crate::call::Server;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running server. It is killed when this is dropped.
pub struct Serve {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<String>,
    data: PathBuf,
    /// What it printed until it was ready, line by line.
    pub welcome: Vec<String>,
    /// Its issuer.
    pub url: String,
    /// The port that it listens on.
    pub port: u16,
}

/// How a server ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it printed after it was ready.
    pub stdout: String,
    /// What it logged.
    pub stderr: String,
}

/// A command for a server with its data in `data`, on any free port.
pub fn command(data: &Path) -> Command {
    command_on(0, data)
}

/// The same on a port of one's own.
pub fn command_on(port: u16, data: &Path) -> Command {
    let mut command = Command::new(binaries::identety());
    command.args(["serve", "--port", &port.to_string(), "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

impl Serve {
    /// Starts a server and waits until it says that it is ready.
    pub async fn start(data: &Path) -> Self {
        Self::spawn(command(data), data).await
    }

    /// Starts a server by a command of one's own.
    pub async fn spawn(mut command: Command, data: &Path) -> Self {
        let mut child = command.spawn().expect("identety");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let mut log = child.stderr.take().expect("stderr");
        let stderr = tokio::spawn(async move {
            let mut text = Vec::new();
            let _ = log.read_to_end(&mut text).await;
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut welcome = Vec::new();
        loop {
            let line = timeout(PATIENCE, stdout.next_line()).await.expect("in time");
            match line.expect("a line") {
                Some(line) => welcome.push(line),
                None => panic!("ended early: {}", stderr.await.expect("a log")),
            }
            if welcome.last().is_some_and(|line| line.starts_with("Ctrl-C")) {
                break;
            }
        }
        let ready = welcome.first().and_then(|line| line.strip_prefix("Identety is ready at "));
        let url = ready.expect("an address").to_owned();
        let port =
            welcome.iter().find_map(|line| line.trim().strip_prefix("listens on   127.0.0.1:"));
        let port = port.and_then(|port| port.parse().ok()).expect("a port");
        Self { child, stdout, stderr, data: data.to_owned(), welcome, url, port }
    }

    /// Where to call it: by the address, for `localhost` may be another one first.
    pub fn server(&self) -> Server {
        Server::Url(format!("http://127.0.0.1:{}", self.port))
    }

    /// The content of `admin.json`.
    pub fn admin(&self) -> Value {
        let text = std::fs::read_to_string(self.data.join("admin.json")).expect("admin.json");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// Sends a signal, by name, to this process and no other.
    pub async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.expect("kill").success());
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let status =
            timeout(PATIENCE, self.child.wait()).await.expect("in time").expect("a status");
        let mut stdout = String::new();
        while let Ok(Some(line)) = self.stdout.next_line().await {
            stdout.push_str(&line);
        }
        let stderr = self.stderr.await.expect("a log");
        Ended { status, stdout, stderr }
    }

    /// Kills it, as a power cut would.
    pub async fn kill(self) -> Ended {
        self.signal("KILL").await;
        self.ended().await
    }

    /// Stops it, as Ctrl-C does.
    pub async fn stop(self) -> Ended {
        self.signal("INT").await;
        self.ended().await
    }
}
