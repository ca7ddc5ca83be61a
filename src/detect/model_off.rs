//! MODEL-OFF: a configured model does not speak: it missed its deadline, is not there, said what is no number, or has been worse for long than what was learnt without it. The rules go on without it; somebody should know.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::topology::lead_zone;

const MANNER: Manner =
    Manner { code: Code::ModelOff, headline: "alarm.model_off", would_clear: "clear.model_off", certainty: "observed", urgency: "expected", severity: "minor" };

/// One finding for the venue, where any model is configured.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let lead = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index()));
    let configured = [scene.models.flow, scene.models.anomaly].into_iter().flatten();
    let (models, silent) = configured.fold((0u32, 0u32), |(models, silent), spoke| (models + 1, silent + u32::from(!spoke)));
    let Some(lead) = lead.filter(|_| models > 0 && scene.venue.find_zone(&scene.venue.id).is_none()) else {
        return;
    };
    let profile = profile_of(lead);
    let urgency = (silent > 0).then_some(Priority::Low);
    let delays = (seconds(profile, "model_off.on_s"), seconds(profile, "model_off.off_s"));
    let place = Place { kind: PlaceKind::Venue, id: scene.venue.id.clone() };
    let headline = [("silent", f64::from(silent)), ("models", f64::from(models))];
    let mut finding = MANNER.finding(place, Standing { exceeds: urgency, holds: urgency }, delays, &headline, &[]);
    finding.evidence.push(scene.figure("models_silent", f64::from(silent), "1"));
    findings.push(finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::ModelsSeen;
    use crate::detect::sample::Stage;

    fn stage(flow: Option<bool>, anomaly: Option<bool>) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        stage.models = ModelsSeen { flow, anomaly };
        stage
    }

    #[test]
    fn it_tells_a_silent_model_from_one_that_nobody_configured() {
        for (flow, anomaly, exceeds) in [(Some(true), Some(true), None), (Some(true), None, None), (Some(false), Some(true), Some(Priority::Low))] {
            assert_eq!(stage(flow, anomaly).only(detect).exceeds, exceeds, "{flow:?} {anomaly:?}");
        }
        assert!(stage(None, None).all(detect).is_empty(), "rules alone are no fault");
    }
}
