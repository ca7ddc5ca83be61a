//! Ways through a venue: for every gate the way to its queue, to the seats and back, and for every means of transport the way home.
//!
//! The graph is the venue's own zones and links; a zone costs what it takes to cross it. Roles follow from kinds: a link from the world outside into
//! a platform is a railway, into a plaza a bus stop, and so on, so that any full venue can be simulated.

use super::SimError;
use crate::venue::{GateId, LinkId, LinkKind, Venue, ZoneId, ZoneKind};

/// One step of a way: over a link, forwards or backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) link: LinkId,
    pub(super) forward: bool,
}

/// How people come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Rail,
    Bus,
    Car,
    Walk,
    Fan,
}

/// A link from the world outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) mode: Mode,
    pub(super) zone: ZoneId,
    /// The step inwards.
    pub(super) hop: Hop,
}

/// The next step from every zone towards one target, and how far it is, in metres.
#[derive(Clone, Debug)]
pub(super) struct Way {
    next: Vec<Option<Hop>>,
    metres: Vec<f64>,
}

impl Way {
    pub(super) fn next(&self, zone: ZoneId) -> Option<Hop> {
        self.next.get(zone.index()).copied().flatten()
    }

    pub(super) fn metres(&self, zone: ZoneId) -> f64 {
        self.metres.get(zone.index()).copied().unwrap_or(f64::INFINITY)
    }
}

/// A gate with all that its spectators need.
#[derive(Clone, Debug)]
pub(super) struct GateRoutes {
    pub(super) gate: GateId,
    pub(super) queue: ZoneId,
    /// The step through the gate.
    pub(super) through: Hop,
    /// The step into its queue.
    pub(super) join: Hop,
    /// The zone before the queue.
    pub(super) before: ZoneId,
    /// The zone behind the gate.
    pub(super) concourse: ZoneId,
    pub(super) seat: ZoneId,
    pub(super) to_queue: Way,
    pub(super) to_seat: Way,
    pub(super) to_concourse: Way,
}

/// All ways of a venue.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    pub(super) entries: Vec<Entry>,
    /// By entry: the way home.
    pub(super) home: Vec<Way>,
    pub(super) gates: Vec<GateRoutes>,
}

impl Routes {
    /// Finds them.
    ///
    /// # Errors
    /// When nobody could get from outside through a gate to a seat.
    pub(super) fn new(venue: &Venue) -> Result<Self, SimError> {
        let entries: Vec<Entry> = venue.links.iter().enumerate().filter_map(|(index, _)| entry(venue, LinkId::from(index))).collect();
        let home = entries.iter().map(|entry| way(venue, entry.zone, |hop| leads_home(venue, hop))).collect();
        let gates: Vec<GateRoutes> = (0..venue.gates.len()).filter_map(|index| gate_routes(venue, GateId::from(index))).collect();
        let reachable = |gate: &GateRoutes| entries.iter().any(|entry| gate.to_queue.metres(entry.zone).is_finite());
        let gates: Vec<GateRoutes> = gates.into_iter().filter(reachable).collect();
        if gates.is_empty() {
            return Err(SimError::NoWayIn { venue: venue.id.to_string() });
        }
        Ok(Self { entries, home, gates })
    }
}

fn entry(venue: &Venue, link: LinkId) -> Option<Entry> {
    let ends = &venue.links[link.index()];
    let (zone, forward) = match (ends.from, ends.to) {
        (None, Some(zone)) => (zone, true),
        (Some(zone), None) => (zone, false),
        _ => return None,
    };
    let mode = match venue.zones[zone.index()].kind {
        ZoneKind::Platform => Mode::Rail,
        ZoneKind::Plaza => Mode::Bus,
        ZoneKind::Parking => Mode::Car,
        ZoneKind::FanZone => Mode::Fan,
        _ => Mode::Walk,
    };
    Some(Entry { mode, zone, hop: Hop { link, forward } })
}

fn gate_routes(venue: &Venue, gate: GateId) -> Option<GateRoutes> {
    let configured = &venue.gates[gate.index()];
    let through = Hop { link: configured.link, forward: true };
    let (queue, concourse) = (configured.queue?, target(venue, through)?);
    let hops = (0..venue.links.len()).map(|index| Hop { link: LinkId::from(index), forward: true });
    let join = hops.clone().chain(hops.map(|hop| Hop { forward: false, ..hop })).find(|hop| target(venue, *hop) == Some(queue) && hop.link != through.link)?;
    let before = origin(venue, join)?;
    let to_concourse = way(venue, concourse, |hop| is_inside(venue, hop));
    let seats = (0..venue.zones.len()).map(ZoneId::from).filter(|zone| matches!(kind(venue, *zone), ZoneKind::Bowl | ZoneKind::Stand));
    let seat = seats.filter(|zone| to_concourse.metres(*zone).is_finite()).min_by(|a, b| to_concourse.metres(*a).total_cmp(&to_concourse.metres(*b)))?;
    let to_queue = way(venue, queue, |hop| leads_in(venue, hop, queue));
    let to_seat = way(venue, seat, |hop| is_inside(venue, hop));
    Some(GateRoutes { gate, queue, through, join, before, concourse, seat, to_queue, to_seat, to_concourse })
}

/// Where a step ends; nothing for the world outside.
pub(super) fn target(venue: &Venue, hop: Hop) -> Option<ZoneId> {
    let link = &venue.links[hop.link.index()];
    if hop.forward { link.to } else { link.from }
}

/// Where a step begins.
pub(super) fn origin(venue: &Venue, hop: Hop) -> Option<ZoneId> {
    target(venue, Hop { forward: !hop.forward, ..hop })
}

fn kind(venue: &Venue, zone: ZoneId) -> ZoneKind {
    venue.zones[zone.index()].kind
}

/// How far it is across a zone, m. An approach is a road; what is wide is crossed at its middle.
pub(super) fn length_m(venue: &Venue, zone: ZoneId) -> f64 {
    const ROAD_WIDTH_M: f64 = 15.0;
    let area = venue.zones[zone.index()].area_m2.unwrap_or(2_500.0);
    match kind(venue, zone) {
        ZoneKind::Approach => area / ROAD_WIDTH_M,
        ZoneKind::GateQueue => 5.0,
        _ => libm::sqrt(area),
    }
}

fn behind_the_gates(kind: ZoneKind) -> bool {
    matches!(kind, ZoneKind::Concourse | ZoneKind::Stand | ZoneKind::Bowl)
}

fn is_gate(venue: &Venue, hop: Hop) -> bool {
    venue.links[hop.link.index()].kind == LinkKind::Gate || venue.gates.iter().any(|gate| gate.link == hop.link)
}

/// Whether both ends lie behind the gates.
fn is_inside(venue: &Venue, hop: Hop) -> bool {
    let inside = |zone: Option<ZoneId>| zone.is_some_and(|zone| behind_the_gates(kind(venue, zone)));
    inside(origin(venue, hop)) && inside(target(venue, hop)) && !is_gate(venue, hop)
}

/// Whether someone without a scanned ticket may take the step towards `queue`.
fn leads_in(venue: &Venue, hop: Hop, queue: ZoneId) -> bool {
    let (Some(from), Some(to)) = (origin(venue, hop), target(venue, hop)) else {
        return false;
    };
    let open = |zone: ZoneId| !behind_the_gates(kind(venue, zone)) && (zone == queue || kind(venue, zone) != ZoneKind::GateQueue);
    open(from) && open(to) && !is_gate(venue, hop)
}

/// Whether people on their way home take the step: not through the entry gates and their queues, not in through a door that leads out, and not
/// across the bowl to the exits of the other side.
fn leads_home(venue: &Venue, hop: Hop) -> bool {
    let (Some(from), Some(to)) = (origin(venue, hop), target(venue, hop)) else {
        return false;
    };
    let back_in = !behind_the_gates(kind(venue, from)) && behind_the_gates(kind(venue, to));
    !back_in && !is_gate(venue, hop) && !matches!(kind(venue, to), ZoneKind::GateQueue | ZoneKind::Bowl | ZoneKind::Stand)
}

/// The shortest way from every zone to `to` (Bellman and Ford: venues are small, and the order of links decides between equals).
fn way(venue: &Venue, to: ZoneId, allowed: impl Fn(Hop) -> bool) -> Way {
    let mut way = Way { next: vec![None; venue.zones.len()], metres: vec![f64::INFINITY; venue.zones.len()] };
    way.metres[to.index()] = 0.0;
    let hops = (0..venue.links.len()).flat_map(|link| [true, false].map(|forward| Hop { link: LinkId::from(link), forward }));
    let edges: Vec<(Hop, ZoneId, ZoneId)> = hops.filter(|hop| allowed(*hop)).filter_map(|hop| Some((hop, origin(venue, hop)?, target(venue, hop)?))).collect();
    for _ in 0..venue.zones.len() {
        let mut shorter = false;
        for (hop, from, end) in &edges {
            let metres = way.metres[end.index()] + length_m(venue, *from);
            if metres < way.metres[from.index()] {
                way.metres[from.index()] = metres;
                way.next[from.index()] = Some(*hop);
                shorter = true;
            }
        }
        if !shorter {
            break;
        }
    }
    way
}
