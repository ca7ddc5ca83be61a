//! `midan topics create|check`: the topics as FORMATS.md has them.

use super::args::TopicsAction;
use super::settings::Settings;
use crate::kafka::KafkaAdmin;
use crate::log::{Plan, TopicAdmin};
use std::process::ExitCode;

/// Creates what is missing, or names every difference.
pub(super) fn run(settings: &Settings, action: TopicsAction) -> anyhow::Result<ExitCode> {
    let plan = plan(settings);
    let admin = KafkaAdmin::new(&settings.kafka.clients())?;
    if action == TopicsAction::Create {
        for topic in admin.create(&plan)? {
            println!("created {}", plan.name(topic));
        }
    }
    let faults = admin.check(&plan)?;
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("all topics stand, {} partitions each", plan.partitions);
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// How this deployment's topics are to be.
pub(super) fn plan(settings: &Settings) -> Plan {
    Plan { prefix: settings.kafka.topic_prefix.clone(), partitions: settings.kafka.partitions, replication: settings.kafka.replication, ..Plan::default() }
}
