//! Many requests at once: of one code one exchange succeeds, and refresh tokens converge.

use std::sync::Arc;

use identety_domain::grant::{Grant, GrantId};
use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::{Answer, Call};
use identety_tests::sign_in::{CALLBACK, VERIFIER};

/// Makes all calls at once, on every thread that there is.
async fn at_once(calls: Vec<Call>) -> Vec<Answer> {
    let gate = Arc::new(tokio::sync::Barrier::new(calls.len()));
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let gate = gate.clone();
            tokio::spawn(async move {
                gate.wait().await;
                call.send().await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

fn exchange(app: &TestApp, client: &TestClient, code: &str) -> Call {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    app.token_call(client, &parameters)
}

fn refreshing(app: &TestApp, client: &TestClient, refresh_token: &str) -> Call {
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    app.token_call(client, &parameters)
}

/// The grant as it is stored.
async fn stored(app: &TestApp, id: &GrantId) -> Grant {
    app.stores.grants.find_grant(id).await.unwrap().unwrap()
}

fn is_invalid_grant(answer: &Answer) -> bool {
    answer.outcome() == (400, "invalid_grant".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_exchanges_of_one_code_at_once_one_succeeds_and_its_tokens_end() {
    const ROUNDS: usize = 100;
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    for round in 0..ROUNDS {
        let code = app.code(&mut browser, &client, &user, &[]).await;
        let at_once_now = if round % 20 == 0 { 100 } else { 12 };
        let calls = (0..at_once_now).map(|_| exchange(&app, &client, &code)).collect();
        let answers = at_once(calls).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        assert!(lost.into_iter().all(is_invalid_grant), "round {round}");
        // A code that comes twice is stolen by one of the two: what it gave has ended with the replay.
        let grant = stored(&app, &GrantId::of_code(&code)).await;
        assert_eq!(grant.redeemed.unwrap().generation, 1);
        assert!(grant.ended_at.is_some(), "round {round}");
        if round % 10 == 0 {
            app.assert_dead(&client, &won).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_refreshes_at_once_all_get_the_same_successor_by_one_write() {
    const ROUNDS: u32 = 20;
    const AT_ONCE: usize = 50;
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let code = app.code(&mut app.browser(), &client, &user, &[]).await;
    let (id, first) = (GrantId::of_code(&code), app.redeem(&client, &code, &[]).await);
    let mut token = first.text("refresh_token");
    for round in 1..=ROUNDS {
        let calls = (0..AT_ONCE).map(|_| refreshing(&app, &client, &token)).collect();
        let answers = at_once(calls).await;
        let next = answers[0].text("refresh_token");
        for answer in &answers {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.json());
            assert_eq!(answer.text("refresh_token"), next, "round {round}");
        }
        assert_ne!(next, token);
        let grant = stored(&app, &id).await;
        assert_eq!(grant.redeemed.unwrap().generation, round + 1, "one write");
        assert_eq!(grant.ended_at, None);
        // Every one of the answers is as good as the others.
        let any = &answers[AT_ONCE / 2];
        assert_eq!(app.userinfo(&any.text("access_token")).await.status, 200);
        token = next;
    }
    let last = app.refresh(&client, &token, &[]).await;
    assert_eq!(last.status, 200);
    app.advance(10);
    app.assert_alive(&client, &last).await;
    assert!(is_invalid_grant(&app.refresh(&client, &token, &[]).await));
    app.assert_dead(&client, &[&first, &last]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_refreshes_and_a_revocation_at_once_nothing_survives() {
    const ROUNDS: usize = 20;
    let app = TestApp::start().await;
    let (client, user) = (app.public_client().await, app.alice().await);
    let mut browser = app.browser();
    for round in 0..ROUNDS {
        let code = app.code(&mut browser, &client, &user, &[]).await;
        let tokens = app.redeem(&client, &code, &[]).await;
        let token = tokens.text("refresh_token");
        let mut calls: Vec<_> = (0..20).map(|_| refreshing(&app, &client, &token)).collect();
        calls.insert(10, app.client_call("/oauth2/revoke", &client, &[("token", &token)]));
        let answers = at_once(calls).await;
        assert_eq!(answers[10].status, 200);
        let refreshes = answers.iter().enumerate().filter(|(number, _)| *number != 10);
        for (_, answer) in refreshes {
            assert!(answer.status == 200 || is_invalid_grant(answer), "round {round}");
            if answer.status == 200 {
                assert_eq!(app.userinfo(&answer.text("access_token")).await.status, 401);
                let again = app.refresh(&client, &answer.text("refresh_token"), &[]).await;
                assert!(is_invalid_grant(&again), "round {round}");
            }
        }
        assert!(stored(&app, &GrantId::of_code(&code)).await.ended_at.is_some());
    }
}
