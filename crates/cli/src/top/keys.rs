//! Keys, as they are pressed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use tokio::sync::mpsc;

/// How long a look for keys takes, and so how long it takes to stop looking.
const LOOK: Duration = Duration::from_millis(50);

/// How many keys wait to be heard of. Whoever types faster is not heard.
const KEYS: usize = 64;

/// What is typed. Reading it blocks, so a thread does that; it ends with this.
#[derive(Debug)]
pub(super) struct Keys {
    pressed: mpsc::Receiver<KeyEvent>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Keys {
    pub(super) fn listen() -> Self {
        let (sender, pressed) = mpsc::channel(KEYS);
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let reader = std::thread::spawn(move || read(&sender, &seen));
        Self { pressed, over, reader: Some(reader) }
    }

    /// The next key; none once the terminal is gone.
    pub(super) async fn next(&mut self) -> Option<KeyEvent> {
        self.pressed.recv().await
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // It looks for nothing that takes longer than a look.
            let _ = reader.join();
        }
    }
}

fn read(sender: &mpsc::Sender<KeyEvent>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let event = match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => event::read(),
            Err(error) => Err(error),
        };
        match event {
            // Some terminals tell of a key that is let go, too.
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                let _ = sender.try_send(key);
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
