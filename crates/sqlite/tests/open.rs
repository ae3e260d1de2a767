//! Files that are not ours, not whole, not writable: refused with the path and what to do, and left as they were.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use windlass_core::{Args, KindName, NewJob};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::{ErrorKind, JobFilter, JobStore, Maintenance, PageRequest, StoreError, ids};

async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteOptions::new(path).open().await
}

fn job() -> NewJob {
    NewJob::new(ids::job_id(), KindName::new("noop").unwrap(), Args::default())
}

/// A folder, and a file in it that holds `count` jobs and is closed.
async fn filled(count: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = open(&path).await.unwrap();
    let _ = store.enqueue((0..count).map(|_| job()).collect()).await.unwrap();
    drop(store);
    (folder, path)
}

/// Asserts that the file is refused so, with its path named, and left as it was.
async fn assert_refused(path: &Path, kind: ErrorKind, saying: &str) {
    let before = std::fs::read(path).unwrap_or_default();

    let error = open(path).await.unwrap_err();

    assert_eq!(*error.kind(), kind, "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "the path is named: {text}");
    assert!(text.contains(saying), "{text}");
    assert_eq!(std::fs::read(path).unwrap_or_default(), before, "the file was left as it was");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "Dear diary, today I learned about queues.\n".repeat(200)).unwrap();

    assert_refused(&path, ErrorKind::Corrupt, "is not a SQLite database").await;
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE job (id INTEGER)").unwrap();

    assert_refused(&path, ErrorKind::Corrupt, "of another program").await;
}

#[tokio::test]
async fn g20_a_file_of_a_newer_version_is_refused() {
    let (_folder, path) = filled(1).await;
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();

    assert_refused(&path, ErrorKind::Incompatible, "newer version (schema 99").await;
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_refused() {
    let (_folder, path) = filled(2_000).await;
    let whole = std::fs::metadata(&path).unwrap().len();
    for left in [whole - 1, whole / 2, 4096] {
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(left).unwrap();

        assert_refused(&path, ErrorKind::Corrupt, "restore it from a backup").await;
    }
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();

    assert_refused(
        &folder.path().join("missing/store.db"),
        ErrorKind::Unavailable,
        "its folder does not exist",
    )
    .await;
}

#[tokio::test]
async fn a_folder_is_no_store() {
    let folder = tempfile::tempdir().unwrap();

    assert_refused(folder.path(), ErrorKind::Unavailable, "is a folder").await;
}

#[tokio::test]
async fn a_folder_below_a_file_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();

    let error = open(&folder.path().join("file/store.db")).await.unwrap_err();

    assert_eq!(*error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn flipped_bytes_are_an_error_or_change_nothing() {
    let (_folder, path) = filled(500).await;
    let whole = std::fs::read(&path).unwrap();
    // A prime step visits headers, pointers, keys and payloads alike.
    for position in (0..whole.len()).step_by(1_553) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x10;
        std::fs::write(&path, &damaged).unwrap();

        let Ok(store) = open(&path).await else { continue };
        // Whatever it says, it says it without a panic; what it returns as jobs are jobs.
        let _ = store.check().await;
        let _ = store.jobs(JobFilter::default(), PageRequest::first(500)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = filled(1).await;

    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn eight_may_open_a_fresh_file_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");

    let opened = futures_util::future::join_all((0..8).map(|_| open(&path))).await;

    for store in opened {
        let store = store.unwrap();
        let _ = store.enqueue(vec![job()]).await.unwrap();
    }
    let store = open(&path).await.unwrap();
    assert_eq!(store.jobs(JobFilter::default(), PageRequest::first(100)).await.unwrap().items.len(), 8);
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_relaxed_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteOptions::new(folder.path().join("store.db")).relaxed().open().await.unwrap();

    let status = store.status().await.unwrap();

    assert_eq!(status.durability, windlass_store::Durability::Relaxed);
    assert!(status.warnings[0].contains("relaxed"));
}

#[tokio::test]
async fn a_store_that_was_read_and_closed_is_one_file() {
    let (folder, path) = filled(3).await;
    let store = open(&path).await.unwrap();
    let _ = store.enqueue(vec![job()]).await.unwrap();
    assert_eq!(store.jobs(JobFilter::default(), PageRequest::first(10)).await.unwrap().items.len(), 4);

    drop(store);

    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [path]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_written_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = filled(1).await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        // Whoever is root may write what may not be written.
        return;
    }

    assert_refused(&path, ErrorKind::Unavailable, "cannot be written").await;
}
