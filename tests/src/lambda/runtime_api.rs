//! The [Lambda Runtime API]: where a `bootstrap` asks for its events and leaves its answers.
//!
//! [Lambda Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

use std::{
    collections::{HashMap, VecDeque},
    error::Error,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use super::{
    ACCOUNT, REGION, now,
    server::{Reply, Server},
};

/// How long an invocation may take before its caller gives up.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The one version that the Runtime API has.
const VERSION: &str = "2018-06-01";

/// Why an invocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvocationError {
    /// The function reported an error; a panic in its handler is one.
    Function {
        /// The error's type, as the function names it.
        kind: String,
        /// What the function says of it.
        message: String,
    },
    /// The function reported that it could not start.
    Init {
        /// The error's type, as the function names it.
        kind: String,
        /// What the function says of it.
        message: String,
    },
    /// The process ended; the text holds its exit status and its last words.
    Exited(String),
    /// The answer is not JSON.
    Malformed(String),
    /// No answer came within the time limit.
    TimedOut(Duration),
}

impl fmt::Display for InvocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { kind, message } => {
                write!(formatter, "function error {kind}: {message}")
            }
            Self::Init { kind, message } => write!(formatter, "init error {kind}: {message}"),
            Self::Exited(how) => write!(formatter, "the function's process ended: {how}"),
            Self::Malformed(answer) => {
                write!(formatter, "the function's answer is not JSON: {answer}")
            }
            Self::TimedOut(limit) => write!(formatter, "no answer within {limit:?}"),
        }
    }
}

impl Error for InvocationError {}

/// The Runtime API of one function.
///
/// As on Lambda, every execution environment (one process) has an endpoint of its own and works on
/// one event at a time; the events of the function wait in one queue.
pub struct RuntimeApi {
    queue: Arc<Queue>,
    endpoints: Vec<Server>,
}

impl RuntimeApi {
    /// Opens one loopback endpoint for each of the function's execution environments.
    ///
    /// # Errors
    ///
    /// When no loopback port can be had.
    pub async fn start(function: &str, environments: usize, limit: Duration) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"),
            limit,
            state: Mutex::new(State::new(environments)),
            arrival: Notify::new(),
            change: Notify::new(),
        });
        let mut endpoints = Vec::with_capacity(environments);
        for environment in 0..environments {
            let queue = Arc::clone(&queue);
            let answer = move |_, request| answer(Arc::clone(&queue), environment, request);
            endpoints.push(Server::start(answer).await?);
        }
        Ok(Self { queue, endpoints })
    }

    /// The endpoints, to be told to the processes as `AWS_LAMBDA_RUNTIME_API`.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.endpoints.iter().map(Server::address)
    }

    /// Hands the event to the next free environment and waits for its answer.
    ///
    /// # Errors
    ///
    /// See [`InvocationError`]. A process that outlives the time limit is left alone, where Lambda
    /// would end it; its late answer is lost. One that ends by itself is not replaced.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvocationError> {
        let limit = self.queue.limit;
        let answer = self.queue.push(event)?;
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(InvocationError::Exited("its emulator is gone".to_owned())),
            Err(_) => Err(InvocationError::TimedOut(limit)),
        }
    }

    /// Waits until every environment has asked for its first event, which ends its start.
    ///
    /// # Errors
    ///
    /// [`InvocationError::TimedOut`] after the time limit, and the error of an environment that has ended.
    pub async fn ready(&self) -> Result<(), InvocationError> {
        let limit = self.queue.limit;
        let ready = tokio::time::timeout(limit, self.queue.ready()).await;
        ready.unwrap_or(Err(InvocationError::TimedOut(limit)))
    }

    /// What tells this API that the process of an environment has ended.
    pub(super) fn obituary(&self, environment: usize) -> impl FnOnce(String) + Send + use<> {
        let queue = Arc::clone(&self.queue);
        move |how| queue.end(environment, &InvocationError::Exited(how))
    }
}

type Outcome = Result<Value, InvocationError>;

struct Queue {
    arn: String,
    limit: Duration,
    state: Mutex<State>,
    arrival: Notify,
    /// Told when an environment asks for its first event, or ends.
    change: Notify,
}

struct State {
    count: u64,
    waiting: VecDeque<Invocation>,
    running: HashMap<String, Running>,
    /// Whether each environment has asked for an event.
    started: Vec<bool>,
    /// Why each environment works no more.
    ended: Vec<Option<InvocationError>>,
}

struct Invocation {
    number: u64,
    event: Bytes,
    deadline: Duration,
    caller: oneshot::Sender<Outcome>,
}

impl Invocation {
    fn trace_id(&self) -> String {
        let (seconds, number) = (self.deadline.as_secs(), self.number);
        format!("Root=1-{seconds:08x}-{number:024x};Parent={number:016x};Sampled=0")
    }
}

struct Running {
    environment: usize,
    caller: oneshot::Sender<Outcome>,
}

impl State {
    fn new(environments: usize) -> Self {
        Self {
            count: 0,
            waiting: VecDeque::new(),
            running: HashMap::new(),
            started: vec![false; environments],
            ended: vec![None; environments],
        }
    }

    /// Why no environment is left to take an event, if none is.
    fn closed(&self) -> Option<InvocationError> {
        let mut reasons = self.ended.iter();
        reasons.clone().all(Option::is_some).then(|| {
            let nothing = || InvocationError::Exited("it has no environments".to_owned());
            reasons.next().cloned().flatten().unwrap_or_else(nothing)
        })
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: &Value) -> Result<oneshot::Receiver<Outcome>, InvocationError> {
        let (caller, answer) = oneshot::channel();
        let mut state = self.state();
        if let Some(error) = state.closed() {
            return Err(error);
        }
        state.count += 1;
        let number = state.count;
        state.waiting.push_back(Invocation {
            number,
            event: event.to_string().into(),
            deadline: now() + self.limit,
            caller,
        });
        self.arrival.notify_one();
        Ok(answer)
    }

    async fn ready(&self) -> Result<(), InvocationError> {
        loop {
            // Before the look, so that no change between the look and the wait is missed.
            let mut change = std::pin::pin!(self.change.notified());
            change.as_mut().enable();
            let (all, ended) = {
                let state = self.state();
                let ended = state.ended.iter().flatten().next().cloned();
                (state.started.iter().all(|started| *started), ended)
            };
            match ended {
                Some(error) => return Err(error),
                None if all => return Ok(()),
                None => change.await,
            }
        }
    }

    /// Waits for an event, as long as the connection that asks for it lives.
    async fn next(&self, environment: usize) -> Reply {
        if let Some(started) = self.state().started.get_mut(environment) {
            *started = true;
        }
        self.change.notify_waiters();
        loop {
            if let Some(reply) = self.take(environment) {
                return reply;
            }
            self.arrival.notified().await;
        }
    }

    /// Takes the first event whose caller has not given up, and passes the word if more wait.
    fn take(&self, environment: usize) -> Option<Reply> {
        let mut state = self.state();
        let taken = loop {
            let invocation = state.waiting.pop_front()?;
            if !invocation.caller.is_closed() {
                break invocation;
            }
        };
        if !state.waiting.is_empty() {
            self.arrival.notify_one();
        }
        let id = format!("00000000-0000-4000-8000-{:012x}", taken.number);
        let deadline = taken.deadline.as_millis().to_string();
        let reply = Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &id)
            .header("lambda-runtime-deadline-ms", deadline)
            .header("lambda-runtime-invoked-function-arn", &self.arn)
            .header("lambda-runtime-trace-id", taken.trace_id())
            .body(Full::new(taken.event))
            .ok();
        let caller = taken.caller;
        state.running.insert(id, Running { environment, caller });
        reply
    }

    /// Gives the caller its answer, if it still waits; false for an invocation that is not running.
    fn settle(&self, id: &str, outcome: Outcome) -> bool {
        let running = self.state().running.remove(id);
        running.map(|running| running.caller.send(outcome)).is_some()
    }

    /// Fails what the environment was working on, and everything if it was the last.
    fn end(&self, environment: usize, error: &InvocationError) {
        let mut state = self.state();
        if let Some(reason) = state.ended.get_mut(environment) {
            reason.get_or_insert_with(|| error.clone());
        }
        let its_own = |_: &String, running: &mut Running| running.environment == environment;
        for (_, running) in state.running.extract_if(its_own) {
            let _ = running.caller.send(Err(error.clone()));
        }
        if let Some(error) = state.closed() {
            for invocation in state.waiting.drain(..) {
                let _ = invocation.caller.send(Err(error.clone()));
            }
        }
        self.change.notify_waiters();
    }
}

/// What a function says of an error of its own.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Report {
    error_type: String,
    error_message: String,
}

async fn answer(queue: Arc<Queue>, environment: usize, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let segments: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    let [VERSION, "runtime", rest @ ..] = segments.as_slice() else {
        return status(StatusCode::NOT_FOUND);
    };
    if let (&Method::GET, ["invocation", "next"]) = (&parts.method, rest) {
        return queue.next(environment).await;
    }
    let Ok(body) = body.collect().await else {
        return status(StatusCode::BAD_REQUEST);
    };
    let body = body.to_bytes();
    let known = match (&parts.method, rest) {
        (&Method::POST, ["invocation", id, "response"]) => queue.settle(id, parsed(&body)),
        (&Method::POST, ["invocation", id, "error"]) => {
            let (kind, message) = reported(&body);
            queue.settle(id, Err(InvocationError::Function { kind, message }))
        }
        (&Method::POST, ["init", "error"]) => {
            let (kind, message) = reported(&body);
            queue.end(environment, &InvocationError::Init { kind, message });
            true
        }
        _ => return status(StatusCode::NOT_FOUND),
    };
    status(if known { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST })
}

fn parsed(answer: &[u8]) -> Outcome {
    serde_json::from_slice(answer)
        .map_err(|_| InvocationError::Malformed(String::from_utf8_lossy(answer).into_owned()))
}

fn reported(body: &[u8]) -> (String, String) {
    let report: Report = serde_json::from_slice(body).unwrap_or_default();
    (report.error_type, report.error_message)
}

fn status(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::from(r#"{"status":"OK"}"#));
    *reply.status_mut() = status;
    reply
}
