//! What the parts of a token request cost in one process, each beside its floor: the bare signature and the
//! bare hash, which no server can do without.

#![expect(clippy::expect_used, reason = "whatever goes wrong ends the benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use identety_domain::authentication::{ClientAuthenticator, Credentials, RecentClients};
use identety_domain::client::{ClientId, SigningAlg};
use identety_domain::hashing::{HashCost, SecretHasher};
use identety_domain::keys::Signer as _;
use identety_domain::{
    Choices, Outcome, PeerAddress, RequestContext, RequestHeaders, RequestId, Secret,
};
use identety_http::ambient;
use identety_keys::{KeyVault, Sealing};
use identety_tests::app::{Setup, TestApp, TestClient};
use identety_tests::call::{Answer, Call};
use rand::rngs::StdRng;
use serde_json::json;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// As many bytes as are signed for an access token.
const MESSAGE: [u8; 512] = [b'x'; 512];

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn rng() -> StdRng {
    ambient::rng().expect("randomness")
}

/// Signatures as the cryptographic library makes them, and as the server does, header and all.
fn sign(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sign");
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key pair");
    let mut signature = vec![0; rsa.public_modulus_len()];
    group.bench_function("RS256 bare", |bencher| {
        bencher.iter(|| rsa.sign(&RSA_PKCS1_SHA256, &random, black_box(&MESSAGE), &mut signature));
    });
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair");
    group.bench_function("ES256 bare", |bencher| {
        bencher.iter(|| ec.sign(&random, black_box(&MESSAGE)));
    });

    let runtime = runtime();
    let app = runtime.block_on(TestApp::start());
    let vault = KeyVault::new(app.stores.keys.clone(), Sealing::Local(Zeroizing::new([7; 32])));
    let opened = runtime.block_on(vault.opened(app.now(), &mut rng())).expect("keys");
    for alg in SigningAlg::ALL {
        group.bench_function(format!("{} JWT", alg.as_str()), |bencher| {
            bencher.iter(|| opened.sign(alg, "at+jwt", black_box(&MESSAGE)));
        });
    }

    let der = rsa.as_der().expect("PKCS #8");
    // What the library makes for a key once, at its first signature: each process pays that in its first request.
    group.bench_function("RS256 first of a key", |bencher| {
        bencher.iter_batched_ref(
            || RsaKeyPair::from_pkcs8(der.as_ref()).expect("a key pair"),
            |rsa| rsa.sign(&RSA_PKCS1_SHA256, &random, black_box(&MESSAGE), &mut signature),
            BatchSize::SmallInput,
        );
    });
    let pkcs8 = ec.to_pkcs8v1().expect("PKCS #8");
    group.bench_function("ES256 first of a key", |bencher| {
        bencher.iter_batched_ref(
            || {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())
                    .expect("a key pair")
            },
            |ec| ec.sign(&random, black_box(&MESSAGE)),
            BatchSize::SmallInput,
        );
    });

    // What a server pays that keeps its key as text instead of as an opened key pair.
    group.bench_function("RS256 with the key parsed anew", |bencher| {
        bencher.iter(|| {
            let rsa = RsaKeyPair::from_pkcs8(black_box(der.as_ref())).expect("a key pair");
            rsa.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)
        });
    });
    group.finish();
}

/// The hash of a secret at each cost, as the library computes it.
fn hash(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    let tiers = [("generated", 512, 1), ("chosen", 19 * 1024, 2)];
    for (tier, memory, passes) in tiers {
        let params = Params::new(memory, passes, 1, Some(32)).expect("parameters");
        let mut blocks = vec![Block::default(); params.block_count()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut output = [0; 32];
        group.bench_function(format!("{tier} bare"), |bencher| {
            bencher.iter(|| {
                argon2.hash_password_into_with_memory(
                    black_box(b"m2m_secret_of_fifty_characters_or_so_more_or_less"),
                    &[7; 16],
                    &mut output,
                    blocks.as_mut_slice(),
                )
            });
        });
    }
    group.finish();
}

/// An authenticator of `app` that remembers nothing, with the memory that argon2 works in at hand.
fn forgetful(app: &TestApp) -> ClientAuthenticator {
    let hasher = SecretHasher::new(&mut rng());
    hasher.burn(&Secret::from("x"), HashCost::Generated).expect("a hash");
    ClientAuthenticator {
        clients: app.stores.clients.clone(),
        failures: app.stores.failures.clone(),
        hasher: Arc::new(hasher),
        recent: Arc::new(RecentClients::default()),
    }
}

/// A client shows its secret: for the first time, and again.
fn authenticate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("authenticate");
    let runtime = runtime();
    let app = runtime.block_on(TestApp::start());
    let client = runtime.block_on(app.m2m_client(&["orders:read"]));
    // The use of the secret is written down once an hour; here it is written before the measurement.
    runtime.block_on(app.access_token(&client, &[]));
    let TestClient { client_id, secret, .. } = &client;
    let credentials =
        Credentials::Secret { client_id: client_id.clone(), secret: Secret::from(secret.as_str()) };
    let prove = |authenticator: &ClientAuthenticator| {
        let mut context = RequestContext {
            id: RequestId::new("benchmark"),
            now: app.now(),
            peer: PeerAddress("192.0.2.1".to_owned()),
            method: "POST".to_owned(),
            path: "/oauth2/token".to_owned(),
            headers: RequestHeaders::default(),
            rng: Box::new(rng()),
            outcome: Outcome::default(),
        };
        let proven = authenticator.authenticate(&mut context, &credentials);
        runtime.block_on(proven).expect("the client").client
    };

    let id = ClientId::parse(client_id).expect("an identifier");
    group.bench_function("read of the client", |bencher| {
        bencher.iter(|| runtime.block_on(app.stores.clients.find(&id)).expect("an answer"));
    });
    group.bench_function("cold", |bencher| {
        bencher.iter_batched(|| forgetful(&app), |cold| prove(&cold), BatchSize::PerIteration);
    });
    let remembering = forgetful(&app);
    prove(&remembering);
    group.bench_function("remembered", |bencher| bencher.iter(|| prove(&remembering)));
    let recent = Arc::new(RecentClients::kept_for(60));
    let keeping = ClientAuthenticator { recent, ..remembering.clone() };
    prove(&keeping);
    group.bench_function("remembered, client kept", |bencher| bencher.iter(|| prove(&keeping)));
    group.finish();
}

/// Whole requests, from the parsed HTTP request to the answer's body.
fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    let runtime = runtime();
    let kept = Choices { client_cache: 60, ..Setup::default().choices };
    for (choices, name) in [(Setup::default().choices, ""), (kept, ", client kept")] {
        let setup = Setup { choices, ..Setup::default() };
        let app = runtime.block_on(TestApp::start_as(setup, |stores| stores));
        for alg in SigningAlg::ALL {
            let members = json!({"name": "Orders", "type": "m2m", "scopes": ["orders:read"],
                "accessTokenSigningAlg": alg.as_str()});
            let client = runtime.block_on(app.register(members));
            runtime.block_on(app.access_token(&client, &[]));
            group.bench_function(format!("client_credentials {}{name}", alg.as_str()), |bencher| {
                bencher.iter_batched(
                    || app.token_call(&client, &[("grant_type", "client_credentials")]),
                    |call| ok(&runtime, call),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    for alg in SigningAlg::ALL {
        users(&mut group, &runtime, alg);
    }
    group.finish();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// A code is redeemed, and a refresh token is used: each gives an access token and an id token.
fn users(group: &mut Group<'_>, runtime: &Runtime, alg: SigningAlg) {
    let alg = alg.as_str();
    let app = runtime.block_on(TestApp::start());
    let client = app.users_client(json!({"type": "private", "skipConsent": true,
        "accessTokenSigningAlg": alg, "idTokenSigningAlg": alg}));
    let client = runtime.block_on(client);
    let user = runtime.block_on(app.alice());
    let mut browser = app.browser();
    let code = runtime.block_on(app.code(&mut browser, &client, &user, &[]));
    let answer = runtime.block_on(app.redeem(&client, &code, &[]));
    two_tokens(&answer);
    let mut refresh_token = answer.text("refresh_token");
    let redeeming = |code: String| {
        app.token_call(
            &client,
            &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", identety_tests::sign_in::CALLBACK),
                ("code_verifier", identety_tests::sign_in::VERIFIER),
            ],
        )
    };
    group.bench_function(format!("code {alg}"), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut time = Duration::ZERO;
            for _ in 0..iterations {
                let code = runtime.block_on(app.code(&mut browser, &client, &user, &[]));
                let call = redeeming(code);
                let started = Instant::now();
                let answer = ok(runtime, call);
                time += started.elapsed();
                two_tokens(&answer);
            }
            time
        });
    });
    group.bench_function(format!("refresh {alg}"), |bencher| {
        bencher.iter_custom(|iterations| {
            let mut time = Duration::ZERO;
            for _ in 0..iterations {
                let parameters =
                    [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
                let call = app.token_call(&client, &parameters);
                let started = Instant::now();
                let answer = ok(runtime, call);
                time += started.elapsed();
                two_tokens(&answer);
                refresh_token = answer.text("refresh_token");
            }
            time
        });
    });
}

/// Makes the call, which must succeed.
fn ok(runtime: &Runtime, call: Call) -> Answer {
    let answer = runtime.block_on(call.send());
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer
}

/// The floor of an answer to a user's client is two signatures; that holds while it has both tokens.
fn two_tokens(answer: &Answer) {
    for token in ["access_token", "id_token"] {
        assert_eq!(answer.text(token).split('.').count(), 3, "{token}");
    }
}

fn settings() -> Criterion {
    let quick = std::env::var("QUICK").is_ok_and(|quick| quick == "1");
    let (warm_up, measurement) = if quick { (200, 500) } else { (500, 2500) };
    Criterion::default()
        .without_plots()
        .sample_size(if quick { 10 } else { 40 })
        .warm_up_time(Duration::from_millis(warm_up))
        .measurement_time(Duration::from_millis(measurement))
}

criterion_group! {
    name = in_process;
    config = settings();
    targets = sign, hash, authenticate, request
}
criterion_main!(in_process);
