//! Estimates the remaining time of a study.

use std::time::Duration;

/// The limits of a study: a number of trials, and a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Its total number of trials, if limited.
    pub(crate) n_trials: Option<u64>,
    /// Its time from the start of this process, if limited.
    pub(crate) timeout: Option<Duration>,
    /// The number of trials that were finished at the start of this process.
    pub(crate) at_start: usize,
}

impl Pace {
    /// The remaining time as text, `elapsed` after the start of this process and with `n_finished` trials finished:
    /// the rest of the timeout, or the time of the other trials at the pace of those finished here (however many run
    /// at once), whichever is less. Empty if neither is known.
    pub(crate) fn left(&self, elapsed: Duration, n_finished: usize) -> String {
        let at_most = |time: &str| format!("at most {time} left");
        let by_trials = self.by_trials(elapsed, n_finished);
        let by_timeout = self.timeout.map(|timeout| timeout.saturating_sub(elapsed));
        match (by_trials, by_timeout) {
            (Some(by_trials), Some(limit)) if limit < by_trials => worded(limit, at_most),
            (None, Some(limit)) => worded(limit, at_most),
            (Some(by_trials), _) => worded(by_trials, |time| format!("about {time} left")),
            (None, None) => String::new(),
        }
    }

    fn by_trials(&self, elapsed: Duration, n_finished: usize) -> Option<Duration> {
        let to_do = self.n_trials?.saturating_sub(n_finished as u64);
        let done = n_finished.saturating_sub(self.at_start);
        (done > 0 && to_do > 0).then(|| elapsed.div_f64(done as f64).mul_f64(to_do as f64))
    }
}

/// The remaining time: `sentence` with `50 s` or `3 min`.
pub(crate) fn worded(left: Duration, sentence: impl Fn(&str) -> String) -> String {
    match left.as_secs_f64().round() as u64 {
        0 => "under 1 s left".to_owned(),
        s if s < 100 => sentence(&format!("{s} s")),
        s => sentence(&format!("{} min", s.div_ceil(60))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(n_trials: Option<u64>, timeout: Option<u64>, at_start: usize) -> Pace {
        Pace { n_trials, timeout: timeout.map(Duration::from_secs), at_start }
    }

    fn left(pace: Pace, elapsed: u64, n_finished: usize) -> String {
        pace.left(Duration::from_secs(elapsed), n_finished)
    }

    #[test]
    fn the_time_left_is_the_minimum_by_trials_and_timeout() {
        assert_eq!(left(pace(Some(11), None, 0), 5, 1), "about 50 s left");
        assert_eq!(left(pace(Some(11), Some(600), 0), 5, 1), "about 50 s left");
        assert_eq!(left(pace(Some(11), Some(30), 0), 5, 1), "at most 25 s left");
        assert_eq!(left(pace(None, Some(600), 0), 5, 1), "at most 10 min left");
        // Before the first trial has finished, only the timeout is known.
        assert_eq!(left(pace(Some(11), Some(60), 0), 5, 0), "at most 55 s left");
        assert_eq!(left(pace(Some(11), None, 0), 5, 0), "");
        assert_eq!(left(pace(None, None, 0), 5, 3), "");
        // Running trials take a while to stop.
        assert_eq!(left(pace(Some(11), Some(60), 0), 61, 2), "under 1 s left");
        assert_eq!(left(pace(Some(11), None, 0), 5, 11), "");
    }

    #[test]
    fn a_resumed_study_has_the_pace_of_this_process() {
        // 90 of 100 trials were finished before; 5 took 20 s, and the last 5 will take as long.
        assert_eq!(left(pace(Some(100), None, 90), 20, 95), "about 20 s left");
        assert_eq!(left(pace(Some(100), Some(30), 90), 20, 95), "at most 10 s left");
        // Eight jobs finish eight trials in the time of one, so the pace is that of all jobs.
        assert_eq!(left(pace(Some(64), None, 0), 60, 16), "about 3 min left");
        // Another worker ran more trials than requested.
        assert_eq!(left(pace(Some(10), None, 4), 20, 12), "");
    }
}
