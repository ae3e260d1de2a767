//! Callers who ask for the same thing at the same time, served together.
//!
//! A group is on its way, and the next gathers meanwhile: group commit without a timer. A lone caller is served at once and
//! by itself; a crowd shares statements and flushes, and is as large as the server is slow. Of a large crowd two groups are
//! on their way at a time, so that the server works on one while it flushes the other.

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

    /// Whether a wish changes nothing that another may change: then two groups can neither wait for one another nor differ
    /// in what comes first.
    fn is_apart(wish: &Self::Wish) -> bool;

    /// Does it for all of them, and answers in their order.
    fn run(
        &self,
        wishes: Vec<Self::Wish>,
    ) -> impl Future<Output = Vec<Result<Self::Answer, StoreError>>> + Send;
}

/// Most of a group: more would delay the first of it for no further gain.
const GROUP_MAX: usize = 1_000;

/// How many groups may be on their way. More share the same disk and the same processors.
const GROUPS_MAX: usize = 2;

/// How many have to wait for a group to go beside another: fewer gain more by sharing the next commit.
const CROWD_MIN: usize = 64;

type Reply<E> = oneshot::Sender<Result<<E as Errand>::Answer, StoreError>>;

/// Gathers the callers of one errand.
pub(crate) struct Gather<E: Errand> {
    errand: E,
    waiting: Mutex<Waiting<E>>,
    runtime: Handle,
}

struct Waiting<E: Errand> {
    wishes: VecDeque<(E::Wish, Reply<E>)>,
    /// Groups that are on their way, and will look here when they are done.
    groups: usize,
    /// Wishes that wait or are on their way, and are not apart from others.
    entwined: usize,
}

impl<E: Errand> Waiting<E> {
    /// Counts one more group if it may go now.
    fn start(&mut self) -> bool {
        let beside = self.groups < GROUPS_MAX && self.entwined == 0 && self.wishes.len() >= CROWD_MIN;
        let starts = !self.wishes.is_empty() && (self.groups == 0 || beside);
        self.groups += usize::from(starts);
        starts
    }
}

impl<E: Errand> std::fmt::Debug for Gather<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gather").field("errand", &E::NAME).finish_non_exhaustive()
    }
}

impl<E: Errand> Gather<E> {
    pub(crate) fn new(errand: E, runtime: Handle) -> Arc<Self> {
        let waiting = Waiting { wishes: VecDeque::new(), groups: 0, entwined: 0 };
        Arc::new(Self { errand, waiting: Mutex::new(waiting), runtime })
    }

    /// Asks for something, alone or with others.
    ///
    /// Once this was polled it happens, whoever waits for it.
    pub(crate) async fn ask(self: &Arc<Self>, wish: E::Wish) -> Result<E::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        let leads = {
            let mut waiting = self.lock();
            waiting.entwined += usize::from(!E::is_apart(&wish));
            waiting.wishes.push_back((wish, reply));
            waiting.start()
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
        if self.starts_another() {
            let runtime = self.runtime.clone();
            runtime.spawn(async move {
                self.serve().await;
                while self.starts_another() {
                    self.serve().await;
                }
            });
        }
    }

    async fn serve(&self) {
        let (wishes, replies): (Vec<_>, Vec<_>) = self.take_group().into_iter().unzip();
        let entwined = wishes.iter().filter(|wish| !E::is_apart(wish)).count();
        // A panic is an answer that nobody gets: all are told that it is unknown, and the next group is served.
        let answers = AssertUnwindSafe(self.errand.run(wishes)).catch_unwind().await.unwrap_or_default();
        for (reply, answer) in replies.into_iter().zip(answers) {
            // A caller that went away does not want the answer; what it asked for is done all the same.
            let _ = reply.send(answer);
        }
        self.lock().entwined -= entwined;
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

    /// After a group: whether the next goes at once. If not, nobody waits or another group looks after them, or the next to
    /// come leads.
    fn starts_another(&self) -> bool {
        let mut waiting = self.lock();
        waiting.groups -= 1;
        waiting.start()
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

        fn is_apart(number: &usize) -> bool {
            *number > 0
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

        let asked = join_all((0..CROWD_MIN).map(|number| gather.ask(number)));
        let (answers, ()) = join(asked, async { gate.add_permits(2) }).await;

        let doubled: Vec<usize> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(doubled, (0..CROWD_MIN).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(groups.load(Ordering::SeqCst), 2, "the first alone, the others while it was on its way");
    }

    /// How many groups are on their way once the first is, and then a crowd has come that these lead.
    async fn groups_of_a_crowd(first: usize, second: usize) -> usize {
        let (gather, groups, gate) = doubling();
        let numbers = [first, second].into_iter().chain(std::iter::repeat_n(1, CROWD_MIN - 1));

        let asked = join_all(numbers.map(|number| gather.ask(number)));
        let (answers, under_way) = join(asked, async {
            let under_way = groups.load(Ordering::SeqCst);
            gate.add_permits(3);
            under_way
        })
        .await;

        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        under_way
    }

    #[tokio::test]
    async fn a_crowd_does_not_wait_for_the_group_before_it() {
        assert_eq!(groups_of_a_crowd(1, 1).await, 2);
    }

    #[tokio::test]
    async fn who_is_not_apart_from_others_has_no_group_beside_it() {
        assert_eq!(groups_of_a_crowd(0, 1).await, 1);
        assert_eq!(groups_of_a_crowd(1, 0).await, 1);
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
