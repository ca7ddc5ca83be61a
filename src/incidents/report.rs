//! The scores as a table for people.

use super::score::{IncidentScore, Lead, Rate, Scores};
use super::script::Part;
use std::fmt::Write as _;

/// The table.
pub fn table(scores: &Scores) -> String {
    let mut text = String::new();
    if !scores.incidents.is_empty() {
        let _ = writeln!(
            text,
            "{:<24} {:<9} {:<13} {:<8} {:>6} {:>12} {:>14}  required",
            "incident", "part", "first", "priority", "at", "before harm", "before acting"
        );
        for incident in &scores.incidents {
            line(&mut text, incident);
        }
        let met = scores.incidents.iter().filter(|incident| incident.is_met()).count();
        let _ = writeln!(text, "{met} of {} incidents meet what is required of them.", scores.incidents.len());
    }
    if scores.quiet.nights > 0 {
        let quiet = &scores.quiet;
        let _ = writeln!(text, "\n{} quiet nights, {} of them near misses, {:.0} operator-hours", quiet.nights, quiet.near_misses, quiet.hours);
        let _ = writeln!(text, "{:<28} {:>7} {:>16} {:>18} {:>12}", "false findings", "number", "per venue-night", "per operator-hour", "nights with");
        for (name, rate) in &quiet.by_priority {
            rates(&mut text, name, rate);
        }
        rates(&mut text, "medium or above", &quiet.medium_or_above);
        rates(&mut text, "high or top", &quiet.high_or_top);
        rates(&mut text, "of the system (any)", &quiet.of_the_system);
        let codes: Vec<String> = quiet.by_code.iter().map(|(code, number)| format!("{code} {number}")).collect();
        let _ = writeln!(text, "medium or above by code: {}", if codes.is_empty() { "none".to_owned() } else { codes.join(", ") });
    }
    text
}

fn line(text: &mut String, incident: &IncidentScore) {
    let part = if incident.part == Part::Tuning { "tuning" } else { "held out" };
    let first = |what: fn(&Lead) -> String| incident.first.as_ref().map_or_else(|| "-".to_owned(), what);
    let required: Vec<String> = incident.expected.iter().map(required).collect();
    let _ = writeln!(
        text,
        "{:<24} {:<9} {:<13} {:<8} {:>6} {:>12} {:>14}  {}",
        incident.name,
        part,
        first(|lead| lead.code.to_owned()),
        first(|lead| format!("{:?}", lead.priority).to_lowercase()),
        first(|lead| lead.at.clone()),
        first(|lead| if lead.at_load { "at load".to_owned() } else { minutes(lead.before_harm_min) }),
        first(|lead| minutes(lead.before_acting_min)),
        required.join("; "),
    );
}

fn required(expected: &super::score::ExpectedScore) -> String {
    let least = expected.least_min.map_or_else(|| "at load".to_owned(), |least| format!("≥ {}", minutes(least)));
    let lead = match (expected.lead_min, expected.least_min) {
        (None, _) => "missing".to_owned(),
        (Some(_), None) if expected.is_met => "came".to_owned(),
        (Some(lead), _) => minutes(lead),
    };
    format!("{} {} {least} ({lead})", if expected.is_met { "met" } else { "NOT MET" }, expected.codes.join("|"))
}

fn rates(text: &mut String, name: &str, rate: &Rate) {
    let _ = writeln!(text, "{name:<28} {:>7} {:>16.3} {:>18.4} {:>12}", rate.number, rate.per_night, rate.per_hour, rate.nights_with);
}

/// `2 h 55`, `25 min`.
pub(super) fn minutes(minutes: f64) -> String {
    let (sign, whole) = (if minutes < 0.0 { "-" } else { "" }, libm::floor(minutes.abs()) as u64);
    if whole >= 60 { format!("{sign}{} h {:02}", whole / 60, whole % 60) } else { format!("{sign}{whole} min") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_told_in_hours_and_minutes_and_never_rounded_up() {
        assert_eq!([minutes(175.0), minutes(25.9), minutes(-3.0), minutes(180.5)], ["2 h 55", "25 min", "-3 min", "3 h 00"]);
    }
}
