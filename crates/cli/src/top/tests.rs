//! What is seen, on a screen that is none.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::time::Instant;
use windlass_core::{Args, Job, JobState, NewJob, QueueName};
use windlass_sqlite::{SqliteOptions, SqliteStore};
use windlass_store::ids::job_id;
use windlass_store::{Actor, Clock, SharedStore, SystemClock};

use super::app::{App, Over, Tab, Wish};
use super::ask::{Answer, Deed, Question, ask};
use super::draw::draw;

struct World {
    _folder: tempfile::TempDir,
    store: SharedStore,
    app: App,
    now: Instant,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: SqliteStore = SqliteOptions::new(folder.path().join("a.db")).open().await.unwrap();
        let app = App::new("a.db".to_owned(), false);
        Self { _folder: folder, store: std::sync::Arc::new(store), app, now: Instant::now() }
    }

    async fn enqueue(&self, queue: &str, kind: &str) -> Job {
        let mut job = NewJob::new(job_id(), kind.parse().unwrap(), Args::default());
        job.queue = queue.parse().unwrap();
        let id = self.store.enqueue(vec![job]).await.unwrap()[0].id;
        self.store.job(id).await.unwrap()
    }

    /// Asks whatever is due a while later, if anything is.
    async fn ask(&mut self) -> Option<Question> {
        self.now += Duration::from_secs(60);
        let question = self.app.due(self.now)?;
        let answer = ask(SharedStore::clone(&self.store), question.clone()).await;
        self.app.hear(answer, self.now);
        Some(question)
    }

    fn press(&mut self, keys: &str) -> Wish {
        let mut wish = Wish::Stay;
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\u{1b}' => KeyCode::Esc,
                other => KeyCode::Char(other),
            };
            wish = self.app.press(KeyEvent::new(code, KeyModifiers::NONE));
        }
        wish
    }

    fn screen(&self) -> String {
        self.screen_of(110, 30)
    }

    fn screen_of(&self, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(&self.app, SystemClock.now(), frame)).unwrap();
        terminal.backend().to_string()
    }
}

#[tokio::test]
async fn the_overview_counts_and_shows_the_fullest_queues() {
    let mut world = World::new().await;
    world.enqueue("mail", "send").await;
    world.enqueue("mail", "send").await;
    world.enqueue("images", "resize").await;

    world.ask().await;

    let screen = world.screen();
    assert!(screen.contains("○ ready                  3"), "{screen}");
    assert!(screen.contains("windlass a.db  answered in "), "{screen}");
    let (mail, images) = (screen.find("mail").unwrap(), screen.find("images").unwrap());
    assert!(mail < images, "the fullest first: {screen}");
}

#[tokio::test]
async fn each_tab_asks_for_what_it_shows_and_for_nothing_else() {
    let mut world = World::new().await;
    for (keys, asked) in [
        ("2", Question::Queues),
        ("3", Question::Jobs(None)),
        ("s", Question::Jobs(Some(JobState::ALL[0]))),
        ("4", Question::Errors),
        ("5", Question::Workers),
        ("1", Question::Queues),
        ("", Question::Errors),
        ("", Question::Queues),
        ("", Question::Workers),
    ] {
        world.press(keys);
        assert_eq!(world.ask().await, Some(asked), "{keys}");
    }
    assert_eq!(world.app.tab, Tab::Overview);
}

#[tokio::test]
async fn a_store_that_is_slow_is_asked_less_often_and_never_more_than_once_a_second() {
    let mut world = World::new().await;
    let (start, second) = (world.now, Duration::from_secs(1));
    let answer = |took| Answer {
        found: Err(windlass_store::StoreError::new("x", windlass_store::ErrorKind::Unavailable)),
        took,
    };

    assert!(world.app.due(start).is_some());
    world.app.hear(answer(Duration::from_millis(1)), start);
    assert_eq!(world.app.due(start + second / 2), None);
    assert!(world.app.due(start + second).is_some());
    world.app.hear(answer(Duration::from_secs(3)), start + second);
    assert_eq!(world.app.due(start + second * 59), None);
    assert!(world.app.due(start + second * 61).is_some());
    assert!(world.screen().contains("no answer: could not x"), "{}", world.screen());
}

#[tokio::test]
async fn a_job_is_found_shown_and_cancelled_once_that_is_confirmed() {
    let mut world = World::new().await;
    let (other, job) = (world.enqueue("mail", "send").await, world.enqueue("images", "resize").await);
    world.press("3");
    world.ask().await;
    assert!(world.screen().contains(&job.id.to_string()) && world.screen().contains(&other.id.to_string()));

    world.press("/send\n");
    assert!(!world.screen().contains(&job.id.to_string()), "{}", world.screen());
    world.press("\n");
    assert_eq!(world.ask().await, Some(Question::Job(other.id)));
    assert!(world.screen().contains("attempt         0 of 8"), "{}", world.screen());

    world.press("x");
    world.press("C");
    assert!(matches!(world.app.over, Some(Over::Confirm(Deed::Cancel(id))) if id == other.id));
    world.press("n");
    assert_eq!(world.store.job(other.id).await.unwrap().state, JobState::Ready);
    world.press("Cy");
    world.ask().await;
    assert_eq!(world.store.job(other.id).await.unwrap().state, JobState::Cancelled);
    assert!(world.screen().contains(&format!("done: cancel job {}", other.id)), "{}", world.screen());
}

#[tokio::test]
async fn a_queue_is_paused_and_resumed_but_not_in_production() {
    let mut world = World::new().await;
    world.enqueue("mail", "send").await;
    world.press("2");
    world.ask().await;
    world.press("Py");
    world.ask().await;
    let paused = async |world: &World| world.store.queues().await.unwrap()[0].pause.is_some();
    assert!(paused(&world).await);
    world.ask().await;
    world.press("Py");
    world.ask().await;
    assert!(!paused(&world).await);

    world.app = App::new("a.db".to_owned(), true);
    world.press("2");
    world.ask().await;
    world.press("P");
    assert!(world.app.over.is_none() && world.screen().contains("this is production"), "{}", world.screen());
}

#[tokio::test]
async fn standing_still_asks_nothing_and_keys_lead_out() {
    let mut world = World::new().await;
    world.press(" ");
    assert_eq!(world.ask().await, None);
    assert!(world.screen().contains("standing still"));
    world.press("?");
    assert!(world.screen().contains("pause the selected queue"), "{}", world.screen());

    assert_eq!(world.press("?q"), Wish::Leave);
    assert_eq!(world.press("/q"), Wish::Stay, "typed, and not pressed");
    assert_eq!(world.press("\u{1b}\u{1b}"), Wish::Leave);
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(world.app.press(control_c), Wish::Leave);
}

#[tokio::test]
async fn no_screen_is_too_small_and_no_name_too_strange() {
    let mut world = World::new().await;
    world.enqueue("q", "kind").await;
    let by = Actor::new("\u{1f600}").because("\u{202e}\u{4f60}\u{597d}");
    world.store.pause(&"q".parse::<QueueName>().unwrap(), by).await.unwrap();
    for tab in "12345".chars() {
        world.press(&tab.to_string());
        world.ask().await;
        for (width, height) in [(1, 1), (3, 5), (20, 6), (40, 12), (80, 24), (300, 80)] {
            let screen = world.screen_of(width, height);
            assert!(!screen.contains('\u{202e}'), "{screen}");
        }
    }
}
