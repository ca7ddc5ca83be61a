//! The schema registry: asked once per schema, with patience and never for long.
//!
//! A schema never changes under its id, so what was found is kept. What was not found, or not answered, is asked for again a few times and is then refused for a
//! while, all records of that id at once: a registry that is away holds nobody up.

use super::schema::Schema;
use super::settings;
use crate::feeds::{Fault, Reason};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The first pause between two attempts; each next is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// The largest schema that is read, bytes.
const LARGEST: u64 = 4 << 20;
/// How deep schemas may import one another.
const DEEPEST: usize = 16;

/// A registry, and what is known from it.
pub struct Registry {
    url: String,
    agent: ureq::Agent,
    attempts: u32,
    forget_after: Duration,
    known: BTreeMap<u32, Arc<Schema>>,
    refused: BTreeMap<u32, (Instant, Fault)>,
    /// How often it was asked.
    asked: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    schema: String,
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: u32,
}

/// A schema as the registry tells it.
struct Told {
    kind: Option<String>,
    text: String,
    /// The schemas that it names, by name.
    imports: BTreeMap<String, String>,
}

/// Why there is no schema.
enum Missing {
    /// The registry does not know it.
    Unknown,
    /// It does not answer, or not as it should.
    Unanswered(String),
}

impl Registry {
    /// A registry of which nothing is known yet.
    pub fn new(settings: &settings::Registry) -> Self {
        Self {
            url: settings.url.trim_end_matches('/').to_owned(),
            agent: super::ask::agent(settings.timeout),
            attempts: settings.attempts.max(1),
            forget_after: settings.forget_after,
            known: BTreeMap::new(),
            refused: BTreeMap::new(),
            asked: 0,
        }
    }

    /// How often it was asked so far.
    pub const fn asked(&self) -> u64 {
        self.asked
    }

    /// A record as JSON.
    ///
    /// # Errors
    /// It has no schema's id, its schema cannot be had, or it is not what its schema says.
    pub fn decode(&mut self, record: &[u8]) -> Result<Vec<u8>, Fault> {
        let (id, payload) = super::schema::framed(record)?;
        self.schema(id)?.decode(payload)
    }

    /// The schema of that id.
    ///
    /// # Errors
    /// It cannot be had now.
    #[allow(clippy::disallowed_methods, reason = "the edge remembers for how long a schema was not there")]
    pub fn schema(&mut self, id: u32) -> Result<Arc<Schema>, Fault> {
        if let Some(schema) = self.known.get(&id) {
            return Ok(Arc::clone(schema));
        }
        if let Some((since, fault)) = self.refused.get(&id)
            && since.elapsed() < self.forget_after
        {
            return Err(fault.clone());
        }
        match self.fetch(id) {
            Ok(schema) => {
                let schema = Arc::new(schema);
                self.refused.remove(&id);
                self.known.insert(id, Arc::clone(&schema));
                Ok(schema)
            }
            Err(fault) => {
                self.refused.insert(id, (Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    #[allow(clippy::disallowed_methods, reason = "a registry that does not answer is asked again a little later")]
    fn fetch(&mut self, id: u32) -> Result<Schema, Fault> {
        let of = |detail: String| Fault::in_field(Reason::UnknownFormat, "schema", detail);
        let mut pause = PAUSE;
        let mut why = String::new();
        for attempt in 0..self.attempts {
            if attempt > 0 {
                std::thread::sleep(pause);
                pause *= 2;
            }
            match self.fetch_once(id) {
                Ok(Told { kind, text, imports }) => {
                    return Schema::parse(kind.as_deref(), &text, &imports).map_err(|why| of(format!("schema {id} is of no use: {why}")));
                }
                Err(Missing::Unknown) => why = format!("the registry does not know schema {id}"),
                Err(Missing::Unanswered(what)) => why = format!("the registry did not answer for schema {id}: {what}"),
            }
        }
        Err(of(format!("{why}, asked {} times", self.attempts)))
    }

    fn fetch_once(&mut self, id: u32) -> Result<Told, Missing> {
        let answer = self.ask(&format!("{}/schemas/ids/{id}", self.url))?;
        let mut imports = BTreeMap::new();
        self.import(&answer.references, &mut imports, 0)?;
        Ok(Told { kind: answer.schema_type, text: answer.schema, imports })
    }

    fn import(&mut self, references: &[Reference], imports: &mut BTreeMap<String, String>, depth: usize) -> Result<(), Missing> {
        if depth > DEEPEST {
            return Err(Missing::Unanswered("its schemas import one another without end".to_owned()));
        }
        for reference in references {
            if imports.contains_key(&reference.name) {
                continue;
            }
            let answer = self.ask(&format!("{}/subjects/{}/versions/{}", self.url, reference.subject, reference.version))?;
            imports.insert(reference.name.clone(), answer.schema);
            self.import(&answer.references, imports, depth + 1)?;
        }
        Ok(())
    }

    fn ask(&mut self, url: &str) -> Result<Answer, Missing> {
        self.asked += 1;
        let unanswered = |why: ureq::Error| Missing::Unanswered(why.to_string());
        let mut response = self.agent.get(url).header("accept", "application/vnd.schemaregistry.v1+json").call().map_err(unanswered)?;
        match response.status().as_u16() {
            200 => {
                let text = response.body_mut().with_config().limit(LARGEST).read_to_string().map_err(unanswered)?;
                serde_json::from_str(&text).map_err(|_| Missing::Unanswered("its answer is not a registry's".to_owned()))
            }
            404 => Err(Missing::Unknown),
            status => Err(Missing::Unanswered(format!("status {status}"))),
        }
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
