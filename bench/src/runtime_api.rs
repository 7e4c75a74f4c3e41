//! The Lambda Runtime API of one execution environment, with the times that matter.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::http::{self, Answer, Request, Service};

/// What the process has done.
enum Heard {
    /// It asks for an event.
    Next(Instant),
    /// It has answered one; the answer was whole at that time.
    Response(Instant, Vec<u8>),
    /// It says that something went wrong.
    Error(String),
}

/// The side of the benchmark.
pub struct RuntimeApi {
    /// Where it is.
    pub address: SocketAddr,
    heard: Receiver<Heard>,
    events: Sender<String>,
    sent: Receiver<Instant>,
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

impl RuntimeApi {
    /// Opens one.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start() -> io::Result<Self> {
        let (tell, heard) = channel();
        let (events, coming) = channel();
        let (tell_sent, sent) = channel();
        let endpoint = Endpoint {
            tell: Mutex::new(tell),
            events: Mutex::new(coming),
            sent: Mutex::new(tell_sent),
            numbers: Mutex::new(0),
        };
        let address = http::serve(Arc::new(endpoint))?;
        Ok(Self { address, heard, events, sent })
    }

    /// Waits until the process asks for an event, and tells when that was.
    ///
    /// # Errors
    /// When it does something else, or nothing.
    pub fn next(&self) -> Result<Instant, String> {
        match self.heard.recv_timeout(PATIENCE) {
            Ok(Heard::Next(at)) => Ok(at),
            Ok(Heard::Response(..)) => Err("an answer that nobody waits for".to_owned()),
            Ok(Heard::Error(error)) => Err(error),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Gives an event to the process that has asked for one; the answer, and how long it took.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn invoke(&self, event: &Value) -> Result<(Duration, Value), String> {
        self.events.send(event.to_string()).map_err(|error| error.to_string())?;
        let sent = self.sent.recv_timeout(PATIENCE).map_err(|error| error.to_string())?;
        match self.heard.recv_timeout(PATIENCE) {
            Ok(Heard::Response(at, body)) => {
                let answer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
                Ok((at.duration_since(sent), answer))
            }
            Ok(Heard::Next(_)) => Err("no answer, but another question".to_owned()),
            Ok(Heard::Error(error)) => Err(error),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The side of the process.
struct Endpoint {
    tell: Mutex<Sender<Heard>>,
    events: Mutex<Receiver<String>>,
    sent: Mutex<Sender<Instant>>,
    numbers: Mutex<u64>,
}

impl Endpoint {
    fn tell(&self, heard: Heard) {
        // When the benchmark has heard enough, nobody listens.
        let _ = self.tell.lock().expect("a lock").send(heard);
    }

    fn event(&self) -> Answer {
        let Ok(event) = self.events.lock().expect("a lock").recv() else {
            return Answer::json("410 Gone", "{}");
        };
        let mut number = self.numbers.lock().expect("a lock");
        *number += 1;
        let number = *number;
        let deadline = deadline().as_millis();
        let headers = format!(
            "Content-Type: application/json\r\n\
             lambda-runtime-aws-request-id: 00000000-0000-4000-8000-{number:012x}\r\n\
             lambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:000000000000:function:f\r\n\
             lambda-runtime-trace-id: Root=1-00000000-{number:024x};Sampled=0\r\n",
        );
        let answer = Answer { status: "200 OK", headers, body: event.into_bytes() };
        let _ = self.sent.lock().expect("a lock").send(Instant::now());
        answer
    }
}

impl Service for Endpoint {
    fn answer(&self, request: Request) -> Answer {
        let Request { method, path, body, at, .. } = request;
        if method == "GET" {
            self.tell(Heard::Next(at));
            return self.event();
        }
        self.tell(if path.ends_with("/response") {
            Heard::Response(at, body)
        } else {
            Heard::Error(format!("{path}: {}", String::from_utf8_lossy(&body)))
        });
        Answer::json("202 Accepted", r#"{"status":"OK"}"#)
    }
}

#[expect(clippy::disallowed_methods, reason = "Lambda has a clock of its own")]
fn deadline() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + PATIENCE
}
