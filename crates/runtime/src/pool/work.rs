//! A handler's future, with everything around each poll that has to be there.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::Span;
use windlass_core::Verdict;

use super::watch;
use crate::handler::Work;
use crate::panics;

/// Polls a handler inside its span. A panic is a failed attempt; the future is dropped as soon as it has ended, so
/// that what it holds is gone before its end is stored.
pub(super) struct GuardedWork {
    work: Option<Work>,
    span: Span,
}

impl GuardedWork {
    pub(super) const fn new(work: Work, span: Span) -> Self {
        Self { work: Some(work), span }
    }
}

impl Future for GuardedWork {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict> {
        let this = &mut *self;
        let Some(work) = this.work.as_mut() else { return Poll::Pending };
        let _inside = this.span.enter();
        let verdict = match panics::guard(|| work.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(verdict)) => verdict,
            Err(error) => Verdict::Failed { error, retry_after: None },
        };
        watch::note(&this.span, &verdict);
        panics::drop_quietly(this.work.take());
        Poll::Ready(verdict)
    }
}

impl Drop for GuardedWork {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            panics::drop_quietly(work);
        }
    }
}
