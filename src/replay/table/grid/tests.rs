//! Rows beside the grid of the step, and rows that lie years from the others.

use crate::replay::table::tests::{LONG, counts, profile, short, table, try_table};
use crate::time::Span;

#[test]
fn a_row_beside_the_grid_is_refused_with_its_line_and_cuts_no_other_row_to_pieces() {
    let rows = b"t,s,i,o\n2020-06-01T10:07,a,9,9\n2020-06-01T10:30,a,1,2\n2020-06-01T11:00,a,3,4\n2020-06-01T11:30:20,a,5,6\n2020-06-01T12:00,a,7,8\n";
    let refused = table("a.csv", LONG, rows);
    assert_eq!(short(&counts(&refused)), ["a 06-01T08:30 1/2/0", "a 06-01T09:00 3/4/0", "a 06-01T09:30 5/6/0", "a 06-01T10:00 7/8/0"]);
    let venue = refused.venue(&profile(), Vec::new());
    assert_eq!((venue.pane.span(), venue.sources[0].as_of_lag, refused.report().faulty), (Span::from_mins(30), Span::ZERO, 1));
    assert_eq!(refused.report().moved, 1, "20 s of 30 min are a clock that is a little off");
    let faults = refused.report().faults.join("\n");
    assert!(faults.contains("a.csv:2: the time lies 7 min beside the grid of 30 min"), "{faults}");
    let moved = |how: &str| {
        let table = table("a.csv", &LONG.replace("[long]", &format!("off_grid = \"{how}\"\n[long]")), rows);
        assert_eq!((table.report().moved, table.report().faulty), (2, 0));
        short(&counts(&table))
    };
    assert_eq!(moved("down")[0], "a 06-01T08:00 9/9/0");
    assert_eq!(moved("nearest")[3], "a 06-01T09:30 5/6/0");
}

#[test]
fn single_passages_become_counts_of_the_step_that_they_lie_in() {
    let text = LONG.replace("missing", "repeated = \"sum\"\nmissing").replace("[long]", "off_grid = \"down\"\n[long]");
    let rows = b"t,s,i,o\n2020-06-01T10:00:03,a,1,0\n2020-06-01T10:12:41.500,a,1,0\n2020-06-01T10:29:59,a,0,1\n2020-06-01T10:30:00,a,1,0\n";
    assert_eq!(short(&counts(&table("a.csv", &text, rows))), ["a 06-01T08:00 2/1/0", "a 06-01T08:30 1/0/0"]);
}

#[test]
fn passages_at_any_second_are_counted_by_the_hours_of_the_clock_and_not_by_the_second_that_two_of_them_share() {
    let text = LONG
        .replace("30m", "1h")
        .replace("Europe/Zurich", "Asia/Kolkata")
        .replace("missing", "repeated = \"sum\"\nmissing")
        .replace("[long]", "off_grid = \"down\"\n[long]");
    let rows =
        b"t,s,i,o\n2020-06-01T10:17:23,a,1,0\n2020-06-01T10:59:59,a,1,0\n2020-06-01T11:00:07,a,0,1\n2020-06-01T11:17:23,a,1,0\n2020-06-01T12:40:11,a,1,0\n";
    assert_eq!(short(&counts(&table("a.csv", &text, rows))), ["a 06-01T04:30 2/0/0", "a 06-01T05:30 1/1/0", "a 06-01T06:30 1/0/0"]);
}

/// Hourly rows of some days, each as many seconds off the hour as `off` says; no second of the hour is likelier than another.
fn jittering(off: impl Fn(i64) -> i64) -> String {
    let at = |hour: i64| chrono::DateTime::from_timestamp(1_590_969_600 + 3_600 * hour + off(hour), 0).unwrap().format("%Y-%m-%dT%H:%M:%S").to_string();
    "t,s,i,o\n".to_owned() + &(0..240).map(|hour| format!("{},a,{hour},0\n", at(hour))).collect::<String>()
}

#[test]
fn a_clock_that_jitters_about_the_hour_has_steps_that_begin_with_it() {
    for widest in [60, 290] {
        // One second comes a few times, by chance.
        let rows = jittering(|hour| if hour % 48 == 7 { -widest } else { hour * 7_919 % (2 * widest + 1) - widest });
        for (zone, first, phase) in [("Europe/Zurich", "a 05-31T22:00 0/0/0", 0), ("Asia/Kolkata", "a 05-31T18:30 0/0/0", 30)] {
            let read = table("a.csv", &LONG.replace("30m", "1h").replace("Europe/Zurich", zone), rows.as_bytes());
            assert_eq!((short(&counts(&read))[0].as_str(), read.report().faulty), (first, 0), "{widest}");
            assert_eq!(read.venue(&profile(), Vec::new()).pane.phase(), Span::from_mins(phase), "{widest}");
        }
    }
    let days = jittering(|hour| 23 * 3_600 * hour + hour * 7_919 % 121 - 60);
    let days = table("a.csv", &LONG.replace("30m", "1d").replace("Europe/Zurich", "Asia/Kolkata"), days.as_bytes());
    assert_eq!(short(&counts(&days))[0], "a 05-31T18:30 0/0/0");
    // Rows on one phase keep it, wherever that is, and so do rows that jitter about another point than the full step.
    for (phase, first) in [(1_803, "a 05-31T22:30 0/0/0"), (5, "a 05-31T22:00 0/0/0")] {
        let read = table("a.csv", &LONG.replace("30m", "1h"), jittering(|hour| phase + i64::from(hour % 3 == 0)).as_bytes());
        assert_eq!((short(&counts(&read))[0].as_str(), read.venue(&profile(), Vec::new()).pane.phase()), (first, Span::from_secs(phase.unsigned_abs())));
    }
    let read = table("a.csv", &LONG.replace("30m", "1h"), jittering(|hour| 1_800 + hour * 7_919 % 121 - 60).as_bytes());
    assert!((Span::from_mins(29)..=Span::from_mins(31)).contains(&read.venue(&profile(), Vec::new()).pane.phase()));
}

#[test]
fn how_far_a_row_lies_beside_the_grid_is_told_from_its_nearest_point() {
    let refused = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,1\n2020-06-01T10:23,a,1,1\n2020-06-01T11:00,a,1,1\n2020-06-01T11:30,a,1,1\n");
    assert!(refused.report().faults[0].contains("a.csv:3: the time lies 7 min beside the grid of 30 min"), "{:?}", refused.report().faults);
    let zero = LONG.replace("missing", "absent = \"zero\"\nmissing");
    let told = try_table("a.csv", &zero, b"t,s,i,o\n2020-06-01T10:00,a,1,1\n2020-06-01T10:30,a,1,1\n2020-06-01T11:23,a,1,1\n").unwrap_err().to_string();
    assert!(told.contains("a.csv:4: lies 420 s beside"), "{told}");
}

#[test]
fn rows_on_no_grid_or_beside_it_where_absence_means_zero_refuse_the_table() {
    let refused = |text: &str, rows: &str| try_table("a.csv", text, rows.as_bytes()).unwrap_err().to_string();
    let told = refused(
        &LONG.replace("30m", "1h"),
        "t,s,i,o\n2020-06-01T10:00,a,1,1\n2020-06-01T10:30,a,1,1\n2020-06-01T11:00,a,1,1\n2020-06-01T11:30,a,1,1\n2020-06-01T12:00,a,1,1\n",
    );
    assert!(told.contains("as 2 of 5 rows do; is the step right?"), "{told}");
    let told = refused(LONG, "t,s,i,o\n2020-06-01T10:00,a,1,1\n2020-06-01T10:07,a,1,1\n2020-06-01T10:19,a,1,1\n");
    assert!(told.contains("a.csv:3: lies 420 s beside"), "{told}");
    assert!(told.contains("2 of 3 rows do") && told.contains("off_grid = \"down\""), "{told}");
    let zero = LONG.replace("missing", "absent = \"zero\"\nmissing");
    let told = refused(&zero, "t,s,i,o\n2020-06-01T10:00,a,1,1\n2020-06-01T10:30,a,1,1\n2020-06-01T11:07,a,1,1\n");
    assert!(told.contains("a.csv:4: lies 420 s beside") && told.contains("as 1 of 3 rows do; absent = \"zero\" would make nobody of the row"), "{told}");
    let mut days: String = "t,s,i,o\n".to_owned() + &(20..31).map(|day| format!("2020-03-{day:02},a,1,1\n")).collect::<String>();
    days += "2020-03-31T07:00,a,1,1\n";
    let told = refused(&zero.replace("30m", "1d"), &days);
    assert!(told.contains("a.csv:13: lies 25200 s beside") && told.contains("as 1 of 12 rows do; absent"), "by the clock on the wall: {told}");
}

#[test]
fn a_mistyped_year_is_refused_with_its_line_and_a_long_pause_is_none() {
    let mut rows = "t,s,i,o\n".to_owned();
    for hour in 0..24 {
        rows += &format!("2023-06-01T{hour:02}:00,a,1,1\n");
    }
    let right = table("a.csv", LONG, rows.as_bytes());
    let wrong =
        table("a.csv", LONG, (rows.clone() + "2203-06-02T00:00,a,1,1\n0203-06-02T00:30,a,1,1\n2032-06-02T00:00,a,1,1\n1970-01-01T00:00,a,0,0\n").as_bytes());
    assert_eq!(counts(&right), counts(&wrong));
    assert_eq!(wrong.report().faulty, 4);
    let faults = wrong.report().faults.join("\n");
    for told in [
        "a.csv:26: the time \"2203-06-02T00:00\" lies about the year 2203",
        "a.csv:27: the time \"0203-06-02T00:30\" lies about the year 203",
        "a.csv:28: the time lies 9 years from the rest",
        "a.csv:29: ",
    ] {
        assert!(faults.contains(told), "{told} in\n{faults}");
    }
    let every_other_year: String = [2015, 2017, 2019, 2022].map(|year| format!("{year}-06-01T10:00,a,1,1\n{year}-06-01T10:30,a,1,1\n")).concat();
    let fair = table("a.csv", LONG, ("t,s,i,o\n".to_owned() + &every_other_year).as_bytes());
    assert_eq!((counts(&fair).len(), fair.report().faulty), (8, 0));
}

#[test]
fn a_table_torn_apart_by_ages_is_refused() {
    let told = try_table("a.csv", LONG, b"t,s,i,o\n2023-06-01T10:00,a,1,1\n2123-06-01T10:00,a,1,1\n").unwrap_err().to_string();
    assert!(told.contains("years without a row lie between line 2 and line 3"), "{told}");
}
