//! A queue that is opened by the address of a database.

use serde::{Deserialize, Serialize};
use windlass::prelude::*;
use windlass::{Address, ErrorKind};
use windlass_postgres_testing::{Database, shared};

#[derive(Serialize, Deserialize, Job)]
#[job(kind = "double", output = u64)]
struct Double {
    number: u64,
}

async fn double(job: Double) -> Result<u64, JobError> {
    Ok(job.number * 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_in_a_database_as_it_does_in_a_file() {
    let database = Database::create(shared().unwrap()).unwrap();
    let windlass = Windlass::open(database.url()).await.unwrap();
    let worker = windlass.worker().queue("default", 1).handle(double).build().unwrap().start();

    let enqueued = windlass.enqueue(Double { number: 21 }).await.unwrap();
    let result = enqueued.handle().result().await.unwrap();

    assert_eq!(result, 42);
    assert!(Address::new(database.url()).unwrap().open().await.unwrap().job(enqueued.id()).await.is_ok());
    worker.stop().await;
}

#[tokio::test]
async fn a_misspelt_scheme_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();

    let error = Windlass::open("postgress://app:secret@localhost/app").await.unwrap_err();
    let opened = Windlass::open(folder.path().join("postgress:")).await;

    assert!(matches!(error.kind(), ErrorKind::Invalid(invalid) if invalid.field == "address"), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    assert!(opened.is_ok(), "a file may be called what it likes");
}
