//! Addresses and passwords of any script: however a keyboard or a browser writes them, they are the same.

use identety_domain::hashing::HashCost;
use identety_domain::store::Rehashed;
use identety_domain::user::User;
use identety_tests::app::{TestApp, TestUser};
use identety_tests::browser::html;
use identety_tests::sign_in::PASSWORD;
use rstest::rstest;
use serde_json::json;

use super::steps::{check_page, enter, set_password, sign_in_page, transaction};

/// Composed, as most keyboards write it.
const NFC: &str = "pässwörd für jörg";
/// The same decomposed, as some write it.
const NFD: &str = "pa\u{308}sswo\u{308}rd fu\u{308}r jo\u{308}rg";
/// The same in another width.
const WIDE: &str = "ｐässwörd für jörg";

async fn status(app: &TestApp, email: &str, password: &str) -> u16 {
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    enter(&mut browser, &page, email, password).await.status
}

async fn stored(app: &TestApp, user: &TestUser) -> User {
    app.stores.users.find(user.id.parse().unwrap()).await.unwrap().unwrap()
}

#[rstest]
#[case("ann@bücher.example", &["ann@xn--bcher-kva.example", "ANN@BÜCHER.example", "ann@bu\u{308}cher.example"])]
#[case("ann@xn--bcher-kva.example", &["ann@bücher.example"])]
#[case("jörg@example.com", &["jo\u{308}rg@example.com", "JÖRG@Example.com", " jörg@example.com "])]
#[case("jo\u{308}rg@bücher.example", &["jörg@xn--bcher-kva.example"])]
#[case("χρήστης@παράδειγμα.example", &["ΧΡΉΣΤΗΣ@ΠΑΡΆΔΕΙΓΜΑ.example"])]
#[tokio::test]
async fn a_user_signs_in_with_the_address_however_it_is_written(
    #[case] email: &str,
    #[case] others: &[&str],
) {
    let app = TestApp::start().await;
    let user = app.user(email, PASSWORD).await;
    assert_eq!(stored(&app, &user).await.details.email.as_str(), email, "it is shown as it came");
    for other in [&[email], others].concat() {
        assert_eq!(status(&app, other, PASSWORD).await, 303, "{other}");
        // Nor is there a second account.
        let members = json!({"email": other, "password": PASSWORD});
        let answer = app.admin("POST", "/admin/users").json(&members).send().await;
        assert_eq!(answer.status, 409, "{other}: {}", answer.json());
    }
    assert_eq!(status(&app, "jorg@example.com", PASSWORD).await, 400);
    assert_eq!(status(&app, "ann@bucher.example", PASSWORD).await, 400);
}

#[tokio::test]
async fn an_address_that_has_an_account_in_another_form_is_not_registered_again() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let path = format!("/register?transaction={}", transaction(&page));
    let page = browser.get(&path).await;
    let fields =
        |email| [("email", email), ("name", "Jörg"), ("password", "another good password")];
    app.user("jörg@bücher.example", PASSWORD).await;
    for email in ["jo\u{308}rg@bücher.example", "JÖRG@xn--bcher-kva.example"] {
        let answer = browser.submit_once(&page, &fields(email)).await;
        check_page(&answer, 400);
        assert!(html(&answer).contains("has an account already"), "{}", html(&answer));
    }
    assert_eq!(browser.submit_once(&page, &fields("jürgen@bücher.example")).await.status, 303);
    assert_eq!(status(&app, "jürgen@xn--bcher-kva.example", "another good password").await, 303);
}

#[tokio::test]
async fn the_fields_take_what_the_api_takes() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let mut browser = app.browser();
    let sign_in = sign_in_page(&mut browser, &client, &[]).await;
    let register = browser.get(&format!("/register?transaction={}", transaction(&sign_in))).await;
    for page in [sign_in, register] {
        let text = html(&page);
        let (_, field) = text.split_once("<input id=\"email\"").unwrap();
        let (field, _) = field.split_once('>').unwrap();
        for attribute in ["type=\"text\"", "inputmode=\"email\"", "autocomplete=\"username\""] {
            assert!(field.contains(attribute), "{attribute}: {field}");
        }
    }
}

#[tokio::test]
async fn another_spelling_of_an_address_is_no_other_address() {
    let app = TestApp::start().await;
    let user = app.user("ann@bücher.example", PASSWORD).await;
    let path = format!("/admin/users/{}", user.id);
    let verified = json!({"emailVerified": true});
    app.admin("PATCH", &path).json(&verified).send().await;
    let spelling = json!({"email": "Ann@xn--bcher-kva.example"});
    let changed = app.admin("PATCH", &path).json(&spelling).send().await;
    assert_eq!(changed.status, 200, "{}", changed.json());
    assert_eq!(changed.json()["emailVerified"], true);
    let another = json!({"email": "ann@bucher.example"});
    let changed = app.admin("PATCH", &path).json(&another).send().await;
    assert_eq!(changed.json()["emailVerified"], false);
    assert_eq!(status(&app, "ann@bücher.example", PASSWORD).await, 400);
}

#[rstest]
#[case(NFC)]
#[case(NFD)]
#[case(WIDE)]
#[tokio::test]
async fn a_password_is_the_same_however_it_is_typed(#[case] set: &str) {
    let app = TestApp::start().await;
    let user = app.user("jörg@example.com", set).await;
    for typed in [NFC, NFD, WIDE] {
        assert_eq!(status(&app, &user.email, typed).await, 303, "{typed}");
    }
    assert_eq!(status(&app, &user.email, "passwoerd fuer joerg").await, 400);
    app.advance(1);
    set_password(&app, &user.id, "ﬁve ｗｏｒｄｓ").await;
    assert_eq!(status(&app, &user.email, "five words").await, 303);
}

#[rstest]
#[case(NFD)]
#[case(WIDE)]
#[tokio::test]
async fn a_hash_of_before_is_found_by_the_raw_form_once_and_made_anew(#[case] raw: &str) {
    let app = TestApp::start().await;
    let user = app.user("jörg@example.com", NFC).await;
    let hash = async || stored(&app, &user).await.password.unwrap().phc;
    let mut rng = identety_http::ambient::rng().unwrap();
    let old = app.hasher.hash(&raw.into(), HashCost::Chosen, &mut rng).unwrap();
    let rehashed = Rehashed { from: &hash().await, to: &old };
    app.stores.users.record_rehash(user.id.parse().unwrap(), rehashed).await.unwrap();
    assert_eq!(status(&app, &user.email, NFC).await, 400, "that is another password until then");
    assert_eq!(status(&app, &user.email, raw).await, 303);
    assert_ne!(hash().await, old);
    for typed in [NFC, NFD, WIDE] {
        assert_eq!(status(&app, &user.email, typed).await, 303, "{typed}");
    }
}

#[rstest]
#[case(NFC, 1)]
#[case(NFD, 2)]
#[case(WIDE, 2)]
#[tokio::test]
async fn the_number_of_hashes_follows_from_what_is_typed_alone(
    #[case] typed: &str,
    #[case] hashes: u64,
) {
    let app = TestApp::start().await;
    app.user("ann@example.com", PASSWORD).await;
    let disabled = app.user("bob@example.com", typed).await;
    super::steps::change_user(&app, &disabled.id, json!({"isActive": false})).await;
    for email in ["ann@example.com", "bob@example.com", "nobody@example.com", "no address"] {
        let before = app.hasher.computations();
        assert_eq!(status(&app, email, typed).await, 400);
        assert_eq!(app.hasher.computations() - before, hashes, "{email}");
    }
}

#[rstest]
#[case::zero_width_space("a\u{200b}nn")]
#[case::soft_hyphen("a\u{ad}nn")]
#[case::hangul_filler("\u{3164}")]
#[case::braille_blank("\u{2800}")]
#[case::direction("a\u{202e}nn")]
#[case::unassigned("a\u{378}nn")]
#[case::private("a\u{e000}nn")]
#[case::tag("a\u{e0061}nn")]
#[case::joiner_at_the_end("ann\u{200d}")]
#[tokio::test]
async fn what_cannot_be_seen_is_in_no_name_and_no_address(#[case] text: &str) {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let address = format!("{text}@example.com");
    let create = |members| app.admin("POST", "/admin/users").json(&members).send();
    let refused = create(json!({"email": address, "name": text, "nickname": text})).await;
    assert_eq!(refused.status, 400);
    let errors = refused.json();
    let fields: Vec<_> =
        errors["errors"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["email", "name", "nickname"]);
    let mut browser = app.browser();
    let page = sign_in_page(&mut browser, &client, &[]).await;
    let page = browser.get(&format!("/register?transaction={}", transaction(&page))).await;
    let fields = [("email", address.as_str()), ("name", text), ("password", PASSWORD)];
    let refused = browser.submit_once(&page, &fields).await;
    check_page(&refused, 400);
    for id in ["email-error", "name-error"] {
        assert!(html(&refused).contains(&format!("id=\"{id}\"")), "{id}: {}", html(&refused));
    }
    let named = json!({"name": text, "type": "m2m"});
    assert_eq!(app.admin("POST", "/admin/clients").json(&named).send().await.status, 400);
    assert_eq!(app.stores.users.count().await.unwrap(), 0);
}

#[rstest]
#[case("می\u{200c}خواهم")]
#[case("👩\u{200d}🔬")]
#[case("👩🏽\u{200d}⚕\u{fe0f} Ada")]
#[case("山田\u{3000}太郎")]
#[case("Jo\u{308}rg")]
#[tokio::test]
async fn names_are_written_as_their_script_has_it(#[case] name: &str) {
    let app = TestApp::start().await;
    let members = json!({"email": "ann@example.com", "name": name});
    let answer = app.admin("POST", "/admin/users").json(&members).send().await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.text("name"), name);
}
