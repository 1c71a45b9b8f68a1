//! Lets so many requests in; one more is refused with the time after which to try again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header;

use super::metrics::Load;
use super::problem::Problem;

#[derive(Debug)]
pub(super) struct Gate {
    most: usize,
    inside: Mutex<Inside>,
    working: AtomicUsize,
}

#[derive(Debug)]
struct Inside {
    count: usize,
    /// Seconds that a request stays, smoothed: what Retry-After is made of.
    usual: f64,
}

/// A place inside; dropping it makes room.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    since: Instant,
}

/// A request that is worked on, for as long as it is.
#[derive(Debug)]
pub(super) struct Working(Arc<Gate>);

impl Gate {
    /// For so many requests, those that wait included.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            inside: Mutex::new(Inside {
                count: 0,
                usual: 1.0,
            }),
            working: AtomicUsize::new(0),
        })
    }

    /// Refuses with `busy` when all places are taken.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Place, Problem> {
        let Load { working, waiting } = self.load();
        let mut inside = self.inside();
        if inside.count >= self.most {
            // By Little's law `count / usual` leave in a second.
            let share = (waiting + 1) as f64 / inside.count.max(1) as f64;
            let seconds = (inside.usual * share).ceil().max(1.0) as u64;
            let message = format!(
                "{working} requests are worked on and {waiting} wait: try again in {seconds} s"
            );
            return Err(Problem::new("busy", message).with(header::RETRY_AFTER, seconds));
        }
        inside.count += 1;
        Ok(Place {
            gate: Arc::clone(self),
            since: Instant::now(),
        })
    }

    pub(super) fn work(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(self))
    }

    pub(super) fn load(&self) -> Load {
        let working = self.working.load(Ordering::Relaxed);
        let waiting = self.inside().count.saturating_sub(working);
        Load { working, waiting }
    }

    fn leave(&self, after: Duration) {
        let mut inside = self.inside();
        inside.count -= 1;
        inside.usual = 0.8 * inside.usual + 0.2 * after.as_secs_f64();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.leave(self.since.elapsed());
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_there_are_places_is_refused_until_one_is_free() {
        let gate = Gate::new(2);
        let first = gate.enter().unwrap();
        let _second = gate.enter().unwrap();
        let _working = gate.work();
        assert_eq!(
            gate.load(),
            Load {
                working: 1,
                waiting: 1
            }
        );
        let refusal = gate.enter().unwrap_err();
        assert_eq!(refusal.status().as_u16(), 429);
        let response = refusal.response("id");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        drop(first);
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn the_time_to_try_again_follows_how_long_requests_stay() {
        let gate = Gate::new(4);
        let places: Vec<Place> = (0..4).map(|_| gate.enter().unwrap()).collect();
        gate.inside().usual = 40.0;
        let _working = [gate.work(), gate.work()];
        let refusal = gate.enter().unwrap_err().response("id");
        assert_eq!(refusal.headers()[header::RETRY_AFTER], "30");
        drop(places);
        assert!(gate.inside().usual < 20.0);
    }
}
