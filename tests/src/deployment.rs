//! A deployment without AWS: the real Lambda binaries behind a stand-in for API Gateway, on an embedded
//! DynamoDB over HTTP and a KMS of moto. What goes where, and who may do what, is read from the template.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use identety_domain::admin;
use identety_domain::hashing::{HashCost, SecretHasher};
use identety_domain::store::Stores;
use identety_dynamodb::{Embedded, Tables, create_tables};
use identety_http::ambient;

use crate::binaries;
use crate::call::Server;
use crate::lambda::{
    Access, Function, Gateway, Guard, Permission, Role, Routes, RunningFunction, Stage,
};
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
    /// The function `authorize`.
    pub authorize: Arc<RunningFunction>,
    /// The function `client-admin`.
    pub client_admin: Arc<RunningFunction>,
    /// The function `key-rotation`, which no route leads to.
    pub key_rotation: Arc<RunningFunction>,
    /// The API key of its administrators.
    pub api_key: String,
    /// Its stores.
    pub stores: Stores,
    /// Its issuer, which has the stage in its path.
    pub issuer: String,
    /// Its DynamoDB, where everything is allowed.
    pub dynamodb: SocketAddr,
    environment: Vec<(String, String)>,
    guards: [Guarded; 4],
    _embedded: Embedded,
}

/// What stands between a function and AWS.
struct Guarded {
    /// The function's logical id.
    function: &'static str,
    dynamodb: Guard,
    kms: Guard,
}

/// The template of the deployment.
pub fn template() -> String {
    fs::read_to_string(binaries::root().join("infra/template.yaml")).expect("the template")
}

/// The variables that every function has.
fn environment(
    issuer: &str,
    tables: Tables,
    kms_key: String,
    level: &str,
) -> Vec<(String, String)> {
    [
        ("IDENTETY_ISSUER", issuer.to_owned()),
        ("IDENTETY_DEFAULT_AUDIENCE", String::new()),
        ("IDENTETY_TABLE_CLIENTS", tables.clients),
        ("IDENTETY_TABLE_ACCOUNTS", tables.accounts),
        ("IDENTETY_TABLE_KEYS", tables.keys),
        ("IDENTETY_TABLE_GRANTS", tables.grants),
        ("IDENTETY_KMS_KEY", kms_key),
        ("IDENTETY_KEY_ROTATION_DAYS", "90".to_owned()),
        ("IDENTETY_METRICS", "Identety/stack".to_owned()),
        ("IDENTETY_LOG", level.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

impl Deployment {
    /// Deploys to a stage, with one process for each function.
    pub async fn start(stage: Stage) -> Self {
        Self::start_with_log(stage, "info").await
    }

    /// The same, with functions that log at this level.
    pub async fn start_with_log(stage: Stage, level: &str) -> Self {
        Self::start_as(stage, level, true).await
    }

    /// The same where people cannot register themselves, as it comes.
    pub async fn start_without_registration(stage: Stage) -> Self {
        Self::start_as(stage, "info", false).await
    }

    async fn start_as(stage: Stage, level: &str, registration_is_open: bool) -> Self {
        let moto = Moto::shared().await;
        let embedded = Embedded::in_memory().expect("a store");
        let tables = Tables::with_prefix("stack-");
        create_tables(&embedded.client(), &tables).await.expect("tables");
        let stores = identety_dynamodb::stores(&embedded.client(), &tables);
        let api_key = set_api_key(&stores).await;

        let listener =
            tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let dynamodb = listener.local_addr().expect("an address");
        tokio::spawn(dynoxide::server::serve_on(listener, embedded.database().clone()));

        let routes = Routes::from_template(&template()).expect("a template that can be read");
        let gateway = Gateway::start(routes, stage.clone()).await.expect("a gateway");
        let issuer = gateway.url("").trim_end_matches('/').to_owned();
        let kms_key = moto.kms_key().await;
        let aws = Aws {
            tables: tables.clone(),
            dynamodb,
            kms_key: kms_key.clone(),
            kms: moto.address,
            conditions: if registration_is_open { &["RegistrationIsOpen"] } else { &[] },
        };
        let guards = [
            aws.guarded("TokenFunction").await,
            aws.guarded("AuthorizeFunction").await,
            aws.guarded("ClientAdminFunction").await,
            aws.guarded("KeyRotationFunction").await,
        ];
        let environment = environment(&issuer, tables, kms_key, level);
        let [token, authorize, client_admin, key_rotation] = &guards;
        let token = run(token, &environment, &[]).await;
        let authorize =
            run(authorize, &environment, &[(REGISTRATION, &registration_is_open.to_string())])
                .await;
        let client_admin = run(client_admin, &environment, &[]).await;
        let key_rotation = run(key_rotation, &environment, &[]).await;
        gateway.attach("token", token.clone());
        gateway.attach("authorize", authorize.clone());
        gateway.attach("client-admin", client_admin.clone());
        Self {
            gateway,
            stage,
            token,
            authorize,
            client_admin,
            key_rotation,
            api_key,
            stores,
            issuer,
            dynamodb,
            environment,
            guards,
            _embedded: embedded,
        }
    }

    /// Where it is.
    pub fn server(&self) -> Server {
        Server::Url(self.issuer.clone())
    }

    /// Another process of the function `token`, with a variable set otherwise.
    pub async fn another_token_function(&self, name: &str, value: &str) -> Arc<RunningFunction> {
        self.token_function_with(&[(name, value)]).await
    }

    /// Another process of the function `token`, with these variables set otherwise.
    pub async fn token_function_with(&self, variables: &[(&str, &str)]) -> Arc<RunningFunction> {
        let [token, ..] = &self.guards;
        run(token, &self.environment, variables).await
    }

    /// The DynamoDB of the function `token`, and its KMS.
    pub fn services_of_token(&self) -> (SocketAddr, SocketAddr) {
        let [token, ..] = &self.guards;
        (token.dynamodb.address(), token.kms.address())
    }

    /// Other processes of all functions, which answer from now on and must write no file. `folder` is the one
    /// where they would put temporary ones.
    pub async fn replace_by_functions_without_files(&mut self, folder: &Path) {
        let folder = folder.to_str().expect("UTF-8");
        for guarded in &self.guards {
            let name = guarded.function;
            let mut more = vec![("TMPDIR", folder)];
            more.extend((name == "AuthorizeFunction").then_some((REGISTRATION, "true")));
            let function = function(guarded, &self.environment, &more).without_files();
            let running = Arc::new(function.start().await.expect("a process"));
            let (place, package) = match name {
                "TokenFunction" => (&mut self.token, Some("token")),
                "AuthorizeFunction" => (&mut self.authorize, Some("authorize")),
                "ClientAdminFunction" => (&mut self.client_admin, Some("client-admin")),
                _ => (&mut self.key_rotation, None),
            };
            *place = running.clone();
            if let Some(package) = package {
                self.gateway.attach(package, running);
            }
        }
    }

    /// A process of the function `authorize` where people cannot register themselves.
    pub async fn authorize_function_without_registration(&self) -> Arc<RunningFunction> {
        let [_, authorize, ..] = &self.guards;
        run(authorize, &self.environment, &[(REGISTRATION, "false")]).await
    }

    /// Another process of the function `key-rotation`, with a variable set otherwise.
    pub async fn another_key_rotation(&self, name: &str, value: &str) -> Arc<RunningFunction> {
        let [.., key_rotation] = &self.guards;
        run(key_rotation, &self.environment, &[(name, value)]).await
    }

    /// What the functions have asked of DynamoDB and KMS that their roles do not allow.
    pub fn refusals(&self) -> Vec<(&'static str, Access)> {
        self.all(Guard::refusals)
    }

    /// What the functions have asked of DynamoDB and KMS so far, and got.
    pub fn uses(&self) -> Vec<(&'static str, Access)> {
        self.all(Guard::uses)
    }

    /// What the roles of the functions allow, and nothing so far has needed.
    pub fn idle_permissions(&self) -> Vec<(&'static str, Permission)> {
        let of_one = |guarded: &Guarded| {
            let role = guarded.dynamodb.role();
            let mut idle = role.permissions();
            for access in [guarded.dynamodb.uses(), guarded.kms.uses()].concat() {
                for needed in role.needed_for(&access).into_iter().flatten() {
                    idle.remove(&needed);
                }
            }
            let function = guarded.function;
            idle.into_iter().map(move |permission| (function, permission))
        };
        self.guards.iter().flat_map(of_one).collect()
    }

    /// What more than one statement of a role allows, so that one of them could go.
    pub fn allowed_twice(&self) -> Vec<(&'static str, Access)> {
        let role = |function| {
            let guarded = self.guards.iter().find(|guarded| guarded.function == function);
            guarded.expect("a function").dynamodb.role()
        };
        let uses = self.uses().into_iter();
        uses.filter(|(function, access)| role(*function).needed_for(access).len() > 1).collect()
    }

    fn all(&self, what: impl Fn(&Guard) -> Vec<Access>) -> Vec<(&'static str, Access)> {
        let of_one = |guarded: &Guarded| {
            let function = guarded.function;
            let accesses = [what(&guarded.dynamodb), what(&guarded.kms)].concat();
            accesses.into_iter().map(move |access| (function, access))
        };
        self.guards.iter().flat_map(of_one).collect()
    }
}

/// Where the stand-ins for AWS are, and what they hold.
struct Aws {
    tables: Tables,
    dynamodb: SocketAddr,
    kms_key: String,
    kms: SocketAddr,
    /// The conditions of the template that hold.
    conditions: &'static [&'static str],
}

impl Aws {
    /// The guards of the function with this logical id.
    async fn guarded(&self, function: &'static str) -> Guarded {
        let Tables { clients, accounts, keys, grants } = self.tables.clone();
        let tables = vec![
            (clients, "ClientsTable".to_owned()),
            (accounts, "AccountsTable".to_owned()),
            (keys, "KeysTable".to_owned()),
            (grants, "GrantsTable".to_owned()),
        ];
        let kms_keys = vec![(self.kms_key.clone(), "SealingKey".to_owned())];
        let role = Role::of(&template(), function, self.conditions).expect("a role");
        Guarded {
            function,
            dynamodb: Guard::start(role.clone(), tables, self.dynamodb).await.expect("a port"),
            kms: Guard::start(role, kms_keys, self.kms).await.expect("a port"),
        }
    }
}

/// Starts a process of a function, with more variables.
async fn run(
    guarded: &Guarded,
    environment: &[(String, String)],
    more: &[(&str, &str)],
) -> Arc<RunningFunction> {
    Arc::new(function(guarded, environment, more).start().await.expect("a process"))
}

/// A function, with more variables.
fn function(
    guarded: &Guarded,
    environment: &[(String, String)],
    more: &[(&str, &str)],
) -> Function {
    let logical_id = guarded.function;
    let function = Function::new(logical_id, binaries::function(logical_id));
    let function = function.env("AWS_ENDPOINT_URL_DYNAMODB", guarded.dynamodb.url());
    let function = function.env("AWS_ENDPOINT_URL_KMS", guarded.kms.url());
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    function.envs(environment.iter().cloned()).envs(more)
}

async fn set_api_key(stores: &Stores) -> String {
    let mut rng = ambient::rng().expect("randomness");
    let api_key = admin::generate_api_key(&mut rng);
    let hasher = SecretHasher::new(&mut rng);
    let phc = hasher.hash(&api_key, HashCost::Generated, &mut rng).expect("a hash");
    stores.api_keys.set_api_key(&phc).await.expect("an API key");
    api_key.expose().to_owned()
}
