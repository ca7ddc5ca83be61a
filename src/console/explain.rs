//! An engine's explanation in plain words, one screen of them: for the API's `text` and `midan explain`.

use crate::engine::explain::{Explanation, Holder, WindowState};
use crate::time::{EventTime, Span};

/// The words, line by line.
pub fn lines(told: &Explanation) -> Vec<String> {
    let mut lines = vec![format!("{} of {}, {} to {}", told.zone, told.venue, clock(told.from), clock(told.to)), state(told)];
    if !told.holders.is_empty() {
        lines.push("Held by:".to_owned());
        lines.extend(told.holders.iter().flat_map(holder));
    }
    if !told.set_aside.is_empty() {
        lines.push(format!("Set aside, holding nobody: {}", told.set_aside.join(", ")));
    }
    if let Some(reports) = told.reports {
        lines.push(format!("In it: {reports} reports of the zone's sensors and gates"));
    }
    let away = told.turned_away;
    lines.push(format!("Turned away of it since this shard took the venue up: {} too late, {} in quarantine", away.late, away.quarantined));
    if told.late_waiting > 0 {
        lines.push(format!("Late events that take effect at the next close: {}", told.late_waiting));
    }
    for wrong in &told.wrong_clocks {
        let way = if wrong.offset_ms < 0 { "behind" } else { "ahead" };
        let off = Span::from_millis(wrong.offset_ms.unsigned_abs());
        lines.push(format!("Wrong clock: {} is {} {way}; {} of its events are in quarantine", wrong.sensor, length(off), wrong.events));
    }
    lines
}

fn state(told: &Explanation) -> String {
    let closed_to = told.closed_to.map_or_else(|| "nothing".to_owned(), clock);
    match told.state {
        WindowState::NotBegun => "Open: no pane of the venue has closed yet.".to_owned(),
        WindowState::Open if told.holders.is_empty() => format!("Open: the venue has closed panes up to {closed_to}; nobody holds it, it closes in its turn."),
        WindowState::Open => format!("Open: the venue has closed panes up to {closed_to}."),
        WindowState::Asking => "Closing: the picture stands, the models are at work.".to_owned(),
        WindowState::Closed => "Closed and published once; a late event may still revise it.".to_owned(),
        WindowState::Revised => format!("Closed and published again {} times.", told.revision.unwrap_or(0)),
        WindowState::Past => format!("Closed, and no longer kept whole (panes are closed up to {closed_to}): what comes now is published as a correction."),
    }
}

fn holder(holder: &Holder) -> Vec<String> {
    let stands = holder.watermark.map_or_else(|| "has never spoken".to_owned(), |watermark| format!("has come to {}", clock(watermark)));
    let mut lines = vec![format!("  {} ({}/{}) {stands}", holder.source, holder.topic, holder.partition)];
    if let Some(last) = &holder.last {
        let of = last.of.as_deref().map_or_else(|| "its own mark".to_owned(), |of| format!("an event of {of}"));
        let received = last.received.map_or_else(String::new, |at| format!(", received {}", clock(at)));
        lines.push(format!("    moved last by {of} of {} at offset {}{received}", clock(last.at), last.offset));
    }
    lines.push(format!("    lets go with any event of {} or later, or a low-water mark of that time", clock(holder.wants)));
    lines.push(match (holder.read_to, holder.set_aside_at) {
        (Some(next), Some(at)) => {
            format!("    its partition is read to its end (next offset {next}): silent until {} broker time, it is set aside", clock(at))
        }
        (Some(next), None) => format!("    its partition is read to its end (next offset {next}): after {} of silence it is set aside", length(holder.silence)),
        (None, Some(at)) => {
            format!("    its partition is being read: once what was appended until {} broker time is, and it was silent, it is set aside", clock(at))
        }
        (None, None) => "    its partition has unread records, so no silence sets it aside".to_owned(),
    });
    lines
}

fn clock(at: EventTime) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').trim_end_matches(".000").to_owned()
}

fn length(span: Span) -> String {
    match span.as_millis() / 1_000 {
        secs if secs >= 7_200 && secs % 3_600 < 120 => format!("{} h", secs / 3_600),
        secs if secs >= 120 => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Placement;
    use crate::engine::story::{Record, Run, START, all_low, count, world};

    fn told(run: &Run, zone: &str, secs: i64) -> Vec<String> {
        let world = world();
        let zone = world.venues[0].find_zone(zone).unwrap();
        lines(&run.engine.explain("small", zone, EventTime::from_millis(START + secs * 1_000)).unwrap())
    }

    fn received(records: Vec<Record>, secs: i64) -> Vec<Record> {
        records.into_iter().map(|record| record.received(secs)).collect()
    }

    /// rmoff-blog#135, nussknacker#6292: "why did this window not fire?"
    #[test]
    fn an_open_window_says_who_holds_it_since_when_at_which_offset_and_what_lets_it_go() {
        let mut run = Run::new(Placement::OnArrival);
        run.read(&received(vec![count("c-in", 0, 4, 0)], 11), 1);
        run.read(&received(all_low(&["counters", "slow", "tickets", "rail", "ops"], 20), 21), 9);
        run.read(&received(all_low(&["counters", "slow", "rail", "ops"], 60), 61), 9).quiet_until(61);
        let text = told(&run, "queue", 30).join("\n");
        for words in [
            "Open: the venue has closed panes up to 2030-06-16 18:00:10.",
            "tickets (feeds.ticketing/0) has come to 2030-06-16 18:00:15",
            "moved last by its own mark of 2030-06-16 18:00:20 at offset 0, received 2030-06-16 18:00:21",
            "lets go with any event of 2030-06-16 18:00:45 or later",
            "read to its end (next offset 1): silent until 2030-06-16 18:02:01 broker time, it is set aside",
        ] {
            assert!(text.contains(&words.replace("2030-06-16 18", &day())), "{words:?} in\n{text}");
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    ")).count(), 1, "nobody else holds it:\n{text}");
        assert!(text.lines().count() < 25, "one screen");
    }

    fn day() -> String {
        EventTime::from_millis(START).to_string().replace('T', " ")[..13].to_owned()
    }

    #[test]
    fn a_closed_one_says_how_often_it_was_published_and_what_was_turned_away() {
        let mut run = Run::new(Placement::ByPane);
        let mut records = Vec::new();
        for now in (0..300).step_by(10) {
            records.push(count("c-in", now, 4, 0).received(now + 11));
            records.extend(received(all_low(&["counters", "slow", "tickets", "rail", "ops"], now + 10), now + 11));
        }
        records.push(count("c-g1", 290, 3, 0).received(301));
        records.push(count("c-g1", 20, 3, 0).received(301));
        records.push(count("c-g1", 270, 3, 0).received(301));
        records.push(count("c-in", 290, 9, 0).received(301));
        run.read(&records, 8);
        assert!(told(&run, "queue", 265)[1].starts_with("Closed and published once"));
        let old = told(&run, "queue", 25).join("\n");
        assert!(old.contains("no longer kept whole") && old.contains("1 too late, 0 in quarantine"), "{old}");
        assert!(told(&run, "queue", 295).join("\n").contains("0 too late, 1 in quarantine"));
        assert!(told(&run, "lounge", 25).join("\n").contains("0 too late, 0 in quarantine"), "another zone has nothing to do with it");
        run.read(&received(all_low(&["counters", "slow", "tickets", "rail", "ops"], 400), 401), 9);
        assert!(told(&run, "queue", 1_000)[1].starts_with("Open"));
    }
}
