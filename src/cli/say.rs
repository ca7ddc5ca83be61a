//! What the commands say in the terminal, where nobody may be reading any more.
//!
//! The idea: `midan … | head` closes the pipe when it has seen enough, and that is no fault of the command. So the printing macros of this folder end the process
//! quietly, with the status that a shell shows of a program that a closed pipe ended; what lies in temporary folders is cleared away first.

use super::drive::clear_folders;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// 128 and the number of SIGPIPE.
const PIPE_CLOSED: i32 = 141;

/// Writes to standard output.
pub(super) fn out(text: Arguments<'_>) {
    if let Err(why) = std::io::stdout().write_fmt(text) {
        clear_folders();
        if why.kind() == ErrorKind::BrokenPipe {
            std::process::exit(PIPE_CLOSED);
        }
        err(format_args!("midan: standard output: {why}\n"));
        std::process::exit(1);
    }
}

/// Writes to standard error; if nobody can read that either, there is nobody to tell.
pub(super) fn err(text: Arguments<'_>) {
    let _ = std::io::stderr().write_fmt(text);
}

/// As the standard library's, but for a reader that has gone.
macro_rules! print {
    ($($text:tt)*) => { crate::cli::say::out(format_args!($($text)*)) };
}

/// As the standard library's, but for a reader that has gone.
macro_rules! println {
    () => { crate::cli::say::out(format_args!("\n")) };
    ($($text:tt)*) => { crate::cli::say::out(format_args!("{}\n", format_args!($($text)*))) };
}

/// As the standard library's, but for a reader that has gone.
macro_rules! eprintln {
    ($($text:tt)*) => { crate::cli::say::err(format_args!("{}\n", format_args!($($text)*))) };
}
