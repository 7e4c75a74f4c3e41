//! What the certification of OpenID providers checks, one test for each of its modules that apply, so that
//! an outside run of it finds nothing new.

mod back_channel;
mod front_channel;
