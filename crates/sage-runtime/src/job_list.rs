//! The jobs of this process, for its exit.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::job_core::JobCore;

static JOBS: Mutex<Vec<Weak<JobCore>>> = Mutex::new(Vec::new());

/// Longest time that [`close_all_jobs`] waits for native threads.
const EXIT_WAIT: Duration = Duration::from_secs(2);

pub(crate) fn remember(job: &Arc<JobCore>) {
    let mut jobs = JOBS.lock().unwrap_or_else(PoisonError::into_inner);
    jobs.retain(|job| job.strong_count() > 0);
    jobs.push(Arc::downgrade(job));
}

/// Cancels every job of the process and waits, up to two seconds in all, until their native threads are gone and their
/// temporary files removed. To be called before the process exits: an isolate in a native wait would keep it alive.
/// Returns how many jobs were still at work.
pub fn close_all_jobs() -> usize {
    let jobs: Vec<Arc<JobCore>> = JOBS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .filter_map(Weak::upgrade)
        .collect();
    let at_work = jobs.iter().filter(|job| job.cancel()).count();
    let started = Instant::now();
    for job in jobs {
        job.wait_settled(EXIT_WAIT.saturating_sub(started.elapsed()));
    }
    at_work
}
