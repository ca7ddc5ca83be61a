//! The commands of the binary: each reads its settings, builds the edges, drives the core and says what came of it.
//!
//! One file a command; this one is the table of contents.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this edge's medium")]

mod args;
mod bench;
mod check;
mod demo;
mod door;
mod drive;
mod health;
mod incidents;
mod load;
mod night;
mod pump;
mod replay;
mod run;
mod service;
mod settings;
mod simulate;
mod status;
mod topics;

pub use args::Cli;
pub use settings::Settings;

use args::Command;
use std::process::ExitCode;

/// Runs the command and answers how it went.
pub fn run(cli: Cli) -> ExitCode {
    match dispatch(cli) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("midan: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::Health { url } = &cli.command {
        return health::ask(url);
    }
    let settings = Settings::read(cli.config.as_deref()).map_err(anyhow::Error::msg)?;
    service::log_to(&settings.telemetry)?;
    match cli.command {
        Command::Run(args) => run::run(&settings, &args),
        Command::Demo(args) => demo::run(&settings, &args),
        Command::Simulate(args) => simulate::run(&settings, &args),
        Command::Replay(args) => replay::run(&settings, &args),
        Command::Check(args) => check::run(&settings, &args),
        Command::Door(args) => door::run(&settings, &args),
        Command::Status => status::run(&settings),
        Command::Topics { action } => topics::run(&settings, action),
        Command::Bench(args) => bench::run(&settings, &args),
        Command::Incidents(args) => incidents::run(&settings, &args),
        Command::Health { .. } => Ok(ExitCode::SUCCESS),
    }
}
