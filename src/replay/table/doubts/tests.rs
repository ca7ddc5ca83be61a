//! What a mapping may have got wrong although every row can be read.

use crate::replay::table::tests::{LONG, table};

/// What is doubtful of two days of hourly rows of one sensor, with these keys changed.
fn doubts_of_hours(keys: &str, figure: &dyn Fn(u32) -> u32) -> String {
    let rows: String = (0..48).map(|hour| format!("2023-06-{:02}T{:02}:00,a,{},0\n", 1 + hour / 24, hour % 24, figure(hour))).collect();
    table("a.csv", &LONG.replace("step = \"30m\"", keys), format!("t,s,i,o\n{rows}").as_bytes()).report().doubts.join("\n")
}

#[test]
fn a_step_that_is_too_short_is_said_whatever_an_absent_row_means() {
    let figure = |hour: u32| hour * 7 % 11;
    let told = |absent: &str| doubts_of_hours(&format!("step = \"15m\"\nabsent = \"{absent}\""), &figure);
    assert!(told("gap").contains("lie 3600 s apart, and the mapping's step is 900 s: all between is a gap"), "{}", told("gap"));
    assert!(told("zero").contains("all between is taken for nobody"), "{}", told("zero"));
    let seldom: String = (0..96_u32).filter(|hour| hour * 7 % 11 < 5).map(|hour| format!("2023-06-{:02}T{:02}:00,a,1,0\n", 1 + hour / 24, hour % 24)).collect();
    let text = LONG.replace("step = \"30m\"", "step = \"1h\"\nabsent = \"zero\"");
    assert_eq!(table("a.csv", &text, format!("t,s,i,o\n{seldom}").as_bytes()).report().doubts.len(), 0, "nobody comes in every second hour");
}

#[test]
fn a_figure_that_stands_alone_is_said_with_its_line_and_a_busy_hour_is_not() {
    let hours = |at_ten: u32| doubts_of_hours("step = \"1h\"", &|hour| if hour == 10 { at_ten } else { 20 + hour * 7 % 31 });
    assert_eq!(hours(900), "");
    let told = hours(50_000);
    assert!(told.contains("a.csv:12: 50000 of a stands alone, the next highest there is 50: was it a crowd, or is it a mistake? `most` says"), "{told}");
    assert_eq!(doubts_of_hours("step = \"1h\"", &|hour| if hour % 12 == 10 { 50_000 } else { 20 + hour * 7 % 31 }), "", "four of 48 are no lone figure");
}

#[test]
fn a_counter_that_sticks_is_said_with_its_first_line_and_chance_and_nights_are_not() {
    let hours =
        |from_ten: &dyn Fn(u32) -> u32| doubts_of_hours("step = \"1h\"", &|hour| if (10..30).contains(&hour) { from_ten(hour) } else { 20 + hour * 7 % 31 });
    let told = hours(&|_| 17);
    assert!(told.contains("a.csv:12: 17 of a stands there for 20 steps in a row: does the counter stick?"), "{told}");
    assert_eq!(hours(&|_| 0), "", "nobody is no figure that sticks");
    assert_eq!(hours(&|_| 1), "", "where one comes an hour, chance brings it");
    assert_eq!(hours(&|hour| 17 + hour % 2), "");
    assert_eq!(doubts_of_hours("step = \"1h\"", &|hour| 20 + (hour / 8) * 7 % 31), "", "whoever writes each figure eight times sticks nowhere");
}

#[test]
fn figures_that_look_like_something_else_are_said() {
    let hours = |figure: &dyn Fn(u32) -> u32| doubts_of_hours("step = \"1h\"", figure);
    assert_eq!(hours(&|hour| hour * 7 % 11), "");
    assert!(hours(&|hour| 1_000 + hour * 5).contains("running totals?"));
    let swapped: String = (1..31).map(|day| format!("{day}/6/2019 10:00,a,1,2\n")).collect();
    let text = LONG.replace("[long]", "format = \"%m/%d/%Y %H:%M\"\n[long]");
    let few = table("a.csv", &text, format!("t,s,i,o\n{swapped}").as_bytes());
    assert!(!few.report().doubts.iter().any(|doubt| doubt.contains("rows have a fault")), "18 rows are few");
    let twice = swapped.clone() + &swapped.replace("10:00", "11:00");
    assert!(table("a.csv", &text, format!("t,s,i,o\n{twice}").as_bytes()).report().doubts[0].contains("36 of 60 rows have a fault"));
    let minute = |hour: u32| if hour % 10 < 3 { 20 } else { 0 };
    let beside: String = (0..96).map(|hour| format!("2023-06-{:02}T{:02}:{:02},a,{},0\n", 1 + hour / 24, hour % 24, minute(hour), hour * 7 % 11)).collect();
    let doubts = table("a.csv", &LONG.replace("30m", "1h"), format!("t,s,i,o\n{beside}").as_bytes()).report().doubts.join("\n");
    assert!(doubts.contains("Of 30 of them the time lies beside the grid of the step, 3600 s") && !doubts.contains("Day and month"), "{doubts}");
}

#[test]
fn day_and_month_are_blamed_for_faults_of_the_time_alone() {
    let hours = |row: &dyn Fn(u32) -> String| (0..48).map(row).collect::<String>();
    let time = |hour: u32| format!("{}/06/2023 {:02}:00", 1 + hour / 24, hour % 24);
    let dated = LONG.replace("30m", "1h").replace("[long]", "format = \"%d/%m/%Y %H:%M\"\n[long]");
    let words = dated.replace("in = \"i\"\nout = \"o\"", "direction = \"i\"\nvalue = \"o\"\nin_is = \"in\"\nout_is = \"out\"");
    let wide = dated.replace("[long]\nsensor = \"s\"\nin = \"i\"\nout = \"o\"\n", "[wide]\n");
    for (text, header, row, guess) in [
        (
            &words,
            "t,s,i,o",
            &(|hour| format!("{},a,{},1\n", time(hour), if hour % 2 == 0 { "in" } else { "Out" })) as &dyn Fn(u32) -> String,
            "Do long.in_is and long.out_is",
        ),
        (&wide, "t,a,c", &|hour| format!("{},{},-{hour}.5\n", time(hour), hour * 7 % 11), "wide.except leaves out what is no place"),
        (&dated, "t,s,i,o", &|hour| format!("{},a,{},many\n", time(hour), hour * 7 % 11), "Is the column that they name the one of the counts?"),
    ] {
        let doubts = table("a.csv", text, format!("{header}\n{}", hours(row)).as_bytes()).report().doubts.join("\n");
        assert!(doubts.contains("of 48 rows have a fault: is the mapping right?") && doubts.contains(guess), "{doubts}");
        assert!(!doubts.contains("Day and month taken"), "{doubts}");
    }
}

#[test]
fn a_direction_in_another_case_is_named_with_the_word_that_it_must_be() {
    let words = LONG.replace("in = \"i\"\nout = \"o\"", "direction = \"i\"\nvalue = \"o\"\nin_is = \"in\"\nout_is = \"out\"");
    let read = table("a.csv", &words, b"t,s,i,o\n2020-06-01T10:00,a,in,1\n2020-06-01T10:00,a,OUT,1\n2020-06-01T10:30,a,up,1\n");
    let faults = &read.report().faults;
    assert!(faults[0].ends_with("the direction \"OUT\" is neither one of in_is nor one of out_is; \"out\" is, and it is told letter by letter"), "{faults:?}");
    assert!(faults[1].ends_with("the direction \"up\" is neither one of in_is nor one of out_is"), "{faults:?}");
}

#[test]
fn columns_that_are_hardly_places_are_said_where_the_mapping_names_none() {
    let wide = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"1h\"\n[time]\ncolumns = [\"t\"]\n[wide]\n";
    let rows = b"t,hour,north,Total,weekday,note\n2020-06-01T10:00,10,3,3,1,x\n2020-06-01T11:00,11,4,4,1,y\n";
    let doubts = |text: &str| table("a.csv", text, rows).report().doubts.clone();
    let named = "\"hour\", \"Total\", \"weekday\"";
    let told = format!("taken for places, as all columns but the time's are: {named}. If they are none, except = [{named}] under [wide] leaves them out");
    assert_eq!(doubts(wide), [told]);
    assert_eq!(doubts(&(wide.to_owned() + "columns = [\"hour\", \"Total\"]\n")).len(), 0, "whoever names them means them");
    assert_eq!(doubts(&(wide.to_owned() + "except = [\"hour\", \"Total\", \"weekday\"]\n")).len(), 0);
}
