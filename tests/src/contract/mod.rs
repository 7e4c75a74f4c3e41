//! What every implementation of the stores keeps to, whatever DynamoDB is behind it: one function for
//! each sentence of the traits' documentation. [`each_sentence!`](crate::each_sentence) names them all.

pub mod clients;
pub mod consents;
pub mod corrupt;
mod fixtures;
pub mod keys;
pub mod limits;
pub mod lists;
pub mod races;
pub mod secrets;
pub mod users;

pub use identety::app::Stores;
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
            users::a_created_user_is_found_by_its_id_and_by_its_email
            users::an_email_is_found_whatever_its_case
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
            users::users_are_listed_and_counted_and_nothing_else_is
            consents::who_was_never_asked_has_consented_to_nothing
            consents::consents_add_up
            consents::a_consent_to_an_empty_scope_is_one
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
            races::a_hundred_failures_at_once_are_all_counted
            races::updates_and_uses_of_a_secret_at_once_lose_nothing
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
            corrupt::a_counter_beyond_counting_is_an_error
            corrupt::a_member_that_this_version_does_not_know_does_not_matter
        }
    };
}
