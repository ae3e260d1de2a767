//! What is seen, and what keys do about it.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tokio::time::Instant;
use windlass_core::{Job, JobState};
use windlass_store::{ErrorGroup, QueueSummary, StateCounts, Worker};

use super::ask::{Answer, Deed, Found, Question};

/// No more than one question in this time.
const EVERY: Duration = Duration::from_secs(1);

/// What takes long is asked less often: a twentieth of the time is ours at most.
const SHARE: u32 = 20;

/// How many points of the past are kept.
const PAST: usize = 120;

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Queues,
    Jobs,
    Errors,
    Workers,
}

impl Tab {
    pub(super) const ALL: [Self; 5] = [Self::Overview, Self::Queues, Self::Jobs, Self::Errors, Self::Workers];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Queues => "Queues",
            Self::Jobs => "Jobs",
            Self::Errors => "Errors",
            Self::Workers => "Workers",
        }
    }

    pub(super) fn index(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or_default()
    }

    fn beside(self, forward: bool) -> Self {
        let count = Self::ALL.len();
        Self::ALL[(self.index() + if forward { 1 } else { count - 1 }) % count]
    }
}

/// What lies over the rest.
#[derive(Debug)]
pub(super) enum Over {
    /// What the keys do.
    Help,
    /// One job in full; none until it is answered.
    Job(Option<Box<Job>>),
    /// Whether this is meant.
    Confirm(Deed),
}

/// What a key led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Stay,
    Leave,
}

/// Everything there is to see.
#[derive(Debug)]
pub(super) struct App {
    pub(super) place: String,
    production: bool,
    pub(super) tab: Tab,
    pub(super) selected: usize,
    pub(super) over: Option<Over>,
    /// Whether the picture stands still.
    pub(super) frozen: bool,
    /// Jobs of this state only.
    pub(super) state: Option<JobState>,
    /// What names have to contain; what is being typed, if something is.
    pub(super) search: String,
    pub(super) typing: bool,
    pub(super) queues: Vec<QueueSummary>,
    pub(super) jobs: Vec<Job>,
    pub(super) errors: Vec<ErrorGroup>,
    pub(super) workers: Vec<Worker>,
    /// Ends per second, the last last.
    pub(super) ends: VecDeque<u64>,
    counted: Option<(Instant, u64)>,
    /// What happened last, to be told.
    pub(super) said: Option<String>,
    pub(super) trouble: Option<String>,
    /// How long the last answer took.
    pub(super) took: Option<Duration>,
    pub(super) answered: Option<Instant>,
    next: Option<Instant>,
    /// What is asked before its turn, as somebody wants it.
    wanted: Option<Question>,
    turn: usize,
}

impl App {
    pub(super) fn new(place: String, production: bool) -> Self {
        Self {
            place,
            production,
            tab: Tab::Overview,
            selected: 0,
            over: None,
            frozen: false,
            state: None,
            search: String::new(),
            typing: false,
            queues: Vec::new(),
            jobs: Vec::new(),
            errors: Vec::new(),
            workers: Vec::new(),
            ends: VecDeque::with_capacity(PAST),
            counted: None,
            said: None,
            trouble: None,
            took: None,
            answered: None,
            next: None,
            wanted: None,
            turn: 0,
        }
    }

    /// What to ask now, if anything.
    pub(super) fn due(&mut self, now: Instant) -> Option<Question> {
        // A deed is asked for by a person, who does not press keys faster than a store can bear.
        if let Some(question) =
            self.wanted.take_if(|wanted| matches!(wanted, Question::Do(_) | Question::Job(_)))
        {
            return Some(question);
        }
        if self.frozen || self.next.is_some_and(|next| now < next) {
            return None;
        }
        self.turn = self.turn.wrapping_add(1);
        self.next = Some(now + EVERY);
        Some(match self.tab {
            Tab::Overview => [Question::Queues, Question::Errors, Question::Queues, Question::Workers]
                [(self.turn - 1) % 4]
                .clone(),
            Tab::Queues => Question::Queues,
            Tab::Jobs => Question::Jobs(self.state),
            Tab::Errors => Question::Errors,
            Tab::Workers => Question::Workers,
        })
    }

    /// Takes down what was answered.
    pub(super) fn hear(&mut self, answer: Answer, now: Instant) {
        let Answer { found, took } = answer;
        (self.took, self.answered) = (Some(took), Some(now));
        let rest = now + took.saturating_mul(SHARE);
        self.next = Some(self.next.map_or(rest, |next| next.max(rest)));
        match found {
            Ok(found) => {
                self.trouble = None;
                self.keep(found, now);
            }
            Err(error) => self.trouble = Some(chain(&error)),
        }
        self.selected = self.selected.min(self.rows().saturating_sub(1));
    }

    fn keep(&mut self, found: Found, now: Instant) {
        match found {
            Found::Queues(queues) => {
                self.queues = queues;
                self.count(now);
            }
            Found::Jobs(jobs) => self.jobs = jobs,
            Found::Errors(errors) => self.errors = errors,
            Found::Workers(workers) => self.workers = workers,
            Found::Job(job) => {
                if let Some(Over::Job(shown)) = &mut self.over {
                    *shown = Some(job);
                }
            }
            Found::Done(deed) => {
                self.said = Some(format!("done: {deed}"));
                self.next = None;
            }
        }
    }

    /// How many jobs are in which state, over all queues.
    pub(super) fn totals(&self) -> StateCounts {
        let mut totals = StateCounts::default();
        for queue in &self.queues {
            JobState::ALL.iter().copied().for_each(|state| totals.add(state, queue.counts.of(state)));
        }
        totals
    }

    /// Takes down how many have ended since the last count. Some of those may have been removed since.
    fn count(&mut self, now: Instant) {
        let totals = self.totals();
        let ended = JobState::ALL
            .iter()
            .copied()
            .filter(|state| state.is_final())
            .map(|state| totals.of(state))
            .sum();
        if let Some((then, before)) = self.counted {
            let seconds = now.duration_since(then).as_secs_f64().max(0.001);
            // Both are small enough for what is drawn of them.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a rate to look at"
            )]
            let rate = (u64::saturating_sub(ended, before) as f64 / seconds).round() as u64;
            if self.ends.len() == PAST {
                self.ends.pop_front();
            }
            self.ends.push_back(rate);
        }
        self.counted = Some((now, ended));
    }

    /// Whether something called `name` is to be seen.
    pub(super) fn finds(&self, names: &[&str]) -> bool {
        let search = self.search.to_lowercase();
        names.iter().any(|name| name.to_lowercase().contains(&search))
    }

    pub(super) fn shown_queues(&self) -> impl Iterator<Item = &QueueSummary> {
        self.queues.iter().filter(|queue| self.finds(&[queue.name.as_str()]))
    }

    pub(super) fn shown_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs
            .iter()
            .filter(|job| self.finds(&[job.kind.as_str(), job.queue.as_str(), &job.id.to_string()]))
    }

    pub(super) fn shown_errors(&self) -> impl Iterator<Item = &ErrorGroup> {
        self.errors.iter().filter(|group| self.finds(&[group.kind.as_str(), &group.message]))
    }

    pub(super) fn shown_workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter().filter(|worker| self.finds(&[&worker.registered.name, &worker.registered.host]))
    }

    fn rows(&self) -> usize {
        match self.tab {
            Tab::Overview => 0,
            Tab::Queues => self.shown_queues().count(),
            Tab::Jobs => self.shown_jobs().count(),
            Tab::Errors => self.shown_errors().count(),
            Tab::Workers => self.shown_workers().count(),
        }
    }

    /// Does what a key stands for.
    pub(super) fn press(&mut self, key: KeyEvent) -> Wish {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Wish::Leave } else { Wish::Stay };
        }
        if self.typing {
            self.type_on(key.code);
            return Wish::Stay;
        }
        self.said = None;
        match self.over.take() {
            Some(Over::Confirm(deed)) if key.code == KeyCode::Char('y') => {
                self.wanted = Some(Question::Do(deed));
                return Wish::Stay;
            }
            // Any key leads back.
            Some(_) => return Wish::Stay,
            None => {}
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc if self.search.is_empty() => return Wish::Leave,
            KeyCode::Esc => self.search.clear(),
            KeyCode::Char('?' | 'h') => self.over = Some(Over::Help),
            KeyCode::Char(' ') => self.frozen = !self.frozen,
            KeyCode::Char('/') => (self.typing, self.search) = (true, String::new()),
            KeyCode::Char(digit @ '1'..='5') => self.go(Tab::ALL[usize::from(digit as u8 - b'1')]),
            KeyCode::Tab | KeyCode::Right => self.go(self.tab.beside(true)),
            KeyCode::BackTab | KeyCode::Left => self.go(self.tab.beside(false)),
            KeyCode::Char('s') if self.tab == Tab::Jobs => self.next_state(),
            other => self.move_or_act(other),
        }
        Wish::Stay
    }

    fn type_on(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => (self.typing, self.search) = (false, String::new()),
            KeyCode::Backspace => {
                self.search.pop();
            }
            KeyCode::Char(c) => self.search.push(c),
            _ => {}
        }
        self.selected = 0;
    }

    fn go(&mut self, tab: Tab) {
        if self.tab != tab {
            (self.tab, self.selected, self.turn) = (tab, 0, 0);
        }
    }

    /// Jobs of the next state, and of any after the last.
    fn next_state(&mut self) {
        let next = self.state.map_or(0, |state| {
            1 + JobState::ALL.iter().position(|one| *one == state).unwrap_or(JobState::ALL.len())
        });
        (self.state, self.selected) = (JobState::ALL.get(next).copied(), 0);
        self.jobs.clear();
    }

    fn move_or_act(&mut self, code: KeyCode) {
        let last = self.rows().saturating_sub(1);
        match code {
            KeyCode::Down | KeyCode::Char('j') => self.selected = (self.selected + 1).min(last),
            KeyCode::Up | KeyCode::Char('k') => self.selected = self.selected.saturating_sub(1),
            KeyCode::PageDown => self.selected = (self.selected + 10).min(last),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(10),
            KeyCode::Home | KeyCode::Char('g') => self.selected = 0,
            KeyCode::End | KeyCode::Char('G') => self.selected = last,
            KeyCode::Enter => self.look_closer(),
            KeyCode::Char(c) => {
                if let Some(deed) = self.deed(c) {
                    self.propose(deed);
                }
            }
            _ => {}
        }
    }

    fn look_closer(&mut self) {
        let job = match self.tab {
            Tab::Jobs => self.shown_jobs().nth(self.selected).map(|job| job.id),
            Tab::Errors => self.shown_errors().nth(self.selected).map(|group| group.example),
            _ => None,
        };
        if let Some(job) = job {
            (self.over, self.wanted) = (Some(Over::Job(None)), Some(Question::Job(job)));
        }
    }

    /// What a letter does to what is selected: capital, as it changes something.
    fn deed(&self, letter: char) -> Option<Deed> {
        let job = || (self.tab == Tab::Jobs).then(|| self.shown_jobs().nth(self.selected)).flatten();
        let queue = || (self.tab == Tab::Queues).then(|| self.shown_queues().nth(self.selected)).flatten();
        match letter {
            'R' => job().map(|job| Deed::Retry(job.id)),
            'C' => job().map(|job| Deed::Cancel(job.id)),
            'N' => job().map(|job| Deed::RunNow(job.id)),
            'P' => queue().map(|queue| match &queue.pause {
                None => Deed::Pause(queue.name.clone()),
                Some(_) => Deed::Resume(queue.name.clone()),
            }),
            _ => None,
        }
    }

    fn propose(&mut self, deed: Deed) {
        if self.production {
            self.said = Some(format!("this is production: {deed} from a command line, which asks twice"));
        } else {
            self.over = Some(Over::Confirm(deed));
        }
    }
}

/// An error with all that caused it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
