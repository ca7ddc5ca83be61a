//! `midan model swap FILE`: orders that a model speaks from an event time on.
//!
//! The idea: the order is an operator's command like any other: a record of `midan.commands`, one for each venue, that replays with the rest. What can be known here is checked
//! here (the file, as `midan model check` does, and that it lies where the service looks); whether each instance has it, only that instance knows, and says (docs/OPERATIONS.md).

use super::args::SwapArgs;
use super::model::{faults, role_of};
use super::reopen::moment;
use super::service::{self, wall_ms};
use super::settings::Settings;
use crate::feeds::Attributes;
use crate::inference::{ModelCardRef, Role};
use crate::kafka::KafkaFeeder;
use crate::log::{Feeder, InRecord};
use crate::onnx::{Library, Model};
use crate::venue::{Feed, World};
use anyhow::Context;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// Rows of the check's runs.
const ROWS: usize = 2_000;

/// The command as `midan.commands` has it.
#[derive(Serialize)]
struct Order<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    command_id: String,
    venue: &'a str,
    operator: &'a str,
    at: i64,
    action: &'static str,
    role: &'static str,
    model: &'a str,
    version: &'a str,
    sha256: String,
    from: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Checks the model and writes the orders.
pub(super) fn run(settings: &Settings, args: &SwapArgs) -> anyhow::Result<ExitCode> {
    let world = service::world(settings)?;
    let venues = venues(&world, &args.venues)?;
    let now = wall_ms();
    let from = args.at.as_deref().map(moment).transpose()?.map_or(now, |at| at.as_millis());
    let (card, role) = checked(settings, &args.file)?;
    let mut feeder = KafkaFeeder::new(&settings.kafka.clients())?;
    for venue in &venues {
        let order = order(venue, args, &card, role, (now, from));
        let value = serde_json::to_vec(&order)?;
        feeder.send(&InRecord {
            feed: Feed::Commands,
            key: venue.as_bytes(),
            value: &value,
            source: None,
            format: None,
            received: Some(now),
            cloud_event: None,
            attributes: Attributes::NONE,
        })?;
    }
    feeder.flush()?;
    println!("ordered       {} {}, {} ({})", card.name, card.version, role.word(), card.sha256);
    println!("at            {}", venues.join(", "));
    println!("from          the first pane that ends after {from} (epoch ms) and has not closed by the time that the order is read");
    Ok(ExitCode::SUCCESS)
}

fn venues<'a>(world: &'a World, named: &'a [String]) -> anyhow::Result<Vec<&'a str>> {
    if named.is_empty() {
        return Ok(world.venues.iter().map(|venue| &*venue.id).collect());
    }
    if let Some(unknown) = named.iter().find(|venue| world.find(venue).is_none()) {
        anyhow::bail!("no venue {unknown}; the nearest are {}", world.names.nearest(unknown).join(", "));
    }
    Ok(named.iter().map(String::as_str).collect())
}

/// The model, if it can be served and lies where the service looks.
fn checked(settings: &Settings, file: &Path) -> anyhow::Result<(ModelCardRef, Role)> {
    let manifest = file.with_extension("toml");
    let role = role_of(&manifest)?;
    let folder = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
    let home = folder(&settings.models.folder)?;
    if folder(home_of(&manifest))? != home {
        anyhow::bail!(
            "{} lies not in {} (models.folder), where the service looks: copy the file and its manifest there, on every instance",
            file.display(),
            home.display()
        );
    }
    let mut model = Model::load(&Library::load(&settings.models.library)?, &manifest, role, ROWS)?;
    let faults = faults(&mut model, role, ROWS)?;
    if !faults.is_empty() {
        anyhow::bail!("{} is not to be served: {}", file.display(), faults.join("; "));
    }
    Ok((model.card(), role))
}

/// The folder in which a file lies; where it is a link, the link.
fn home_of(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn order<'a>(venue: &'a str, args: &'a SwapArgs, card: &'a ModelCardRef, role: Role, (now, from): (i64, i64)) -> Order<'a> {
    Order {
        kind: "command",
        // One per call: what is written twice of it collapses, a second call is an order of its own and does no harm.
        command_id: format!("swap-{}-{from}-{now}", card.sha256.get(..12).unwrap_or_default()),
        venue,
        operator: &args.operator,
        at: now,
        action: "swap_model",
        role: role.word(),
        model: &card.name,
        version: &card.version,
        sha256: card.sha256.to_ascii_lowercase(),
        from,
        reason: args.reason.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read_world;
    use crate::feeds::observation::{Action, ModelRole};
    use crate::feeds::{self, Item, RecordRef};

    fn args(venues: &[&str]) -> SwapArgs {
        let venues = venues.iter().map(|venue| (*venue).to_owned()).collect();
        SwapArgs { file: "models/crowd-flow.onnx".into(), venues, at: None, operator: "op-1".into(), reason: Some("it errs less".into()) }
    }

    #[test]
    fn an_order_is_a_command_that_the_engine_reads() {
        let world = read_world(Path::new("config")).unwrap();
        let card = ModelCardRef { name: "crowd-flow".into(), version: "2.0.0".into(), sha256: "AB".repeat(32) };
        let (now, from) = (1_907_863_200_000, 1_907_863_800_000);
        let args = args(&["rabat"]);
        let value = serde_json::to_vec(&order("rabat", &args, &card, Role::Flow, (now, from))).unwrap();
        let record = RecordRef {
            feed: Feed::Commands,
            partition: 0,
            offset: 0,
            appended: None,
            received: Some(now),
            key: Some(b"rabat"),
            value: &value,
            source: None,
            format: None,
            cloud_event: None,
            attributes: Attributes::NONE,
        };
        let mut items = Vec::new();
        feeds::decode(&record, &world, &mut |item| items.push(item)).unwrap();
        let [Item::Command(command)] = &items[..] else { panic!("{items:?}") };
        let Action::SwapModel { role, model, version, sha256, from: starts } = &command.action else { panic!("{command:?}") };
        assert_eq!((*role, &**model, &**version, &**sha256, starts.as_millis()), (ModelRole::Flow, "crowd-flow", "2.0.0", &*"ab".repeat(32), from));
    }

    #[test]
    fn a_link_lies_in_the_folder_of_the_link() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("new.toml"), "").unwrap();
        let link = home.path().join("new.toml");
        std::os::unix::fs::symlink(elsewhere.path().join("new.toml"), &link).unwrap();
        assert_eq!(home_of(&link), home.path());
        assert_eq!(home_of(Path::new("new.toml")), Path::new("."));
    }

    #[test]
    fn all_venues_are_meant_where_none_is_named_and_an_unknown_one_is_refused() {
        let world = read_world(Path::new("config")).unwrap();
        assert_eq!(venues(&world, &[]).unwrap().len(), world.venues.len());
        let told = venues(&world, &args(&["rabatt"]).venues).unwrap_err().to_string();
        assert!(told.contains("no venue rabatt") && told.contains("rabat"), "{told}");
    }
}
