//! SCAN-MIX: an unusual share of tickets is turned away. At one gate it is a device; at many at once it is forged tickets, or a clock (crowd-science §2.5).
//!
//! Where at least as many gates as the profile says are over the limit, the finding is the venue's and the gates' own are quiet: one cause, one alarm.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::ScanWindow;
use crate::crowd::normal::probability_above;
use crate::crowd::topology::{gate_profile, lead_zone};
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::ScanMix, headline: "alarm.scan_mix", would_clear: "clear.scan_mix", certainty: "observed", urgency: "expected", severity: "moderate" };

/// Scans of one place over the rate window.
#[derive(Clone, Copy, Default)]
struct Mix {
    scans: f64,
    rejected: f64,
}

/// One finding per gate with enough scans, and one for the venue.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let lead = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index()));
    let Some(venue_profile) = lead.map(profile_of).filter(|_| scene.venue.find_zone(&scene.venue.id).is_none()) else {
        return;
    };
    let mixes: Vec<(usize, Mix, &Profile)> = scene
        .venue
        .gates
        .iter()
        .zip(&scene.figures.gates)
        .enumerate()
        .filter_map(|(i, (gate, figures))| {
            let profile = gate_profile(scene.venue, gate)?;
            Some((i, Mix::of(&figures.scans)?, profile)).filter(|(_, mix, profile)| mix.scans >= profile.value("scan_mix.scans"))
        })
        .collect();
    let over = mixes.iter().filter(|(_, mix, profile)| mix.is_over(profile, true)).count() as f64;
    let is_everywhere = over >= venue_profile.value("scan_mix.gates");
    for (i, mix, profile) in &mixes {
        let place = Place { kind: PlaceKind::Gate, id: scene.venue.gates[*i].id.clone() };
        findings.push(finding(scene, place, *mix, !is_everywhere, (1.0, over), profile));
    }
    if !mixes.is_empty() {
        let all = mixes.iter().fold(Mix::default(), |sum, (_, mix, _)| Mix { scans: sum.scans + mix.scans, rejected: sum.rejected + mix.rejected });
        let place = Place { kind: PlaceKind::Venue, id: scene.venue.id.clone() };
        findings.push(finding(scene, place, all, is_everywhere, (over, over), venue_profile));
    }
}

fn finding(scene: &Scene<'_>, place: Place, mix: Mix, is_asked: bool, (gates, over): (f64, f64), profile: &Profile) -> Finding {
    let urgency = |eased| (is_asked && mix.is_over(profile, eased)).then_some(Priority::Medium);
    let standing = Standing { exceeds: urgency(false), holds: urgency(true) };
    let (limit, delays) = (profile.value("scan_mix.share"), (seconds(profile, "scan_mix.on_s"), seconds(profile, "scan_mix.off_s")));
    let headline = [("share", mix.share()), ("gates", gates)];
    let mut finding = MANNER.finding(place, standing, delays, &headline, &[("share", limit - profile.value("scan_mix.deadband"))]);
    finding.evidence.push(scene.held("rejected_share", mix.share(), "1", limit, profile));
    if !standing.is_quiet() {
        finding.evidence.push(scene.held("p_rejected_over", mix.p_over(limit), "1", profile.value("scan_mix.p"), profile));
        finding.evidence.push(scene.figure("rejected", mix.rejected, "persons"));
        finding.evidence.push(scene.held("gates_over", over, "1", profile.value("scan_mix.gates"), profile));
    }
    finding
}

impl Mix {
    fn of(window: &ScanWindow) -> Option<Self> {
        let (scanned, rejected) = (f64::from(window.scanned_long), f64::from(window.rejected_long));
        (scanned + rejected > 0.0).then_some(Self { scans: scanned + rejected, rejected })
    }

    fn share(self) -> f64 {
        self.rejected / self.scans
    }

    /// P(share > limit), by the normal law for a share; one person more on either side keeps a few scans from being certain (Agresti and Coull 1998).
    fn p_over(self, limit: f64) -> f64 {
        let n = self.scans + 2.0;
        let share = (self.rejected + 1.0) / n;
        probability_above(limit, share, libm::sqrt(share * (1.0 - share) / n))
    }

    fn is_over(self, profile: &Profile, eased: bool) -> bool {
        let limit = profile.value("scan_mix.share") - if eased { profile.value("scan_mix.deadband") } else { 0.0 };
        self.p_over(limit) >= profile.value("scan_mix.p")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use crate::venue::Gate;

    /// Several gates as the sample's first, each with its scans and rejections.
    fn stage(scans: &[(u32, u32)]) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        let (gate, figures) = (stage.site.venue.gates[0].clone(), stage.figures.gates[0].clone());
        stage.site.venue.gates = (0..scans.len()).map(|i| Gate { id: format!("g{i}").into(), ..gate.clone() }).collect();
        stage.figures.gates = vec![figures; scans.len()];
        for (gate, (scanned_long, rejected_long)) in stage.figures.gates.iter_mut().zip(scans) {
            gate.scans = ScanWindow { scanned_long: *scanned_long, rejected_long: *rejected_long, ..ScanWindow::default() };
        }
        stage
    }

    fn over(stage: &Stage) -> Vec<String> {
        let findings = stage.all(detect);
        findings.iter().filter(|finding| finding.exceeds.is_some()).map(|finding| finding.place.id.to_string()).collect()
    }

    /// Limit 5 %, P ≥ 0.9, from 60 scans on.
    #[test]
    fn one_gate_is_a_device() {
        assert_eq!(over(&stage(&[(200, 2), (200, 30)])), ["g1"]);
        assert!(over(&stage(&[(200, 2), (200, 12)])).is_empty(), "6 % of 200 may be chance");
        assert!(over(&stage(&[(40, 15)])).is_empty(), "too few scans");
        assert_eq!(over(&stage(&[(0, 300)])), ["g0"], "a device that refuses everybody");
    }

    #[test]
    fn many_gates_are_one_alarm_of_the_venue() {
        let stage = stage(&[(200, 40), (200, 35), (200, 30), (200, 1)]);
        assert_eq!(over(&stage), ["casablanca"]);
        let finding = stage.all(detect).into_iter().find(|finding| finding.exceeds.is_some()).unwrap();
        assert_eq!((finding.headline.args["gates"], finding.evidence[3].value), (3.0, 3.0));
    }

    #[test]
    fn the_deadband_holds_what_it_would_not_raise() {
        let findings = stage(&[(485, 15)]).all(detect);
        assert_eq!((findings[0].exceeds, findings[0].holds), (None, None));
        let findings = stage(&[(460, 24)]).all(detect);
        assert_eq!((findings[0].exceeds, findings[0].holds), (None, Some(Priority::Medium)));
    }

    #[test]
    fn without_scans_it_cannot_tell() {
        assert!(stage(&[(0, 0)]).all(detect).is_empty());
    }
}
