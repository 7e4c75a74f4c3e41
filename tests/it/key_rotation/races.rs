//! Many that change the keys at the same time.

use std::sync::Arc;

use identety_domain::client::SigningAlg;
use identety_domain::keys::{KeyState, RotationPeriod};
use identety_http::ambient;
use identety_keys::{ChangeError, Step};
use identety_tests::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_rotators_at_once_one_rotates_each_ring_and_the_others_find_nothing_to_do() {
    let app = Arc::new(TestApp::start().await);
    app.server.get("/.well-known/jwks.json").send().await;
    for round in 1..=5_u64 {
        app.advance(90 * 86_400);
        let at_once: Vec<_> = (0..16)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move {
                    let (rotator, mut rng) = (app.rotator(), ambient::rng().unwrap());
                    let report = rotator.step(RotationPeriod::default(), app.now(), &mut rng).await;
                    report
                        .unwrap()
                        .rings
                        .into_iter()
                        .map(|ring| (ring.alg, ring.step.unwrap()))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let mut steps = Vec::new();
        for one in at_once {
            steps.extend(one.await.unwrap());
        }
        for alg in SigningAlg::ALL {
            let of_alg = steps.iter().filter(|(of, _)| *of == alg).map(|(_, step)| step);
            let rotated = of_alg.clone().filter(|step| matches!(step, Step::Rotated(_))).count();
            let nothing = of_alg.filter(|step| matches!(step, Step::Nothing)).count();
            assert_eq!((rotated, nothing), (1, 15), "{}", alg.as_str());
        }
        let rings = app.rotator().rings().await.unwrap();
        assert!(rings.iter().all(|ring| ring.version == 1 + round && ring.is_sound()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_forced_rotations_at_once_each_that_says_so_was_made() {
    let app = Arc::new(TestApp::start().await);
    app.server.get("/.well-known/jwks.json").send().await;
    let at_once: Vec<_> = (0..16)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                let (rotator, mut rng) = (app.rotator(), ambient::rng().unwrap());
                rotator.rotate(Some(SigningAlg::Es256), true, app.now(), &mut rng).await
            })
        })
        .collect();
    let mut made = 0;
    for one in at_once {
        match one.await.unwrap() {
            Ok(rotated) => made += rotated.len() as u64,
            Err(ChangeError::Raced { alg: SigningAlg::Es256, .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let rings = app.rotator().rings().await.unwrap();
    let ring = rings.iter().find(|ring| ring.alg == SigningAlg::Es256).unwrap();
    assert!(made >= 1 && ring.version == 1 + made, "{made}, {}", ring.version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_key_that_many_revoke_at_once_is_revoked_once() {
    let app = Arc::new(TestApp::start().await);
    app.server.get("/.well-known/jwks.json").send().await;
    let rings = app.rotator().rings().await.unwrap();
    let kid = rings[0].in_state(KeyState::Current).unwrap().kid.clone();
    let at_once: Vec<_> = (0..16)
        .map(|_| {
            let (app, kid) = (app.clone(), kid.clone());
            tokio::spawn(async move {
                app.rotator().revoke(&kid, app.now(), &mut ambient::rng().unwrap()).await
            })
        })
        .collect();
    let mut revoked = 0;
    for one in at_once {
        match one.await.unwrap() {
            Ok(_) => revoked += 1,
            Err(ChangeError::UnknownKid(unknown)) => assert_eq!(unknown, kid),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(revoked, 1);
    assert_eq!(app.rotator().rings().await.unwrap()[0].version, 2);
}
