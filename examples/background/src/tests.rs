//! The background work without a process and without waiting: a queue in memory, whose clock the test moves.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use windlass::store::JobFilter;
use windlass::testing::TestQueue;
use windlass::{JobState, assert_enqueued, assert_not_enqueued};

use crate::jobs::{CleanUp, Report, Welcome, report_to, welcome_to, worker};
use crate::outbox::{Mail, Outbox};
use crate::people::People;
use crate::{App, sign_up};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The application in a folder of its own.
struct Scene {
    queue: TestQueue,
    app: App,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let (queue, folder) = (TestQueue::new(), TempDir::new().unwrap());
        let people = People::in_folder(folder.path().join("people")).unwrap();
        let outbox = Outbox { folder: folder.path().join("outbox") };
        let app = App { windlass: queue.windlass().clone(), people, outbox };
        Self { queue, app, folder }
    }

    async fn sign_up(&self, email: &str) {
        sign_up(&self.app, &[email.to_owned()]).await.unwrap();
    }

    /// The texts of what was sent, in no order.
    fn mails(&self) -> Vec<String> {
        let Ok(mails) = fs::read_dir(&self.app.outbox.folder) else { return Vec::new() };
        mails.map(|mail| fs::read_to_string(mail.unwrap().path()).unwrap()).collect()
    }
}

#[tokio::test]
async fn who_signs_up_is_welcomed() {
    let scene = Scene::new();

    scene.sign_up("ada@example.com").await;
    assert_enqueued!(scene.queue, Welcome { email: "ada@example.com" });
    let drained = scene.queue.drain(worker(&scene.app)).await;

    assert_eq!((drained.ran, drained.completed), (1, 1));
    let mails = scene.mails();
    assert!(mails[0].contains("To: ada@example.com\nSubject: Welcome\n"), "{mails:?}");
}

#[tokio::test]
async fn nobody_is_welcomed_twice() {
    let scene = Scene::new();
    scene.sign_up("ada@example.com").await;
    scene.sign_up("ada@example.com").await;
    scene.queue.drain(worker(&scene.app)).await;

    scene.queue.advance(30 * DAY);
    scene.sign_up("ada@example.com").await;

    assert_not_enqueued!(scene.queue, Welcome);
    assert_eq!(scene.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_tried_again_later_and_later() {
    let scene = Scene::new();
    // No folder can be made where a file is: the mail server is away.
    fs::write(&scene.app.outbox.folder, "").unwrap();
    welcome_to(&scene.app.windlass, "ada@example.com").await.unwrap();

    // Nothing is tried again before its time: after a second, and then after two, give or take a tenth.
    for (wait, failures) in [(Duration::ZERO, 1), (SECOND / 2, 0), (SECOND, 1), (SECOND, 0), (2 * SECOND, 1)]
    {
        scene.queue.advance(wait);
        let drained = scene.queue.drain(worker(&scene.app)).await;
        assert_eq!(drained.errors.len(), failures, "{wait:?} later");
    }
    fs::remove_file(&scene.app.outbox.folder).unwrap();
    scene.queue.advance(5 * SECOND);
    let drained = scene.queue.drain(worker(&scene.app)).await;

    assert_eq!((drained.ran, drained.completed, scene.mails().len()), (1, 1, 1));
}

#[tokio::test]
async fn changes_that_come_close_together_are_one_report() {
    let scene = Scene::new();
    for email in ["ada@example.com", "bob@example.com", "eve@example.com"] {
        scene.sign_up(email).await;
        scene.queue.advance(SECOND);
    }
    scene.queue.drain(worker(&scene.app)).await;
    assert_enqueued!(scene.queue, Report { to: "team@example.com" });

    scene.queue.advance(SECOND);
    scene.queue.drain(worker(&scene.app)).await;

    let mails = scene.mails();
    assert_eq!(mails.iter().filter(|mail| mail.contains("Subject: Report")).count(), 1);
    assert!(mails.iter().any(|mail| mail.ends_with("There are 3 people.\n")), "{mails:?}");
}

#[tokio::test]
async fn a_report_does_not_wait_for_ever() {
    let scene = Scene::new();
    for _ in 0..59 {
        report_to(&scene.app.windlass, "team@example.com").await.unwrap();
        scene.queue.advance(SECOND);
    }
    assert_eq!(scene.queue.drain(worker(&scene.app)).await.ran, 0);
    report_to(&scene.app.windlass, "team@example.com").await.unwrap();

    scene.queue.advance(SECOND);

    assert_eq!(scene.queue.drain(worker(&scene.app)).await.completed, 1);
}

fn mail(id: &str) -> Mail<'_> {
    Mail { id, to: "ada@example.com", subject: "Welcome", text: "" }
}

#[tokio::test]
async fn old_mail_is_removed_every_night_at_half_past_three_in_berlin() {
    let scene = Scene::new();
    scene.app.outbox.send(&mail("old")).unwrap();
    scene.app.outbox.send(&mail("new")).unwrap();
    let old = File::options().append(true).open(scene.folder.path().join("outbox/old.eml")).unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    // A worker declares the schedule when it starts.
    scene.queue.drain(worker(&scene.app)).await;

    scene.queue.advance(DAY);
    assert_enqueued!(scene.queue, CleanUp { days: 30 });
    scene.queue.drain(worker(&scene.app)).await;

    let jobs = scene.app.windlass.jobs(JobFilter::default()).all().await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state), (1, JobState::Completed));
    assert_eq!(jobs[0].run_at.to_string(), "2026-01-01T02:30:00Z");
    assert_eq!(jobs[0].result.as_ref().unwrap().as_str(), "1");
    assert_eq!(scene.mails().len(), 1);
}

#[tokio::test]
async fn nights_that_nobody_worked_are_not_piled_up() {
    let scene = Scene::new();
    scene.app.outbox.send(&mail("new")).unwrap();
    scene.queue.drain(worker(&scene.app)).await;

    scene.queue.advance(7 * DAY);

    assert_eq!(scene.queue.enqueued::<CleanUp>().await.len(), 1);
    assert_eq!(scene.queue.drain(worker(&scene.app)).await.completed, 1);
}
