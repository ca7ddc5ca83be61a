//! What is absent costs what is absent and no more: a direction, a step or a place.

use crate::replay::table::tests::{LONG, counts, profile, short, table};

/// A row tells one direction.
fn told(absent: &str) -> String {
    let rows = "direction = \"d\"\nvalue = \"n\"\nin_is = \"in\"\nout_is = \"out\"";
    LONG.replace("in = \"i\"\nout = \"o\"", rows).replace("missing", &format!("absent = \"{absent}\"\nmissing"))
}

#[test]
fn an_empty_cell_of_one_direction_costs_that_direction_of_that_step() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:00,b,5,6\n2020-06-01T10:30,a,,4\n2020-06-01T10:30,b,7,8\n2020-06-01T11:00,a,3,-1\n2020-06-01T11:30,a,,\n";
    let read = table("a.csv", LONG, rows);
    let expected = ["a 06-01T08:00 1/2/0", "b 06-01T08:00 5/6/0", "a 06-01T08:30 -/4/0", "b 06-01T08:30 7/8/0", "a 06-01T09:00 3/-/0"];
    assert_eq!(short(&counts(&read)), expected);
    let report = read.report();
    assert_eq!((report.counts, report.missing, report.halves, report.mute.len()), (5, 1, 2, 0));
    let venue = read.venue(&profile(), Vec::new());
    let counters: Vec<(&str, bool)> = venue.links.iter().map(|link| (&*link.id, link.one_way)).collect();
    assert_eq!(counters, [("a", true), ("b", false), ("a out", true)], "what can be silent by itself is a counter of its own");
}

#[test]
fn a_place_whose_way_out_no_row_knows_is_told_of_by_its_way_in() {
    let read = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,\n2020-06-01T10:00,b,5,6\n2020-06-01T10:30,a,2,\n");
    assert_eq!(short(&counts(&read)), ["a 06-01T08:00 1/0/0", "b 06-01T08:00 5/6/0", "a 06-01T08:30 2/0/0"]);
    assert_eq!((read.report().mute_ways.as_slice(), read.report().halves), (&["a: out".to_owned()][..], 0));
    let venue = read.venue(&profile(), Vec::new());
    let counters: Vec<(&str, bool)> = venue.links.iter().map(|link| (&*link.id, link.one_way)).collect();
    assert_eq!(counters, [("a", true), ("b", false)], "nobody forecasts who goes out of a");
    let all = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,-1,2\n2020-06-01T10:30,a,,2\n");
    assert_eq!((counts(&all).len(), all.report().mute_ways.as_slice()), (2, &["a: in".to_owned()][..]));
}

#[test]
fn an_absent_row_of_one_direction_is_a_gap_or_a_zero_as_the_mapping_says() {
    let rows = b"t,s,d,n\n2020-06-01T10:00,a,in,1\n2020-06-01T10:00,a,out,2\n2020-06-01T10:30,a,in,3\n2020-06-01T11:30,a,out,4\n2020-06-01T11:30,a,in,5\n";
    let read = table("a.csv", &told("gap"), rows);
    assert_eq!(short(&counts(&read)), ["a 06-01T08:00 1/2/0", "a 06-01T08:30 3/-/0", "a 06-01T09:30 5/4/0"]);
    assert_eq!(read.report().halves, 1);
    let read = table("a.csv", &told("zero"), rows);
    assert_eq!(short(&counts(&read)), ["a 06-01T08:00 1/2/0", "a 06-01T08:30 3/0/0", "a 06-01T09:00 0/0/0", "a 06-01T09:30 5/4/0"]);
    assert_eq!(read.report().halves, 0);
    let closed = told("zero").replace("missing", "without = [[2020-06-01, 2020-06-02]]\nmissing");
    assert_eq!(short(&counts(&table("a.csv", &closed, rows)))[1], "a 06-01T08:30 3/-/0", "nobody kept the table that day");
}

#[test]
fn a_missing_figure_of_one_direction_is_a_gap_of_it_whatever_an_absent_row_means() {
    let rows = b"t,s,d,n\n2020-06-01T10:00,a,in,1\n2020-06-01T10:00,a,out,2\n2020-06-01T10:30,a,in,3\n2020-06-01T10:30,a,out,-1\n2020-06-01T11:30,a,in,5\n";
    let read = short(&counts(&table("a.csv", &told("zero"), rows)));
    assert_eq!(read, ["a 06-01T08:00 1/2/0", "a 06-01T08:30 3/-/0", "a 06-01T09:00 0/0/0", "a 06-01T09:30 5/0/0"]);
}

#[test]
fn a_total_that_is_missing_in_one_direction_leaves_the_other_its_rises() {
    let text = LONG.replace("missing", "totals = true\nmissing");
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,100,7\n2020-06-01T10:30,a,105,\n2020-06-01T11:00,a,112,9\n2020-06-01T11:30,a,113,12\n";
    let read = table("a.csv", &text, rows);
    assert_eq!(short(&counts(&read)), ["a 06-01T08:30 5/-/0", "a 06-01T09:00 7/-/0", "a 06-01T09:30 1/3/0"]);
    assert_eq!(read.report().set_back, 0);
}
