//! Tables that come through a pipe, as `zcat` sends them: they can be read once, from the beginning.

use crate::replay::table::tests::{LONG, counts, mapping, short};
use crate::replay::table::{Table, TableError};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// What a table becomes whose bytes come through a pipe.
fn through_a_pipe(mapping_text: &str, bytes: &[u8]) -> Result<Table, TableError> {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(bytes).unwrap();
    drop(writer);
    Table::open(&PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd())), mapping(mapping_text))
}

#[test]
fn a_table_can_come_through_a_pipe_plain_or_gzipped() {
    let rows = b"t,s,i,o\n2020-06-01T10:00,a,1,2\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows).unwrap();
    for bytes in [rows.to_vec(), gzip.finish().unwrap()] {
        assert_eq!(short(&counts(&through_a_pipe(LONG, &bytes).unwrap())), ["a 06-01T08:00 1/2/0"]);
    }
    assert!(through_a_pipe(LONG, b"").unwrap_err().to_string().contains("the file is empty"));
}

#[test]
fn what_has_to_be_read_again_says_that_a_pipe_cannot() {
    let told = through_a_pipe(LONG, b"PAR1....PAR1").unwrap_err().to_string();
    assert!(told.contains("cannot come through a pipe"), "{told}");
    let days = through_a_pipe(&LONG.replace("30m", "1d"), b"t,s,i,o\n2020-03-28,a,1,2\n2020-03-29,a,3,4\n2020-03-30,a,5,6\n");
    let told = days.unwrap_err().to_string();
    assert!(told.contains("would have to be read again"), "{told}");
}
