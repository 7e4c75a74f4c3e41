//! What becomes of requests when something beneath the server fails. Each file has one kind of failure, or one
//! kind of caller that notices it:
//!
//! | file | what fails | what the tests look at |
//! |---|---|---|
//! | [`dynamodb`] | DynamoDB, in each way that it documents | every endpoint, and how often it asked |
//! | [`unreadable_items`] | an item is not as the server has written it | every attribute of every kind of item |
//! | [`lost_answers`] | a write is done and its answer is lost | each store by itself: the SDK's repetition |
//! | [`back_channel`] | one verb of a store | machines: tokens, introspection, revocation, administration |
//! | [`sign_in`] | one verb of a store | browsers: sign-in, consent, sign-out |
//! | [`lambda`] | Lambda kills or freezes a function; KMS refuses | the real binaries |
//! | [`chaos`] | any request, in any way, at any time | ledgers of all that was acknowledged |
//!
//! The failures themselves are [`identety_tests::faults`]; [`verbs`] names them in the words of the stores.

mod back_channel;
mod chaos;
mod dynamodb;
mod lambda;
mod lost_answers;
mod sign_in;
mod unreadable_items;
pub(crate) mod verbs;
