//! What DynamoDB does when it is ill, one test for each case. The faults are between the
//! SDK and an embedded DynamoDB ([`identety_tests::faults`]), so that attempts and time-outs are the real
//! ones; those of Lambda and KMS are in [`super::lambda`], with the real binaries.
//!
//! | case | test |
//! |---|---|
//! | throttled | [`throttling_is_tried_three_times_and_then_503_or_a_redirect_that_says_so`] |
//! | applied, and the answer lost | [`a_redemption_that_was_applied_and_not_answered_gives_no_second_family`] |
//! | a condition fails | [`a_code_that_another_request_has_used_meanwhile_is_invalid_grant_and_no_500`] |
//! | a transaction is canceled for mixed reasons | [`a_canceled_transaction_is_judged_by_its_first_reason`] |
//! | a batch of writes is done in part | [`the_end_of_a_family_is_one_write_so_it_cannot_be_done_in_part`] |
//! | stale reads | [`everything_that_was_taken_away_is_gone_though_lagging_reads_still_show_it`] |
//! | expired items are still there | [`what_has_expired_counts_for_nothing_though_it_is_still_stored`] |
//! | an item that cannot be read | [`super::unreadable_items::an_item_that_lacks_something_or_has_it_wrong_is_500_and_opens_nothing`] |
//! | KMS fails at a cold start | [`super::lambda`] |
//! | killed, frozen, reused | [`super::lambda`] |
//! | a panic | [`a_panic_is_a_500_in_the_form_of_the_endpoint_with_an_id_to_quote_and_the_server_goes_on`] |
//! | a hot partition | [`a_client_whose_partition_is_throttled_leaves_all_others_alone`] |
//! | everything at once | [`super::chaos`] |

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use identety_domain::grant::{Grant, GrantId};
use identety_tests::app::{TestApp, TestClient, TestUser};
use identety_tests::browser::{Browser, Form, html};
use identety_tests::call::Answer;
use identety_tests::faults::{Fault, Faults, Request, Which};
use identety_tests::sign_in::{PASSWORD, request};
use rstest::rstest;
use serde_json::json;

/// A server with a client, a user who has signed in, and what they have.
pub(super) struct Scene {
    pub(super) app: TestApp,
    pub(super) faults: Faults,
    pub(super) client: TestClient,
    user: TestUser,
    pub(super) browser: Browser,
    /// A code that was not used.
    pub(super) code: String,
    /// The tokens of another one.
    pub(super) tokens: Answer,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let (app, faults) = TestApp::start_faulty().await;
        let (client, user) = (app.private_client().await, app.alice().await);
        let mut browser = app.browser();
        let code = app.code(&mut browser, &client, &user, &[]).await;
        let tokens = app.redeem(&client, &code, &[]).await;
        let code = app.code(&mut browser, &client, &user, &[]).await;
        Self { app, faults, client, user, browser, code, tokens }
    }

    /// An answer of each endpoint that needs the store, and what it asked of the store.
    async fn ask_everything(&self) -> Vec<(&'static str, Answer, Vec<Request>)> {
        let Self { app, client, code, tokens, faults, .. } = self;
        let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
        let path = format!("/admin/clients/{}", client.id);
        let new = json!({"name": "New", "type": "m2m"});
        let calls = [
            ("code", app.redeem_call(client, code)),
            ("refresh", app.refresh_call(client, &refresh)),
            ("introspect", app.client_call("/oauth2/introspect", client, &[("token", &access)])),
            ("userinfo", app.server.get("/oauth2/userinfo").bearer(&access)),
            ("revoke", app.client_call("/oauth2/revoke", client, &[("token", &refresh)])),
            ("show", app.admin("GET", &path)),
            ("list", app.admin("GET", "/admin/clients")),
            ("create", app.admin("POST", "/admin/clients").json(&new)),
            ("change", app.admin("PATCH", &path).json(&json!({"name": "New"}))),
        ];
        let mut answers = Vec::new();
        for (what, call) in calls {
            faults.take_requests();
            let answer = call.send().await;
            answers.push((what, answer, faults.take_requests()));
        }
        answers
    }

    async fn grant(&self, code: &str) -> Grant {
        let id = GrantId::of_code(code);
        self.app.stores.grants.find_grant(&id).await.unwrap().expect("a grant")
    }
}

/// Checks what a caller hears of a store that may work again in a moment.
#[track_caller]
fn check_busy(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", html(answer));
    assert_eq!(answer.header("retry-after"), "1", "{what}");
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    if answer.header("content-type") == "application/json" {
        assert_eq!(answer.text("error"), "temporarily_unavailable", "{what}");
    }
    assert!(!html(answer).contains("injected"), "{what}: {}", html(answer));
}

#[rstest]
#[case(Fault::Throttled)]
#[case(Fault::Refused("ThrottlingException"))]
#[case(Fault::Refused("RequestLimitExceeded"))]
#[case(Fault::ServerError)]
#[case(Fault::ServiceUnavailable)]
#[case(Fault::CutBefore)]
#[case(Fault::Slow)]
#[tokio::test(start_paused = true)]
async fn throttling_is_tried_three_times_and_then_503_or_a_redirect_that_says_so(
    #[case] fault: Fault,
) {
    let mut scene = Scene::new().await;
    let faults = scene.faults.clone();
    // Twice, and an answer comes that nobody can tell from another.
    faults.take_requests();
    faults.set_times(2, Which::reads().of("CLIENT#"), fault.clone());
    let answer = scene.app.introspect(&scene.client, "x").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"active": false})));
    assert_eq!(faults.take_requests().len(), 3, "two in vain, and the one that is answered");

    faults.set(Which::all(), fault.clone());
    for (what, answer, requests) in scene.ask_everything().await {
        check_busy(what, &answer);
        // One operation fails at each of them, and no second one is begun.
        let tried: Vec<_> =
            requests.iter().map(|request| (&request.operation, &request.partitions)).collect();
        assert_eq!(tried.len(), 3, "{what}: {tried:?}");
        assert!(tried.iter().all(|one| *one == tried[0]), "{what}: {tried:?}");
    }
    // While it is not known who asks, the user hears it; then the client does.
    let path = request(&scene.client, &[]);
    let page = scene.browser.get(&path).await;
    check_busy("authorize", &page);
    assert_eq!(page.header("location"), "");
    faults.set(Which::reads().of("SESSION#"), fault);
    let answer = scene.browser.get(&path).await;
    let landing = scene.browser.follow(answer).await.client();
    assert_eq!(landing.get("error"), "temporarily_unavailable", "{}", landing.url);
    assert_eq!(landing.get("state"), "the state");
    assert_eq!(landing.get("iss"), scene.app.issuer);
    // And nothing is lost by all that.
    faults.clear();
    assert_eq!(scene.app.redeem(&scene.client, &scene.code, &[]).await.status, 200);
    scene.app.assert_alive(&scene.client, &scene.tokens).await;
}

#[rstest]
#[case(Fault::CutAfter)]
#[case(Fault::SlowAfter)]
#[tokio::test(start_paused = true)]
async fn a_redemption_that_was_applied_and_not_answered_gives_no_second_family(
    #[case] fault: Fault,
) {
    let mut scene = Scene::new().await;
    let redemption = || Which::writes().of("GRANT#").by("UpdateItem");
    // One answer is lost: the SDK asks again, and the request finds its own work.
    scene.faults.set_times(1, redemption(), fault.clone());
    let tokens = scene.app.redeem(&scene.client, &scene.code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.json());
    scene.app.assert_alive(&scene.client, &tokens).await;
    let grant = scene.grant(&scene.code).await;
    assert_eq!(grant.redeemed.expect("it is used").generation, 1);

    // All answers are lost: the client cannot know, and hears that it may try again. The code is used; who
    // shows it again may be anybody, and the family ends with that.
    let code = scene.app.code(&mut scene.browser, &scene.client, &scene.user, &[]).await;
    scene.faults.set(redemption(), fault.clone());
    check_busy("redeem", &scene.app.redeem(&scene.client, &code, &[]).await);
    scene.faults.clear();
    let again = scene.app.redeem(&scene.client, &code, &[]).await;
    assert_eq!(again.outcome(), (400, "invalid_grant".into()));
    let grant = scene.grant(&code).await;
    assert_eq!(
        (grant.redeemed.expect("it is used").generation, grant.ended_at.is_some()),
        (1, true)
    );

    // A refresh token that was used up by a lost answer still gives its successor, for ten seconds.
    scene.faults.set(redemption(), fault);
    let refresh = tokens.text("refresh_token");
    check_busy("refresh", &scene.app.refresh(&scene.client, &refresh, &[]).await);
    scene.faults.clear();
    let again = scene.app.refresh(&scene.client, &refresh, &[]).await;
    assert_eq!(again.status, 200);
    assert_eq!(scene.grant(&scene.code).await.redeemed.expect("it is used").generation, 2);
    scene.app.assert_alive(&scene.client, &again).await;
}

#[tokio::test]
async fn a_code_that_another_request_has_used_meanwhile_is_invalid_grant_and_no_500() {
    let scene = Scene::new().await;
    let (app, client, code) = (&scene.app, &scene.client, &scene.code);
    // The second request has read the grant before the first one redeemed it.
    scene.faults.freeze();
    let first = app.redeem(client, code, &[]).await;
    assert_eq!(first.status, 200);
    scene.faults.set(Which::reads().of("GRANT#"), Fault::Stale);
    scene.faults.take_requests();
    let second = app.redeem(client, code, &[]).await;
    assert_eq!(second.outcome(), (400, "invalid_grant".into()));
    let requests = scene.faults.take_requests();
    let redeems = Which::writes().of("GRANT#").saying("redeemedAt");
    assert!(requests.iter().any(|request| redeems.means(request)), "the condition has decided");
    // Two have shown one code, and nobody knows which of them is the client.
    scene.faults.clear();
    app.assert_dead(client, &[&first]).await;

    // DynamoDB may leave out the item on which the condition failed.
    let scene = Scene::new().await;
    let failed = Fault::Refused("ConditionalCheckFailedException");
    scene.faults.set(redeems.clone(), failed);
    let answer = scene.app.redeem(&scene.client, &scene.code, &[]).await;
    assert_eq!(answer.outcome(), (400, "invalid_grant".into()));
}

#[rstest]
#[case(&["ConditionalCheckFailed", "TransactionConflict"], 409)]
#[case(&["ConditionalCheckFailed", "ThrottlingError"], 409)]
#[case(&["TransactionConflict", "ConditionalCheckFailed"], 503)]
#[case(&["None", "TransactionConflict"], 503)]
#[case(&["None", "ProvisionedThroughputExceeded"], 503)]
#[case(&["ThrottlingError", "None"], 503)]
#[case(&["ItemCollectionSizeLimitExceeded", "None"], 500)]
#[case(&["None", "ValidationError"], 500)]
#[tokio::test(start_paused = true)]
async fn a_canceled_transaction_is_judged_by_its_first_reason(
    #[case] reasons: &'static [&'static str],
    #[case] status: u16,
) {
    let (app, faults) = TestApp::start_faulty().await;
    let members = json!({"name": "New", "type": "m2m", "clientId": "chosen-by-an-import"});
    faults.set(Which::writes().by("TransactWriteItems"), Fault::Canceled(reasons));
    let create = || app.admin("POST", "/admin/clients").json(&members).send();
    let answer = create().await;
    assert_eq!(answer.status, status, "{}", answer.json());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("retry-after"), if status == 503 { "1" } else { "" });
    assert!(!html(&answer).contains("injected"), "{}", answer.json());
    faults.clear();
    assert_eq!(create().await.status, 201, "nothing of it was written");
}

#[rstest]
#[case(&["TransactionConflict", "None"])]
#[case(&["None", "TransactionConflict"])]
#[case(&["ThrottlingError", "TransactionConflict"])]
#[tokio::test(start_paused = true)]
async fn a_transaction_that_meets_another_is_tried_again_and_no_caller_hears_of_it(
    #[case] reasons: &'static [&'static str],
) {
    let (app, faults) = TestApp::start_faulty().await;
    let conflict = || Fault::Canceled(reasons);
    let create = async |email: &str| {
        let members = json!({"email": email, "password": "correct horse"});
        app.admin("POST", "/admin/users").json(&members).send().await.status
    };
    faults.set_times(7, Which::writes().by("TransactWriteItems"), conflict());
    assert_eq!(create("ann@example.com").await, 201);
    // Another try finds what the other one has written.
    faults.set_times(3, Which::writes().by("TransactWriteItems"), conflict());
    assert_eq!(create("ann@example.com").await, 409);
    faults.set(Which::writes().by("TransactWriteItems"), conflict());
    faults.take_requests();
    assert_eq!(create("bob@example.com").await, 503);
    let tries = faults.take_requests();
    let tries = tries.iter().filter(|request| request.operation == "TransactWriteItems").count();
    assert_eq!(tries, 8, "and no more");
}

#[rstest]
#[case("TransactionConflictException")]
#[case("ReplicatedWriteConflictException")]
#[tokio::test(start_paused = true)]
async fn a_write_that_meets_a_transaction_is_tried_again(#[case] conflict: &'static str) {
    let (app, faults) = TestApp::start_faulty().await;
    let (client, alice) = (app.public_client().await, app.alice().await);
    faults.set_times(7, Which::writes().of("ATTEMPTS#"), Fault::Refused(conflict));
    app.code(&mut app.browser(), &client, &alice, &[]).await;
    faults.set_times(7, Which::writes().of("SESSION#"), Fault::Refused(conflict));
    app.code(&mut app.browser(), &client, &alice, &[]).await;
}

#[tokio::test]
async fn the_end_of_a_family_is_one_write_so_it_cannot_be_done_in_part() {
    let mut scene = Scene::new().await;
    let (app, client, first) = (&scene.app, &scene.client, &scene.tokens);
    let second = app.refresh(client, &first.text("refresh_token"), &[]).await;
    let third = app.refresh(client, &second.text("refresh_token"), &[]).await;
    assert_eq!(third.status, 200);
    scene.faults.take_requests();
    assert_eq!(app.revoke(client, &first.text("refresh_token")).await.status, 200);
    let writes: Vec<_> = {
        let requests = scene.faults.take_requests();
        requests.into_iter().filter(|request| request.is_write).collect()
    };
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!(writes[0].operation, "UpdateItem");
    app.assert_dead(client, &[first, &second, &third]).await;

    // The same for all families of a session: a mark on the session, which each of them asks for.
    let tokens = app.redeem(client, &scene.code, &[]).await;
    app.assert_alive(client, &tokens).await;
    let page = scene.browser.open("/signout").await.page();
    scene.browser.submit(&page, &[]).await.page();
    let writes = scene.faults.take_requests();
    assert!(writes.iter().all(|request| request.operation != "BatchWriteItem"));
    app.assert_dead(client, &[&tokens]).await;
}

#[tokio::test]
async fn everything_that_was_taken_away_is_gone_though_lagging_reads_still_show_it() {
    let mut scene = Scene::new().await;
    let machine = scene.app.m2m_client(&["clients:read"]).await;
    let token = scene.app.access_token(&machine, &[]).await;
    let rotated = scene.app.m2m_client(&["read"]).await;
    let other_code = scene.app.code(&mut scene.browser, &scene.client, &scene.user, &[]).await;
    let other = scene.app.redeem(&scene.client, &other_code, &[]).await;
    let mut signed_in = scene.app.browser();
    let bob = scene.app.user("bob@example.com", PASSWORD).await;
    scene.app.code(&mut signed_in, &scene.client, &bob, &[]).await;
    let (app, client, tokens) = (&scene.app, &scene.client, &scene.tokens);

    // From here on, whatever is content with an old answer gets one.
    scene.faults.freeze();
    app.change(&machine, json!({"isActive": false})).await;
    assert_eq!(app.token(&machine, &[]).await.outcome(), (401, "invalid_client".into()));
    let list = app.server.get("/admin/clients").bearer(&token).send().await;
    assert_eq!(list.status, 401, "nor does its token open the administration");

    let path = format!("/admin/clients/{}/secrets", rotated.id);
    let members = json!({"expirePreviousIn": 0});
    assert_eq!(app.admin("POST", &path).json(&members).send().await.status, 201);
    assert_eq!(app.token(&rotated, &[]).await.outcome(), (401, "invalid_client".into()));

    assert_eq!(app.revoke(client, &tokens.text("refresh_token")).await.status, 200);
    app.assert_dead(client, &[tokens]).await;

    let used = app.redeem(client, &scene.code, &[]).await;
    assert_eq!(used.status, 200);
    let again = app.redeem(client, &scene.code, &[]).await;
    assert_eq!(again.outcome(), (400, "invalid_grant".into()));
    app.assert_dead(client, &[&used]).await;

    let page = scene.browser.open("/signout").await.page();
    scene.browser.submit(&page, &[]).await.page();
    app.assert_dead(client, &[&other]).await;
    let silent = request(client, &[("prompt", "none")]);
    let landing = scene.browser.open(&silent).await.client();
    assert_eq!(landing.get("error"), "login_required", "{}", landing.url);

    let path = format!("/admin/users/{}", bob.id);
    let members = json!({"isActive": false});
    assert_eq!(app.admin("PATCH", &path).json(&members).send().await.status, 200);
    let landing = signed_in.open(&silent).await.client();
    assert_eq!(landing.get("error"), "login_required", "{}", landing.url);

    let path = format!("/admin/clients/{}", rotated.id);
    assert_eq!(app.admin("DELETE", &path).send().await.status, 200);
    assert_eq!(app.admin("GET", &path).send().await.status, 404);

    // Only a list may lag, and only in what is on it: what it shows of a client is how it is.
    let list = app.admin("GET", "/admin/clients?limit=100").send().await.json();
    let nodes = list["nodes"].as_array().unwrap();
    assert!(nodes.iter().all(|node| node["id"] != rotated.id.as_str()), "{list}");
    let shown = nodes.iter().find(|node| node["id"] == machine.id.as_str()).unwrap();
    assert_eq!(shown["isActive"], false);
    let lagging = |request: &Request| !request.is_consistent;
    let requests = scene.faults.take_requests();
    let lagging: Vec<_> = requests.iter().filter(|request| lagging(request)).collect();
    assert!(!lagging.is_empty(), "the list reads its index");
    for request in lagging {
        assert!(request.body["IndexName"] == "listing", "{request:?}");
    }
}

#[tokio::test]
async fn what_has_expired_counts_for_nothing_though_it_is_still_stored() {
    let mut scene = Scene::new().await;
    let (app, client) = (&scene.app, &scene.client);
    let mut other = app.browser();
    let page = other.open(&request(client, &[])).await.page();
    let path = format!("/admin/clients/{}/secrets", client.id);
    let members = json!({"expirePreviousIn": 60});
    let new = app.admin("POST", &path).json(&members).send().await;
    let now = TestClient { secret: new.text("clientSecret"), ..client.clone() };

    app.advance(61);
    let secret = app.introspect(client, "x").await;
    assert_eq!(secret.outcome(), (401, "invalid_client".into()), "a secret");
    let code = app.redeem(&now, &scene.code, &[]).await;
    assert_eq!(code.outcome(), (400, "invalid_grant".into()), "a code");
    app.advance(1800);
    let path = format!("/signin?transaction={}", Form::of(&page).get("transaction"));
    let begun = other.get(&path).await;
    assert!(begun.header("location").contains("/oauth2/authorize?"), "a transaction");
    app.advance(3600);
    let userinfo = app.userinfo(&scene.tokens.text("access_token")).await;
    assert_eq!(userinfo.outcome(), (401, "invalid_token".into()), "an access token");
    app.advance(86_400);
    let landing = scene.browser.open(&request(&now, &[("prompt", "none")])).await.client();
    assert_eq!(landing.get("error"), "login_required", "a session");
    app.advance(1_209_600);
    let refresh = app.refresh(&now, &scene.tokens.text("refresh_token"), &[]).await;
    assert_eq!(refresh.outcome(), (400, "invalid_grant".into()), "a refresh token");

    let stored = app.dump();
    for kind in ["GRANT#", "SESSION#", "TRANSACTION#"] {
        assert!(stored.contains(kind), "{kind} is still there");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_in_the_form_of_the_endpoint_with_an_id_to_quote_and_the_server_goes_on() {
    let mut scene = Scene::new().await;
    scene.faults.set(Which::all(), Fault::Panic);
    for (what, answer, _) in scene.ask_everything().await {
        assert_eq!(answer.status, 500, "{what}");
        let (media_type, told) = match what {
            "show" | "list" | "create" | "change" => ("application/problem+json", "detail"),
            _ => ("application/json", "error_description"),
        };
        assert_eq!(answer.header("content-type"), media_type, "{what}");
        let (told, id) = (answer.text(told), answer.header("x-request-id"));
        assert_eq!(told, format!("the server failed; please quote the request id {id}"), "{what}");
        assert!(!html(&answer).contains("injected"), "{what}: {}", html(&answer));
    }
    let page = scene.browser.get(&request(&scene.client, &[])).await;
    assert_eq!(page.status, 500);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(html(&page).contains(page.header("x-request-id")), "{}", html(&page));
    assert!(!html(&page).contains("injected"));
    scene.faults.clear();
    assert_eq!(scene.app.redeem(&scene.client, &scene.code, &[]).await.status, 200);
    scene.app.assert_alive(&scene.client, &scene.tokens).await;
}

#[rstest]
#[case(Fault::Throttled)]
#[case(Fault::Slow)]
#[tokio::test(start_paused = true)]
async fn a_client_whose_partition_is_throttled_leaves_all_others_alone(#[case] fault: Fault) {
    const CALLS: usize = 40;
    let (app, faults) = TestApp::start_faulty().await;
    let hot = app.m2m_client(&["read"]).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(app.m2m_client(&["read"]).await);
    }
    let app = Arc::new(app);
    let hot_partition = format!("CLIENT#{}", hot.client_id);
    // What the others ask of the store for so many calls each, all at the same time.
    let calls_of_others = async || {
        faults.take_requests();
        let each = others.iter().cloned().map(|client| {
            let app = app.clone();
            tokio::spawn(async move {
                for _ in 0..CALLS {
                    let answer = app.token(&client, &[]).await;
                    assert_eq!(answer.status, 200, "{}", answer.json());
                }
            })
        });
        for caller in each.collect::<Vec<_>>() {
            caller.await.expect("a good answer to each call");
        }
        let requests = faults.take_requests().into_iter().map(|request| request.partitions);
        let mut of_others: Vec<_> =
            requests.filter(|partitions| !partitions.contains(&hot_partition)).collect();
        of_others.sort_unstable();
        of_others
    };
    // The first calls of all are not like the later ones: they make the keys, and note the use of a secret.
    calls_of_others().await;
    let without_faults = calls_of_others().await;
    assert!(without_faults.len() >= others.len() * CALLS, "{}", without_faults.len());

    // The hot client goes on and on, and has used up whatever all share when the others come.
    faults.set(Which::all().of(&hot_partition), fault);
    let is_over = Arc::new(AtomicBool::new(false));
    let hot_callers = std::iter::repeat_n(&hot, 12).cloned().map(|client| {
        let (app, is_over) = (app.clone(), is_over.clone());
        tokio::spawn(async move {
            let mut answered = Vec::new();
            while !is_over.load(Relaxed) {
                answered.push(app.token(&client, &[]).await.outcome());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            answered
        })
    });
    let hot_callers: Vec<_> = hot_callers.collect();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let start = tokio::time::Instant::now();
    let with_faults = calls_of_others().await;
    // This clock goes on only when everybody waits. So nobody has waited: for no answer to the hot one, for
    // no pause before an attempt, and for no turn.
    assert_eq!(start.elapsed(), Duration::ZERO, "the others have waited");
    assert_eq!(with_faults, without_faults, "the others have tried no more often");

    is_over.store(true, Relaxed);
    for caller in hot_callers {
        let answered = caller.await.unwrap();
        let busy = (503, "temporarily_unavailable".to_owned());
        assert!(answered.len() > 5 && answered.iter().all(|it| *it == busy), "{answered:?}");
    }
    // Nobody has spent the attempts that the hot one needs when it may come again.
    faults.clear();
    assert_eq!(app.token(&hot, &[]).await.status, 200);
}
