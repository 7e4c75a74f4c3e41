//! The story, from end to end.

use identety_tests::app::{ISSUER, TestApp};
use identety_tests::story;

#[tokio::test]
async fn users_sign_in_to_public_and_private_clients_and_out_again() {
    let app = TestApp::start().await;
    story::sign_in(&app.server, ISSUER, &app.api_key).await;
}
