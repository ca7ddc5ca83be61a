//! What several rows of one step become.

use crate::replay::table::tests::{LONG, counts, short, table};
use crate::replay::table::{Mapping, StepClock};

#[test]
fn of_two_rows_of_a_step_that_which_knows_holds() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,NA,2\n2020-06-01T10:00,a,1,2\n2020-06-01T10:30,a,3,4\n2020-06-01T10:30,a,,\n2020-06-01T11:30,a,5,6\n";
    for text in [LONG.to_owned(), LONG.replace("missing", "absent = \"zero\"\nmissing")] {
        let text = text.replace("[\"\", \"-1\"]", "\"NA\"");
        let table = table("a.csv", &text, rows);
        let told: Vec<String> = short(&counts(&table)).into_iter().filter(|told| !told.ends_with("0/0/0")).collect();
        assert_eq!(told, ["a 06-01T08:00 1/2/0", "a 06-01T08:30 3/4/0", "a 06-01T09:30 5/6/0"]);
        assert_eq!((table.report().faulty, table.report().contradicting), (0, 0));
    }
}

#[test]
fn rows_that_tell_one_direction_each_become_one_count() {
    let text = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"30m\"\n[file]\nheader = false\ncolumns = [\"f\", \"d\", \"t\", \"n\"]\n[time]\ncolumns = [\"d\", \"t\"]\nformat = \"%m/%d/%y %H:%M:%S\"\n[long]\nsensor_is = \"door\"\ndirection = \"f\"\nin_is = \"9\"\nout_is = \"7\"\nvalue = \"n\"\n";
    let table = table("a.csv", text, b"7,07/24/05,00:00:00,3\n9,07/24/05,00:00:00,4\n7,07/24/05,00:30:00,5\n8,07/24/05,00:30:00,5\n");
    assert_eq!(short(&counts(&table)), ["door 07-24T00:00 4/3/0", "door 07-24T00:30 -/5/0"]);
    assert_eq!(table.report().faulty, 1);
}

#[test]
fn a_repeated_row_comes_out_twice_so_that_the_engine_judges_it() {
    let table = table("a.csv", LONG, b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:00,a,1,9\n");
    assert_eq!(short(&counts(&table)), ["a 06-01T08:00 1/2/0", "a 06-01T08:00 1/9/0"]);
    assert_eq!((table.report().contradicting, table.report().first_contradicting), (1, Some((3, 2))));
}

#[test]
fn rows_that_repeat_a_figure_are_told_from_those_that_contradict_it() {
    let counted = |text: &str, rows: &str| {
        let table = table("a.csv", text, rows.as_bytes());
        (table.report().repeating, table.report().contradicting, short(&counts(&table)))
    };
    let step = |persons: &str| format!("a 06-01T08:00 {persons}/0");
    let rows = "t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:00,a,1,9\n2020-06-01T10:00,a,1,2\n";
    assert_eq!(counted(LONG, rows), (1, 1, ["1/2", "1/9", "1/2"].map(step).to_vec()), "each is held against the first");
    // Of rows that tell a direction each, too, and however they stand.
    let told = LONG.replace("in = \"i\"\nout = \"o\"", "direction = \"d\"\nvalue = \"n\"\nin_is = \"x\"\nout_is = \"y\"");
    let row = |row: &&str| format!("2020-06-01T10:00,a,{row}\n");
    let of = |rows: &[&str]| counted(&told, &("t,s,d,n\n".to_owned() + &rows.iter().map(row).collect::<String>()));
    assert_eq!(of(&["x,3", "x,3", "y,4", "y,4"]), (1, 0, ["3/4", "3/4"].map(step).to_vec()));
    assert_eq!(of(&["x,3", "y,4", "y,4"]), (1, 0, ["3/4", "3/4"].map(step).to_vec()));
    assert_eq!(of(&["x,3", "y,4", "y,5"]), (0, 1, ["3/4", "3/5"].map(step).to_vec()));
}

#[test]
fn parts_of_a_whole_are_added_up_where_the_mapping_says_so() {
    let sum = LONG.replace("missing", "repeated = \"sum\"\nmissing");
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,1,2\n2020-06-01T10:00,b,5,5\n2020-06-01T10:00,a,1,9\n2020-06-01T10:30,a,4,4\n2020-06-01T10:30,a,-1,4\n";
    assert_eq!(
        short(&counts(&table("a.csv", &sum, rows))),
        ["a 06-01T08:00 2/11/0", "b 06-01T08:00 5/5/0", "a 06-01T08:30 -/8/0"],
        "a missing part leaves the whole unknown"
    );
}

#[test]
fn where_each_row_is_a_person_rows_are_counted() {
    let passages = LONG.replace("missing", "repeated = \"sum\"\nabsent = \"zero\"\nmissing").replace("[long]", "off_grid = \"down\"\n[long]");
    let rows = b"t,s,d\n2020-06-01T10:02,a,x\n2020-06-01T10:29,a,y\n2020-06-01T10:07,b,x\n2020-06-01T10:41,a,x\n2020-06-01T10:44,b,x\n2020-06-01T10:58,a,x\n";
    let told = passages.replace("in = \"i\"\nout = \"o\"", "rows = \"told\"\ndirection = \"d\"\nin_is = \"x\"\nout_is = \"y\"");
    let counted = passages.replace("in = \"i\"\nout = \"o\"", "rows = \"in\"");
    assert_ne!((&told, &counted), (&passages, &passages));
    assert_eq!(short(&counts(&table("a.csv", &told, rows))), ["a 06-01T08:00 1/1/0", "b 06-01T08:00 1/0/0", "a 06-01T08:30 2/0/0", "b 06-01T08:30 1/0/0"]);
    assert_eq!(short(&counts(&table("a.csv", &counted, rows))), ["a 06-01T08:00 2/0/0", "b 06-01T08:00 1/0/0", "a 06-01T08:30 2/0/0", "b 06-01T08:30 1/0/0"]);
    // Their days are those of the clock on the wall, whenever they came: Zürich is two hours ahead of UTC, and one from 25 October on.
    let daily = counted.replace("30m", "1d");
    let rows = b"t,s\n2020-10-24T00:10,a\n2020-10-24T23:50,a\n2020-10-25T02:10,a\n2020-10-25T23:10,a\n2020-10-25T23:40,a\n2020-10-26T00:20,a\n";
    let daily = table("a.csv", &daily, rows);
    assert_eq!(short(&counts(&daily)), ["a 10-24T00:00 2/0/0", "a 10-25T00:00 3/0/0", "a 10-26T00:00 1/0/0"]);
    assert_eq!(daily.clock(), StepClock::Wall);
    // Sums of days that are written at six, give or take a minute, are no passages.
    let late = "t,s\n2020-10-21T06:00:03,a\n2020-10-22T06:01:00,a\n2020-10-23T06:00:41,a\n2020-10-24T06:00:07,a\n";
    assert_eq!(table("a.csv", &counted.replace("30m", "1d"), late.as_bytes()).clock(), StepClock::Elapsed);
    let forgotten = told.replace("rows = \"told\"\n", "");
    assert!(Mapping::read("m.toml", &forgotten).unwrap_err().iter().any(|fault| fault.key == "long.in"), "a forgotten value is no row that counts one");
    let judged = counted.replace("repeated = \"sum\"\n", "");
    assert!(Mapping::read("m.toml", &judged).unwrap_err().iter().any(|fault| fault.key == "repeated"));
}
