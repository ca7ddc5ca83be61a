//! Quotes that open in one row and close in another, remarks that honestly have several lines, and files that end in mid-row.

use crate::replay::table::tests::{LONG, counts, short, table, try_table};
use crate::replay::table::{Report, Table};

const REMARKS: &str = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"1h\"\n[time]\ncolumns = [\"t\"]\n[long]\nsensor_is = \"door\"\ncount = \"n\"\n";

/// A table with a row an hour, its lines as given.
fn remarks(lines: &str) -> Table {
    table("a.csv", REMARKS, lines.as_bytes())
}

/// The lines that have a fault.
fn lines_of(report: &Report) -> Vec<u32> {
    report.faults.iter().map(|fault| fault.split("a.csv:").nth(1).unwrap().split(':').next().unwrap().parse().unwrap()).collect()
}

fn starts(table: &Table) -> Vec<String> {
    short(&counts(table)).iter().map(|told| told[11..].to_owned()).collect()
}

#[test]
fn rows_between_two_stray_quotes_in_a_column_that_nobody_reads_are_named_line_by_line() {
    let swallowing = remarks(
        "t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,2,\"broken\n2020-06-01 02:00,3,\n2020-06-01 03:00,4,NA\n2020-06-01 04:00,5,12\"\n2020-06-01 05:00,6,\n",
    );
    assert_eq!(lines_of(swallowing.report()), [4, 5, 6]);
    assert_eq!((swallowing.report().rows, swallowing.report().faulty), (6, 3));
    assert_eq!(starts(&swallowing), ["00:00 0/0/1", "01:00 0/0/2", "05:00 0/0/6"], "what stands before the quote holds");
    let told = &swallowing.report().faults[0];
    assert!(told.ends_with("a.csv:4: stands between quotes of the row that begins in line 3: is one of them too many?"), "{told}");
}

#[test]
fn a_figure_behind_a_stray_quote_is_of_another_row_and_does_not_count() {
    let text = REMARKS.to_owned() + "[file]\nheader = false\ncolumns = [\"t\", \"r\", \"n\"]\n";
    let rows = "2020-06-01 00:00,,1\n2020-06-01 01:00,\"broken,2\n2020-06-01 02:00,,3\n2020-06-01 03:00,12\",4\n2020-06-01 04:00,,5\n";
    let mixed = table("a.csv", &text, rows.as_bytes());
    assert_eq!(starts(&mixed), ["00:00 0/0/1", "04:00 0/0/5"]);
    assert_eq!(lines_of(mixed.report()), [2, 3, 4]);
    assert!(mixed.report().faults[0].contains("reaches over 3 lines, 2 of which look like rows"), "{:?}", mixed.report().faults);
}

#[test]
fn a_row_whose_figures_cannot_be_trusted_is_no_absent_row_that_means_nobody() {
    let zero = REMARKS.replace("step", "absent = \"zero\"\nstep");
    let zeros = |rows: &[u8]| starts(&table("a.csv", &zero, rows));
    let swallowed = b"t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,2,\"broken\n2020-06-01 02:00,3,\n2020-06-01 03:00,4,12\"\n2020-06-01 05:00,6,\n";
    assert_eq!(zeros(swallowed), ["00:00 0/0/1", "01:00 0/0/2", "04:00 0/0/0", "05:00 0/0/6"]);
    let mixed = b"t,r,n\n2020-06-01 00:00,,1\n2020-06-01 01:00,\"broken,2\n2020-06-01 02:00,12\",4\n2020-06-01 04:00,,6\n";
    assert_eq!(zeros(mixed), ["00:00 0/0/1", "03:00 0/0/0", "04:00 0/0/6"]);
    let too_many = b"t,n\n2020-06-01 00:00,1\n2020-06-01 01:00,1,000\n2020-06-01 02:00,\xff\n2020-06-01 04:00,6\n";
    assert_eq!(zeros(too_many), ["00:00 0/0/1", "03:00 0/0/0", "04:00 0/0/6"]);
    let sum = REMARKS.replace("step", "repeated = \"sum\"\nstep");
    let parts = b"t,n,r\n2020-06-01 00:00,1,\n2020-06-01 00:00,2,\"broken\n2020-06-01 01:00,3,\n2020-06-01 01:00,4,12\"\n2020-06-01 01:00,5,\n";
    assert_eq!(starts(&table("a.csv", &sum, parts)), ["00:00 0/0/3"], "a part that nobody knows");
}

#[test]
fn swallowed_rows_are_named_in_the_first_row_in_quoted_tables_and_beside_letters_that_cannot_be_read() {
    let in_the_first = remarks("t,n,r\n2020-06-01 01:00,2,\"broken\n2020-06-01 02:00,3,\n2020-06-01 03:00,4,12\"\n2020-06-01 04:00,5,\n");
    assert_eq!((lines_of(in_the_first.report()), starts(&in_the_first).len()), (vec![3, 4], 2));
    let quoted = remarks("t,n,r\n\"2020-06-01 01:00\",\"2\",\"broken\n\"2020-06-01 02:00\",\"3\",\"\"\n\"2020-06-01 03:00\",\"4\",\"\"\n");
    assert_eq!((lines_of(quoted.report()), starts(&quoted)), (vec![3], vec!["01:00 0/0/2".to_owned(), "03:00 0/0/4".to_owned()]));
    let epochs = REMARKS.replace("[long]", "format = \"epoch_s\"\n[long]");
    let by_epoch = b"t,n,r\n1590998400,1,\n1591002000,2,\"broken\n1591005600,3,\n1591009200,4,12\"\n";
    assert_eq!(lines_of(table("a.csv", &epochs, by_epoch).report()), [4, 5]);
    let in_parts = REMARKS.replace("[\"t\"]", "[\"y\", \"m\", \"d\", \"h\"]\nformat = \"%Y %m %d %H\"");
    let by_parts = b"y,m,d,h,n,r\n2020,9,30,22,1,\n2020,9,30,23,2,\"broken\n2020,10,1,0,3,\n2020,10,1,1,4,12\"\n";
    assert_eq!(lines_of(table("a.csv", &in_parts, by_parts).report()), [4, 5]);
    let latin = b"t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,2,\"br\xfccke\n2020-06-01 02:00,3,\n2020-06-01 03:00,4,12\"\n2020-06-01 04:00,5,\n";
    assert_eq!(lines_of(table("a.csv", REMARKS, latin).report()), [3, 4, 5]);
    let dropped = remarks("t,n,r\n2020-06-01 00:00,1\n2020-06-01 01:00,2,\"broken\n2020-06-01 02:00,3\n2020-06-01 03:00,4,12\"\n2020-06-01 04:00,5\n");
    assert_eq!(lines_of(dropped.report()), [4, 5], "a writer that drops empty cells");
}

#[test]
fn lines_of_a_remark_that_look_like_rows_are_told_and_are_no_rows_of_the_table() {
    let zero = REMARKS.replace("step", "absent = \"zero\"\nstep");
    let rounds: String = (2..13).map(|hour| format!("2020-06-01 {hour:02}:30,7,ok\n")).collect();
    let sum = REMARKS.replace("step", "repeated = \"sum\"\nstep");
    for (text, remark, faults) in [
        (&zero, "since\n2020-05-30 10:00,4,ok\n2020-06-07 10:00,4,ok", 2),
        (&zero, "2020-06-01 10:17,5,door shut\nends", 0),
        (&zero, "at\n2020-06-01 10:17,5,door shut\nends", 1),
        (&REMARKS.to_owned(), &rounds, 10),
        (&sum, "see\n2020-06-01 00:00,wrong,x\n2020-06-07 00:00,5,x\nends", 2),
    ] {
        let fair = table("a.csv", text, format!("t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,2,\"{remark}\"\n2020-06-01 02:00,3,\n").as_bytes());
        assert_eq!(starts(&fair), ["00:00 0/0/1", "01:00 0/0/2", "02:00 0/0/3"], "{remark}");
        assert_eq!(lines_of(fair.report()).len(), faults, "{remark}");
    }
    let two = REMARKS.replace("sensor_is = \"door\"", "sensor = [\"s\", \"g\"]");
    let moved = "t,s,g,n,r\n2020-06-01 00:00,x/y,z,1,\n2020-06-01 01:00,x/y,z,2,\"moved\n2020-06-01 00:00,x,y/z,3,\n2020-06-01 00:00,a,b,3,\"\n";
    let moved = table("a.csv", &two, moved.as_bytes());
    assert_eq!((moved.sensors(), lines_of(moved.report())), (&["x/y/z".to_owned()][..], vec![4, 5]));
}

#[test]
fn a_swallowed_row_of_the_other_direction_leaves_that_direction_unknown() {
    let text = REMARKS.replace("count = \"n\"", "direction = \"d\"\nvalue = \"n\"\nin_is = \"in\"\nout_is = \"out\"");
    let rows = "t,d,n,r\n2020-06-01 00:00,in,1,\n2020-06-01 00:00,out,2,\n2020-06-01 01:00,in,3,\"broken\n2020-06-01 01:00,out,4,12\"\n2020-06-01 02:00,in,5,\n2020-06-01 02:00,out,6,\n";
    assert_eq!(starts(&table("a.csv", &text, rows.as_bytes())), ["00:00 1/2/0", "01:00 3/-/0", "02:00 5/6/0"]);
    // Where no row tells of the step, nothing of it is a zero.
    let rows =
        "t,d,n,r\n2020-06-01 00:00,in,1,\n2020-06-01 00:00,out,2,\"broken\n2020-06-01 01:00,in,4,12\"\n2020-06-01 02:00,in,5,\n2020-06-01 02:00,out,6,\n";
    let zero = text.replace("step", "absent = \"zero\"\nstep");
    assert_eq!(starts(&table("a.csv", &zero, rows.as_bytes())), ["00:00 1/2/0", "02:00 5/6/0"]);
}

#[test]
fn swallowed_rows_that_are_shorter_or_write_their_time_in_another_way_are_named_too() {
    let zero = REMARKS.replace("step", "absent = \"zero\"\nstep");
    for (rows, lines) in [
        ("2020-06-01 00:00,1,\"broken\n2020-06-01 01:00,2\n2020-06-01 02:00,3,12\"\n2020-06-01 03:00,4,x\n", vec![3, 4]),
        ("2020-06-01 23:00,1,\"broken\n2020-06-02,2,12\"\n2020-06-02 01:00,3,\n", vec![3]),
        ("2020-06-01T01:00:00Z,1,\"broken\n2020-06-01T02:00:00.000Z,2,12\"\n2020-06-01T03:00:00Z,3,\n", vec![3]),
    ] {
        let table = table("a.csv", &zero, format!("t,n,r\n{rows}").as_bytes());
        assert_eq!((lines_of(table.report()), starts(&table).len()), (lines, 2), "{rows}");
    }
}

#[test]
fn a_quote_that_is_closed_within_its_row_shifts_the_cells_and_the_figure_does_not_count() {
    let zero = REMARKS.replace("step", "absent = \"zero\"\nstep");
    let rows = b"t,r,n,x\n\"2020-06-01 00:00\",\"ok\",\"1\",\"\"\n\"2020-06-01 01:00\",\"broken,\"2\",\"3\"\n\"2020-06-01 02:00\",\"\",\"3\",\"\"\n";
    let shifted = table("a.csv", &zero, rows);
    assert_eq!((lines_of(shifted.report()), starts(&shifted)), (vec![3], vec!["00:00 0/0/1".to_owned(), "02:00 0/0/3".to_owned()]));
    let lacking = remarks("t,r,n,x\n2020-06-01 00:00,ok,1,9\n2020-06-01 01:00,2,3\n2020-06-01 02:00,,3,9\n");
    assert!(lacking.report().doubts[0].starts_with("the row of line 3 has fewer cells than any before it"), "{:?}", lacking.report().doubts);
}

#[test]
fn lines_have_the_numbers_that_an_editor_shows_where_their_ends_are_mixed() {
    for (rows, lines) in [
        ("t,n,r\r\n2020-06-01 00:00,1,\n2020-06-01 01:00,x,\n2020-06-01 02:00,y,\n", [3, 4]),
        ("t,n,r\n2020-06-01 00:00,1,\r\n2020-06-01 01:00,x,\r\n2020-06-01 02:00,y,\r\n", [3, 4]),
        ("\u{feff}t,n,r\r\n\r\n2020-06-01 00:00,1,\"a\nb\"\n\n2020-06-01 01:00,x,\r\n2020-06-01 02:00,y,\"c\r\nd\"\n", [6, 7]),
    ] {
        assert_eq!(lines_of(remarks(rows).report()), lines, "{rows}");
    }
}

#[test]
fn a_name_with_a_delimiter_in_it_makes_no_rows_of_a_remark_behind_it() {
    let text = REMARKS.replace("sensor_is = \"door\"", "sensor = \"s\"");
    let rows = "s,t,r,n\n\"Gate, north\",2020-06-01 00:00,,1\n\"Gate, north\",2020-06-01 01:00,\"Meier, Huber, Frei, Keller\nWeber, Kunz, Roth, Graf\",2\n";
    let fair = table("a.csv", &text, rows.as_bytes());
    assert_eq!((fair.report().faulty, counts(&fair).len()), (0, 2), "{:?}", fair.report().faults);
    let swallowing = rows.replace("Weber, Kunz, Roth, Graf\",2", "\"Gate, north\",2020-06-01 02:00,12\",2");
    assert_eq!(lines_of(table("a.csv", &text, swallowing.as_bytes()).report()), [3, 4]);
}

#[test]
fn a_last_line_that_has_no_time_is_none_that_was_cut() {
    for (last, told) in [("Total,4\n", "\"Total\""), ("(2 rows)\n", "\"(2 rows)\""), ("\u{1a}", "\"\u{1a}\"")] {
        let sums = remarks(&format!("t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,3,\n{last}"));
        assert!(sums.report().faults[0].contains(&format!("a.csv:4: the time {told}")), "{:?}", sums.report().faults);
    }
    let wide = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"1h\"\n[time]\ncolumns = [\"t\"]\n[wide]\n";
    let dropped = table("a.csv", wide, b"t,A,B,\n2020-06-01 00:00,1,2");
    assert_eq!((dropped.report().faulty, counts(&dropped).len()), (0, 2), "{:?}", dropped.report().faults);
}

#[test]
fn a_header_that_swallows_rows_refuses_the_table() {
    for header in ["t,n,a,b,\"r\n2020-06-01 01:00,2,east,north,\n2020-06-01 02:00,3,east,north,ok\"", "t,n,\"r\n2020-06-01 01:00,2\n2020-06-01 02:00,3\n\",x"] {
        let told = try_table("a.csv", REMARKS, format!("{header}\n2020-06-01 03:00,4,\n").as_bytes()).unwrap_err().to_string();
        assert!(told.contains("2 of which look like rows"), "{told}");
    }
    for header in ["t,n,\"Gate 1\n(lines 1, 2)\"", "t,n,\"r\n1, 2, 3\n4, 5, 6\""] {
        assert_eq!(starts(&remarks(&format!("{header}\n2020-06-01 03:00,4,\n"))), ["03:00 0/0/4"], "{header}");
        let epochs = REMARKS.replace("[long]", "format = \"epoch_s\"\n[long]");
        assert_eq!(starts(&table("a.csv", &epochs, format!("{header}\n1590980400,4,\n").as_bytes())), ["03:00 0/0/4"], "{header}");
    }
    let told = try_table("a.csv", REMARKS, b"t,n,\"r\n2020-06-01 01:00,2,\n2020-06-01 02:00,3,12\"\n2020-06-01 03:00,4,\n").unwrap_err().to_string();
    assert!(told.contains("the header, line 1, reaches over 3 lines, 2 of which look like rows"), "{told}");
    let fair = table("a.csv", REMARKS, b"t,n,\"remark\n(in words,\n1 or 2)\"\n2020-06-01 03:00,4,\n");
    assert_eq!(starts(&fair), ["03:00 0/0/4"]);
}

#[test]
fn an_honest_remark_of_several_lines_is_no_fault() {
    for remark in [
        "door\nopen",
        "door, 2 wings,\nshut at 10:05, open",
        "2020-06-01 01:30: door shut\n2020-06-01 01:40: open",
        "see\n2020-06-01 01:30,door shut,opened\n2020-06-01 01:40,open,ok",
        "one\r\n\r\ntwo",
        "Present:\nMeier, Huber, Frei, Keller\n5, 6, 7, 8",
        "1\n2\n3",
    ] {
        let fair = remarks(&format!("t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,2,\"{remark}\"\n2020-06-01 02:00,3,\n"));
        assert_eq!((lines_of(fair.report()), starts(&fair).len()), (vec![], 3), "{remark}");
        let first = remarks(&format!("t,n,r\n2020-06-01 01:00,2,\"{remark}\"\n2020-06-01 02:00,3,\n"));
        assert_eq!((lines_of(first.report()), starts(&first).len()), (vec![], 2), "{remark}");
        let epochs = REMARKS.replace("[long]", "format = \"epoch_s\"\n[long]");
        let by_epoch = table("a.csv", &epochs, format!("t,n,r\n1590998400,1,\n1591002000,2,\"{remark}\"\n").as_bytes());
        assert_eq!((lines_of(by_epoch.report()), starts(&by_epoch).len()), (vec![], 2), "{remark}");
        let before = table("a.csv", REMARKS, format!("r,t,n\n,2020-06-01 00:00,1\n\"{remark}\",2020-06-01 01:00,2\n").as_bytes());
        assert_eq!((lines_of(before.report()), starts(&before).len()), (vec![], 2), "{remark}");
    }
}

#[test]
fn a_row_with_too_few_cells_is_said_and_the_last_one_tells_of_a_file_that_is_cut() {
    let rows = "t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,a,3\n2020-06-01T11:00,a,5,6\n2020-06-01T11:30,a,7\n2020-06-01T12:00,a,7,8\n";
    let short_rows = table("a.csv", LONG, rows.as_bytes());
    assert_eq!((short_rows.report().faulty, short_rows.report().short, short_rows.report().halves), (0, 2, 2));
    assert!(
        short_rows.report().doubts[0].starts_with("2 rows have fewer cells than the mapping reads, the first in line 3"),
        "{:?}",
        short_rows.report().doubts
    );
    for (end, left) in [("", 1), ("\n", 2), ("\r\n", 2), ("\n\n", 2)] {
        let cut = table("a.csv", LONG, format!("t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,a,3{end}").as_bytes());
        assert_eq!((cut.report().faulty, cut.report().short, short(&counts(&cut)).len()), (1, 0, left), "{end:?}");
        assert!(cut.report().faults[0].ends_with("a.csv:3: has 3 of 4 cells, and the file ends with it: is it cut off?"), "{:?}", cut.report().faults);
    }
}

#[test]
fn of_a_row_that_is_cut_the_last_figure_may_have_been_a_greater_one() {
    let wide = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"1h\"\n[time]\ncolumns = [\"t\"]\n[wide]\n";
    let cut = |end: &str| table("a.csv", wide, format!("t,A,B,C\n2020-06-01 00:00,1,2,3\n2020-06-01 01:00,4,12{end}").as_bytes());
    assert_eq!(short(&counts(&cut("")))[3..], ["A 06-01T01:00 0/0/4"], "12 may have been 128");
    assert_eq!(short(&counts(&cut("\n")))[3..], ["A 06-01T01:00 0/0/4", "B 06-01T01:00 0/0/12"]);
    assert_eq!((cut("").report().faulty, cut("\n").report().faulty), (1, 1));
    let habit = table("a.csv", wide, b"t,A,B,C\n2020-06-01 00:00,1,2\n2020-06-01 01:00,4,12\n");
    assert_eq!((habit.report().faulty, habit.report().short), (0, 2), "a writer that drops empty cells drops them in the last row too");
    let remark = remarks("t,n,r\n2020-06-01 00:00,1,\n2020-06-01 01:00,12");
    assert_eq!((remark.report().faulty, starts(&remark).len()), (1, 1), "the remark that all other rows have is missing");
}

#[test]
fn empty_cells_that_a_writer_drops_at_the_end_are_no_fault() {
    for (rows, doubts) in [
        ("t,n,r\n2020-06-01 00:00,1\n2020-06-01 01:00,2\n", 0),
        ("t,n,r\n2020-06-01 00:00,1\n2020-06-01 01:00,2", 0),
        ("t,n,r\n2020-06-01 00:00,1,x\n2020-06-01 01:00,2\n", 1),
        ("t,n,r\r\n2020-06-01 00:00,1,x\r\n2020-06-01 01:00,2\r\n", 1),
        ("t,n,r\n2020-06-01 00:00,1,x,\n2020-06-01 01:00,2,y,", 0),
    ] {
        let fair = remarks(rows);
        assert_eq!((fair.report().faulty, fair.report().doubts.len(), starts(&fair).len()), (0, doubts, 2), "{rows}");
    }
}

#[test]
fn a_quote_that_is_closed_nowhere_refuses_the_table_instead_of_swallowing_its_rest() {
    let error =
        try_table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,\"a,1,2\n2020-06-01T11:00,a,1,2\n2020-06-01T11:30,a,1,2\n").unwrap_err();
    assert!(error.to_string().contains("line 3 reaches over 3 lines to the end of the file"), "{error}");
    // One that the next quote closes costs these rows, and says so.
    let closed = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,\"a,1,2\n2020-06-01T11:00,a\",1,2\n2020-06-01T11:30,\"a\",1,2\n");
    assert_eq!(short(&counts(&closed)).len(), 2);
    assert!(closed.report().faults[0].contains("a.csv:3: reaches over 2 lines, 1 of which look like rows"), "{:?}", closed.report().faults);
    assert!(closed.report().faults[1].contains("a.csv:4: stands between quotes of the row that begins in line 3"), "{:?}", closed.report().faults);
    // A remark of two lines is none.
    let remark = table("a.csv", LONG, b"t,s,i,o,r\n2020-06-01T10:00,a,1,2,\"door\nopen\"\n2020-06-01T10:30,a,1,2,\n");
    assert_eq!((short(&counts(&remark)).len(), remark.report().faults.len()), (2, 0));
    // Nor is it in the last row, with or without an end of its line.
    for end in ["", "\n", "\r\n"] {
        let rows = format!("t,s,i,o,r\n2020-06-01T10:00,a,1,2,\n2020-06-01T10:30,a,1,2,\"door\nopen\"{end}");
        let remark = table("a.csv", LONG, rows.as_bytes());
        assert_eq!((short(&counts(&remark)).len(), remark.report().faults.len()), (2, 0), "{end:?}");
    }
    // A quote in the very last line takes that line alone, and is closed nowhere all the same.
    let error = try_table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,\"a,1,2").unwrap_err();
    assert!(error.to_string().contains("line 3 reaches over 1 lines to the end of the file"), "{error}");
    let error = try_table("a.csv", LONG, b"t,s,\"i,o\n2020-06-01T10:00,a,1,2\n").unwrap_err();
    assert!(error.to_string().contains("line 1 reaches over 2 lines to the end of the file"), "{error}");
}
