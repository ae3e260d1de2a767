//! Two stores on one file, as two processes have it.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use windlass_core::{Args, JobState, KindName, NewJob, Unique, Verdict};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{
    ClaimRequest, EnqueueOutcome, ErrorKind, JobFilter, JobStore, Kinds, LeaseStore, Maintenance, NewWorker,
    PageRequest, Queues, Scope, Settlement, Store, WorkerStore, ids,
};

/// Nothing here takes as long; what does is not coming.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open(path: &Path) -> SqliteStore {
    SqliteOptions::new(path).open().await.unwrap()
}

fn job(kind: &str) -> NewJob {
    NewJob::new(ids::job_id(), KindName::new(kind).unwrap(), Args::default())
}

async fn claim(store: &SqliteStore, limit: u32) -> ClaimRequest {
    let worker = NewWorker {
        id: ids::worker_id(),
        name: "test".into(),
        host: "here".into(),
        version: "1".into(),
        queues: Queues::Any,
        kinds: Vec::new(),
        slots: 1,
        lease: Duration::from_secs(60),
        owner: None,
    };
    let id = worker.id;
    store.register(worker).await.unwrap();
    ClaimRequest::new(id, Arc::new(Scope { queues: Queues::Any, kinds: Kinds::Any }), limit)
}

#[tokio::test]
async fn one_hears_of_what_the_other_enqueued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (here, there) = (open(&path).await, open(&path).await);
    let request = claim(&here, 10).await;
    let mut work = here.signals().work();

    let _ = there.enqueue(vec![job("fresh")]).await.unwrap();

    // Bounded by the look that the writer takes at the file, and by patience with a busy machine.
    tokio::time::timeout(PATIENCE, work.next()).await.expect("a hint from the other store");
    assert_eq!(here.claim(request).await.unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn one_who_is_always_busy_hears_of_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (here, there) = (open(&path).await, open(&path).await);
    let worker = claim(&here, 1).await.worker;
    let mut work = here.signals().work();
    let beats = async {
        loop {
            here.beat(worker).await.unwrap();
        }
    };
    let heard = async {
        let _ = there.enqueue(vec![job("fresh")]).await.unwrap();
        tokio::time::timeout(PATIENCE, work.next()).await
    };

    tokio::select! {
        heard = heard => heard.expect("a hint from the other store"),
        () = beats => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_write_at_once_share_the_jobs_and_lose_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let stores = [Arc::new(open(&path).await), Arc::new(open(&path).await)];
    let tasks = stores.iter().map(|store| {
        let store = Arc::clone(store);
        async move {
            for round in 0..50 {
                let _ =
                    store.enqueue((0..10).map(|_| job(&format!("kind-{round}"))).collect()).await.unwrap();
            }
        }
    });
    futures_util::future::join_all(tasks).await;

    let mut ran = 0;
    let requests = [claim(&stores[0], 7).await, claim(&stores[1], 7).await];
    loop {
        let both = futures_util::future::join_all(
            stores.iter().zip(&requests).map(|(store, request)| store.claim(request.clone())),
        );
        let claimed: Vec<_> = both.await.into_iter().flat_map(|claimed| claimed.unwrap().jobs).collect();
        if claimed.is_empty() {
            break;
        }
        ran += claimed.len();
        let settlements = claimed
            .iter()
            .map(|job| Settlement { token: job.token, verdict: Verdict::Succeeded { result: None } })
            .collect();
        // Either store may settle what the other leased: the token decides, not the connection.
        assert!(stores[ran % 2].settle(settlements).await.unwrap().iter().all(Result::is_ok));
    }

    assert_eq!(ran, 1_000);
    let left =
        windlass_store::JobFilter { states: vec![JobState::Ready, JobState::Running], ..Default::default() };
    let page = windlass_store::PageRequest::first(1);
    assert!(stores[0].jobs(left, page).await.unwrap().items.is_empty());
}

// Each copied the log into the file between its own commits, and never found it whole: the other had added to it. It
// grew by all that was ever written.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_short_while_two_write_all_the_time() {
    const MIB: usize = 1024 * 1024;
    /// How many batches one may be ahead of the other, who may stand still within a copy: what is added meanwhile cannot be
    /// copied.
    const LEAD: usize = 16;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let open = async || Arc::new(SqliteOptions::new(&path).relaxed().open().await.unwrap());
    let stores = [open().await, open().await];
    let args = Args::of(&"x".repeat(MIB / 128)).unwrap();
    let large = || NewJob::new(ids::job_id(), KindName::new("large").unwrap(), args.clone());
    let leads = [Semaphore::new(LEAD), Semaphore::new(LEAD)];
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&stores[writer % 2]);
        let (own, others) = (&leads[writer % 2], &leads[1 - writer % 2]);
        let large = &large;
        async move {
            for _ in 0..200 {
                own.acquire().await.unwrap().forget();
                let _ = store.enqueue((0..16).map(|_| large()).collect()).await.unwrap();
                others.add_permits(1);
            }
        }
    });

    futures_util::future::join_all(writers).await;

    let log = std::fs::metadata(folder.path().join("store.db-wal")).unwrap().len();
    assert!(log < 60 * MIB as u64, "200 MiB were written, and the log has {log} bytes");
}

/// How many locks this process holds on the file at `path`. The list of all locks of the machine is no help: what is longer than
/// a page is read in parts, and a lock that another process gives up between two of them hides a later one.
#[cfg(target_os = "linux")]
fn locks_on(path: &Path) -> usize {
    let path = path.canonicalize().unwrap();
    let open = std::fs::read_dir("/proc/self/fd").unwrap().map(Result::unwrap);
    let on_it = open.filter(|handle| std::fs::read_link(handle.path()).is_ok_and(|of| of == path));
    on_it
        .map(|handle| {
            std::fs::read_to_string(Path::new("/proc/self/fdinfo").join(handle.file_name())).unwrap()
        })
        .map(|told| told.lines().filter(|line| line.starts_with("lock:")).count())
        .sum()
}

// Closing any handle on a file gives up every lock that the process has on it. Opening the store a second time opened
// and closed the file by itself, so the next process that closed it took itself for the last one and removed the log:
// what was acknowledged from then on was seen by nobody.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn g01_a_file_that_is_opened_twice_stays_locked_against_other_processes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let _first = open(&path).await;
    assert_eq!(locks_on(&path), 1, "it is in use");

    let _second = open(&path).await;

    assert_eq!(locks_on(&path), 1, "it still is");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_have_the_file_open_make_one_job_of_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(Arc::new(open(&path).await));
    }
    let actions = [Unique::key("k"), Unique::key("k").reject(), Unique::key("k").replace()];
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..64 {
        let (store, unique) = (Arc::clone(&stores[caller % 4]), actions[caller % 3].clone());
        callers.spawn(async move {
            let mut job = job("mail");
            job.options.unique = Some(unique);
            store.enqueue(vec![job]).await.map(|answers| answers[0])
        });
    }

    let mut created = Vec::new();
    while let Some(answer) = callers.join_next().await {
        match answer.unwrap() {
            Ok(answer) if answer.outcome == EnqueueOutcome::Created => created.push(answer.id),
            Ok(_) => {}
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Duplicate(_)), "{error}"),
        }
    }

    assert_eq!(created.len(), 1);
    let jobs = stores[0].jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap().items;
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), created);
    assert_eq!(stores[1].check().await.unwrap(), Vec::<String>::new());
}
