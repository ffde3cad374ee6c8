//! Work on what is stored that nobody waits for: one thread, small steps.
//!
//! ```text
//! chore  due -> step, step, ... until nothing is left -> due again after its pause
//! ```
//!
//! A [`Chore`] is something to be done again and again: sealing what is over, summarising days, keeping
//! bounds. It does a little at a time, each step a short transaction of its own, so that it never holds
//! up a commit for longer than one step, and so that the thread ends soon after it is told to. Chores
//! that have something left take turns.
//!
//! A step that fails is logged once and tried again after the chore's pause; the others go on.
//!
//! # What it leaves out
//!
//! What the chores do: see the modules that make them.

use std::{
    error::Error,
    io,
    sync::mpsc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::clock::Clock;

/// What a step left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to do at once.
    More,
    /// Nothing to do until later.
    Done,
}

/// Something to be done again and again, a little at a time.
pub struct Chore {
    name: &'static str,
    every: Duration,
    step: Box<dyn FnMut(Timestamp) -> Result<Step, Failure> + Send>,
}

type Failure = Box<dyn Error + Send + Sync>;

impl Chore {
    /// A chore that is due at once and then `every` so often. `step` is given the present moment and
    /// keeps to some milliseconds of work.
    pub fn new<E: Error + Send + Sync + 'static>(
        name: &'static str,
        every: Duration,
        mut step: impl FnMut(Timestamp) -> Result<Step, E> + Send + 'static,
    ) -> Self {
        Self { name, every, step: Box::new(move |now| step(now).map_err(Failure::from)) }
    }
}

/// The running thread. Dropped, it is told to end and waited for.
#[derive(Debug)]
pub struct Upkeep {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// Where the operating system gives no thread.
    pub fn start(chores: Vec<Chore>, clock: Clock) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("readings-upkeep".to_owned())
            .spawn(move || run(chores, clock, &stopped))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there is reported by its own hook.
            let _ = thread.join();
        }
    }
}

/// A chore and when it is to be looked at again.
struct Due {
    chore: Chore,
    at: Instant,
    /// The last failure, so that it is logged once.
    failure: Option<String>,
}

fn run(chores: Vec<Chore>, clock: Clock, stopped: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let mut all: Vec<Due> =
        chores.into_iter().map(|chore| Due { chore, at: start, failure: None }).collect();
    loop {
        let Some(next) = all.iter().map(|due| due.at).min() else { return };
        let pause = next.saturating_duration_since(Instant::now());
        // Disconnected: the end.
        if stopped.recv_timeout(pause) != Err(mpsc::RecvTimeoutError::Timeout) {
            return;
        }
        let now = Instant::now();
        for due in all.iter_mut().filter(|due| due.at <= now) {
            due.take_step(clock.now());
            if stopped.try_recv() != Err(mpsc::TryRecvError::Empty) {
                return;
            }
        }
    }
}

impl Due {
    fn take_step(&mut self, now: Timestamp) {
        let name = self.chore.name;
        let result = (self.chore.step)(now);
        // From the end of the step: a chore that takes long leaves room for the others.
        self.at = match result {
            Ok(Step::More) => Instant::now(),
            _ => Instant::now() + self.chore.every,
        };
        match result {
            Ok(_) => {
                if self.failure.take().is_some() {
                    tracing::info!(chore = name, "{name} goes on");
                }
            }
            Err(error) => {
                let text = error.to_string();
                if self.failure.as_ref() != Some(&text) {
                    tracing::error!(chore = name, %error, "{name} failed and is tried again: {error}");
                    self.failure = Some(text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    fn chore(steps: u32, done: mpsc::Sender<u32>) -> Chore {
        let mut taken = 0;
        Chore::new("test", LONG, move |_| {
            taken += 1;
            done.send(taken).unwrap();
            Ok::<_, io::Error>(if taken < steps { Step::More } else { Step::Done })
        })
    }

    #[test]
    fn a_chore_goes_on_while_there_is_more_and_others_take_their_turns() {
        let (done, steps) = channel();
        let (other_done, other_steps) = channel();
        let upkeep =
            Upkeep::start(vec![chore(3, done), chore(1, other_done)], Clock::system()).unwrap();
        assert_eq!(steps.iter().take(3).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(other_steps.recv(), Ok(1));
        drop(upkeep);
        // The thread is gone, and nothing was done once more.
        assert_eq!(steps.iter().count(), 0);
        assert_eq!(other_steps.iter().count(), 0);
    }

    #[test]
    fn a_chore_that_fails_is_tried_again_and_holds_up_no_other() {
        let (done, steps) = channel();
        let (failed, failures) = channel();
        let failing = Chore::new("failing", Duration::from_millis(1), move |_| {
            failed.send(()).unwrap();
            Err(io::Error::other("test"))
        });
        let upkeep = Upkeep::start(vec![failing, chore(2, done)], Clock::system()).unwrap();
        assert_eq!(failures.iter().take(3).count(), 3);
        assert_eq!(steps.iter().take(2).count(), 2);
        drop(upkeep);
    }

    #[test]
    fn without_chores_there_is_nothing_to_wait_for() {
        drop(Upkeep::start(Vec::new(), Clock::system()).unwrap());
    }
}
