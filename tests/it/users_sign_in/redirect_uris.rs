//! Redirect URIs: the registered ones and, on loopback, their ports; nothing that resembles them.

use identety_tests::app::TestApp;
use identety_tests::browser::html;
use identety_tests::sign_in::{authorize_path, request};
use serde_json::json;

use super::steps::{check_page, count};

/// What people have tried elsewhere. The client has `https://app.example.com/callback?a=1`,
/// `https://app.example.com/callback` and `com.example.app:/callback`.
const UNREGISTERED: [&str; 92] = [
    // Case.
    "HTTPS://app.example.com/callback",
    "https://APP.example.com/callback",
    "https://app.example.com/Callback",
    "https://app.example.com/callback?A=1",
    "COM.example.app:/callback",
    // Path.
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/callback/",
    "https://app.example.com//callback",
    "https://app.example.com/callback/more",
    "https://app.example.com/callbackmore",
    "https://app.example.com/callbac",
    "https://app.example.com/callback/../evil",
    "https://app.example.com/evil/../callback",
    "https://app.example.com/callback/..",
    "https://app.example.com/callback/.",
    "https://app.example.com/./callback",
    "https://app.example.com/callback/%2e%2e/evil",
    "https://app.example.com/%2e%2e/callback",
    "https://app.example.com/callback%2f..%2fevil",
    "https://app.example.com/callback/%252e%252e/evil",
    "https://app.example.com/callback/..;/evil",
    "https://app.example.com/callback;evil",
    "https://app.example.com/%63allback",
    "https://app.example.com/callback%20",
    "https://app.example.com/callback%00",
    "https://app.example.com/callback%0d%0aSet-Cookie:x",
    "https://app.example.com/callback/*",
    "https://app.example.com/*",
    "https://app.example.com/callback,https://evil.example",
    "https://app.example.com/callback https://evil.example",
    // Port and scheme.
    "https://app.example.com:443/callback",
    "https://app.example.com:8443/callback",
    "https://app.example.com:/callback",
    "https://app.example.com:0443/callback",
    "http://app.example.com/callback",
    "http://app.example.com:443/callback",
    "ftp://app.example.com/callback",
    "//app.example.com/callback",
    "https:/app.example.com/callback",
    "https:app.example.com/callback",
    "https:///app.example.com/callback",
    "app.example.com/callback",
    "/callback",
    "callback",
    // Query and fragment.
    "https://app.example.com/callback?",
    "https://app.example.com/callback?a=2",
    "https://app.example.com/callback?a=1&b=2",
    "https://app.example.com/callback?a=1&a=1",
    "https://app.example.com/callback?b=2",
    "https://app.example.com/callback?a=1&",
    "https://app.example.com/callback?a=%31",
    "https://app.example.com/callback?next=https://evil.example",
    "https://app.example.com/callback#",
    "https://app.example.com/callback#evil",
    "https://app.example.com/callback#@evil.example",
    "https://app.example.com/callback%23",
    // User information and other hosts.
    "https://user@app.example.com/callback",
    "https://user:pass@app.example.com/callback",
    "https://@app.example.com/callback",
    "https://app.example.com@evil.example/callback",
    "https://app.example.com:443@evil.example/callback",
    "https://app.example.com%40evil.example/callback",
    "https://app.example.com\\@evil.example/callback",
    "https://app.example.com\\.evil.example/callback",
    "https://evil.example\\app.example.com/callback",
    "https:\\\\app.example.com\\callback",
    "https://app.example.com/\\evil.example/callback",
    "https://evil.example/callback",
    "https://evil.example?https://app.example.com/callback",
    "https://evil.example/https://app.example.com/callback",
    "https://evil.example#https://app.example.com/callback",
    "https://app.example.com.evil.example/callback",
    "https://app.example.com.:443/callback",
    "https://app.example.com./callback",
    "https://evilapp.example.com/callback",
    "https://evil.app.example.com/callback",
    "https://app-example.com/callback",
    "https://app.example.co/callback",
    "https://example.com/callback",
    "https://app.example.com%2eevil.example/callback",
    "https://app%2eexample%2ecom/callback",
    "https://[::1]/callback",
    // Letters that look like others.
    "https://аpp.example.com/callback",
    "https://app。example。com/callback",
    "https://app.example.com／callback",
    "https://xn--pp-6kc.example.com/callback",
    "https://app.exam\u{ad}ple.com/callback",
    // Other schemes.
    "javascript:alert(1)//https://app.example.com/callback",
    "data:text/html,https://app.example.com/callback",
    "com.example.app:/callback/",
    "com.example.app://callback",
];

#[tokio::test]
async fn a_redirect_uri_that_only_resembles_a_registered_one_is_a_page_and_no_redirect() {
    let app = TestApp::start().await;
    let uris = [
        "https://app.example.com/callback?a=1",
        "https://app.example.com/callback",
        "com.example.app:/callback",
    ];
    let client = app.users_client(json!({"type": "public", "redirectUris": uris})).await;
    for uri in UNREGISTERED {
        // An error elsewhere in the request changes nothing.
        for changes in
            [vec![("redirect_uri", uri)], vec![("redirect_uri", uri), ("scope", "wrong")]]
        {
            let answer = app.browser().get(&request(&client, &changes)).await;
            check_page(&answer, 400);
            assert!(!answer.header("content-security-policy").contains("evil"), "{uri}");
        }
    }
    assert_eq!(count(&app, "TRANSACTION#"), 0);
    for uri in uris {
        let answer = app.browser().get(&request(&client, &[("redirect_uri", uri)])).await;
        assert_eq!(answer.status, 303, "{uri}");
    }
}

#[tokio::test]
async fn control_characters_and_broken_encodings_in_a_redirect_uri_are_a_page() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let other = authorize_path(&[("client_id", &client.client_id), ("response_type", "code")]);
    for tail in [
        "%00",
        "%0a",
        "%0d%0a",
        "%09",
        "%0d%0aLocation:https://evil.example",
        "%ff",
        "%c0%af",
        "%",
        "%zz",
        "%C2%85",
        "%7f",
    ] {
        for uri in [
            format!("https%3A%2F%2Fapp.example.com%2Fcallback{tail}"),
            format!("{tail}https%3A%2F%2Fapp.example.com%2Fcallback"),
        ] {
            let answer = app.browser().get(&format!("{other}&redirect_uri={uri}")).await;
            check_page(&answer, 400);
        }
    }
}

#[tokio::test]
async fn the_uri_of_another_client_is_a_page() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let theirs = "https://other.example.com/callback";
    app.users_client(json!({"type": "public", "redirectUris": [theirs]})).await;
    check_page(&app.browser().get(&request(&client, &[("redirect_uri", theirs)])).await, 400);
    // Where users go after signing out is not where codes go.
    let bye = [("redirect_uri", "https://app.example.com/bye")];
    check_page(&app.browser().get(&request(&client, &bye)).await, 400);
}

#[tokio::test]
async fn on_a_loopback_host_the_port_of_a_public_client_is_free() {
    let app = TestApp::start().await;
    let uris = ["http://127.0.0.1/cb", "http://[::1]:4000/cb", "http://localhost:3000/cb"];
    let native = app.users_client(json!({"type": "public", "redirectUris": uris})).await;
    let user = app.alice().await;
    for uri in [
        "http://127.0.0.1:49152/cb",
        "http://[::1]:49152/cb",
        "http://127.0.0.1/cb",
        "http://localhost:51234/cb",
        "http://localhost/cb",
    ] {
        let path = request(&native, &[("redirect_uri", uri)]);
        let landing = app.authorize(&mut app.browser(), &path, &user).await;
        assert!(landing.url.starts_with(&format!("{uri}?code=")), "{}", landing.url);
        // The code belongs to the very port.
        let other = [("redirect_uri", "http://127.0.0.1:49153/cb")];
        let refused = app.redeem(&native, &landing.get("code"), &other).await;
        assert_eq!(refused.outcome(), (400, "invalid_grant".into()));
        let same = [("redirect_uri", uri)];
        assert_eq!(app.redeem(&native, &landing.get("code"), &same).await.status, 200);
    }
    for uri in [
        "https://localhost:3000/cb",
        "http://LOCALHOST:3000/cb",
        "http://localhost.:3000/cb",
        "http://localhost:3000@evil.example/cb",
        "http://localhost.evil.example:3000/cb",
        "http://app.localhost:3000/cb",
        "http://127.0.0.1:49152/",
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:49152/cb#x",
        "https://127.0.0.1:49152/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1:@evil.example/cb",
        "http://x@127.0.0.1:1/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80.evil.example/cb",
        "http://127.0.0.1\\@evil.example/cb",
        "http://127.1/cb",
        "http://0x7f000001/cb",
        "http://2130706433/cb",
        "http://127.0.0.2/cb",
        "http://0.0.0.0/cb",
        "http://[0:0:0:0:0:0:0:1]:4000/cb",
        "http://[::ffff:127.0.0.1]:4000/cb",
        "http://[::1%25lo]:4000/cb",
    ] {
        check_page(&app.browser().get(&request(&native, &[("redirect_uri", uri)])).await, 400);
    }
}

#[tokio::test]
async fn the_port_of_a_private_client_is_the_registered_one() {
    let app = TestApp::start().await;
    let uris = ["http://127.0.0.1:4000/cb", "http://localhost:3000/cb"];
    let web = app.users_client(json!({"type": "private", "redirectUris": uris})).await;
    let user = app.alice().await;
    for uri in ["http://127.0.0.1:4001/cb", "http://localhost/cb", "http://localhost:3001/cb"] {
        check_page(&app.browser().get(&request(&web, &[("redirect_uri", uri)])).await, 400);
    }
    let path = request(&web, &[("redirect_uri", uris[1])]);
    let landing = app.authorize(&mut app.browser(), &path, &user).await;
    assert!(!landing.get("code").is_empty(), "{}", landing.url);
}

#[tokio::test]
async fn an_app_of_a_device_may_have_a_scheme_without_a_dot() {
    let app = TestApp::start().await;
    let own = "cursor://anysphere.cursor-retrieval/oauth/callback";
    let client = app.users_client(json!({"type": "public", "redirectUris": [own]})).await;
    let user = app.alice().await;
    let path = request(&client, &[("redirect_uri", own)]);
    let landing = app.authorize(&mut app.browser(), &path, &user).await;
    assert!(landing.url.starts_with(&format!("{own}?code=")), "{}", landing.url);
    for uri in ["CURSOR://anysphere.cursor-retrieval/oauth/callback", "cursor:", "cursor://other"] {
        check_page(&app.browser().get(&request(&client, &[("redirect_uri", uri)])).await, 400);
    }
}

#[tokio::test]
async fn the_page_says_which_uri_of_which_client_is_not_registered() {
    let app = TestApp::start().await;
    let client = app.users_client(json!({"type": "public", "name": "Bücher & Co"})).await;
    for (uri, shown) in [
        ("https://app.example/cb2", "https://app.example/cb2"),
        ("https://app.example/\"><script>", "https://app.example/%22&#62;&#60;script&#62;"),
        ("https://app.example/ Call us\u{202e}", "https://app.example/%20Call%20us%E2%80%AE"),
    ] {
        let page = app.browser().get(&request(&client, &[("redirect_uri", uri)])).await;
        check_page(&page, 400);
        let expected = format!("“{shown}” is not registered for “Bücher &#38; Co”");
        assert!(html(&page).contains(&expected), "{}", html(&page));
    }
    let long = format!("https://app.example/{}", "x".repeat(5000));
    let page = app.browser().get(&request(&client, &[("redirect_uri", &long)])).await;
    check_page(&page, 400);
    assert!(page.body.len() < 3000 && html(&page).contains("xxx...”"), "{}", html(&page));
}
