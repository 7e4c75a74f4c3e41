//! Lambda and API Gateway, as far as a test needs them: the real `bootstrap` binaries run as child
//! processes against a [`RuntimeApi`], and a [`Gateway`] turns HTTP requests into the events that
//! an API Gateway HTTP API sends (payload format 2.0). A [`Guard`] holds each function to its [`Role`].
//!
//! ```no_run
//! # use std::{path::PathBuf, sync::Arc};
//! # use identety_tests::lambda::{Function, Gateway, Routes, Stage};
//! # async fn example(template: &str, binary: PathBuf) -> Result<(), Box<dyn std::error::Error>> {
//! let gateway = Gateway::start(Routes::from_template(template)?, Stage::default()).await?;
//! let token = Function::new("token", binary).env("ISSUER", gateway.url("")).start().await?;
//! gateway.attach("token", Arc::new(token));
//! // … requests to gateway.url("/token") …
//! # Ok(())
//! # }
//! ```

mod event;
mod gateway;
mod guard;
mod role;
mod routes;
mod runtime_api;
mod server;
mod template;

use std::{
    fs::{self, OpenOptions},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::{
    process::{Child, Command},
    task::JoinSet,
};

pub use event::{Receipt, Stage, event};
pub use gateway::Gateway;
pub use guard::Guard;
pub use role::{Access, Permission, Role};
pub use routes::{Matched, Route, Routes};
pub use runtime_api::{InvocationError, RuntimeApi, TIME_LIMIT};
pub use template::TemplateError;

/// The account that everything here belongs to.
const ACCOUNT: &str = "000000000000";
/// The region that everything here is in.
const REGION: &str = "us-east-1";
/// How much of a dead process's output goes into the error that reports its death.
const LAST_WORDS: usize = 2_000;

/// A Lambda function as it is configured.
#[derive(Clone, Debug)]
pub struct Function {
    name: String,
    binary: PathBuf,
    env: Vec<(String, String)>,
    instances: usize,
    limit: Duration,
    may_write_files: bool,
}

impl Function {
    /// A function of the name whose code is the binary, with one process and no variables.
    pub fn new(name: impl Into<String>, binary: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            binary: binary.into(),
            env: Vec::new(),
            instances: 1,
            limit: TIME_LIMIT,
            may_write_files: true,
        }
    }

    /// Sets an environment variable, and wins over the ones that Lambda sets.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets several environment variables.
    #[must_use]
    pub fn envs(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(variables);
        self
    }

    /// Lets so many processes work at the same time.
    #[must_use]
    pub fn instances(mut self, instances: usize) -> Self {
        self.instances = instances;
        self
    }

    /// Gives an invocation less (or more) than [`TIME_LIMIT`].
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Lets the system end a process that writes a byte to any file, also to one that it closes at once. What
    /// it logs takes a moment longer to be in [`RunningFunction::logs`] then.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        self.may_write_files = false;
        self
    }

    /// Starts the processes, without waiting until they ask for their first event.
    ///
    /// # Errors
    ///
    /// When a process cannot be started, or no loopback port or temporary file can be had.
    pub async fn start(&self) -> io::Result<RunningFunction> {
        let api = RuntimeApi::start(&self.name, self.instances, self.limit).await?;
        let log = Arc::new(NamedTempFile::new()?);
        let mut processes = JoinSet::new();
        let mut ids = Vec::new();
        for (instance, address) in api.addresses().enumerate() {
            let child = self.spawn(address, log.path())?;
            ids.extend(child.id());
            let report = api.obituary(instance);
            let log = Arc::clone(&log);
            processes.spawn(async move { report(last_words(child, log.path()).await) });
        }
        let folder = self.folder().to_owned();
        Ok(RunningFunction { api, log, ids, folder, _processes: processes })
    }

    /// Where its code is.
    fn folder(&self) -> &Path {
        self.binary.parent().unwrap_or(Path::new("/"))
    }

    fn spawn(&self, runtime_api: SocketAddr, log: &Path) -> io::Result<Child> {
        let log = OpenOptions::new().append(true).open(log)?;
        if self.may_write_files {
            let command = Command::new(&self.binary);
            return self.spawn_as(command, runtime_api, log.try_clone()?, log);
        }
        // The limit on the size of files is one on what is written to them, and pipes are none.
        let (mut from, to) = io::pipe()?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "ulimit -f 0 && exec \"$0\""]).arg(&self.binary);
        let child = self.spawn_as(command, runtime_api, to.try_clone()?, to)?;
        let mut log = log;
        thread::spawn(move || io::copy(&mut from, &mut log));
        Ok(child)
    }

    fn spawn_as(
        &self,
        mut command: Command,
        runtime_api: SocketAddr,
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> io::Result<Child> {
        let root = self.folder();
        let log_group = format!("/aws/lambda/{}", self.name);
        command
            .current_dir(root)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("LAMBDA_TASK_ROOT", root)
            .env("AWS_LAMBDA_FUNCTION_NAME", &self.name)
            .env("AWS_LAMBDA_LOG_GROUP_NAME", log_group)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", runtime_api.port().to_string())
            .envs(ENVIRONMENT)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
    }
}

/// What Lambda sets the same for every function. The credentials open nothing.
const ENVIRONMENT: [(&str, &str); 11] = [
    ("_HANDLER", "bootstrap"),
    ("AWS_ACCESS_KEY_ID", "example"),
    ("AWS_SECRET_ACCESS_KEY", "example"),
    ("AWS_SESSION_TOKEN", "example"),
    ("AWS_DEFAULT_REGION", REGION),
    ("AWS_REGION", REGION),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
];

/// Waits for the end of the process and tells how it came.
async fn last_words(mut child: Child, log: &Path) -> String {
    let how = match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    let log = read(log);
    let start = log.ceil_char_boundary(log.len().saturating_sub(LAST_WORDS));
    let (_, tail) = log.split_at(start);
    format!("{how}; its last words: {tail}")
}

fn read(log: &Path) -> String {
    fs::read(log).map_or_else(|_| String::new(), |log| String::from_utf8_lossy(&log).into_owned())
}

/// A function with its processes, which end when it is dropped.
pub struct RunningFunction {
    api: RuntimeApi,
    log: Arc<NamedTempFile>,
    ids: Vec<u32>,
    folder: PathBuf,
    _processes: JoinSet<()>,
}

impl RunningFunction {
    /// Gives the event to the function and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`RuntimeApi::invoke`].
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvocationError> {
        self.api.invoke(event).await
    }

    /// Waits until the processes have started: each has asked for its first event.
    ///
    /// # Errors
    ///
    /// See [`RuntimeApi::ready`].
    pub async fn ready(&self) -> Result<(), InvocationError> {
        self.api.ready().await
    }

    /// Sends a signal, by name, to its processes and no others: `KILL` ends them, `STOP` freezes them as Lambda
    /// does between requests, `CONT` thaws them.
    ///
    /// # Errors
    ///
    /// When the signal cannot be sent.
    pub async fn signal(&self, name: &str) -> io::Result<()> {
        let ids = self.ids.iter().map(u32::to_string);
        let status = Command::new("kill").args(["-s", name]).args(ids).status().await?;
        if status.success() { Ok(()) } else { Err(io::Error::other("a process has ended")) }
    }

    /// The ids of its processes.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The folder of its code, where it works.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that the processes have written so far to their standard output and error.
    #[must_use]
    pub fn logs(&self) -> String {
        read(self.log.path())
    }
}

/// The time since the epoch.
#[expect(clippy::disallowed_methods, reason = "the gateway and Lambda have a clock of their own")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
