//! Users' sign-in in a real browser, against the real program. The stories are in `tests/pages`; their
//! pictures of every page are in `target/screenshots` afterwards.

use identety_tests::outside::agrees_in_javascript;

#[tokio::test]
async fn the_demo_app_signs_in_refreshes_and_signs_out() {
    agrees_in_javascript("pages/demo.mjs").await;
}

#[tokio::test]
async fn a_web_app_with_a_secret_signs_its_users_in() {
    agrees_in_javascript("pages/private_client.mjs").await;
}

#[tokio::test]
async fn who_denies_is_not_signed_in() {
    agrees_in_javascript("pages/deny.mjs").await;
}

#[tokio::test]
async fn a_wrong_password_tells_nothing_about_accounts() {
    agrees_in_javascript("pages/wrong_password.mjs").await;
}

#[tokio::test]
async fn strangers_lock_nobody_out_of_a_browser_that_has_signed_in_before() {
    agrees_in_javascript("pages/lock_out.mjs").await;
}

#[tokio::test]
async fn strangers_lock_no_user_out_of_a_browser_that_is_known() {
    agrees_in_javascript("pages/known_browser.mjs").await;
}

#[tokio::test]
async fn addresses_of_any_script_are_typed_into_the_page() {
    agrees_in_javascript("pages/international.mjs").await;
}

#[tokio::test]
async fn the_back_button_does_no_harm() {
    agrees_in_javascript("pages/back_button.mjs").await;
}

#[tokio::test]
async fn pressing_a_button_twice_does_no_harm() {
    agrees_in_javascript("pages/double_submit.mjs").await;
}

#[tokio::test]
async fn several_tabs_do_not_disturb_each_other() {
    agrees_in_javascript("pages/two_tabs.mjs").await;
}

#[tokio::test]
async fn five_tabs_that_start_together_all_reach_the_app() {
    agrees_in_javascript("pages/five_tabs.mjs").await;
}

#[tokio::test]
async fn a_session_ends_when_it_should() {
    agrees_in_javascript("pages/session.mjs").await;
}

#[tokio::test]
async fn cookies_are_guarded_and_bound_to_their_browser() {
    agrees_in_javascript("pages/cookies.mjs").await;
}

#[tokio::test]
async fn everything_works_without_javascript() {
    agrees_in_javascript("pages/without_javascript.mjs").await;
}

#[tokio::test]
async fn answers_are_posted_to_apps_that_ask_for_it() {
    agrees_in_javascript("pages/form_post.mjs").await;
}

#[tokio::test]
async fn an_app_may_send_its_users_on_from_its_callback_to_any_place() {
    agrees_in_javascript("pages/hops.mjs").await;
}

#[tokio::test]
async fn an_app_of_the_same_site_renews_silently_in_a_frame() {
    agrees_in_javascript("pages/silent_frame.mjs").await;
}

#[tokio::test]
async fn everything_works_with_the_keyboard_alone() {
    agrees_in_javascript("pages/keyboard.mjs").await;
}

#[tokio::test]
async fn every_page_is_accessible_and_fits_its_screen() {
    agrees_in_javascript("pages/looks.mjs").await;
}
