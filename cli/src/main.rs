//! The program `identety`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use identety::serve;

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
}

fn main() -> ExitCode {
    let Command::Serve(options) = Arguments::parse().command;
    match serve::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("identety: {error}");
            ExitCode::FAILURE
        }
    }
}
