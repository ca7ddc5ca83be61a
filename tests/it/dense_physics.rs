//! Dense-crowd physics held against PedPy: the same tracks, the figures that `tests/oracles/pedpy_figures.py` has recorded.
//!
//! The synthetic crowd stands in the fixture whole; real tracks come from `MIDAN_DATA`, and without it those cases are left out.

use midan::crowd::dense::field::{local_density, local_speed};
use midan::crowd::dense::frame::velocities;
use midan::crowd::dense::line::crossings;
use midan::crowd::dense::voronoi::{self, Cutoff};
use midan::crowd::dense::{Frame, Mover, Point, Polygon, Walker};
use midan::feeds::observation::Count;
use midan::time::{EventTime, PaneLength, Span};
use midan::window::apportion;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Measures of one definition agree to this share.
const AGREES: f64 = 0.01;

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: Option<PathBuf>,
    scale: f64,
    fps: f64,
    step: u64,
    zone: Vec<Point>,
    area: Vec<Point>,
    line: [Point; 2],
    cutoff: Option<(f64, u32)>,
    centres: Vec<Point>,
    crossings: u32,
    frames: Vec<Figures>,
    #[serde(default)]
    tracks: Vec<(u64, u64, f64, f64)>,
}

#[derive(Deserialize)]
struct Figures {
    frame: u64,
    persons: usize,
    movers: usize,
    speed_sum: f64,
    gaussian: BTreeMap<String, Vec<f64>>,
    gaussian_speed: Vec<f64>,
    voronoi_density: f64,
    cell_density_sum: f64,
}

/// The greatest share by which a measure differs, by measure.
#[derive(Default)]
struct Differences(BTreeMap<&'static str, (f64, u32)>);

impl Differences {
    fn note(&mut self, measure: &'static str, ours: f64, theirs: f64, floor: f64) {
        let share = (ours - theirs).abs() / theirs.abs().max(floor);
        let (greatest, number) = self.0.entry(measure).or_default();
        *greatest = greatest.max(share);
        *number += 1;
    }
}

fn frames_of(case: &Case) -> Option<BTreeMap<u64, Frame>> {
    let zone = Polygon::new(case.zone.clone()).unwrap();
    let tracks = match &case.file {
        None => case.tracks.clone(),
        Some(file) => read(&Path::new(&std::env::var_os("MIDAN_DATA")?).join(file), case.scale),
    };
    let mut frames: BTreeMap<u64, Vec<Walker>> = BTreeMap::new();
    for (id, frame, x, y) in tracks {
        if zone.contains([x, y]) {
            frames.entry(frame).or_default().push(Walker { id, at: [x, y] });
        }
    }
    Some(frames.into_iter().map(|(frame, walkers)| (frame, Frame::new(walkers))).collect())
}

/// Rows of `id frame x y z`, or of `id,frame,t,x,y` under a heading.
fn read(path: &Path, scale: f64) -> Vec<(u64, u64, f64, f64)> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let row = |line: &str| {
        let fields: Vec<f64> = line.split([',', ' ', '\t']).filter(|field| !field.is_empty()).map_while(|field| field.parse().ok()).collect();
        let at = if line.contains(',') { 3 } else { 2 };
        (fields.len() >= 4).then(|| (fields[0] as u64, fields[1] as u64, fields[at] * scale, fields[at + 1] * scale))
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect()
}

fn compare(case: &Case, frames: &BTreeMap<u64, Frame>) -> Differences {
    let mut differences = Differences::default();
    let (zone, area) = (Polygon::new(case.zone.clone()).unwrap(), Polygon::new(case.area.clone()).unwrap());
    let cutoff = case.cutoff.map(|(radius_m, quarter_segments)| Cutoff { radius_m, quarter_segments });
    for figures in &case.frames {
        let now = &frames[&figures.frame];
        assert_eq!(now.walkers().len(), figures.persons, "{} frame {}", case.name, figures.frame);
        let nobody = Frame::default();
        let at = |frame: u64| frames.get(&frame).unwrap_or(&nobody);
        let over_s = 2.0 * case.step as f64 / case.fps;
        let movers: Vec<Mover> = velocities(at(figures.frame - case.step), now, at(figures.frame + case.step), over_s);
        assert_eq!(movers.len(), figures.movers, "{} frame {}", case.name, figures.frame);
        let speeds: f64 = movers.iter().map(|mover| mover.velocity[0].hypot(mover.velocity[1])).sum();
        differences.note("individual speed", speeds, figures.speed_sum, 0.01);
        for (radius, theirs) in &figures.gaussian {
            let radius_m: f64 = radius.parse().unwrap();
            for (centre, theirs) in case.centres.iter().zip(theirs) {
                differences.note("Gaussian density", local_density(*centre, now.walkers(), radius_m), *theirs, 0.01);
            }
        }
        for ((centre, theirs), density) in case.centres.iter().zip(&figures.gaussian_speed).zip(&figures.gaussian["1.0"]) {
            // Where nobody is near, PedPy takes the speed of whoever is nearest; Midan has none there.
            if *density >= 0.01 {
                differences.note("Gaussian speed", local_speed(*centre, &movers, 1.0).unwrap(), *theirs, 0.01);
            }
        }
        let cells = voronoi::cells(now, &zone, cutoff);
        differences.note("Voronoi density", voronoi::density(&cells, &area), figures.voronoi_density, 0.01);
        let sum: f64 = cells.iter().map(|cell| 1.0 / cell.ground.area()).sum();
        differences.note("individual Voronoi density", sum, figures.cell_density_sum, 0.01);
    }
    let steps = frames.iter().zip(frames.iter().skip(1)).filter(|((before, _), (after, _))| *after - *before == 1);
    let crossed: u32 = steps.map(|((_, before), (_, after))| crossings(before, after, case.line[0], case.line[1])).map(|c| c.rightwards + c.leftwards).sum();
    differences.note("crossings of a line", f64::from(crossed), f64::from(case.crossings), 1.0);
    differences
}

#[test]
fn measures_agree_with_pedpy() {
    let oracle: Oracle = serde_json::from_str(include_str!("../fixtures/pedpy.json")).unwrap();
    let mut compared = 0;
    for case in &oracle.cases {
        let Some(frames) = frames_of(case) else { continue };
        let Differences(differences) = compare(case, &frames);
        for (measure, (greatest, number)) in &differences {
            println!("{:28} {:28} {:>6} figures, greatest difference {:.4} %", case.name, measure, number, greatest * 100.0);
            assert!(*greatest <= AGREES, "{}: {measure} differs by {:.2} %", case.name, greatest * 100.0);
        }
        compared += 1;
    }
    assert!(compared >= 1, "the synthetic crowd needs no data");
}

/// The manual counts of two streets at the Festival of Lights in Lyon (`MIDAN_DATA`, `madras_lyon`): intervals of a few to thirty seconds, as a person counted them.
///
/// Told as counts and shared out over panes of ten seconds they keep every person, so the flow over the whole is the person's own. Within, the definitions differ: a count
/// no longer than a pane falls whole into the pane of its last instant, so a running total may lead or trail by the persons of one count, and by no more.
#[test]
fn manual_counts_keep_their_persons_and_their_flow() {
    let Some(data) = std::env::var_os("MIDAN_DATA") else { return };
    for (street, total) in [("chenavard", 2_030), ("constantine", 1_803)] {
        let path = Path::new(&data).join(format!("madras_lyon/{street}_2022_1210.csv"));
        let rows = manual_rows(&std::fs::read_to_string(path).unwrap());
        let pane = PaneLength::new(Span::from_secs(10)).unwrap();
        let (mut panes, mut largest): (BTreeMap<EventTime, u32>, u32) = (BTreeMap::new(), 0);
        for pair in rows.windows(2) {
            let count = Count { from: at(pair[0].0), to: at(pair[1].0), inwards: 0, outwards: 0, undirected: pair[1].1 - pair[0].1 };
            largest = largest.max(count.undirected);
            for (end, part) in apportion(&count, Span::ZERO, pane) {
                *panes.entry(end).or_default() += part.undirected;
            }
        }
        assert_eq!(panes.values().sum::<u32>(), total, "{street}");
        let running = |secs: i64| {
            let after = rows.iter().position(|(at, _)| *at >= secs).unwrap_or(rows.len() - 1);
            let ((from, low), (to, high)) = (rows[after.saturating_sub(1)], rows[after]);
            if to == from { f64::from(high) } else { f64::from(low) + f64::from(high - low) * (secs.min(to) - from) as f64 / (to - from) as f64 }
        };
        let (mut sum, mut greatest) = (0, 0.0f64);
        for (end, persons) in &panes {
            sum += persons;
            greatest = greatest.max((f64::from(sum) - running(end.as_millis() / 1_000)).abs());
        }
        let minutes = (rows[rows.len() - 1].0 - rows[0].0) as f64 / 60.0;
        println!("{street}: {:.1} persons/min over {minutes:.1} min; the running total is off by at most {greatest:.0} of {total}", f64::from(total) / minutes);
        assert!(greatest <= f64::from(largest), "{street}: off by {greatest}, the largest count is {largest}");
    }
}

fn at(secs: i64) -> EventTime {
    EventTime::from_millis(secs * 1_000)
}

/// (second of the day, persons so far).
fn manual_rows(text: &str) -> Vec<(i64, u32)> {
    let row = |line: &str| {
        let mut fields = line.split(',');
        let clock: Vec<i64> = fields.next()?.split(':').filter_map(|part| part.parse().ok()).collect();
        let &[hours, minutes, seconds] = clock.as_slice() else { return None };
        Some(((hours * 60 + minutes) * 60 + seconds, fields.next()?.trim().parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}
