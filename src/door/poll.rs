//! Addresses that are asked for their newest frame: with ETag, with back-off, and with a name for a feed that has gone stale.

use super::ledger::Fate;
use super::route::{Payload, Route};
use super::run::{Context, Gathered};
use super::settings;
use crate::feeds::transport::gtfs_realtime::frame_time;
use crate::feeds::{Attributes, Fault, Reason};
use crate::telemetry::happening::FeedStale;
use std::time::Duration;

/// One address, and what is known of it.
pub struct Poller {
    settings: settings::Poll,
    route: Route,
    agent: ureq::Agent,
    etag: Option<String>,
    modified: Option<String>,
    /// Hash of the last frame, to know it again where the server has no ETag.
    last: Option<u64>,
    /// The time of the newest frame, epoch ms: its header's, else when it came.
    newest: i64,
    /// How old that frame was when it came, ms: what a source publishes is behind by about so much.
    behind: i64,
    failures: u32,
    stale: bool,
}

/// What a question brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A new frame was written.
    New,
    /// Nothing new.
    Same,
    /// A frame that nobody could read: it was refused.
    Refused,
    /// No answer, or none that is one.
    Failed,
}

impl Poller {
    /// An address that has not been asked yet.
    pub fn new(settings: settings::Poll, route: Route) -> Self {
        let agent = super::ask::agent(settings.timeout);
        Self { settings, route, agent, etag: None, modified: None, last: None, newest: 0, behind: 0, failures: 0, stale: false }
    }

    /// Asks until it is told to stop.
    pub fn run(mut self, context: &Context) {
        while !context.stopped() {
            let (_, pause) = self.ask(context);
            context.sleep(pause);
        }
    }

    /// Asks once; answers what came, and how long to wait.
    pub fn ask(&mut self, context: &Context) -> (Asked, Duration) {
        let (asked, wait) = match self.question(context) {
            Ok(asked) => {
                self.failures = 0;
                (asked, self.settings.every)
            }
            Err((why, retry_after)) => {
                self.failures = self.failures.saturating_add(1);
                let doubled = self.settings.every.saturating_mul(1 << self.failures.min(10));
                let wait = doubled.max(retry_after.unwrap_or_default()).min(self.settings.longest_pause.max(self.settings.every));
                tracing::warn!(source = %self.route.source, failures = self.failures, wait_s = wait.as_secs(), %why, "A polled feed did not answer.");
                (Asked::Failed, wait)
            }
        };
        self.judge(context, asked);
        (asked, wait)
    }

    fn question(&mut self, context: &Context) -> Result<Asked, (String, Option<Duration>)> {
        let mut question = self.agent.get(&self.settings.url);
        for (name, value) in &self.settings.headers {
            question = question.header(name, &*value.0);
        }
        for (name, value) in [("if-none-match", &self.etag), ("if-modified-since", &self.modified)] {
            if let Some(value) = value {
                question = question.header(name, value);
            }
        }
        let failed = |why: ureq::Error| (why.to_string(), None);
        let mut response = question.call().map_err(failed)?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (etag, modified, content_type) = (header("etag"), header("last-modified"), header("content-type"));
        let retry_after = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        match response.status().as_u16() {
            304 => Ok(Asked::Same),
            200 => {
                let limit = context.settings.max_frame_bytes as u64;
                let frame = response.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)?;
                let asked = self.frame(context, &frame, content_type.as_deref())?;
                // Only now: a frame that was not taken must be asked for again.
                (self.etag, self.modified) = (etag, modified);
                Ok(asked)
            }
            status => Err((format!("status {status}"), retry_after)),
        }
    }

    fn frame(&mut self, context: &Context, frame: &[u8], content_type: Option<&str>) -> Result<Asked, (String, Option<Duration>)> {
        let hash = xxhash_rust::xxh3::xxh3_64(frame);
        let source = &*self.route.source;
        if self.last == Some(hash) {
            context.ledger.came_in(source);
            context.settle(source, Fate::Ignored);
            return Ok(Asked::Same);
        }
        let received = context.now_ms();
        let payload = Payload { bytes: frame, content_type, received, cloud_event: None, attributes: Attributes::NONE };
        let position = format!("poll/{source}/{received}");
        let mut gathered = Gathered::default();
        context.gather(&self.route, &payload, &position, &mut gathered);
        let fate = context.write(gathered).map_err(|why| (why, None))?;
        self.last = Some(hash);
        let made = frame_time(frame).map_or(received, |at| at.as_millis());
        if made > self.newest {
            (self.newest, self.behind) = (made, (received - made).max(0));
        }
        Ok(if fate == Some(Fate::Refused) { Asked::Refused } else { Asked::New })
    }

    /// Names a feed that has gone stale, once; and vouches for one that is there and has nothing new.
    fn judge(&mut self, context: &Context, asked: Asked) {
        let age = Duration::from_millis(u64::try_from(context.now_ms() - self.newest).unwrap_or(0));
        let stale = self.newest > 0 && age > self.settings.stale_after;
        if stale != self.stale {
            self.stale = stale;
            context.telemetry.emit(FeedStale { source: &self.route.source, stale, age_s: age.as_secs_f64() });
        }
        if asked == Asked::Same && !stale && self.newest > 0 {
            // The next frame may have been made before this question, by as much as the last was behind; never before the last.
            let at = context.now_ms() - self.settings.every.as_millis() as i64 - self.behind;
            context.vouch(&self.route, at.max(self.newest));
        }
    }
}

/// A payload that is larger than it may be.
pub(super) fn too_large(limit: usize) -> Fault {
    Fault::new(Reason::TooLarge, format!("has more than {limit} bytes"))
}
