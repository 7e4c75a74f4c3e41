//! What a build without the feature `aws` says in the place of its AWS commands.

use clap::Args;

/// The options of a command that needs AWS: this build reads none of them.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    given: Vec<String>,
}

/// This build has no AWS commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this build has no AWS commands, as `make run` leaves them out; `cargo build --locked --release -p identety` makes \
     target/release/identety, which has them"
)]
pub struct NoAws;

/// Says that this build cannot do it, whatever the options are.
///
/// # Errors
/// Always.
pub fn run(options: &Options) -> Result<(), NoAws> {
    let Options { given: _ } = options;
    Err(NoAws)
}
