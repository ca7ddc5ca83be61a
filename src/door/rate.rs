//! How many payloads a sender may send: a bucket of tokens that fills with time. Time comes in, so that a test owns it.

use std::time::Duration;

/// One sender's bucket.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    rate_per_s: f64,
    burst: f64,
    left: f64,
    /// When it was last filled, since the door's start.
    at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub const fn new(rate_per_s: f64, burst: f64) -> Self {
        Self { rate_per_s, burst, left: burst, at: Duration::ZERO }
    }

    /// Takes one at `now`, since the door's start; or says how long to wait for the next.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.left = (self.left + passed * self.rate_per_s).min(self.burst);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - self.left) / self.rate_per_s.max(1e-3)).min(3_600.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut bucket = Bucket::new(10.0, 3.0);
        let at = Duration::from_millis;
        assert!((0..3).all(|_| bucket.take(at(0)).is_ok()));
        assert_eq!(bucket.take(at(0)), Err(at(100)));
        assert!(bucket.take(at(100)).is_ok());
        assert!(bucket.take(at(110)).is_err());
        assert!((0..3).all(|_| bucket.take(at(10_000)).is_ok()), "no more than a burst is saved up");
        assert!(bucket.take(at(10_000)).is_err());
    }
}
