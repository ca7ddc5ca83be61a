//! CPU time and memory of this process, as Linux tells them. Elsewhere there is no figure rather than a wrong one.

use std::time::Duration;

/// Ticks per second in which Linux reports CPU time to programs, on every architecture that Midan is built for.
const TICKS_PER_S: u64 = 100;

/// What the process has used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// User and system time of all its threads since its start.
    pub(super) cpu: Duration,
    /// The most memory that it held since its start or [`forget_peak`].
    pub(super) peak_bytes: Option<u64>,
}

impl Usage {
    /// What it has used so far.
    pub(super) fn now() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        Self { cpu: cpu(&read("/proc/self/stat")).unwrap_or_default(), peak_bytes: peak(&read("/proc/self/status")) }
    }
}

/// The id of the calling thread, for [`cpu_of_thread`].
pub(super) fn this_thread() -> String {
    let link = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    link.file_name().map(|id| id.to_string_lossy().into_owned()).unwrap_or_default()
}

/// User and system time of a thread of this process that still runs.
pub(super) fn cpu_of_thread(id: &str) -> Option<Duration> {
    cpu(&std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?)
}

/// What the calling thread has run on a CPU, to the nanosecond; nothing where the system does not tell.
pub(super) fn cpu_of_this_thread() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split_ascii_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or_default())
}

/// Lets the peak begin anew, so that a phase is not charged with the one before. Where the system refuses, the older peak stands.
pub(super) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Fields 14 and 15 of `/proc/self/stat`, counted behind the program's name, which may hold blanks.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_S))
}

fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_user_and_system_behind_a_name_with_blanks() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 1 0 100 1000 50";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_thread_has_a_cpu_time_of_its_own() {
        let id = this_thread();
        assert!(cpu_of_thread(&id).is_some(), "thread {id}");
        assert_eq!(cpu_of_thread("0"), None);
    }

    #[test]
    fn the_peak_is_the_high_water_mark() {
        assert_eq!(peak("Name:\tx\nVmHWM:\t  2000 kB\nVmRSS:\t 10 kB\n"), Some(2_048_000));
    }
}
