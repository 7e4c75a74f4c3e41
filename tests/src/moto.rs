//! moto, AWS in Python: a KMS to seal keys with, and a second opinion on the store.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::binaries;
use crate::call::Server;

/// Runs moto until its input ends, which is when the process ends that started it, however that ends.
const UNTIL_INPUT_ENDS: &str = "
import os, sys, threading
from moto.server import main
def watch():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=watch, daemon=True).start()
main(sys.argv[1:])
";

/// A moto server, which ends when this is dropped, be it by a panic.
pub struct Moto {
    /// Where it listens.
    pub address: SocketAddr,
    process: Child,
}

impl Moto {
    /// The one that the tests of this process share: for those that only make a KMS key of their own, and use
    /// no other test's. A start costs more than many of them do.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Moto> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Starts one, on a free port of this machine.
    pub async fn start() -> Self {
        // The port may be gone before moto has it; then another one will do.
        for _ in 0..3 {
            if let Some(moto) = Self::start_on(free_port()).await {
                return moto;
            }
        }
        panic!("moto does not start: try `{} -m moto.server`", binaries::python().display());
    }

    /// `None` when moto ended by itself.
    async fn start_on(address: SocketAddr) -> Option<Self> {
        let process = Command::new(binaries::python())
            .args(["-c", UNTIL_INPUT_ENDS, "-H", &address.ip().to_string()])
            .args(["-p", &address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python");
        let mut moto = Self { address, process };
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if moto.process.try_wait().expect("a process").is_some() {
                return None;
            }
            if TcpStream::connect(address).is_ok() {
                return Some(moto);
            }
        }
        panic!("moto does not answer within a minute");
    }

    /// Its address, as an endpoint of AWS.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a KMS key and tells its ARN.
    pub async fn kms_key(&self) -> String {
        let answer = self.kms("CreateKey", &json!({})).await;
        answer["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned()
    }

    /// A stack with these outputs, as CloudFormation shows it.
    pub async fn stack(&self, name: &str, outputs: &[(&str, &str)]) {
        let outputs: serde_json::Map<_, _> = outputs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!({ "Value": value })))
            .collect();
        let topic = json!({"Topic": {"Type": "AWS::SNS::Topic"}});
        let template = json!({"Resources": topic, "Outputs": outputs}).to_string();
        let signature = "AWS4-HMAC-SHA256 Credential=x/20300101/eu-central-1/cloudformation/aws4_request, \
                         SignedHeaders=host, Signature=x";
        let call = Server::Url(self.url()).post("/").header("authorization", signature);
        let parameters = [
            ("Action", "CreateStack"),
            ("Version", "2010-05-15"),
            ("StackName", name),
            ("TemplateBody", &template),
        ];
        let answer = call.form(&parameters).send().await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// Calls an operation of KMS.
    pub async fn kms(&self, operation: &str, input: &Value) -> Value {
        self.kms_in("us-east-1", operation, input).await
    }

    /// The same, in another region.
    pub async fn kms_in(&self, region: &str, operation: &str, input: &Value) -> Value {
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential=x/20300101/{region}/kms/aws4_request, \
             SignedHeaders=host, Signature=x"
        );
        let call = Server::Url(self.url()).post("/").header("authorization", &signature);
        let call = call.header("x-amz-target", &format!("TrentService.{operation}"));
        let answer = call.body("application/x-amz-json-1.1", input.to_string()).send().await;
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}
