//! The program `identety`.

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
#[cfg(feature = "aws")]
use identety::bootstrap;
#[cfg(not(feature = "aws"))]
use identety::without_aws as bootstrap;
use identety::{keys, serve};

/// An OAuth 2.1 authorization server: on this machine, or in your AWS account.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the whole server on this machine, with its data in a folder.
    Serve(serve::Options),
    /// Makes the first administrator of a deployed stack, with AWS credentials that may write its clients.
    Bootstrap(bootstrap::Options),
    /// Lists the keys that sign tokens, and replaces them in an emergency.
    Keys(keys::Options),
}

fn main() -> ExitCode {
    let done: Result<(), Box<dyn Error>> = match Arguments::parse().command {
        Command::Serve(options) => serve::run(options).map_err(Into::into),
        Command::Bootstrap(options) => bootstrap::run(&options).map_err(Into::into),
        Command::Keys(options) => keys::run(&options).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("identety: {error}");
            ExitCode::FAILURE
        }
    }
}
