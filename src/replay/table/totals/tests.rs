//! Running totals: what rises, what falls, and what lies between.

use crate::replay::table::tests::{LONG, counts, short, table, try_table};

#[test]
fn running_totals_become_the_rise_from_row_to_row_and_what_nobody_can_know_is_a_gap() {
    let text = LONG.replace("missing", "totals = true\nmissing").replace("[long]", "stamp = \"to\"\n[long]");
    let mut rows = "t,s,i,o\n".to_owned();
    for (time, total) in [
        ("10:00", "100,7"),
        ("10:30", "105,7"),
        ("11:00", "112,9"),
        ("12:00", "140,9"),
        ("12:30", "3,0"),
        ("13:00", "4,2"),
        ("13:30", "-1,2"),
        ("14:00", "9,9"),
        ("14:30", "10,9"),
        ("15:00", "900000010,9"),
        ("15:30", "900000012,9"),
    ] {
        rows += &format!("2020-06-01T{time},a,{total}\n");
    }
    let told = table("a.csv", &text, rows.as_bytes());
    assert_eq!(
        short(&counts(&told)),
        [
            "a 06-01T08:00 5/0/0",
            "a 06-01T08:30 7/2/0",
            "a 06-01T10:30 1/2/0",
            "a 06-01T11:00 -/0/0",
            "a 06-01T11:30 -/7/0",
            "a 06-01T12:00 1/0/0",
            "a 06-01T13:00 2/0/0"
        ]
    );
    assert_eq!((told.report().set_back, told.report().doubts.len()), (2, 0));
    let zero = table("a.csv", &text.replace("missing", "absent = \"zero\"\nmissing"), &rows.as_bytes()[..rows.find("2020-06-01T12:30").unwrap()]);
    assert_eq!(short(&counts(&zero))[2..], ["a 06-01T09:00 0/0/0", "a 06-01T09:30 28/0/0"], "a counter that writes nothing while nobody comes");
}

#[test]
fn the_rise_over_a_row_that_is_marked_missing_is_a_gap_whatever_an_absent_row_means() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,100,0\n2020-06-01T10:30,a,-1,0\n2020-06-01T11:30,a,160,0\n2020-06-01T12:30,a,167,0\n";
    let zero = LONG.replace("missing", "totals = true\nabsent = \"zero\"\nmissing");
    let read = table("a.csv", &zero, rows);
    let told: Vec<String> = short(&counts(&read)).into_iter().filter(|told| !told.ends_with(" 0/0/0")).collect();
    assert_eq!(told, ["a 06-01T08:30 -/0/0", "a 06-01T09:30 -/0/0", "a 06-01T10:30 7/0/0"], "nobody knows in which step the 60 came");
    assert_eq!((read.report().halves, read.report().set_back), (2, 0));
}

#[test]
fn a_counter_that_runs_backwards_is_named_as_one() {
    let text = LONG.replace("missing", "totals = true\nmissing").replace("[long]", "stamp = \"to\"\n[long]");
    let rows: String = (0..8).map(|hour| format!("2020-06-01T1{hour}:00,a,{},7\n2020-06-01T1{hour}:30,a,{},7\n", 900 - 20 * hour, 890 - 20 * hour)).collect();
    let told = try_table("a.csv", &text, format!("t,s,i,o\n{rows}").as_bytes()).unwrap_err().to_string();
    assert!(told.contains("not one has a figure: the totals of a mostly fall"), "{told}");
    let forwards = rows.replace(",a,", ",b,").lines().enumerate().map(|(i, row)| format!("{},{},7\n", &row[..18], 10 + i)).collect::<String>();
    let both = table("a.csv", &text, format!("t,s,i,o\n{rows}{forwards}").as_bytes());
    assert_eq!((both.sensors(), both.report().backwards.as_slice()), (&["b".to_owned()][..], &["a".to_owned()][..]));
    assert!(both.report().doubts.iter().any(|doubt| doubt.starts_with("the totals of a mostly fall")), "{:?}", both.report().doubts);
}
