//! The endpoints beside the token endpoint where clients authenticate: the same rules, the same answers.

use identety_tests::app::{TestApp, TestClient};
use identety_tests::call::{Answer, Call};
use rstest::rstest;
use serde_json::json;

const INTROSPECT: &str = "/oauth2/introspect";
const REVOKE: &str = "/oauth2/revoke";

/// A client with a refresh token, which every call here shows.
struct Given {
    app: TestApp,
    client: TestClient,
    tokens: Answer,
    path: &'static str,
}

impl Given {
    async fn at(path: &'static str) -> Self {
        let app = TestApp::start().await;
        let client = app.private_client().await;
        let tokens = app.tokens(&client, &app.alice().await, &[]).await;
        Self { app, client, tokens, path }
    }

    /// A call with these parameters beside the token.
    fn call(&self, more: &[(&str, &str)]) -> impl Fn(Call) -> Call {
        let token = self.tokens.text("refresh_token");
        let more: Vec<_> = more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        move |call| {
            let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            call.form(&[("token", token.as_str())].into_iter().chain(more).collect::<Vec<_>>())
        }
    }

    async fn basic(&self, id: &str, secret: &str, more: &[(&str, &str)]) -> Answer {
        self.call(more)(self.app.server.post(self.path).basic(id, secret)).send().await
    }

    async fn posted(&self, id: &str, secret: &str) -> Answer {
        let credentials = [("client_id", id), ("client_secret", secret)];
        self.call(&credentials)(self.app.server.post(self.path)).send().await
    }

    /// Nobody has revoked anything.
    async fn assert_unharmed(&self) {
        self.app.assert_alive(&self.client, &self.tokens).await;
    }
}

/// Everything of an answer but what differs by design from request to request.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (answer.status, headers.collect(), answer.body.to_vec())
}

#[rstest]
#[case(INTROSPECT)]
#[case(REVOKE)]
#[tokio::test]
async fn two_mechanisms_at_once_are_invalid_request_though_each_is_right(
    #[case] path: &'static str,
) {
    let given = Given::at(path).await;
    let TestClient { client_id, secret, .. } = &given.client;
    let jwt = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for second in [
        &[("client_secret", secret.as_str())][..],
        &[("client_id", client_id), ("client_secret", secret)],
        &[("client_assertion", "x")],
        &[("client_assertion_type", jwt)],
        &[("client_assertion", "x"), ("client_assertion_type", jwt)],
        &[("client_id", "another")],
    ] {
        let answer = given.basic(client_id, secret, second).await;
        assert_eq!(answer.outcome(), (400, "invalid_request".into()), "{second:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let two = given.app.server.post(path).basic(client_id, secret).basic(client_id, secret);
    assert_eq!(given.call(&[])(two).send().await.outcome(), (400, "invalid_request".into()));
    let posted =
        [("client_id", client_id.as_str()), ("client_secret", secret), ("client_assertion", "x")];
    let answer = given.call(&posted)(given.app.server.post(path)).send().await;
    assert_eq!(answer.outcome(), (400, "invalid_request".into()));
    given.assert_unharmed().await;
}

#[rstest]
#[case(INTROSPECT)]
#[case(REVOKE)]
#[tokio::test]
async fn an_authorization_header_that_cannot_be_read_is_401(#[case] path: &'static str) {
    let given = Given::at(path).await;
    let own = [("client_id", given.client.client_id.as_str())];
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic aWQ=",         // id
        "Basic Og==",         // :
        "Basic aWQ6",         // id:
        "Basic OnNlY3JldA==", // :secret
        "Basic aWQ6JXp6",     // id:%zz
        "Basic aWQ6JTAw",     // id:%00
        "Basic aWQ6c2VjcmV0 aWQ6c2VjcmV0",
        "Basic /zo=", // not UTF-8
        "Digest username=x",
    ] {
        // The identifier of the client beside it does not help.
        for more in [&[][..], &own] {
            let call = given.app.server.post(path).header("authorization", header);
            let answer = given.call(more)(call).send().await;
            assert_eq!(answer.outcome(), (401, "invalid_client".into()), "{header}");
            assert!(answer.header("www-authenticate").starts_with("Basic"), "{header}");
        }
    }
    given.assert_unharmed().await;
}

#[rstest]
#[case(INTROSPECT)]
#[case(REVOKE)]
#[tokio::test]
async fn every_way_to_fail_looks_the_same_to_the_byte(#[case] path: &'static str) {
    let given = Given::at(path).await;
    let app = &given.app;
    let (disabled, deleted) = (app.m2m_client(&["read"]).await, app.m2m_client(&["read"]).await);
    app.change(&disabled, json!({"isActive": false})).await;
    let gone = format!("/admin/clients/{}", deleted.id);
    assert_eq!(app.admin("DELETE", &gone).send().await.status, 200);
    let public = app.public_client().await;

    let wrong = comparable(&given.basic(&given.client.client_id, "wrong", &[]).await);
    assert_eq!(wrong.0, 401);
    for (case, id, secret) in [
        ("wrong", given.client.client_id.as_str(), "wrong"),
        ("unknown", "private_AAAAAAAAAAAAAAAAAAAAAAAA", "wrong"),
        ("unknown, of another form", "somebody", "wrong"),
        ("disabled, with the right secret", &disabled.client_id, &disabled.secret),
        ("deleted, with the right secret", &deleted.client_id, &deleted.secret),
        ("public, with a secret", &public.client_id, "any"),
        ("longer than any identifier", &"x".repeat(300), "wrong"),
    ] {
        assert_eq!(comparable(&given.basic(id, secret, &[]).await), wrong, "{case}");
        assert_eq!(comparable(&given.posted(id, secret).await), wrong, "{case}, in the form");
    }
    given.assert_unharmed().await;
}

#[tokio::test]
async fn a_public_client_that_shows_a_secret_revokes_nothing_and_without_one_it_does() {
    let app = TestApp::start().await;
    let client = app.public_client().await;
    let tokens = app.tokens(&client, &app.alice().await, &[]).await;
    let token = tokens.text("refresh_token");
    let parameters =
        [("token", token.as_str()), ("client_id", &client.client_id), ("client_secret", "any")];
    let refused = app.server.post(REVOKE).form(&parameters).send().await;
    assert_eq!(refused.outcome(), (401, "invalid_client".into()));
    let refused = app.server.post(REVOKE).basic(&client.client_id, "any").form(&parameters[..1]);
    assert_eq!(refused.send().await.outcome(), (401, "invalid_client".into()));
    app.assert_alive(&client, &tokens).await;
    assert_eq!(app.revoke(&client, &token).await.status, 200);
    app.assert_dead(&client, &[&tokens]).await;
}
