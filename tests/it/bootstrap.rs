//! `identety bootstrap`: the first administrator of a deployed stack, as a person with AWS credentials makes it.
//! The program is the real one; CloudFormation and DynamoDB are moto's.

use std::process::{Output, Stdio};
use std::sync::Arc;

use identety::app::App;
use identety_domain::hashing::SecretHasher;
use identety_domain::store::Stores;
use identety_domain::{Choices, Services};
use identety_domain::{Issuer, Settings};
use identety_dynamodb::{Tables, config, create_tables};
use identety_http::ambient;
use identety_keys::Sealing;
use identety_tests::app::TestClient;
use identety_tests::binaries;
use identety_tests::call::Server;
use identety_tests::moto::Moto;
use serde_json::{Value, json};
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::leaks::assert_unseen;

const ISSUER: &str = "https://id.example.com";

/// AWS, with a stack that was deployed and has no administrator yet.
struct Aws {
    moto: Moto,
    stores: Stores,
}

impl Aws {
    async fn with_stack() -> Self {
        let moto = Moto::start().await;
        let tables = Tables::with_prefix("stack-");
        let dynamodb = config::dynamodb_at(&moto.url());
        create_tables(&dynamodb, &tables).await.unwrap();
        let Tables { clients, accounts, keys, grants } = &tables;
        let outputs = [
            ("Issuer", ISSUER),
            ("ClientsTableName", clients),
            ("AccountsTableName", accounts),
            ("KeysTableName", keys),
            ("GrantsTableName", grants),
            ("SealingKeyArn", &moto.kms_key().await),
        ];
        moto.stack("identety", &outputs).await;
        moto.stack("another-application", &[("Url", "https://example.com")]).await;
        Self { stores: identety_dynamodb::stores(&dynamodb, &tables), moto }
    }

    /// Runs the program as somebody with credentials.
    async fn bootstrap(&self, arguments: &[&str]) -> Output {
        let mut command = self.program(arguments);
        let somebody = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "x")];
        command.envs(somebody).output().await.unwrap()
    }

    /// The program, with nothing of the environment but where AWS is.
    fn program(&self, arguments: &[&str]) -> Command {
        self.command(&[&["bootstrap"], arguments].concat())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::identety());
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("AWS_ENDPOINT_URL", self.moto.url()).env("AWS_REGION", "eu-central-1");
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
        command
    }

    /// What is deployed.
    fn server(&self) -> Server {
        let mut rng = ambient::rng().unwrap();
        let hasher = Arc::new(SecretHasher::new(&mut rng));
        let issuer = Issuer::parse(ISSUER).unwrap();
        let settings = Settings { issuer, default_audience: ISSUER.into() };
        let sealing = Sealing::Local(Zeroizing::new([7; 32]));
        let (choices, clock) = (Choices::default(), Arc::new(ambient::now));
        let services = Services::new(settings, self.stores.clone(), hasher, choices);
        let app = App::new(&services, sealing, clock).unwrap();
        Server::Router(app.into_router())
    }
}

/// The credentials that a run printed.
fn credentials(output: &Output) -> Value {
    assert!(output.status.success(), "{}", message(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn message(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(credentials: &Value, member: &str) -> String {
    credentials[member].as_str().unwrap().to_owned()
}

async fn lists_clients(server: &Server, api_key: &str) -> u16 {
    server.get("/admin/clients").header("x-api-key", api_key).send().await.status
}

/// What a client may do at the administration with a token of its own.
async fn token_status(server: &Server, credentials: &Value) -> u16 {
    let client = TestClient {
        id: String::new(),
        client_id: text(credentials, "clientId"),
        secret: text(credentials, "clientSecret"),
    };
    let call = server.post("/oauth2/token").basic(&client.client_id, &client.secret);
    let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
    if answer.status != 200 {
        return answer.status;
    }
    let token = answer.text("access_token");
    let registration = json!({"name": "Orders", "type": "m2m", "scopes": ["orders:read"]});
    let call = server.post("/admin/clients").bearer(&token);
    call.json(&registration).send().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_of_a_stack_can_administer_it_and_is_the_only_first_one() {
    let aws = Aws::with_stack().await;
    let made = aws.bootstrap(&["--stack", "identety"]).await;
    let first = credentials(&made);
    assert_eq!(first["issuer"], ISSUER);
    let said = message(&made);
    assert!(said.contains("this once") && said.contains(ISSUER), "{said}");
    for member in ["clientSecret", "apiKey"] {
        assert!(!said.contains(&text(&first, member)), "secrets are on standard output alone");
    }
    let server = aws.server();
    assert_eq!(lists_clients(&server, &text(&first, "apiKey")).await, 200);
    assert_eq!(token_status(&server, &first).await, 201);

    let again = aws.bootstrap(&["--stack", "identety"]).await;
    assert!(!again.status.success() && again.stdout.is_empty());
    let said = message(&again);
    assert!(said.contains("identety has an administrator already") && said.contains("--force"));
    assert_eq!(lists_clients(&server, &text(&first, "apiKey")).await, 200);

    let forced = credentials(&aws.bootstrap(&["--stack", "identety", "--force"]).await);
    let server = aws.server();
    assert_eq!(lists_clients(&server, &text(&first, "apiKey")).await, 401);
    assert_eq!(lists_clients(&server, &text(&forced, "apiKey")).await, 200);
    assert_eq!(token_status(&server, &forced).await, 201);
    assert_eq!(token_status(&server, &first).await, 201, "the client of before stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_a_bootstrap_is_said_in_one_line() {
    let aws = Aws::with_stack().await;
    let missing = aws.bootstrap(&["--stack", "identity"]).await;
    assert!(message(&missing).contains("there is no stack identity in eu-central-1"));
    let foreign = aws.bootstrap(&["--stack", "another-application"]).await;
    assert!(message(&foreign).contains("has no output Issuer"), "{}", message(&foreign));
    let nobody = aws.program(&["--stack", "identety"]).output().await.unwrap();
    assert!(message(&nobody).contains("no AWS credentials were found"), "{}", message(&nobody));
    let mut nowhere = aws.program(&["--stack", "identety"]);
    let nowhere = nowhere.env_remove("AWS_REGION").output().await.unwrap();
    assert!(message(&nowhere).contains("no AWS region is set"), "{}", message(&nowhere));
    for refused in [missing, foreign, nobody, nowhere] {
        assert!(!refused.status.success() && refused.stdout.is_empty());
        assert_eq!(message(&refused).trim_end().lines().count(), 1, "{}", message(&refused));
    }
    // Nothing of that has made an administrator.
    credentials(&aws.bootstrap(&["--stack", "identety"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_output_of_a_bootstrap_holds_its_secrets_and_nothing_holds_those_of_the_person() {
    let aws = Aws::with_stack().await;
    let own = "Qd7-the-secret-access-key-of-a-person";
    let session = "Rk2-the-session-token-of-a-person";
    let run = async |arguments: &[&str]| {
        let mut command = aws.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", own);
        command.env("AWS_SESSION_TOKEN", session).env("RUST_BACKTRACE", "full");
        command.env("IDENTETY_LOG", "trace").env("RUST_LOG", "trace").output().await.unwrap()
    };
    let made = run(&["bootstrap", "--stack", "identety"]).await;
    let forced = run(&["bootstrap", "--stack", "identety", "--force"]).await;
    let (first, second) = (credentials(&made), credentials(&forced));
    let others = [
        run(&["bootstrap", "--stack", "identety"]).await,
        run(&["bootstrap", "--stack", "identity"]).await,
        run(&["keys", "list", "--stack", "identety"]).await,
        run(&["keys", "rotate", "--force", "--stack", "identety"]).await,
    ];
    let mut told = message(&made) + &message(&forced);
    for output in &others {
        told += &message(output);
        told += std::str::from_utf8(&output.stdout).unwrap();
    }
    assert!(told.contains("this once") && told.contains("There are no keys yet"), "{told}");
    let made = [&first, &second].into_iter();
    let made = made.flat_map(|made| ["clientSecret", "apiKey"].map(|member| text(made, member)));
    let mut secrets: Vec<_> = made.collect();
    let of_person = [own, session].map(str::to_owned);
    assert_unseen(&format!("{first} {second}"), &of_person);
    secrets.extend(of_person);
    assert_unseen(&told, &secrets);
    assert!(!told.contains("$argon2"), "{told}");
}
