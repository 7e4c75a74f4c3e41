//! What holds for every page.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use identety_domain::Scope;
use identety_domain::client::Destination;
use identety_http::edge;
use rstest::rstest;
use tower::ServiceExt as _;

use super::*;

const BASE: &str = "https://login.example.com";

/// What a page must not take for its own markup.
const HOSTILE: &str = r#"<script>alert("1")</script>"'&<img src=x onerror=alert(2) style=x>"#;

fn client(text: &str) -> ClientView<'_> {
    let uri = Some(text);
    ClientView { name: text, client_uri: uri, logo_uri: uri, policy_uri: uri, tos_uri: uri }
}

/// The ids of the page to register on, with every error that it can show.
const REGISTER_WITH_ERRORS: [&str; 9] = [
    "error",
    "email-error",
    "email",
    "name-error",
    "name",
    "password-rule",
    "password-error",
    "password",
    "submit",
];

/// The page to consent on, with `text` in every place that it has.
fn consent<'a>(client: &'a ClientView<'a>, text: &'a str, resources: &'a [String]) -> Consent<'a> {
    let scopes =
        vec![ScopeView { name: text, text: None }, ScopeView { name: "", text: Some(text) }];
    Consent {
        base: BASE,
        client,
        user_email: text,
        transaction: text,
        csrf: text,
        scopes,
        resources,
        destination: Destination::Server(text),
    }
}

/// Every page, with `text` in every place that it has, and the ids in the order of the document.
fn pages(text: &str) -> Vec<(&'static str, String, Vec<&'static str>)> {
    let client = &client(text);
    let (base, transaction, csrf, email) = (BASE, text, text, text);
    let errors = RegisterErrors {
        form: Some(text),
        email: Some(text),
        name: Some(text),
        password: Some(text),
    };
    let sign_in =
        SignIn { base, client, transaction, csrf, email, error: None, can_register: true };
    let register = Register {
        base,
        client,
        transaction,
        csrf,
        email,
        name: text,
        password_rule: text,
        errors: RegisterErrors::default(),
    };
    let resources = [text.to_owned()];
    let consent = consent(client, text, &resources);
    let sign_out = SignOut { base, user_email: Some(text), csrf, hidden: vec![(text, text)] };
    let notice = Notice { base, title: text, text, what_to_do: text, request_id: Some(text) };
    let form_post = FormPost { base, action: text, fields: &[(text, text), (text, text)] };

    let html = |page: &dyn askama::DynTemplate| page.dyn_render().unwrap();
    vec![
        ("sign_in", html(&sign_in), vec!["email", "password", "submit"]),
        (
            "sign_in with an error",
            html(&SignIn { error: Some(text), ..sign_in }),
            vec!["error", "email", "password", "submit"],
        ),
        ("register", html(&register), vec!["email", "name", "password-rule", "password", "submit"]),
        (
            "register with errors",
            html(&Register { errors, ..register }),
            REGISTER_WITH_ERRORS.to_vec(),
        ),
        ("consent", html(&consent), vec!["resources", "destination", "allow", "deny"]),
        ("sign_out", html(&sign_out), vec!["signout"]),
        (
            "sign_out when it has expired",
            html(&SignOut { user_email: None, ..sign_out }),
            vec!["signout"],
        ),
        ("signed_out", html(&SignedOut { base }), vec![]),
        ("notice", html(&notice), vec![]),
        ("form_post", html(&form_post), vec![]),
    ]
}

/// The tags of a document, closing ones left out: `form method="post" action="…"`. Right for pages in
/// which no value has a `<` or a `>`, which is what the tests are about.
fn tags(html: &str) -> Vec<&str> {
    let opened = html.split('<').skip(1);
    opened.filter_map(|rest| rest.split('>').next()).filter(|tag| !tag.starts_with('/')).collect()
}

/// The names and values of a tag's attributes.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let (_, rest) = tag.split_once(' ').unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = rest.trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(quoted) => quoted.split_once('"').unwrap(),
            None => ("", after),
        };
        found.push((name, value));
        rest = after.trim_start();
    }
    found
}

fn values<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let all = tags(html).into_iter().flat_map(attributes);
    all.filter(|(own, _)| *own == name).map(|(_, value)| value).collect()
}

/// The text as HTML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[test]
fn no_text_becomes_markup() {
    for ((page, harmless, _), (_, hostile, _)) in pages("harmless").iter().zip(pages(HOSTILE)) {
        assert!(!hostile.contains(HOSTILE), "{page}");
        // Only that page is given no text of anybody.
        assert_eq!(hostile.contains(&escaped(HOSTILE)), *page != "signed_out", "{page}");
        let names = |html: &str| -> Vec<Vec<String>> {
            let names = |tag| attributes(tag).into_iter().map(|(name, _)| name.to_owned());
            let element = |tag: &str| tag.split(' ').next().unwrap_or_default().to_owned();
            tags(html)
                .into_iter()
                .map(|tag| [element(tag)].into_iter().chain(names(tag)).collect())
                .collect()
        };
        assert_eq!(names(&hostile), names(harmless), "{page}");
    }
}

#[test]
fn the_form_that_posts_itself_carries_every_value_as_it_is() {
    let fields = &[("state", HOSTILE), ("code", "a+b c")];
    let page = FormPost { base: BASE, action: "https://app.example.com/cb?a=1&b=2", fields };
    let html = askama::Template::render(&page).unwrap();
    assert_eq!(values(&html, "action"), ["https://app.example.com/cb?a=1&#38;b=2"]);
    assert_eq!(values(&html, "name")[3..], ["state", "code"]);
    assert_eq!(values(&html, "value"), [escaped(HOSTILE).as_str(), "a+b c"]);
}

#[test]
fn each_page_has_the_ids_that_it_promises_and_no_other() {
    for (page, html, ids) in pages("text") {
        assert_eq!(values(&html, "id"), ids, "{page}");
    }
}

#[test]
fn no_page_has_styles_or_scripts_of_its_own() {
    for (page, html, _) in pages("text") {
        for tag in tags(&html) {
            for (name, _) in attributes(tag) {
                assert!(name != "style" && !name.starts_with("on"), "{page}: {tag}");
            }
            let loads = tag == r#"script src="https://login.example.com/form_post.js" defer"#;
            assert!(loads == tag.starts_with("script"), "{page}: {tag}");
            assert!(!tag.starts_with("style"), "{page}");
        }
        let scripts = tags(&html).into_iter().filter(|tag| tag.starts_with("script")).count();
        assert_eq!(scripts, usize::from(page == "form_post"), "{page}");
    }
}

#[test]
fn each_page_says_what_it_is() {
    for (page, html, _) in pages("text") {
        let count = |what: &str| {
            tags(&html).iter().filter(|tag| tag.split(' ').next() == Some(what)).count()
        };
        assert_eq!((count("h1"), count("main"), count("title")), (1, 1, 1), "{page}");
        assert!(tags(&html).contains(&r#"html lang="en""#), "{page}");
        assert!(!html.contains("<title></title>"), "{page}");
    }
}

#[test]
fn each_field_has_its_label_and_each_description_is_there() {
    for (page, html, ids) in pages("text") {
        let labels = values(&html, "for");
        for tag in tags(&html) {
            let attributes = attributes(tag);
            let value =
                |name| attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
            if tag.starts_with("input") && value("type") != Some("hidden") {
                assert!(value("id").is_some_and(|id| labels.contains(&id)), "{page}: {tag}");
            }
            for described in value("aria-describedby").unwrap_or_default().split_whitespace() {
                assert!(ids.contains(&described), "{page}: {tag}");
            }
        }
    }
}

#[rstest]
#[case("", "email")]
#[case("ada@example.com", "password")]
fn the_first_empty_field_of_the_sign_in_is_ready_to_be_typed_in(
    #[case] email: &str,
    #[case] field: &str,
) {
    let page = SignIn {
        base: BASE,
        client: &client("text"),
        transaction: "t",
        csrf: "c",
        email,
        error: None,
        can_register: false,
    };
    let html = askama::Template::render(&page).unwrap();
    let focused: Vec<_> =
        tags(&html).into_iter().filter(|tag| tag.ends_with("autofocus")).collect();
    assert_eq!(focused.len(), 1);
    assert!(focused[0].starts_with(&format!(r#"input id="{field}""#)));
    assert!(!html.contains("/register"));
}

#[test]
fn standard_scopes_are_in_words_and_others_by_name() {
    let scope =
        Scope::parse("openid profile email address phone offline_access orders:read").unwrap();
    let views: Vec<_> = scope.iter().map(ScopeView::from).collect();
    let texts: Vec<_> = views.iter().filter_map(|view| view.text).collect();
    assert_eq!(texts.len(), 6);
    assert_eq!(views.last(), Some(&ScopeView { name: "orders:read", text: None }));
    let consent = Consent {
        base: BASE,
        client: &client("text"),
        user_email: "ada@example.com",
        transaction: "t",
        csrf: "c",
        scopes: views,
        resources: &[],
        destination: Destination::Server("bookshop.example"),
    };
    let html = askama::Template::render(&consent).unwrap();
    for text in texts {
        assert!(html.contains(&format!("<li>{text}</li>")));
    }
    assert_eq!(html.matches("<code>").count(), 1);
    assert!(html.contains("<code>orders:read</code>"));
}

/// What the edge answers when a handler responds with `page`.
async fn answer(
    page: impl Page + Send + Sync + 'static,
    targets: &'static [&'static str],
) -> (StatusCode, HeaderMap, String) {
    let page = Arc::new(page);
    let handler =
        move || std::future::ready(respond(StatusCode::BAD_REQUEST, &*page, targets).unwrap());
    let app =
        edge::finish(Router::new().route("/", get(handler)), Arc::new(identety_http::ambient::now));
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    (head.status, head.headers, String::from_utf8(body).unwrap())
}

const CONSENT: Consent<'_> = Consent {
    base: BASE,
    client: &ClientView {
        name: "Bookshop",
        client_uri: None,
        logo_uri: Some("https://cdn.example.net/logo.svg"),
        policy_uri: None,
        tos_uri: None,
    },
    user_email: "ada@example.com",
    transaction: "t",
    csrf: "c",
    scopes: Vec::new(),
    resources: &[],
    destination: Destination::Server("bookshop.example"),
};

#[tokio::test]
async fn a_page_comes_with_the_headers_that_guard_it() {
    let (status, headers, body) = answer(CONSENT, &["https://app.example.com/cb?x=1"]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.starts_with("<!DOCTYPE html>"));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self' https://cdn.example.net; \
             form-action 'self' https://app.example.com; frame-ancestors 'none'; base-uri 'none'",
        ),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(!headers.contains_key("cross-origin-opener-policy"));
    assert!(!headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn only_the_page_that_posts_itself_may_run_a_script_and_it_may_go_where_its_form_goes() {
    let page = FormPost { base: BASE, action: "https://app.example.com/cb", fields: &[] };
    let (_, headers, _) = answer(page, &["https://app.example.com/cb"]).await;
    assert_eq!(
        headers["content-security-policy"],
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
         form-action 'self' https://app.example.com; frame-ancestors 'none'; base-uri 'none'"
    );
}

#[rstest]
#[case::style(style, "text/css; charset=utf-8")]
#[case::form_post_script(form_post_script, "text/javascript; charset=utf-8")]
#[tokio::test]
async fn a_file_may_be_kept_for_an_hour_and_is_not_sent_again_to_whoever_has_it(
    #[case] file: fn(&HeaderMap) -> axum::response::Response,
    #[case] media_type: &str,
) {
    let first = file(&HeaderMap::new());
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()["content-type"], media_type);
    assert_eq!(first.headers()["cache-control"], "public, max-age=3600");
    assert!(!first.headers().contains_key("access-control-allow-origin"));
    let etag = first.headers()["etag"].clone();
    assert!(!first.into_body().collect().await.unwrap().to_bytes().is_empty());

    let again = file(&HeaderMap::from_iter([(http::header::IF_NONE_MATCH, etag.clone())]));
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.headers()["etag"], etag);
    assert!(again.into_body().collect().await.unwrap().to_bytes().is_empty());
}
