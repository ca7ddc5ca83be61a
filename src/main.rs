//! The `midan` binary: reads the command line and hands over.

use clap::Parser;
use midan::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(Cli::parse())
}
