//! OAuth clients and verifiers that others wrote, against the real program.

use identety_tests::outside::{agrees, agrees_in_javascript, agrees_in_python};

#[tokio::test]
async fn authlib_fetches_and_verifies_tokens() {
    agrees_in_python("clients/m2m_authlib.py").await;
}

#[tokio::test]
async fn openid_client_and_jose_discover_fetch_and_verify() {
    agrees_in_javascript("clients/m2m_openid_client.mjs").await;
}

#[tokio::test]
async fn authlib_signs_users_in() {
    agrees_in_python("clients/code_authlib.py").await;
}

#[tokio::test]
async fn openid_client_signs_users_in() {
    agrees_in_javascript("clients/code_openid_client.mjs").await;
}

#[tokio::test]
async fn auth_js_signs_users_in() {
    agrees_in_javascript("pages/auth_js.mjs").await;
}

#[tokio::test]
async fn apache_guards_pages_with_mod_auth_openidc() {
    agrees_in_javascript("pages/apache.mjs").await;
}

#[tokio::test]
async fn react_oidc_context_signs_users_in_and_renews() {
    agrees_in_javascript("pages/react.mjs").await;
}

#[tokio::test]
async fn msal_browser_signs_users_in_and_out() {
    agrees_in_javascript("pages/msal.mjs").await;
}

#[tokio::test]
async fn the_conformance_suite_of_mcp_holds() {
    agrees_in_javascript("clients/mcp/authorization.mjs").await;
}

#[tokio::test]
async fn identetys_own_sdk_manages_clients_unchanged() {
    agrees_in_python("clients/identety_sdk.py").await;
}

#[tokio::test]
async fn curl_does_what_a_person_would_do() {
    agrees("bash", "clients/curl.sh").await;
}
