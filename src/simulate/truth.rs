//! What really happened: persons by zone and minute, queues and waits by gate. No input shows it; the picture is held against it.

use super::flow::{Flow, ScanResult, Scanned};
use super::routes::Routes;
use crate::time::EventTime;
use crate::venue::{GateId, Venue, ZoneId};
use std::io::{self, Write};

/// One minute of the night.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthMinute {
    /// Its end: the figures are as of then.
    pub at: EventTime,
    /// Persons by zone, in the order of [`ZoneId`].
    pub zones: Vec<u32>,
    /// Persons queueing by gate, in the order of [`GateId`].
    pub queues: Vec<u32>,
    /// By gate: the mean wait of those who joined the queue in this minute, s; `None` where nobody joined who was let in.
    pub waits_s: Vec<Option<f64>>,
    /// Spectators let in so far.
    pub admitted: u32,
    /// Persons who have come to the venue so far.
    pub came: u32,
    /// Persons who have left it so far.
    pub went: u32,
}

/// The truth of a night, complete when the night is over: who waits longest is known last.
#[derive(Clone, Debug)]
pub struct Truth {
    venue: Box<str>,
    zone_names: Vec<Box<str>>,
    gate_names: Vec<Box<str>>,
    start_ms: i64,
    minutes: Vec<TruthMinute>,
    /// By minute and gate: persons and their waits in seconds.
    waits: Vec<Vec<(u32, u64)>>,
    admitted: u32,
}

impl Truth {
    pub(super) fn new(venue: &Venue, start_ms: i64, seconds: u32) -> Self {
        Self {
            venue: venue.id.clone(),
            zone_names: venue.zones.iter().map(|zone| zone.id.clone()).collect(),
            gate_names: venue.gates.iter().map(|gate| gate.id.clone()).collect(),
            start_ms,
            minutes: Vec::new(),
            waits: vec![vec![(0, 0); venue.gates.len()]; seconds as usize / 60 + 1],
            admitted: 0,
        }
    }

    pub(super) fn saw(&mut self, scanned: &Scanned, routes: &Routes) {
        if scanned.what != ScanResult::Entered {
            return;
        }
        self.admitted += 1;
        let gate = routes.gates[usize::from(scanned.gate)].gate;
        let joined = (scanned.second - scanned.waited) / 60;
        if let Some((persons, seconds)) = self.waits.get_mut(joined as usize).and_then(|gates| gates.get_mut(gate.index())) {
            *persons += 1;
            *seconds += u64::from(scanned.waited);
        }
    }

    pub(super) fn end_minute(&mut self, now: u32, flow: &Flow, routes: &Routes) {
        let mut queues = vec![0; self.gate_names.len()];
        for gate in &routes.gates {
            queues[gate.gate.index()] = u32::try_from(flow.in_line(gate.through)).unwrap_or(u32::MAX);
        }
        self.minutes.push(TruthMinute {
            at: EventTime::from_millis(self.start_ms + i64::from(now) * 1_000),
            zones: flow.occupancy.clone(),
            waits_s: vec![None; queues.len()],
            queues,
            admitted: self.admitted,
            came: flow.came,
            went: flow.went,
        });
    }

    pub(super) fn close(&mut self) {
        for (minute, gates) in self.minutes.iter_mut().zip(&self.waits) {
            for (wait, (persons, seconds)) in minute.waits_s.iter_mut().zip(gates) {
                *wait = (*persons > 0).then(|| *seconds as f64 / f64::from(*persons));
            }
        }
    }

    /// The minutes so far, in order; waits stand in them once the night is over.
    pub fn minutes(&self) -> &[TruthMinute] {
        &self.minutes
    }

    /// The venue's id.
    pub fn venue(&self) -> &str {
        &self.venue
    }

    /// Writes the header of [`Truth::write_csv`].
    ///
    /// # Errors
    /// When `out` does.
    pub fn write_header(out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "at,venue,kind,place,persons,wait_s,admitted,came,went")
    }

    /// Writes a row for each zone, gate and the venue as a whole of each minute: `at` is epoch ms, the end of the minute; `persons` are in the
    /// zone, in the gate's queue, or in the venue; what makes no sense for a kind is empty.
    ///
    /// # Errors
    /// When `out` does.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        for minute in &self.minutes {
            let (at, venue) = (minute.at.as_millis(), &self.venue);
            let inside = minute.came - minute.went;
            writeln!(out, "{at},{venue},venue,{venue},{inside},,{},{},{}", minute.admitted, minute.came, minute.went)?;
            for (zone, persons) in minute.zones.iter().enumerate() {
                writeln!(out, "{at},{venue},zone,{},{persons},,,,", self.zone_names[ZoneId::from(zone).index()])?;
            }
            for (gate, (persons, wait)) in minute.queues.iter().zip(&minute.waits_s).enumerate() {
                let wait = wait.map_or_else(String::new, |wait| format!("{wait:.1}"));
                writeln!(out, "{at},{venue},gate,{},{persons},{wait},,,", self.gate_names[GateId::from(gate).index()])?;
            }
        }
        Ok(())
    }
}
