//! The incident library in one configuration: what `docs/INCIDENTS.md` states of each incident holds, and what each incident's file requires comes.

use midan::config::world::read_files;
use midan::detect::Priority;
use midan::incidents::quiet::Night;
use midan::incidents::score::QuietSum;
use midan::incidents::{IncidentScore, NightScore, library, play};
use midan::venue::SourceFile;
use std::path::Path;

fn profiles() -> Vec<SourceFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let is_profile = |file: &SourceFile| Path::new(&file.path).parent().is_some_and(|parent| parent.ends_with("profiles"));
    read_files(&folder).unwrap().into_iter().filter(is_profile).collect()
}

fn scores() -> Vec<IncidentScore> {
    let score = |incident: &library::Incident| {
        let outcomes = incident.play();
        assert_eq!(outcomes.refused, Vec::<String>::new(), "{}", incident.script.id);
        IncidentScore::of(incident, &outcomes).unwrap()
    };
    library::read(&profiles(), None).unwrap().iter().map(score).collect()
}

/// The rows of the first table of the page: (incident, first finding, minutes before the harm).
fn stated() -> Vec<(String, String, f64)> {
    let page = include_str!("../../docs/INCIDENTS.md");
    let rows = page.lines().skip_while(|line| !line.starts_with("| Incident")).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    rows.map(cells).map(|cells| (cells[1].clone(), cells[2].clone(), minutes(&cells[4]))).collect()
}

/// `2 h 55` or `25 min`.
fn minutes(text: &str) -> f64 {
    let numbers: Vec<f64> = text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    match numbers.as_slice() {
        [hours, minutes] => hours * 60.0 + minutes,
        [minutes] => *minutes,
        _ => panic!("no length of time: {text:?}"),
    }
}

#[test]
fn every_incident_is_found_as_early_as_the_docs_state() {
    let (scores, stated) = (scores(), stated());
    assert_eq!((scores.len(), stated.len()), (9, 9));
    for score in &scores {
        let (_, code, lead) = stated.iter().find(|(name, ..)| *name == score.name).unwrap_or_else(|| panic!("{} is not in the docs", score.name));
        let first = score.first.as_ref().unwrap_or_else(|| panic!("{}: nothing found", score.name));
        assert_eq!((first.code, score.is_met()), (code.as_str(), true), "{}: {:?}", score.name, score.expected);
        assert!(first.before_harm_min >= *lead, "{}: {} min before the harm, the docs state {lead}", score.name, first.before_harm_min);
    }
}

/// A sample of the nights that are reported on: the whole of them is `midan incidents`.
#[test]
fn quiet_nights_stay_quiet() {
    let profiles = profiles();
    let play = |seed: u64| {
        let night = Night::draw(seed);
        let (world, records) = night.stage(&profiles).unwrap();
        let outcomes = play(&world, &records);
        assert_eq!(outcomes.refused, Vec::<String>::new(), "night {seed}");
        assert!(outcomes.panes > 300, "night {seed}: {} panes", outcomes.panes);
        NightScore::of(&night, &outcomes)
    };
    let nights: Vec<NightScore> = (100..109).map(play).collect();
    let quiet = QuietSum::of(&nights);
    assert_eq!(quiet.near_misses, 3);
    assert!(quiet.medium_or_above.per_night <= 1.0, "{:?}", quiet.by_code);
    let loud = nights.iter().flat_map(|night| night.told.keys()).filter(|(code, priority)| *priority >= Priority::High && *code != "BLIND");
    assert_eq!(loud.count(), 0, "{:?}", quiet.by_code);
}
