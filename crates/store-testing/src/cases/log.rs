//! What an attempt says while it runs.

use windlass_core::log::LOG_CUT;
use windlass_core::limits::{LOG_BYTES_MAX, LOG_LINE_BYTES_MAX};
use windlass_core::{LogLevel, LogLine};
use windlass_store::{LeasedJob, NewLogLine, PageRequest};

use crate::bench::{Bench, SECOND, failed_for_now, line, succeeded};

cases! {
    lines_are_kept_in_order_with_level_time_and_attempt,
    lines_of_all_attempts_are_kept_after_the_job_has_ended,
    a_reader_can_follow_a_log,
    a_log_nobody_wrote_is_empty,
    an_empty_call_stores_nothing,
    hostile_lines_are_made_safe,
    a_line_that_is_too_long_is_cut_and_marked,
    a_log_that_is_too_long_is_cut_once_and_marked,
}

async fn log(bench: &Bench, job: &LeasedJob, lines: Vec<NewLogLine>) {
    bench.store.log(job.token, lines).await.unwrap();
}

async fn lines_are_kept_in_order_with_level_time_and_attempt(bench: Bench) {
    let job = bench.start_one().await;
    let said = |level, message: &str| NewLogLine { level, message: message.to_owned() };
    let start = bench.now();

    log(&bench, &job, vec![said(LogLevel::Info, "a"), said(LogLevel::Debug, "b")]).await;
    bench.advance(SECOND);
    log(&bench, &job, vec![said(LogLevel::Error, "c"), said(LogLevel::Warn, "")]).await;

    let kept = |at, level, message: &str| LogLine { attempt: 1, at, level, message: message.to_owned() };
    let expected = [
        kept(start, LogLevel::Info, "a"),
        kept(start, LogLevel::Debug, "b"),
        kept(bench.now(), LogLevel::Error, "c"),
        kept(bench.now(), LogLevel::Warn, ""),
    ];
    assert_eq!(bench.log_lines(job.id()).await, expected);
}

async fn lines_of_all_attempts_are_kept_after_the_job_has_ended(bench: Bench) {
    let first = bench.start_one().await;
    log(&bench, &first, vec![line("first")]).await;
    bench.settle(&first, failed_for_now("x")).await;
    let second = bench.claim_one().await;
    log(&bench, &second, vec![line("second")]).await;
    bench.settle(&second, succeeded()).await;

    let lines = bench.log_lines(first.id()).await;

    let told: Vec<_> = lines.iter().map(|line| (line.attempt, line.message.as_str())).collect();
    assert_eq!(told, [(1, "first"), (2, "second")]);
}

async fn a_reader_can_follow_a_log(bench: Bench) {
    let job = bench.start_one().await;
    let other = bench.start_one().await;
    let mut request = PageRequest::first(2);
    let mut read = async || {
        let page = bench.store.logs(job.id(), request).await.unwrap();
        request = request.after(page.next.or(request.cursor()));
        page.items.into_iter().map(|line| line.message).collect::<Vec<_>>().join(" ")
    };

    assert_eq!(read().await, "");
    log(&bench, &job, vec![line("a"), line("b"), line("c")]).await;
    log(&bench, &other, vec![line("not mine")]).await;
    assert_eq!(read().await, "a b");
    assert_eq!(read().await, "c");
    assert_eq!(read().await, "");
    log(&bench, &job, vec![line("d")]).await;
    assert_eq!(read().await, "d");
    assert_eq!(read().await, "");
}

async fn a_log_nobody_wrote_is_empty(bench: Bench) {
    let id = bench.enqueue_one().await;

    let page = bench.store.logs(id, PageRequest::first(10)).await.unwrap();

    assert_eq!((page.items, page.next), (vec![], None));
}

async fn an_empty_call_stores_nothing(bench: Bench) {
    let job = bench.start_one().await;

    log(&bench, &job, vec![]).await;

    assert_eq!(bench.log_lines(job.id()).await, []);
}

async fn hostile_lines_are_made_safe(bench: Bench) {
    let job = bench.start_one().await;

    log(&bench, &job, vec![line("\u{0}\u{1b}[31mred\u{7}\r\n'; DROP TABLE job; --\t🐠")]).await;

    assert_eq!(bench.log_lines(job.id()).await[0].message, "[31mred\n'; DROP TABLE job; --\t🐠");
}

async fn a_line_that_is_too_long_is_cut_and_marked(bench: Bench) {
    let job = bench.start_one().await;

    log(&bench, &job, vec![line("é".repeat(LOG_LINE_BYTES_MAX)), line("x".repeat(LOG_LINE_BYTES_MAX))]).await;

    let lines = bench.log_lines(job.id()).await;
    assert!(lines[0].message.len() <= LOG_LINE_BYTES_MAX);
    assert!(lines[0].message.ends_with("… [cut]"));
    assert_eq!(lines[1].message.len(), LOG_LINE_BYTES_MAX);
}

async fn a_log_that_is_too_long_is_cut_once_and_marked(bench: Bench) {
    let job = bench.start_one().await;
    let full = LOG_BYTES_MAX / LOG_LINE_BYTES_MAX;
    let lines = vec![line("x".repeat(LOG_LINE_BYTES_MAX)); full];

    log(&bench, &job, lines).await;
    log(&bench, &job, vec![line("too much"), line("dropped")]).await;
    log(&bench, &job, vec![line("dropped"), line("")]).await;
    bench.settle(&job, failed_for_now("x")).await;
    let again = bench.claim_one().await;
    log(&bench, &again, vec![line("dropped")]).await;

    let lines = bench.log_lines(job.id()).await;
    assert_eq!(lines.len(), full + 1);
    let mark = LogLine { attempt: 1, at: bench.now(), level: LogLevel::Warn, message: LOG_CUT.to_owned() };
    assert_eq!(lines.last(), Some(&mark));
}
