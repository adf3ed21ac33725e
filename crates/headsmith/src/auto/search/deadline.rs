//! Work that stops at a deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::context::Context;
use crate::error::Result;
use crate::progress::{Progress, UserRequest, View};

/// A view that asks its work to stop once the deadline has passed, or the work around it is asked to.
struct Watched<'a> {
    view: &'a mut dyn View,
    deadline: Instant,
    around: &'a AtomicBool,
    stop: &'a AtomicBool,
}

impl View for Watched<'_> {
    fn see(&mut self, progress: &Progress<'_>) {
        if self.around.load(Ordering::Relaxed) || Instant::now() >= self.deadline {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.view.see(progress);
    }

    fn request(&mut self) -> Option<UserRequest> {
        self.view.request()
    }

    fn histograms(&self) -> usize {
        self.view.histograms()
    }

    fn trouble(&mut self) -> Option<String> {
        self.view.trouble()
    }
}

/// Does `work`, which is asked to stop at the deadline, if there is one, when it next reports progress. `None` if the deadline stopped it.
///
/// # Errors
/// When the work fails, or the work around it is asked to stop.
pub(in super::super) fn until<T>(
    deadline: Option<Instant>,
    context: &mut Context<'_>,
    work: impl FnOnce(&mut Context<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let Some(deadline) = deadline else { return work(context).map(Some) };
    let stop = AtomicBool::new(context.stopping());
    let mut view = Watched { view: &mut *context.view, deadline, around: context.stop, stop: &stop };
    let done = work(&mut Context {
        seed: context.seed,
        metric: context.metric,
        pool: context.pool,
        stop: &stop,
        view: &mut view,
    });
    let is_cut = stop.load(Ordering::Relaxed) && !context.stopping();
    match done {
        Ok(_) if is_cut => Ok(None),
        Err(error) if is_cut && error.is_stopped() => Ok(None),
        done => done.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use headsmith_kernels::Pool;
    use headsmith_metrics::Metric;

    use super::*;

    /// Whether work is asked to stop after a sign of progress.
    fn is_stopped(deadline: Option<Instant>, around: bool) -> bool {
        struct Blind;
        impl View for Blind {
            fn see(&mut self, _: &Progress<'_>) {}
        }
        let (around, pool) = (AtomicBool::new(around), Pool::inline());
        let (metric, view) = (Metric::default(), &mut Blind);
        let mut context = Context { seed: 1, metric, pool: &pool, stop: &around, view };
        until(deadline, &mut context, |context| {
            context.warn("here");
            Ok(context.stopping())
        })
        .unwrap()
        .unwrap_or(true)
    }

    #[test]
    fn work_stops_at_its_deadline_and_when_all_is_stopped() {
        let now = Instant::now();
        let later = now + Duration::from_secs(3600);
        assert!(is_stopped(Some(now), false) && is_stopped(Some(later), true) && is_stopped(None, true));
        assert!(!is_stopped(Some(later), false) && !is_stopped(None, false));
    }
}
