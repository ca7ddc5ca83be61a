//! The lead times as a picture: a bar from the first finding to the harm for each incident, with the moment at which people acted.

use super::report::minutes;
use super::score::Scores;
use std::fmt::Write as _;

const LEFT: f64 = 190.0;
const WIDTH: f64 = 640.0;
const ROW: f64 = 34.0;
const TOP: f64 = 64.0;
/// The longest lead that is drawn to scale, min.
const LONGEST: f64 = 300.0;

/// The picture as SVG. It follows the reader's light or dark scheme.
pub fn svg(scores: &Scores) -> String {
    let height = TOP + ROW * scores.incidents.len() as f64 + 60.0;
    let x = |before_min: f64| LEFT + WIDTH * (1.0 - before_min.clamp(0.0, LONGEST) / LONGEST);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\">\n\
         <title>Lead times of the first finding, by incident</title>\n\
         <style>text{{fill:#222}}.g{{stroke:#ccc}}.b{{fill:#2a6fb0}}.l{{fill:#7a4fa3}}.h{{stroke:#b3261e}}.a{{fill:#222}}\
         @media (prefers-color-scheme:dark){{text{{fill:#ddd}}.g{{stroke:#444}}.b{{fill:#6aa9e0}}.l{{fill:#b08fd8}}.h{{stroke:#ff8a80}}.a{{fill:#ddd}}}}</style>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"16\">From the first finding to the harm</text>\n",
        w = LEFT + WIDTH + 40.0
    );
    for hours in 0..=5 {
        let at = x(f64::from(hours) * 60.0);
        let _ = writeln!(
            svg,
            "<line class=\"g\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{:.0}\" y2=\"{:.0}\"/><text x=\"{at:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            TOP - 12.0,
            height - 50.0,
            TOP - 18.0,
            if hours == 0 { "harm".to_owned() } else { format!("{hours} h") }
        );
    }
    for (row, incident) in scores.incidents.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let _ = writeln!(svg, "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 10.0, y + 15.0, incident.name);
        if let Some(lead) = &incident.first {
            let (from, to) = (x(lead.before_harm_min), x(0.0));
            let class = if lead.at_load { "l" } else { "b" };
            let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"20\" rx=\"3\"/>", (to - from).max(2.0));
            let told = if lead.at_load { format!("{} at load", lead.code) } else { format!("{} {}", lead.code, minutes(lead.before_harm_min)) };
            // A short bar has its words before it.
            let (at, style) = if to - from < 110.0 { (from - 6.0, "text-anchor=\"end\"") } else { (from + 6.0, "style=\"fill:#fff\"") };
            let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{:.1}\" {style}>{told}</text>", y + 15.0);
            let acted = x(lead.before_harm_min - lead.before_acting_min);
            let _ = writeln!(svg, "<path class=\"a\" d=\"M{acted:.1} {:.1}l5 9h-10z\"><title>people acted at {}</title></path>", y + 21.0, incident.acted);
        }
    }
    let _ =
        writeln!(svg, "<line class=\"h\" stroke-width=\"2\" x1=\"{x0:.1}\" x2=\"{x0:.1}\" y1=\"{:.0}\" y2=\"{:.0}\"/>", TOP - 12.0, height - 50.0, x0 = x(0.0));
    let quiet = &scores.quiet;
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.0}\">Triangle: when people acted. Violet: known when plan and layout were loaded. Bars end at five hours.</text>",
        height - 28.0
    );
    if quiet.nights > 0 {
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{:.0}\">{} quiet nights: {:.2} false findings a venue-night at medium or above, {:.3} at high or top.</text>",
            height - 8.0,
            quiet.nights,
            quiet.medium_or_above.per_night,
            quiet.high_or_top.per_night
        );
    }
    svg.push_str("</svg>\n");
    svg
}
