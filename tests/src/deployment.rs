//! A deployment without AWS: the real Lambda binaries behind a stand-in for API Gateway, on an embedded
//! DynamoDB over HTTP and a KMS of moto. What goes where, and who may do what, is read from the template.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use identety::app::Stores;
use identety_domain::admin;
use identety_domain::hashing::{HashCost, SecretHasher};
use identety_dynamodb::{Embedded, Tables, create_tables};
use identety_http::ambient;

use crate::binaries;
use crate::call::Server;
use crate::lambda::{Access, Function, Gateway, Guard, Role, Routes, RunningFunction, Stage};
use crate::moto::Moto;

/// Whether people may register themselves; set for the function `authorize` alone.
const REGISTRATION: &str = "IDENTETY_SELF_REGISTRATION";

/// A deployed server.
pub struct Deployment {
    /// The stand-in for API Gateway.
    pub gateway: Gateway,
    /// The stage of the API.
    pub stage: Stage,
    /// The function `token`.
    pub token: Arc<RunningFunction>,
    /// The function `authorize`, which lets people register themselves.
    pub authorize: Arc<RunningFunction>,
    /// The function `client-admin`.
    pub client_admin: Arc<RunningFunction>,
    /// The API key of its administrators.
    pub api_key: String,
    /// Its stores.
    pub stores: Stores,
    /// Its issuer, which has the stage in its path.
    pub issuer: String,
    /// Its DynamoDB, where everything is allowed.
    pub dynamodb: SocketAddr,
    environment: Vec<(String, String)>,
    guards: [(&'static str, Guard); 3],
    _embedded: Embedded,
    _moto: Moto,
}

/// The template of the deployment.
pub fn template() -> String {
    fs::read_to_string(binaries::root().join("infra/template.yaml")).expect("the template")
}

impl Deployment {
    /// Deploys to a stage, with one process for each function.
    pub async fn start(stage: Stage) -> Self {
        Self::start_with_log(stage, "info").await
    }

    /// The same, with functions that log at this level.
    pub async fn start_with_log(stage: Stage, level: &str) -> Self {
        let moto = Moto::start().await;
        let embedded = Embedded::in_memory().expect("a store");
        let tables = Tables::with_prefix("stack-");
        create_tables(&embedded.client(), &tables).await.expect("tables");
        let stores = Stores::on(&embedded.client(), &tables);
        let api_key = set_api_key(&stores).await;

        let listener =
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let dynamodb = listener.local_addr().expect("an address");
        tokio::spawn(dynoxide::server::serve_on(listener, embedded.database().clone()));

        let routes = Routes::from_template(&template()).expect("a template that can be read");
        let gateway = Gateway::start(routes, stage.clone()).await.expect("a gateway");
        let issuer = gateway.url("").trim_end_matches('/').to_owned();
        let guards = [
            ("TokenFunction", guard("TokenFunction", &tables, dynamodb).await),
            ("AuthorizeFunction", guard("AuthorizeFunction", &tables, dynamodb).await),
            ("ClientAdminFunction", guard("ClientAdminFunction", &tables, dynamodb).await),
        ];
        let environment: Vec<(String, String)> = [
            ("AWS_ENDPOINT_URL_KMS", moto.url()),
            ("IDENTETY_ISSUER", issuer.clone()),
            ("IDENTETY_DEFAULT_AUDIENCE", String::new()),
            ("IDENTETY_TABLE_CLIENTS", tables.clients),
            ("IDENTETY_TABLE_ACCOUNTS", tables.accounts),
            ("IDENTETY_TABLE_KEYS", tables.keys),
            ("IDENTETY_TABLE_GRANTS", tables.grants),
            ("IDENTETY_KMS_KEY", moto.kms_key().await),
            ("IDENTETY_METRICS", "Identety/stack".to_owned()),
            ("IDENTETY_LOG", level.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let [token, authorize, client_admin] = &guards;
        let token = run(token, &environment, &[]).await;
        let authorize = run(authorize, &environment, &[(REGISTRATION, "true")]).await;
        let client_admin = run(client_admin, &environment, &[]).await;
        gateway.attach("token", token.clone());
        gateway.attach("authorize", authorize.clone());
        gateway.attach("client-admin", client_admin.clone());
        Self {
            gateway,
            stage,
            token,
            authorize,
            client_admin,
            api_key,
            stores,
            issuer,
            dynamodb,
            environment,
            guards,
            _embedded: embedded,
            _moto: moto,
        }
    }

    /// Where it is.
    pub fn server(&self) -> Server {
        Server::Url(self.issuer.clone())
    }

    /// Another process of the function `token`, with a variable set otherwise.
    pub async fn another_token_function(&self, name: &str, value: &str) -> Arc<RunningFunction> {
        let [token, ..] = &self.guards;
        run(token, &self.environment, &[(name, value)]).await
    }

    /// A process of the function `authorize` where people cannot register themselves.
    pub async fn authorize_function_without_registration(&self) -> Arc<RunningFunction> {
        let [_, authorize, _] = &self.guards;
        run(authorize, &self.environment, &[(REGISTRATION, "false")]).await
    }

    /// What the functions have asked of DynamoDB that their roles do not allow.
    pub fn refusals(&self) -> Vec<(&'static str, Access)> {
        let of_one = |(name, guard): &(&'static str, Guard)| {
            let name = *name;
            guard.refusals().into_iter().map(move |access| (name, access))
        };
        self.guards.iter().flat_map(of_one).collect()
    }
}

/// The DynamoDB of the function with this logical id.
async fn guard(function: &str, tables: &Tables, dynamodb: SocketAddr) -> Guard {
    let Tables { clients, accounts, keys, grants } = tables.clone();
    let tables = vec![
        (clients, "ClientsTable".to_owned()),
        (accounts, "AccountsTable".to_owned()),
        (keys, "KeysTable".to_owned()),
        (grants, "GrantsTable".to_owned()),
    ];
    let role = Role::of(&template(), function, &["RegistrationIsOpen"]).expect("a role");
    Guard::start(role, tables, dynamodb).await.expect("a port")
}

/// Starts a process of a function, with more variables.
async fn run(
    (logical_id, guard): &(&'static str, Guard),
    environment: &[(String, String)],
    more: &[(&str, &str)],
) -> Arc<RunningFunction> {
    let function = Function::new(*logical_id, binaries::function(logical_id));
    let function = function.env("AWS_ENDPOINT_URL_DYNAMODB", guard.url());
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let function = function.envs(environment.iter().cloned()).envs(more);
    Arc::new(function.start().await.expect("a process"))
}

async fn set_api_key(stores: &Stores) -> String {
    let mut rng = ambient::rng().expect("randomness");
    let api_key = admin::generate_api_key(&mut rng);
    let hasher = SecretHasher::new(&mut rng);
    let phc = hasher.hash(&api_key, HashCost::Generated, &mut rng).expect("a hash");
    stores.api_keys.set_api_key(&phc).await.expect("an API key");
    api_key.expose().to_owned()
}
