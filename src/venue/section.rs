//! What a section may safely hold: the least of what it can let in, hold, let out, and clear in an emergency (Green Guide, 6th edition 2018; crowd-science §2.2).
//!
//! ```text
//!   entry      lanes × rate (at most the notional maximum) × entry period
//!   holding    (usable seats + standing area × density) × min(P, S)
//!   exit       (Σ width × rate − the widest) × normal egress time
//!   emergency  (Σ width × rate − the widest) × evacuation time
//! ```
//!
//! A part of which nothing is known bounds nothing and is shown as unknown: a missing width must not shut a stand, and must not be hidden either.

use super::ids::{GateId, ZoneId};
use super::model::{LinkKind, Venue, Zone, ZoneKind};
use super::profile::Profile;
use crate::time::Span;
use std::fmt::{self, Display, Formatter};

/// What the planners of a zone say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Usable seats.
    pub seats: Option<u32>,
    /// Area for standing, m².
    pub standing_m2: Option<f64>,
    /// P: its physical condition, 0 to 1; 1 where not told.
    pub physical: Option<f64>,
    /// S: its safety management, 0 to 1; 1 where not told.
    pub safety: Option<f64>,
    /// Gates that its spectators enter by; where none is told, those that lead into it, and all of them for the bowl.
    pub entry_gates: Vec<GateId>,
    /// The time in which everybody is to be let in; `None` for that of the profile.
    pub entry_period: Option<Span>,
    /// Emergency evacuation time by its own risk assessment; `None` for that of the profile.
    pub evacuation: Option<Span>,
    /// Sections that stand beside each other and could share a crowd bear the same word.
    pub siblings: Option<Box<str>>,
    /// Whether it lies on a route without steps.
    pub accessible: bool,
    /// Whether it is for the visiting side.
    pub away: bool,
    /// Persons usually present, by hour of the local day: points in order, straight lines between.
    pub usual: Vec<(f64, f64)>,
    /// What it may safely hold, computed when the venue is read.
    pub safe: Option<SafeCapacity>,
}

/// The safe capacity of a section, with what it was computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SafeCapacity {
    /// What can come in.
    pub entry: Option<Entry>,
    /// What it can hold.
    pub holding: Option<Holding>,
    /// What can leave in the normal egress time.
    pub exit: Option<Exits>,
    /// What can leave in the evacuation time.
    pub emergency: Option<Exits>,
}

/// Entry capacity, from its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// Lanes of its gates.
    pub lanes: u32,
    /// What they let through, persons/h.
    pub per_h: f64,
    /// In which time, h.
    pub hours: f64,
}

/// Holding capacity, from its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holding {
    /// Seats.
    pub seats: u32,
    /// Persons who can stand.
    pub standing: f64,
    /// The lesser of P and S.
    pub factor: f64,
}

/// Exit capacity, from its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exits {
    /// How many there are.
    pub exits: u32,
    /// Their clear width in all, m.
    pub width_m: f64,
    /// What they let out, persons/min, the widest left out where there is another.
    pub per_min: f64,
    /// In which time, min.
    pub minutes: f64,
}

impl Section {
    /// Persons usually present at `hour` of the local day (0 to 24); `None` where nobody has told.
    pub fn usual_at(&self, hour: f64) -> Option<f64> {
        let (first, last) = (self.usual.first()?, self.usual.last()?);
        if hour <= first.0 || hour >= last.0 {
            return Some(if hour <= first.0 { first.1 } else { last.1 });
        }
        let pair = self.usual.windows(2).find(|pair| hour <= pair[1].0)?;
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        Some(if to > from { low + (high - low) * (hour - from) / (to - from) } else { high })
    }
}

impl Zone {
    /// What it may hold: the lesser of what is set and what was computed.
    pub fn final_capacity(&self) -> Option<u32> {
        let safe = self.section.safe.as_ref().and_then(SafeCapacity::persons);
        match (self.capacity, safe) {
            (Some(set), Some(safe)) => Some(set.min(safe)),
            (set, safe) => set.or(safe),
        }
    }
}

impl SafeCapacity {
    /// The safe capacity of a zone; `None` where nothing of it is known.
    pub fn of(venue: &Venue, id: ZoneId) -> Option<Self> {
        let zone = venue.zones.get(id.index())?;
        let egress = |minutes: Span| exits(venue, id, &zone.profile, minutes);
        let profile_span = |name| Span::from_millis((zone.profile.value(name) * 1_000.0) as u64);
        let holding = holding(zone);
        let safe = Self {
            // Only what is filled is bounded by how it is filled: a corridor is passed through.
            entry: holding.and_then(|_| entry(venue, id, zone)),
            holding,
            exit: egress(profile_span("capacity.egress_s")),
            emergency: egress(zone.section.evacuation.unwrap_or_else(|| profile_span("capacity.evacuation_s"))),
        };
        (safe.holding.is_some() || safe.exit.is_some()).then_some(safe)
    }

    /// The least of its parts, whole persons; `None` where no part is known.
    pub fn persons(&self) -> Option<u32> {
        self.parts().into_iter().filter_map(|(_, persons)| persons).min_by(f64::total_cmp).map(|least| libm::floor(least) as u32)
    }

    /// Which part is the least.
    pub fn bound_by(&self) -> Option<&'static str> {
        let known = self.parts().into_iter().filter_map(|(name, persons)| Some((name, persons?)));
        known.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(name, _)| name)
    }

    /// The four parts by name, persons.
    pub fn parts(&self) -> [(&'static str, Option<f64>); 4] {
        [
            ("entry", self.entry.map(|entry| entry.per_h * entry.hours)),
            ("holding", self.holding.map(|holding| (f64::from(holding.seats) + holding.standing) * holding.factor)),
            ("exit", self.exit.map(|exit| exit.per_min * exit.minutes)),
            ("emergency", self.emergency.map(|exit| exit.per_min * exit.minutes)),
        ]
    }
}

impl Display for SafeCapacity {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let whole = |persons: Option<f64>| persons.map_or_else(|| "unknown".to_owned(), |persons| format!("{persons:.0}"));
        let [(_, entry), (_, holding), (_, exit), (_, emergency)] = self.parts();
        write!(f, "entry {}", whole(entry))?;
        if let Some(Entry { lanes, per_h, hours }) = self.entry {
            write!(f, " ({lanes} lanes, {per_h:.0}/h, {hours:.2} h)")?;
        }
        write!(f, "; holding {}", whole(holding))?;
        if let Some(Holding { seats, standing, factor }) = self.holding {
            write!(f, " ({seats} seats + {standing:.0} standing, x {factor:.2})")?;
        }
        for (name, persons, exits) in [("exit", exit, self.exit), ("emergency", emergency, self.emergency)] {
            write!(f, "; {name} {}", whole(persons))?;
            if let Some(Exits { exits, width_m, per_min, minutes }) = exits {
                let widest = if exits > 1 { " without the widest" } else { "" };
                write!(f, " ({exits} exits, {width_m:.1} m, {per_min:.0}/min{widest}, {minutes:.1} min)")?;
            }
        }
        Ok(())
    }
}

fn entry(venue: &Venue, id: ZoneId, zone: &Zone) -> Option<Entry> {
    let told = &zone.section.entry_gates;
    let leads_in = |gate: &super::model::Gate| venue.links.get(gate.link.index()).is_some_and(|link| link.to == Some(id)) || zone.kind == ZoneKind::Bowl;
    let is_its = |(i, gate): &(usize, &super::model::Gate)| gate.entry && if told.is_empty() { leads_in(gate) } else { told.contains(&GateId::from(*i)) };
    let most = zone.profile.value("capacity.lane_max_per_h");
    let (mut lanes, mut per_h) = (0u32, 0.0);
    for (_, gate) in venue.gates.iter().enumerate().filter(is_its) {
        lanes = lanes.saturating_add(gate.lanes);
        per_h += f64::from(gate.lanes) * gate.lane_rate_per_h.min(most);
    }
    let hours = zone.section.entry_period.map_or_else(|| zone.profile.value("capacity.entry_s"), |period| period.as_secs_f64()) / 3_600.0;
    (lanes > 0).then_some(Entry { lanes, per_h, hours })
}

fn holding(zone: &Zone) -> Option<Holding> {
    let Section { seats, standing_m2, physical, safety, .. } = &zone.section;
    if seats.is_none() && standing_m2.is_none() {
        return None;
    }
    let standing = standing_m2.unwrap_or(0.0) * zone.profile.value("capacity.standing_density");
    Some(Holding { seats: seats.unwrap_or(0), standing, factor: physical.unwrap_or(1.0).min(safety.unwrap_or(1.0)) })
}

fn exits(venue: &Venue, id: ZoneId, profile: &Profile, time: Span) -> Option<Exits> {
    let ways = venue.links.iter().filter(|link| link.exit.is_some_and(|exit| exit.of == id));
    let flows: Vec<(f64, f64)> = ways.filter_map(|link| Some((link.width_m?, link.width_m? * exit_rate(link.kind, profile)))).collect();
    let widest = flows.iter().map(|(_, per_min)| *per_min).max_by(f64::total_cmp)?;
    let all: f64 = flows.iter().map(|(_, per_min)| *per_min).sum();
    let dropped = if flows.len() > 1 { widest * profile.value("capacity.exits_dropped") } else { 0.0 };
    Some(Exits {
        exits: flows.len() as u32,
        width_m: flows.iter().map(|(width, _)| *width).sum(),
        per_min: (all - dropped).max(0.0),
        minutes: time.as_secs_f64() / 60.0,
    })
}

/// What a metre of an exit's width lets out, persons/m/min: stairs less than level ways, and a ramp what the profile says of ramps.
pub fn exit_rate(kind: LinkKind, profile: &Profile) -> f64 {
    profile.value(match kind {
        LinkKind::Stairs => "capacity.exit_stepped",
        LinkKind::Ramp => "capacity.exit_ramp",
        _ => "capacity.exit_level",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::site;
    use crate::venue::Exit;

    /// The sample's bowl: gates a (4 lanes) and b (2), 660/h each; the exit is 6 m wide.
    fn bowl(section: Section, exits: &[(&str, LinkKind)]) -> SafeCapacity {
        let mut site = site();
        let id = ZoneId::from(site.zone("bowl"));
        site.venue.zones[id.index()].section = section;
        for (name, kind) in exits {
            let link = site.venue.links.iter_mut().find(|link| &*link.id == *name).unwrap();
            (link.exit, link.kind) = (Some(Exit { of: id, opens_before_end: None }), *kind);
        }
        SafeCapacity::of(&site.venue, id).unwrap()
    }

    #[test]
    fn the_least_part_bounds_the_section() {
        let safe = bowl(Section { seats: Some(9_000), safety: Some(0.9), ..Section::default() }, &[]);
        assert_eq!((safe.persons(), safe.bound_by()), (Some(3_960), Some("entry")), "6 lanes × 660/h in an hour");
        let safe = bowl(Section { seats: Some(3_000), physical: Some(0.9), safety: Some(0.8), ..Section::default() }, &[]);
        assert_eq!((safe.persons(), safe.bound_by()), (Some(2_400), Some("holding")));
    }

    /// 47 persons on 10 m².
    #[test]
    fn standing_counts_by_its_area() {
        let safe = bowl(Section { standing_m2: Some(100.0), ..Section::default() }, &[]);
        assert_eq!(safe.persons(), Some(470));
    }

    /// Two exits of 6 m, one of them stairs: 492 and 396 persons/min; without the wider 396 × 8 min = 3,168.
    #[test]
    fn the_widest_exit_is_left_out_where_there_is_another() {
        let both = [("exit", LinkKind::Door), ("gate-b", LinkKind::Stairs)];
        let section = Section { evacuation: Some(Span::from_mins(4)), ..Section::default() };
        let safe = bowl(section.clone(), &both);
        assert_eq!((safe.persons(), safe.bound_by()), (Some(1_584), Some("emergency")));
        assert_eq!(safe.parts()[2].1, Some(3_168.0));
        assert_eq!(bowl(section, &both[..1]).parts()[2].1, Some(3_936.0), "the only exit cannot be left out");
    }

    #[test]
    fn the_kind_of_a_way_chooses_its_capacity() {
        let mut profile = crate::crowd::sample::profile();
        for (name, value) in [("capacity.exit_level", 82.0), ("capacity.exit_stepped", 66.0), ("capacity.exit_ramp", 70.0)] {
            profile.thresholds.get_mut(name).unwrap().value = value;
        }
        let rates = [LinkKind::Door, LinkKind::Corridor, LinkKind::Stairs, LinkKind::Ramp].map(|kind| exit_rate(kind, &profile));
        assert_eq!(rates, [82.0, 82.0, 66.0, 70.0]);
    }

    #[test]
    fn the_derivation_names_every_part_and_what_is_unknown() {
        let text = bowl(Section { seats: Some(3_000), ..Section::default() }, &[]).to_string();
        assert_eq!(text, "entry 3960 (6 lanes, 3960/h, 1.00 h); holding 3000 (3000 seats + 0 standing, x 1.00); exit unknown; emergency unknown");
    }

    #[test]
    fn a_zone_of_which_nothing_is_known_has_none() {
        let site = site();
        assert_eq!(SafeCapacity::of(&site.venue, ZoneId::from(site.zone("queue-a"))), None);
    }

    #[test]
    fn usual_presence_is_straight_between_its_points() {
        let section = Section { usual: vec![(18.0, 1_000.0), (20.0, 3_000.0)], ..Section::default() };
        for (hour, persons) in [(3.0, 1_000.0), (19.0, 2_000.0), (20.0, 3_000.0), (23.5, 3_000.0)] {
            assert_eq!(section.usual_at(hour), Some(persons), "{hour}");
        }
        assert_eq!(Section::default().usual_at(3.0), None);
    }
}
