//! Callers who ask for the same thing at the same time, served together.
//!
//! One group is on its way at a time, and the next gathers meanwhile: group commit without a timer. A lone caller is
//! served at once and by itself; a crowd shares statements and flushes, and is as large as the server is slow.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use windlass_store::{ErrorKind, StoreError};

/// What is done for a group.
pub(crate) trait Errand: Send + Sync + 'static {
    /// What one caller asks for.
    type Wish: Send + 'static;
    /// What one caller is answered.
    type Answer: Send + 'static;

    /// What it does, as a fragment that fits after "could not".
    const NAME: &'static str;

    /// How much of a group's room a wish takes.
    fn weight(wish: &Self::Wish) -> usize;

    /// Does it for all of them, and answers in their order.
    fn run(
        &self,
        wishes: Vec<Self::Wish>,
    ) -> impl Future<Output = Vec<Result<Self::Answer, StoreError>>> + Send;
}

/// Most of a group: more would delay the first of it for no further gain.
const GROUP_MAX: usize = 1_000;

type Reply<E> = oneshot::Sender<Result<<E as Errand>::Answer, StoreError>>;

/// Gathers the callers of one errand.
pub(crate) struct Gather<E: Errand> {
    errand: E,
    waiting: Mutex<Waiting<E>>,
    runtime: Handle,
}

struct Waiting<E: Errand> {
    wishes: VecDeque<(E::Wish, Reply<E>)>,
    /// Whether a group is on its way, and will look here when it is done.
    busy: bool,
}

impl<E: Errand> std::fmt::Debug for Gather<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gather").field("errand", &E::NAME).finish_non_exhaustive()
    }
}

impl<E: Errand> Gather<E> {
    pub(crate) fn new(errand: E, runtime: Handle) -> Arc<Self> {
        let waiting = Waiting { wishes: VecDeque::new(), busy: false };
        Arc::new(Self { errand, waiting: Mutex::new(waiting), runtime })
    }

    /// Asks for something, alone or with others.
    ///
    /// Once this was polled it happens, whoever waits for it.
    pub(crate) async fn ask(self: &Arc<Self>, wish: E::Wish) -> Result<E::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        let leads = {
            let mut waiting = self.lock();
            waiting.wishes.push_back((wish, reply));
            !std::mem::replace(&mut waiting.busy, true)
        };
        if leads {
            // On the caller's own way: to hand it to another task would cost a lone caller a fifth of a commit.
            let group = Arc::clone(self).serve_group();
            Unbroken { rest: Some(Box::pin(group)), runtime: self.runtime.clone() }.await;
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::new(E::NAME, ErrorKind::Unknown)))
    }

    /// Serves those who wait now; those who have come meanwhile are served by a task of their own.
    async fn serve_group(self: Arc<Self>) {
        self.serve().await;
        if !self.rest_if_done() {
            let runtime = self.runtime.clone();
            runtime.spawn(async move {
                while !self.rest_if_done() {
                    self.serve().await;
                }
            });
        }
    }

    async fn serve(&self) {
        let (wishes, replies): (Vec<_>, Vec<_>) = self.take_group().into_iter().unzip();
        // A panic is an answer that nobody gets: all are told that it is unknown, and the next group is served.
        let answers = AssertUnwindSafe(self.errand.run(wishes)).catch_unwind().await.unwrap_or_default();
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that went away does not want the answer; what it asked for is done all the same.
            let _ = reply.send(answer);
        }
    }

    fn take_group(&self) -> Vec<(E::Wish, Reply<E>)> {
        let mut waiting = self.lock();
        let (mut group, mut weight) = (Vec::new(), 0);
        while let Some((wish, _)) = waiting.wishes.front() {
            weight += E::weight(wish);
            if weight > GROUP_MAX && !group.is_empty() {
                break;
            }
            group.extend(waiting.wishes.pop_front());
        }
        group
    }

    /// Whether nobody waits; then the next to come leads.
    fn rest_if_done(&self) -> bool {
        let mut waiting = self.lock();
        let done = waiting.wishes.is_empty();
        waiting.busy = !done;
        done
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<E>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future that goes on by itself where whoever polls it goes away: others wait for what it does.
struct Unbroken {
    rest: Option<BoxFuture<'static, ()>>,
    runtime: Handle,
}

impl Future for Unbroken {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(()) };
        let polled = rest.as_mut().poll(cx);
        if polled.is_ready() {
            self.rest = None;
        }
        polled
    }
}

impl Drop for Unbroken {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.runtime.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::{join, join_all};
    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers, a group at a time, once it is let.
    struct Doubling {
        groups: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
    }

    impl Errand for Doubling {
        type Wish = usize;
        type Answer = usize;
        const NAME: &'static str = "double";

        fn weight(_: &usize) -> usize {
            1
        }

        async fn run(&self, wishes: Vec<usize>) -> Vec<Result<usize, StoreError>> {
            self.groups.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.expect("the gate is never closed").forget();
            wishes.into_iter().map(|wish| Ok(wish * 2)).collect()
        }
    }

    fn doubling() -> (Arc<Gather<Doubling>>, Arc<AtomicUsize>, Arc<Semaphore>) {
        let (groups, gate) = (Arc::default(), Arc::new(Semaphore::new(0)));
        let errand = Doubling { groups: Arc::clone(&groups), gate: Arc::clone(&gate) };
        (Gather::new(errand, Handle::current()), groups, gate)
    }

    #[tokio::test]
    async fn those_who_come_meanwhile_are_served_together() {
        let (gather, groups, gate) = doubling();

        let asked = join_all((0..100).map(|number| gather.ask(number)));
        let (answers, ()) = join(asked, async { gate.add_permits(2) }).await;

        let doubled: Vec<usize> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(doubled, (0..100).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(groups.load(Ordering::SeqCst), 2, "the first alone, the others while it was on its way");
    }

    #[tokio::test]
    async fn a_leader_that_goes_away_leaves_nobody_waiting() {
        let (gather, _, gate) = doubling();
        let mut leader = Box::pin(gather.ask(1));
        assert!(leader.as_mut().now_or_never().is_none());
        let mut follower = Box::pin(gather.ask(2));
        assert!(follower.as_mut().now_or_never().is_none());

        drop(leader);
        gate.add_permits(2);

        assert_eq!(follower.await.unwrap(), 4);
    }
}
