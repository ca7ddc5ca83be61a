//! Tables over the night on which an hour comes twice.

use crate::replay::table::tests::{LONG, counts, short, table};

#[test]
fn the_half_of_a_doubled_hour_that_the_table_lacks_is_a_gap() {
    let zero = LONG.replace("missing", "absent = \"zero\"\nmissing");
    let table = table("a.csv", &zero, b"t,s,i,o\n2020-10-25T02:30,a,1,1\n2020-10-25T03:00,a,2,2\n");
    assert_eq!(short(&counts(&table)), ["a 10-25T00:30 1/1/0", "a 10-25T02:00 2/2/0"]);
}

#[test]
fn times_that_bear_an_offset_know_both_halves_of_a_doubled_hour() {
    let zero = LONG.replace("missing", "absent = \"zero\"\nmissing");
    let rows = b"t,s,i,o\n2020-10-25T00:30Z,a,1,1\n2020-10-25T02:00Z,a,2,2\n";
    assert_eq!(short(&counts(&table("a.csv", &zero, rows))), ["a 10-25T00:30 1/1/0", "a 10-25T01:00 0/0/0", "a 10-25T01:30 0/0/0", "a 10-25T02:00 2/2/0"]);
}

#[test]
fn a_doubled_hour_that_stands_twice_is_told_by_the_order_of_the_rows() {
    let forward = ["02:00,a,1,1", "02:30,a,2,2", "02:00,a,3,3", "02:30,a,4,4", "03:00,a,5,5"];
    let by_stamp = ["02:00,a,1,1", "02:00,a,3,3", "02:30,a,2,2", "02:30,a,4,4", "03:00,a,5,5"];
    let in_time = ["a 10-25T00:00 1/1/0", "a 10-25T00:30 2/2/0", "a 10-25T01:00 3/3/0", "a 10-25T01:30 4/4/0", "a 10-25T02:00 5/5/0"];
    let read = |policy: &str, rows: &[&str]| {
        let rows: String = rows.iter().map(|row| format!("2020-10-25T{row}\n")).collect();
        short(&counts(&table("a.csv", &LONG.replace("[long]", &format!("ambiguous = \"{policy}\"\n[long]")), format!("t,s,i,o\n{rows}").as_bytes())))
    };
    let backward = |rows: &[&'static str]| rows.iter().rev().copied().collect::<Vec<_>>();
    assert_eq!(read("in_order", &forward), in_time);
    assert_eq!(read("in_order", &by_stamp), in_time);
    assert_eq!(read("reverse", &backward(&forward)), in_time);
    assert_eq!(read("reverse", &backward(&by_stamp)), in_time);
    let with_another = [&forward[..1], &forward[2..], &["02:00,b,6,6", "02:30,b,6,6", "02:00,b,7,7"]].concat();
    let of_a: Vec<String> = read("in_order", &with_another).into_iter().filter(|told| told.starts_with('a')).collect();
    assert_eq!(of_a, [in_time[0], in_time[2], in_time[3], in_time[4]], "the first half past two is missing, and the other place's rows tell so");
    let places = ["02:00,a,1,1", "02:30,b,6,6", "02:30,a,2,2", "02:00,a,3,3", "02:30,b,7,7", "02:30,a,4,4"];
    assert_eq!(read("in_order", &places)[1..3], ["a 10-25T00:30 2/2/0", "b 10-25T00:30 6/6/0"], "each place by its own rows");
}

#[test]
fn parts_of_a_doubled_hour_are_added_up_hour_by_hour() {
    let text = LONG.replace("missing", "repeated = \"sum\"\nmissing").replace("[long]", "ambiguous = \"in_order\"\noff_grid = \"down\"\n[long]");
    let parts = b"t,s,i,o\n2020-10-25T02:00,a,1,0\n2020-10-25T02:00,a,2,0\n2020-10-25T02:00,a,30,0\n2020-10-25T02:00,a,40,0\n2020-10-25T03:00,a,5,5\n";
    assert_eq!(short(&counts(&table("a.csv", &text, parts))), ["a 10-25T00:00 3/0/0", "a 10-25T01:00 70/0/0", "a 10-25T02:00 5/5/0"]);
    let passages =
        b"t,s,i,o\n2020-10-25T02:01:05,a,1,0\n2020-10-25T02:20:00,a,1,0\n2020-10-25T02:21:00,a,1,0\n2020-10-25T02:03:00,a,1,0\n2020-10-25T03:00,a,5,5\n";
    assert_eq!(short(&counts(&table("a.csv", &text, passages))), ["a 10-25T00:00 3/0/0", "a 10-25T01:00 1/0/0", "a 10-25T02:00 5/5/0"]);
}

#[test]
fn rows_that_contradict_each_other_in_a_doubled_hour_are_told_apart_from_others() {
    let table = table("a.csv", LONG, b"t,s,i,o\n2020-10-25T02:00,a,1,1\n2020-10-25T02:00,a,2,2\n2020-10-25T03:00,a,5,5\n2020-10-25T03:00,a,6,5\n");
    assert_eq!((table.report().contradicting, table.report().in_doubled_hours), (2, 1));
}

#[test]
fn a_row_that_stands_twice_in_the_first_of_two_hours_is_no_leap_into_the_second() {
    let read = |rows: &[&str]| {
        let rows: String = rows.iter().map(|row| format!("2020-10-25T{row}\n")).collect();
        short(&counts(&table("a.csv", &LONG.replace("[long]", "ambiguous = \"in_order\"\n[long]"), format!("t,s,i,o\n{rows}").as_bytes())))
    };
    let in_time = ["a 10-25T00:00 1/1/0", "a 10-25T00:00 1/1/0", "a 10-25T00:30 2/2/0", "a 10-25T01:00 3/3/0", "a 10-25T01:30 4/4/0"];
    assert_eq!(read(&["02:00,a,1,1", "02:00,a,1,1", "02:30,a,2,2", "02:00,a,3,3", "02:30,a,4,4"]), in_time);
    let corrected = read(&["02:00,a,1,1", "02:00,a,9,9", "02:30,a,2,2", "02:00,a,3,3", "02:30,a,4,4"]);
    assert_eq!(corrected[1..], ["a 10-25T00:00 9/9/0", in_time[2], in_time[3], in_time[4]], "the rows leap back further down");
    let by_another = read(&["02:00,a,1,1", "02:00,a,1,1", "02:30,a,2,2", "02:00,b,5,5", "02:30,b,6,6", "02:00,b,7,7", "02:30,b,8,8"]);
    assert!(by_another.contains(&in_time[2].to_owned()), "{by_another:?}");
}
