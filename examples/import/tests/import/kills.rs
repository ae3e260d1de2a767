//! The service is killed in the worst moments, and started again.

use std::io::Write;

use windlass::model::Phase;
use windlass::{JobId, JobState, Reason};

use crate::office::{COUNTRIES, Office, Running};

/// An import that is staged, and a service.
fn staged(office: &Office) -> (JobId, Running) {
    let service = office.serve(&[]);
    let (import, _) = office.load("country", &[COUNTRIES]);
    (import, service)
}

async fn is_carried_out(office: &Office, import: JobId) -> bool {
    let job = office.windlass.handle::<()>(import).job().await.unwrap();
    job.state == JobState::Running && job.phase == Phase::Settle
}

async fn accept(office: &Office, import: JobId) {
    office.windlass.reviews().wait_for(import).await.unwrap().accept().by("bob").await.unwrap();
}

/// Waits until the import is over, and asserts that it was published, and once.
async fn assert_published_once(office: &Office, import: JobId) {
    let job = office.windlass.handle::<()>(import).wait().await.unwrap();
    assert_eq!((job.state, job.reason, job.losses), (JobState::Completed, Some(Reason::Accepted), 1));
    assert_eq!((office.count("country"), office.count("publication"), office.count("staging")), (249, 1, 0));
}

#[tokio::test]
async fn killed_before_it_has_published_it_does_so_when_it_is_started_again() {
    let office = Office::new().await;
    let (import, service) = staged(&office);
    let tables = office.lock("import.db");
    accept(&office, import).await;
    office.until("it waits for the tables", async |office| is_carried_out(office, import).await).await;

    service.kill();
    drop(tables);
    assert_eq!((office.count("country"), office.count("staged_row")), (0, 249));
    let _service = office.serve(&[]);

    assert_published_once(&office, import).await;
}

#[tokio::test]
async fn killed_when_it_has_published_and_the_queue_does_not_know_it_does_not_do_so_again() {
    let office = Office::new().await;
    let (import, service) = staged(&office);
    let tables = office.lock("import.db");
    accept(&office, import).await;
    office.until("it waits for the tables", async |office| is_carried_out(office, import).await).await;
    let queue = office.lock("windlass.db");
    drop(tables);
    office.until("it has published", async |office| office.count("publication") == 1).await;

    service.kill();
    drop(queue);
    assert!(is_carried_out(&office, import).await);
    let _service = office.serve(&[]);

    assert_published_once(&office, import).await;
}

#[tokio::test]
async fn what_a_killed_attempt_has_staged_is_thrown_away_when_the_import_is_cancelled() {
    let office = Office::new().await;
    let service = office.serve(&[]);
    let pipe = office.pipe("slow.tab");
    let (import, _waits) = office.ask(&["load", "country", pipe.name()]);
    let mut file = pipe.reader();
    let queue = office.lock("windlass.db");
    file.write_all(b"DE\tGermany\n").unwrap();
    drop(file);
    office.until("it is staged", async |office| office.count("staging") == 1).await;
    service.kill();
    drop(queue);
    let _service = office.serve(&[]);
    let _file = pipe.reader();

    office.windlass.cancel(import).await.unwrap();

    let job = office.windlass.handle::<()>(import).wait().await.unwrap();
    assert_eq!((job.state, job.reason), (JobState::Cancelled, Some(Reason::Operator)));
    office.until("it is thrown away", async |office| office.count("staging") == 0).await;
}
