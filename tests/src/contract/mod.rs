//! What every implementation of the stores keeps to, whatever DynamoDB is behind it: one function for
//! each sentence of the traits' documentation. [`each_sentence!`](crate::each_sentence) names them all.

pub mod attempts;
pub mod clients;
pub mod consents;
pub mod corrupt;
mod fixtures;
pub mod grant_corrupt;
mod grant_fixtures;
pub mod grant_layouts;
pub mod grant_races;
pub mod grants;
pub mod keys;
pub mod layouts;
pub mod limits;
pub mod links;
pub mod lists;
pub mod races;
pub mod secrets;
pub mod sessions;
pub mod transactions;
pub mod users;

pub use identety_domain::store::Stores;
use identety_dynamodb::Tables;
use identety_dynamodb::sdk::Client as DynamoDb;

/// The way past the stores, to put into a table what no store writes.
#[derive(Clone)]
pub struct Raw {
    /// The DynamoDB behind the stores.
    pub dynamo: DynamoDb,
    /// Their tables.
    pub tables: Tables,
}

/// `each_sentence!(m)` is `m! { clients::… lists::… }`: the functions that take the [`Stores`].
#[macro_export]
macro_rules! each_sentence {
    ($with:ident) => {
        $with! {
            clients::a_created_client_is_found_by_its_client_id_and_by_its_id
            clients::every_member_of_a_client_comes_back_as_it_was
            clients::a_client_that_is_not_there_is_not_found
            clients::a_client_id_may_have_every_character_that_oauth_allows
            clients::where_the_client_id_is_taken_nothing_is_created
            clients::an_update_writes_metadata_version_and_time
            clients::an_update_adds_changes_and_removes_secrets
            clients::an_update_from_an_old_version_changes_nothing
            clients::an_update_of_a_client_that_is_gone_creates_nothing
            clients::an_update_leaves_the_next_holder_of_the_client_id_alone
            clients::an_update_undoes_no_use_of_a_secret_recorded_meanwhile
            clients::an_update_undoes_no_new_hash_recorded_meanwhile
            clients::an_update_that_gives_a_secret_an_end_undoes_nothing_else_of_it
            clients::an_update_can_take_the_end_of_a_secret_away
            clients::a_deletion_takes_the_client_and_its_id_away
            clients::a_deletion_from_an_old_version_changes_nothing
            clients::a_deletion_of_a_client_that_is_gone_is_a_conflict
            clients::a_deletion_leaves_the_next_holder_of_the_client_id_alone
            lists::a_list_begins_with_the_newest_client
            lists::a_list_may_begin_with_the_oldest_client
            lists::a_list_goes_on_behind_a_client
            lists::a_list_goes_on_behind_a_client_that_is_gone
            lists::a_list_goes_on_behind_a_number_of_clients
            lists::behind_its_end_a_list_is_empty
            lists::a_list_says_exactly_whether_there_is_more
            lists::a_list_of_at_most_no_clients_is_empty
            lists::a_store_without_clients_has_an_empty_list
            lists::more_than_a_hundred_clients_are_listed_without_loss_or_repetition
            lists::what_is_no_client_is_neither_listed_nor_counted
            secrets::the_use_of_a_secret_is_recorded_and_changes_no_version
            secrets::an_earlier_use_does_not_replace_a_later_one
            secrets::the_use_of_a_secret_that_is_gone_creates_nothing
            secrets::the_use_of_a_secret_of_a_client_that_is_gone_creates_nothing
            secrets::a_new_hash_replaces_the_old_one
            secrets::a_new_hash_is_dropped_where_another_one_is_stored
            secrets::a_new_hash_is_kept_though_a_later_use_is_on_record
            secrets::a_new_hash_of_a_secret_that_is_gone_creates_nothing
            secrets::at_first_there_is_no_api_key
            secrets::the_api_key_takes_the_place_of_any_other
            secrets::a_first_api_key_takes_the_place_of_none
            users::a_created_user_is_found_by_its_id_and_by_its_email
            users::an_email_is_found_whatever_its_case
            users::an_email_is_found_in_every_form_in_which_it_can_be_written
            users::an_email_may_have_every_length_that_mail_allows
            users::a_user_that_is_not_there_is_not_found
            users::where_the_email_is_taken_no_user_is_created
            users::an_update_writes_all_that_a_user_has
            users::an_update_frees_the_old_email_and_takes_the_new_one
            users::an_update_may_change_the_case_of_an_email_alone
            users::an_update_to_an_email_that_is_taken_changes_nothing
            users::an_update_of_a_user_from_an_old_version_changes_nothing
            users::an_update_of_a_user_that_is_gone_creates_nothing
            users::a_deletion_takes_the_user_and_its_email_away
            users::a_deletion_of_a_user_from_an_old_version_changes_nothing
            users::a_deletion_of_a_user_that_is_gone_is_a_conflict
            users::a_new_hash_of_a_password_replaces_the_old_one_and_changes_no_version
            users::a_new_hash_of_a_user_that_is_gone_creates_nothing
            users::a_browser_that_is_remembered_is_known_and_changes_no_version
            users::the_oldest_browsers_are_displaced
            users::no_browser_is_remembered_after_another_password_or_the_end_of_the_user
            users::an_update_leaves_the_known_browsers_and_another_password_replaces_them
            users::a_browser_that_is_forgotten_is_known_no_more_and_the_others_are
            users::users_are_listed_and_counted_and_nothing_else_is
            consents::who_was_never_asked_has_consented_to_nothing
            consents::consents_add_up
            consents::claims_add_up_beside_the_scope_and_are_not_taken_for_one
            consents::a_consent_to_an_empty_scope_is_one
            consents::a_consent_is_for_the_resources_that_were_named_with_it
            consents::a_consent_to_an_empty_scope_at_a_resource_is_one
            consents::a_consent_that_is_withdrawn_covers_nothing_and_has_another_generation
            consents::a_consent_is_of_one_user_to_one_client
            consents::all_consents_of_a_user_are_forgotten_and_no_others
            limits::failures_are_counted_from_one
            limits::under_another_key_counting_starts_anew
            keys::at_first_there_are_no_keys
            keys::rings_and_wrapped_key_come_back_as_they_were
            keys::a_first_ring_is_written_only_where_there_is_none
            keys::a_ring_is_written_only_after_the_one_before
            keys::the_rings_of_two_algorithms_do_not_touch_each_other
            keys::the_wrapped_key_is_written_once
            grants::every_member_of_a_grant_comes_back_as_it_was
            grants::a_grant_that_is_not_there_is_not_found
            grants::a_grant_is_created_only_where_there_is_none
            grants::a_redeemed_code_gives_the_first_generation
            grants::a_code_is_redeemed_once
            grants::a_redemption_repeated_with_its_id_is_the_same
            grants::the_code_of_no_grant_is_refused_and_creates_none
            grants::the_code_of_a_grant_that_has_ended_is_refused
            grants::a_rotation_moves_the_generation_on_by_one
            grants::a_rotation_of_another_generation_shows_the_grant
            grants::a_rotation_before_the_code_is_used_is_refused
            grants::a_rotation_of_no_grant_is_refused_and_creates_none
            grants::a_rotation_after_the_end_of_the_grant_is_refused
            grants::nothing_comes_after_the_last_generation
            grants::a_grant_ends_once_and_keeps_the_rest
            grants::the_end_of_no_grant_creates_none
            grants::what_happens_to_a_grant_leaves_others_alone
            sessions::every_member_of_a_session_comes_back_as_it_was
            sessions::a_session_that_is_not_there_is_not_found
            sessions::a_session_in_use_notes_when
            sessions::an_earlier_use_of_a_session_does_not_replace_a_later_one
            sessions::the_use_of_a_session_that_is_not_there_creates_none
            sessions::a_session_that_ends_notes_when_and_no_other_does
            sessions::the_end_of_a_session_that_is_not_there_creates_none
            sessions::who_has_signed_out_of_a_session_has_signed_out_of_no_other
            sessions::the_end_of_a_session_alone_is_no_sign_out
            sessions::the_sessions_of_a_user_are_listed_piece_by_piece
            grants::the_grants_of_a_user_are_listed_piece_by_piece
            transactions::every_member_of_a_transaction_comes_back_as_it_was
            transactions::a_transaction_that_is_not_there_is_not_found
            transactions::a_transaction_is_denied_and_no_other
            transactions::the_answer_to_no_transaction_creates_none
            transactions::a_transaction_records_which_grant_answers_it
            transactions::a_used_code_is_the_last_answer_to_its_transaction
            transactions::a_denial_ends_an_unused_code
            attempts::attempts_are_counted_below_the_limit
            attempts::under_another_key_attempts_are_counted_anew
            attempts::where_no_attempt_is_allowed_none_is_counted
            attempts::an_attempt_waits_for_the_pause_after_the_last_one
            attempts::a_counter_that_was_left_alone_for_long_enough_counts_anew
            attempts::an_attempt_that_is_taken_back_does_not_count
            attempts::where_nothing_counts_nothing_is_taken_back
            attempts::attempts_that_are_cleared_do_not_count_and_no_reset_is_lost
            attempts::a_reset_starts_a_counter_anew_whether_or_not_there_is_one
            links::a_link_comes_back_as_it_was_until_it_is_used
            links::a_link_is_used_once_and_the_same_use_may_be_repeated
            links::a_link_that_is_over_or_not_there_is_not_used
        }
    };
}

/// The same for sentences about writers that race, which a store on a DynamoDB that is not atomic
/// cannot keep to.
#[macro_export]
macro_rules! each_race {
    ($with:ident) => {
        $with! {
            races::of_fifty_creations_of_one_client_id_one_succeeds
            races::of_fifty_updates_of_one_version_one_succeeds
            races::of_fifty_deletions_of_one_client_one_succeeds
            races::of_fifty_users_with_one_email_one_is_created
            races::of_twenty_users_that_want_one_email_one_gets_it
            races::of_fifty_updates_of_one_user_one_succeeds
            races::fifty_consents_at_once_are_all_kept
            races::of_twenty_rotations_of_one_ring_one_succeeds
            races::of_twenty_wrapped_keys_one_is_written
            races::of_twenty_first_api_keys_one_is_written
            races::a_hundred_failures_at_once_are_all_counted
            races::updates_and_uses_of_a_secret_at_once_lose_nothing
        }
    };
}

/// The same for races that are repeated, since a race may be won by chance: they take a number of rounds
/// too.
#[macro_export]
macro_rules! each_repeated_race {
    ($with:ident) => {
        $with! {
            grant_races::of_fifty_creations_of_one_grant_one_succeeds
            grant_races::of_a_hundred_redemptions_of_one_code_one_succeeds
            grant_races::of_fifty_rotations_of_one_generation_one_succeeds
            grant_races::no_code_is_redeemed_after_its_grant_has_ended
            grant_races::no_token_is_rotated_after_its_grant_has_ended
            grant_races::of_two_hundred_attempts_as_many_count_as_may
            grant_races::of_fifty_attempts_in_one_pause_one_counts
            grant_races::of_fifty_first_attempts_after_a_long_time_as_many_count_as_may
            grant_races::of_fifty_browsers_one_uses_a_link
            grant_races::attempts_taken_back_at_once_never_count_below_none
        }
    };
}

/// The same for sentences about what no store writes: they take a [`Raw`] too.
#[macro_export]
macro_rules! each_corruption {
    ($with:ident) => {
        $with! {
            corrupt::a_client_that_cannot_be_read_is_an_error
            corrupt::a_client_that_cannot_be_read_spoils_a_list
            corrupt::a_pointer_that_cannot_be_read_is_an_error
            corrupt::a_pointer_to_nothing_finds_nothing
            corrupt::a_user_that_cannot_be_read_is_an_error
            corrupt::the_pointer_of_an_email_that_cannot_be_read_is_an_error
            corrupt::the_pointer_of_an_email_to_nothing_finds_nothing
            corrupt::a_consent_that_cannot_be_read_is_an_error
            corrupt::an_api_key_that_cannot_be_read_is_an_error
            corrupt::a_ring_that_cannot_be_read_is_an_error
            corrupt::a_wrapped_key_that_cannot_be_read_is_an_error
            corrupt::a_counter_that_cannot_be_read_is_an_error
            grant_corrupt::a_grant_that_cannot_be_read_is_an_error
            grant_corrupt::a_redemption_of_what_cannot_be_read_is_an_error
            grant_corrupt::a_grant_that_is_half_redeemed_is_an_error
            grant_corrupt::a_redemption_on_record_is_no_member_of_the_grant
            grant_corrupt::a_session_that_cannot_be_read_is_an_error
            grant_corrupt::a_sign_out_that_cannot_be_read_is_an_error
            grant_corrupt::a_transaction_that_cannot_be_read_is_an_error
            grant_corrupt::a_link_that_cannot_be_read_is_an_error
            grant_corrupt::a_counter_of_attempts_that_cannot_be_read_is_an_error
        }
    };
}

/// The same for sentences about two releases that work on the same items, as in a canary deployment and
/// after a roll-back: they take a [`Raw`] too, and do with it what the next release does.
#[macro_export]
macro_rules! each_layout {
    ($with:ident) => {
        $with! {
            layouts::every_kind_of_item_is_made_in_this_layout_with_these_members
            layouts::a_client_of_the_next_layout_keeps_what_this_release_does_not_know
            layouts::changes_of_two_releases_to_one_client_do_not_undo_each_other
            layouts::a_client_of_the_next_layout_is_deleted_whole
            layouts::items_of_before_there_were_claims_are_read_without_them
            layouts::a_user_of_the_next_layout_keeps_what_this_release_does_not_know
            layouts::a_browser_is_remembered_in_a_user_of_before_browsers_were_known
            layouts::a_new_email_keeps_what_this_release_does_not_know_of_the_user
            layouts::a_user_of_the_next_layout_is_deleted_whole
            layouts::a_consent_of_the_next_layout_keeps_what_this_release_does_not_know
            layouts::an_api_key_of_the_next_layout_keeps_what_this_release_does_not_know
            layouts::a_ring_of_the_next_layout_keeps_what_this_release_does_not_know
            layouts::a_key_that_leaves_the_ring_takes_its_members_along
            layouts::a_wrapped_key_of_the_next_layout_is_read
            grant_layouts::a_grant_of_the_next_layout_keeps_what_this_release_does_not_know
            grant_layouts::a_session_of_the_next_layout_keeps_what_this_release_does_not_know
            grant_layouts::a_sign_out_of_the_next_layout_keeps_what_this_release_does_not_know
            grant_layouts::a_transaction_of_the_next_layout_keeps_what_this_release_does_not_know
            grant_layouts::a_link_of_the_next_layout_keeps_what_this_release_does_not_know
            grant_layouts::counters_of_the_next_layout_keep_what_this_release_does_not_know
        }
    };
}
