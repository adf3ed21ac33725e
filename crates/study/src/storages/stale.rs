//! Finds abandoned running trials.
//!
//! A heartbeat that is older than the grace period by the database's clock is stale. That clock may jump (it is set,
//! or daylight saving begins), so it is compared with the process's own monotonic clock: after a jump, ages are
//! ignored for one grace period; and a heartbeat that stays unchanged for longer than the grace period is stale
//! whatever the clock shows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The heartbeats and clock readings seen so far.
#[derive(Debug, Default)]
pub(super) struct HeartbeatMonitor {
    seen: HashMap<i64, (Timestamp, Instant)>,
    clocks: Option<(Timestamp, Instant)>,
    jumped: Option<Instant>,
}

impl HeartbeatMonitor {
    /// Compares the clocks; called before heartbeats are judged.
    pub(super) fn tick(&mut self, now: Timestamp, at: Instant, grace: Duration) {
        if let Some((then, when)) = self.clocks.replace((now, at)) {
            let by_database = now.duration_since(then).as_secs_f64();
            let by_process = at.duration_since(when).as_secs_f64();
            // A smaller jump cannot make a living worker look dead: it sends two heartbeats in a grace period.
            if (by_database - by_process).abs() > grace.as_secs_f64() / 4.0 {
                self.jumped = Some(at);
            }
        }
    }

    /// Whether the trial with this last heartbeat is stale.
    pub(super) fn is_stale(&mut self, trial_id: i64, heartbeat: Timestamp, grace: Duration) -> bool {
        let Some((now, at)) = self.clocks else { return false };
        let seen = self.seen.entry(trial_id).or_insert((heartbeat, at));
        if seen.0 != heartbeat {
            *seen = (heartbeat, at);
        }
        if at.duration_since(seen.1) > grace {
            return true;
        }
        let trusted = self.jumped.is_none_or(|jump| at.duration_since(jump) > grace);
        trusted && now.duration_since(heartbeat).as_secs_f64() > grace.as_secs_f64()
    }

    /// Forgets all trials but these.
    pub(super) fn retain(&mut self, running: &[i64]) {
        self.seen.retain(|id, _| running.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(60);

    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    #[test]
    fn an_old_heartbeat_is_stale() {
        let mut heartbeats = HeartbeatMonitor::default();
        heartbeats.tick(time(0), Instant::now(), GRACE);
        assert!(!heartbeats.is_stale(1, time(-60), GRACE));
        assert!(heartbeats.is_stale(1, time(-61), GRACE));
    }

    #[test]
    fn a_clock_jump_makes_no_trial_stale() {
        for jump in [3600, -3600] {
            let start = Instant::now();
            let mut heartbeats = HeartbeatMonitor::default();
            heartbeats.tick(time(0), start, GRACE);
            assert!(!heartbeats.is_stale(1, time(-10), GRACE));
            let later = |seconds| start + Duration::from_secs(seconds);
            heartbeats.tick(time(20 + jump), later(20), GRACE);
            assert!(!heartbeats.is_stale(1, time(-10), GRACE), "the age is the jump's");
            heartbeats.tick(time(40 + jump), later(40), GRACE);
            assert!(!heartbeats.is_stale(1, time(30 + jump), GRACE), "it beats");
            heartbeats.tick(time(95 + jump), later(95), GRACE);
            assert!(!heartbeats.is_stale(1, time(60 + jump), GRACE));
            heartbeats.tick(time(156 + jump), later(156), GRACE);
            assert!(heartbeats.is_stale(1, time(60 + jump), GRACE), "it beats no more");
        }
    }

    #[test]
    fn a_heartbeat_from_the_future_is_waited_out() {
        let start = Instant::now();
        let mut heartbeats = HeartbeatMonitor::default();
        heartbeats.tick(time(0), start, GRACE);
        assert!(!heartbeats.is_stale(1, time(3000), GRACE));
        heartbeats.tick(time(61), start + Duration::from_secs(61), GRACE);
        assert!(heartbeats.is_stale(1, time(3000), GRACE));
    }
}
