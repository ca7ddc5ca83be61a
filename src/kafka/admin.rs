//! Setting the topics up and checking them. Everything is set at creation and nothing is altered afterwards: librdkafka's way of altering resets every property that is
//! not named, `cleanup.policy` included.

use super::context::Quiet;
use super::producer::{now, pause};
use super::settings::Settings;
use crate::log::{Fault, LogError, Plan, Spec, Topic, TopicAdmin};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

const ASK: Duration = Duration::from_secs(10);

/// Sets topics up. It waits for the broker's answers, so call it from a thread of your own and not from an async task.
pub struct KafkaAdmin {
    client: AdminClient<Quiet>,
}

impl KafkaAdmin {
    /// Connects.
    pub fn new(settings: &Settings) -> Result<Self, LogError> {
        settings.check()?;
        let client = AdminClient::from_config_and_context(&settings.client(&[]), Quiet).map_err(|error| LogError::Refused {
            doing: "connecting to set topics up",
            detail: error.to_string(),
            cure: "check the Kafka table of the configuration",
        })?;
        Ok(Self { client })
    }

    /// Removes the plan's topics with all that is in them: for topics that were made to measure on.
    pub fn delete(&self, plan: &Plan) -> Result<(), LogError> {
        let busy = |detail: String| LogError::Busy { doing: "removing topics", detail };
        let specs = plan.specs();
        let names: Vec<&str> = specs.iter().map(|spec| &*spec.name).collect();
        let options = AdminOptions::new().request_timeout(Some(ASK)).operation_timeout(Some(ASK));
        let answers = wait_for(self.client.delete_topics(&names, &options))?.map_err(|error| busy(error.to_string()))?;
        for answer in answers {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => return Err(busy(format!("{name}: {code}"))),
            }
        }
        Ok(())
    }

    /// The topics that stand, with their partitions.
    fn standing(&self) -> Result<BTreeMap<String, u32>, LogError> {
        let busy = |error: KafkaError| LogError::Busy { doing: "listing topics", detail: error.to_string() };
        // All of them are asked for: a broker may create a topic that is asked for by name.
        let metadata = self.client.inner().fetch_metadata(None, ASK).map_err(busy)?;
        Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), topic.partitions().len() as u32)).collect())
    }

    /// The controller answers before the brokers know: whoever uses a topic at once would be told that there is none.
    fn wait_until_known(&self, specs: &[Spec]) -> Result<(), LogError> {
        let began = now();
        loop {
            let standing = self.standing()?;
            match specs.iter().find(|spec| standing.get(&spec.name) != Some(&spec.partitions)) {
                None => return Ok(()),
                Some(spec) if began.elapsed() > ASK => {
                    return Err(LogError::Busy { doing: "waiting for new topics", detail: format!("no broker knows {} yet", spec.name) });
                }
                Some(_) => pause(),
            }
        }
    }

    fn differing(&self, specs: &[&Spec]) -> Result<Vec<Fault>, LogError> {
        // The client refuses a question about nothing.
        if specs.is_empty() {
            return Ok(Vec::new());
        }
        let doing = "reading the topics' properties";
        let busy = |detail: String| LogError::Busy { doing, detail };
        let asked: Vec<ResourceSpecifier<'_>> = specs.iter().map(|spec| ResourceSpecifier::Topic(&spec.name)).collect();
        let options = AdminOptions::new().request_timeout(Some(ASK));
        let answers = wait_for(self.client.describe_configs(asked.iter(), &options))?.map_err(|error| busy(error.to_string()))?;
        let mut faults = Vec::new();
        for (spec, answer) in specs.iter().zip(answers) {
            let resource = answer.map_err(|code| busy(format!("{}: {code}", spec.name)))?;
            for (property, wanted) in &spec.properties {
                let found = resource.get(property).and_then(|entry| entry.value.clone()).unwrap_or_default();
                if &found != wanted {
                    faults.push(Fault::Property { name: spec.name.clone(), property: property.clone(), found, wanted: wanted.clone() });
                }
            }
        }
        Ok(faults)
    }
}

impl TopicAdmin for KafkaAdmin {
    fn create(&self, plan: &Plan) -> Result<Vec<Topic>, LogError> {
        let doing = "creating topics";
        let standing = self.standing()?;
        let missing: Vec<Spec> = plan.specs().into_iter().filter(|spec| !standing.contains_key(&spec.name)).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let fresh: Vec<NewTopic<'_>> = missing
            .iter()
            .map(|spec| {
                let topic = NewTopic::new(&spec.name, spec.partitions as i32, TopicReplication::Fixed(plan.replication as i32));
                spec.properties.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
            })
            .collect();
        let options = AdminOptions::new().request_timeout(Some(ASK)).operation_timeout(Some(ASK));
        let answers = wait_for(self.client.create_topics(fresh.iter(), &options))?.map_err(|error| LogError::Busy { doing, detail: error.to_string() })?;
        // The answer as a whole is good even where a topic's own is not.
        for answer in answers {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    let cure = "check the replication against the number of brokers, and that the account may create topics";
                    return Err(LogError::Refused { doing, detail: format!("{name}: {code}"), cure });
                }
            }
        }
        self.wait_until_known(&missing)?;
        Ok(missing.iter().map(|spec| spec.topic).collect())
    }

    fn check(&self, plan: &Plan) -> Result<Vec<Fault>, LogError> {
        let standing = self.standing()?;
        let specs = plan.specs();
        let mut faults = Vec::new();
        let mut there = Vec::new();
        for spec in &specs {
            match standing.get(&spec.name) {
                None => faults.push(Fault::Missing { name: spec.name.clone() }),
                Some(found) => {
                    there.push(spec);
                    if *found != spec.partitions {
                        faults.push(Fault::Partitions { name: spec.name.clone(), found: *found, wanted: spec.partitions });
                    }
                }
            }
        }
        faults.extend(self.differing(&there)?);
        Ok(faults)
    }
}

/// The client's admin calls are futures that another thread completes; here somebody waits.
fn wait_for<F: Future>(future: F) -> Result<F::Output, LogError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let failed = |source| LogError::Io { path: "the admin client's runtime".to_owned(), source };
    Ok(runtime.map_err(failed)?.block_on(future))
}
