//! The commands of the binary: each reads its settings, builds the edges, drives the core and says what came of it.
//!
//! One file a command; this one is the table of contents.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is this edge's medium")]

#[macro_use]
mod say;

mod args;
mod bench;
mod check;
mod demo;
mod door;
mod draw;
mod drive;
mod explain;
mod health;
mod incidents;
mod ledger;
mod load;
mod model;
mod night;
mod pump;
mod reopen;
mod replay;
mod run;
mod service;
mod settings;
mod settings_faults;
mod simulate;
mod status;
mod swap;
mod terminal;
mod topics;

pub use args::Cli;
pub use settings::Settings;

use crate::log::LogError;
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
    match &cli.command {
        Command::Health { url } => return health::ask(url),
        Command::Layout { file } => return draw::layout(file),
        Command::Geojson { file } => return draw::geojson(file),
        _ => {}
    }
    let mut settings = Settings::read(cli.config.as_deref()).map_err(anyhow::Error::msg)?;
    if matches!(cli.command, Command::Demo(_)) && settings.telemetry.level == "info" {
        // The terminal shows the night itself; log lines between its lines would hide it.
        "warn".clone_into(&mut settings.telemetry.level);
    }
    service::log_to(&settings.telemetry)?;
    let uses_kafka = match &cli.command {
        Command::Demo(_) | Command::Bench(_) | Command::Incidents(_) | Command::Features(_) => false,
        Command::Replay(args) => args.kafka,
        _ => true,
    };
    let done = match cli.command {
        Command::Run(args) => run::run(&settings, &args),
        Command::Demo(args) => demo::run(&settings, &args),
        Command::Simulate(args) => simulate::run(&settings, &args),
        Command::Replay(args) => replay::run(&settings, &args),
        Command::Features(args) => replay::features(&settings, args.recording),
        Command::Model { action } => model::run(&settings, &action),
        Command::Check(args) => check::run(&settings, cli.config.as_deref(), &args),
        Command::Door(args) => door::run(&settings, &args),
        Command::Reopen(args) => reopen::run(&settings, &args),
        Command::Explain(args) => explain::run(&settings, &args),
        Command::Ledger => ledger::run(&settings),
        Command::Status => status::run(&settings),
        Command::Topics { action } => topics::run(&settings, action),
        Command::Bench(args) => bench::run(&settings, &args),
        Command::Incidents(args) => incidents::run(&settings, &args),
        Command::Health { .. } | Command::Layout { .. } | Command::Geojson { .. } => Ok(ExitCode::SUCCESS),
    };
    done.map_err(|why| if uses_kafka { naming_the_broker(why, &settings.kafka.bootstrap_servers) } else { why })
}

/// Where the log did not answer: which broker was asked.
fn naming_the_broker(why: anyhow::Error, brokers: &str) -> anyhow::Error {
    match why.downcast_ref::<LogError>() {
        Some(LogError::Setting { .. }) | None => why,
        // Who ends with it tries nothing again.
        Some(LogError::Busy { doing, detail }) => {
            anyhow::anyhow!("Kafka at {brokers} (kafka.bootstrap_servers): {doing}: {detail}; check that a broker is there and not busy, and start this again")
        }
        Some(_) => why.context(format!("Kafka at {brokers} (kafka.bootstrap_servers)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_named() {
        let busy = LogError::Busy { doing: "listing topics", detail: "timed out".to_owned() };
        let told = format!("{:#}", naming_the_broker(anyhow::Error::new(busy).context("status"), "10.0.0.9:9092"));
        let expected = "Kafka at 10.0.0.9:9092 (kafka.bootstrap_servers): listing topics: timed out; ";
        assert!(told.starts_with(expected) && !told.contains("will be tried"), "{told}");
        let fenced = LogError::Fenced { doing: "committing", detail: "fenced".to_owned() };
        let told = format!("{:#}", naming_the_broker(anyhow::Error::new(fenced).context("status"), "10.0.0.9:9092"));
        assert!(told.starts_with("Kafka at 10.0.0.9:9092 (kafka.bootstrap_servers): status: committing: fenced"), "{told}");
        assert_eq!(format!("{:#}", naming_the_broker(anyhow::anyhow!("else"), "10.0.0.9:9092")), "else");
    }
}
