//! `infra/template.yaml` against the code: every route has a handler, every handler a route.

use http::Method;
use identety_tests::app::TestApp;
use identety_tests::deployment::template;
use identety_tests::lambda::Routes;

/// Each path of the server, and the package that answers it.
const PATHS: [(&str, &str); 22] = [
    ("/.well-known/openid-configuration", "token"),
    ("/.well-known/oauth-authorization-server", "token"),
    ("/.well-known/jwks.json", "token"),
    ("/oauth2/token", "token"),
    ("/oauth2/revoke", "token"),
    ("/oauth2/introspect", "token"),
    ("/oauth2/userinfo", "token"),
    ("/oauth2/authorize", "authorize"),
    ("/oauth2/logout", "authorize"),
    ("/signin", "authorize"),
    ("/register", "authorize"),
    ("/consent", "authorize"),
    ("/signout", "authorize"),
    ("/style.css", "authorize"),
    ("/form_post.js", "authorize"),
    ("/admin/clients", "client-admin"),
    ("/admin/clients/1", "client-admin"),
    ("/admin/clients/1/secrets", "client-admin"),
    ("/admin/clients/1/secrets/2", "client-admin"),
    ("/admin/users", "client-admin"),
    ("/admin/users/1", "client-admin"),
    ("/admin/users/1/password", "client-admin"),
];

#[test]
fn every_path_of_the_server_has_a_route_of_its_own_for_every_method() {
    let routes = Routes::from_template(&template()).unwrap();
    for (path, package) in PATHS {
        for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            let matched = routes.choose(&method, path).unwrap();
            assert!(!matched.is_default(), "{method} {path}");
            assert!(!matched.route_key.contains("proxy+"), "{method} {path}");
            assert_eq!(matched.package, package, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_route_of_the_template_has_a_handler() {
    let app = TestApp::start().await;
    let routes = Routes::from_template(&template()).unwrap();
    for key in routes.route_keys() {
        let Some((_, path)) = key.split_once(' ') else {
            assert_eq!(key, "$default");
            continue;
        };
        if path == "/admin" || path.contains("proxy+") {
            // There so that strangers hear 401 everywhere below.
            assert_eq!(app.server.get("/admin").send().await.status, 401);
            continue;
        }
        // A handler refuses the method, a missing one the path.
        let path = path.replace("{id}", "1").replace("{secretId}", "2");
        let answer = app.admin("TRACE", &path).send().await;
        assert_eq!(answer.status, 405, "{key}");
    }
}
