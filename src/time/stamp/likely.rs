//! The formats by which a time could be read that is no ISO 8601 time.
//!
//! The idea: who has forgotten the format sees it in the message. Dates and times of the day as tables mostly write them are tried in every pair; where days and months can change places, both are said.

use super::by_pattern;
use chrono::Datelike;

const DATES: [&str; 8] = ["%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d/%m/%y", "%m/%d/%y", "%Y%m%d"];
const TIMES: [&str; 8] = ["", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H", "%H%M", "%H"];

/// What to say of such a time after its fault.
pub(super) fn hint(text: &str, section: &str) -> String {
    let is_believable = |pattern: &String| by_pattern(pattern, text).is_ok_and(|read| (1900..2200).contains(&read.year()));
    let epoch = match text.len() {
        9..=10 => Some("epoch_s"),
        12..=13 => Some("epoch_ms"),
        15..=16 => Some("epoch_us"),
        18..=19 => Some("epoch_ns"),
        _ => None,
    };
    let epoch = epoch.filter(|_| text.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned);
    let patterns = DATES.iter().flat_map(|date| TIMES.iter().map(move |time| format!("{date}{time}"))).filter(is_believable);
    let formats: Vec<String> = patterns.chain(epoch).map(|format| format!("\"{format}\"")).collect();
    match formats.as_slice() {
        [] => format!("; a pattern under [{section}] says how it is written, such as format = \"%d.%m.%Y %H:%M\""),
        formats => format!("; it could be read with format = {} under [{section}]", formats.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    fn told(text: &str) -> String {
        super::hint(text, "time")
    }

    #[test]
    fn a_time_that_is_not_iso_is_told_by_which_format_it_could_be_read() {
        assert!(told("881250949").contains("format = \"epoch_s\""), "{}", told("881250949"));
        assert!(told("1577836800000").contains("format = \"epoch_ms\""));
        assert!(told("1577836800000000").contains("format = \"epoch_us\" under"), "{}", told("1577836800000000"));
        assert!(told("1577836800000000000").contains("format = \"epoch_ns\" under"), "{}", told("1577836800000000000"));
        assert!(told("2016/01/01 00:47:36").contains("format = \"%Y/%m/%d %H:%M:%S\""), "{}", told("2016/01/01 00:47:36"));
        let either = told("03/04/2016 10:30");
        assert!(either.contains("\"%d/%m/%Y %H:%M\" or \"%m/%d/%Y %H:%M\""), "{either}");
        assert!(told("01.02.2016").contains("format = \"%d.%m.%Y\" under"), "{}", told("01.02.2016"));
        let short = told("01/02/16 10:30");
        assert!(short.contains("\"%d/%m/%y %H:%M\" or \"%m/%d/%y %H:%M\" under"), "{short}");
        let digits = told("201601010047");
        assert!(digits.contains("\"%Y%m%d%H%M\" or \"epoch_ms\""), "{digits}");
        assert!(told("yesterday").contains("a pattern under [time]"));
    }
}
