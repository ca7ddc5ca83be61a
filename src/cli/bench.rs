//! `midan bench`: the pipeline beside a loop that only consumes and decodes.

use super::args::BenchArgs;
use super::settings::Settings;
use std::process::ExitCode;

/// Measures.
pub(super) fn run(_settings: &Settings, args: &BenchArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("bench on the {} log is not measured yet", args.log)
}
