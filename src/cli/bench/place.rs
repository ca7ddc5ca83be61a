//! The log that holds the load: filled once, read by as many groups as there are measurements.

use crate::cli::args::{BenchArgs, BenchLog};
use crate::cli::drive::Folder;
use crate::cli::load;
use crate::cli::service::wall_ms;
use crate::cli::settings::Settings;
use crate::kafka::{self, KafkaAdmin, KafkaFeeder, KafkaShard};
use crate::log::embedded::{EmbeddedLog, Faults, Options};
use crate::log::{Feeder, LogError, Plan, ShardLog, TopicAdmin};
use crate::simulate::Load;

/// Where the load lies.
pub(super) enum Place {
    /// In the process, on disk.
    Embedded { log: EmbeddedLog, _folder: Folder },
    /// On a broker, in topics of this run's own.
    Kafka { settings: kafka::Settings, plan: Plan },
}

impl Place {
    /// Makes the topics and writes the load.
    pub(super) fn fill(settings: &Settings, args: &BenchArgs, number: u32) -> anyhow::Result<Self> {
        let place = Self::empty(settings, args, number)?;
        if let Err(why) = place.write(args.events) {
            // Topics that could not be filled are not left behind.
            place.clear()?;
            return Err(why);
        }
        Ok(place)
    }

    /// Makes the topics.
    pub(super) fn empty(settings: &Settings, args: &BenchArgs, number: u32) -> anyhow::Result<Self> {
        match args.log {
            BenchLog::Embedded => {
                let folder = Folder::new(&format!("midan-bench-{number}"))?;
                let log = EmbeddedLog::open(Options::new(folder.path(), args.partitions))?;
                Ok(Self::Embedded { log, _folder: folder })
            }
            BenchLog::Kafka => {
                let prefix = format!("midan-bench-{}-{}-{number}-", std::process::id(), wall_ms());
                let clients = kafka::Settings { prefix: prefix.clone(), ..settings.kafka.clients() };
                let plan = Plan { prefix, partitions: args.partitions, replication: settings.kafka.replication, ..Plan::default() };
                KafkaAdmin::new(&clients)?.create(&plan)?;
                Ok(Self::Kafka { settings: clients, plan })
            }
        }
    }

    fn write(&self, events: u64) -> anyhow::Result<()> {
        match self {
            Self::Embedded { log, .. } => write(&mut log.feeder(), events),
            Self::Kafka { settings, .. } => write(&mut KafkaFeeder::new(settings)?, events),
        }
    }

    /// A shard's membership in `group`.
    pub(super) fn join(&self, group: &str, shard: u32) -> Result<Box<dyn ShardLog + '_>, LogError> {
        match self {
            Self::Embedded { log, .. } => Ok(Box::new(log.member(group, Faults::none()))),
            Self::Kafka { settings, plan } => {
                let settings = kafka::Settings { group: format!("{}{group}", plan.prefix), ..settings.clone() };
                Ok(Box::new(KafkaShard::join(&settings, shard)?))
            }
        }
    }

    /// Leaves nothing behind on the broker.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        match self {
            Self::Embedded { .. } => Ok(()),
            Self::Kafka { settings, plan } => Ok(KafkaAdmin::new(settings)?.delete(plan)?),
        }
    }
}

fn write(feeder: &mut dyn Feeder, events: u64) -> anyhow::Result<()> {
    let mut load = Load::new(load::unpaced());
    for _ in 0..events {
        let Some(record) = load.next() else { break };
        feeder.send(&load::input(&record))?;
    }
    Ok(feeder.flush()?)
}
