//! What it looks like.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Block, Cell as Slot, Clear, Paragraph, Row as TableRow, Sparkline, Table, TableState, Tabs, Wrap,
};
use windlass_core::{JobState, Timestamp};

use super::app::{App, Over, Tab};
use crate::args::TimeForm;
use crate::commands::{error_rows, job_lines, job_rows, queue_rows, worker_rows};
use crate::output::cell::{Cell, roughly};
use crate::output::{self, Column, Form, shown};

const HELP: &[(&str, &str)] = &[
    ("1-5, tab", "look at something else"),
    ("up, down, j, k", "select"),
    ("enter", "show the job in full"),
    ("/", "only what contains a text; esc for all"),
    ("s", "only jobs of one state, then of the next"),
    ("space", "stand still, and go on"),
    ("R, C, N", "retry, cancel, run the selected job now"),
    ("P", "pause the selected queue, or resume it"),
    ("q", "leave"),
];

/// Draws everything.
pub(super) fn draw(app: &App, now: Timestamp, frame: &mut Frame<'_>) {
    let [head, tabs, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(title(app), head);
    let titles = Tab::ALL.iter().enumerate().map(|(index, tab)| format!("{} {}", index + 1, tab.title()));
    frame.render_widget(Tabs::new(titles).select(app.tab.index()).highlight_style(Modifier::REVERSED), tabs);
    match app.tab {
        Tab::Overview => overview(app, now, frame, body),
        Tab::Queues => listed(app, &queue_rows(app.shown_queues()), now, (frame, body)),
        Tab::Jobs => listed(app, &job_rows(app.shown_jobs()), now, (frame, body)),
        Tab::Errors => listed(app, &error_rows(app.shown_errors()), now, (frame, body)),
        Tab::Workers => listed(app, &worker_rows(app.shown_workers()), now, (frame, body)),
    }
    frame.render_widget(footer(app), foot);
    match &app.over {
        None => {}
        Some(Over::Help) => help(frame, body),
        Some(Over::Job(job)) => {
            let lines = job.as_ref().map(|job| job_lines(job));
            closer(&lines.unwrap_or_default(), now, (frame, body));
        }
        Some(Over::Confirm(deed)) => {
            let text = format!("{deed}?  y to do it, any other key not to");
            over(frame, body, (text.chars().count() + 4, 3), |frame, area| {
                frame.render_widget(Paragraph::new(text).block(Block::bordered().title("sure?")), area);
            });
        }
    }
}

fn title(app: &App) -> Line<'static> {
    let mut line = vec!["windlass ".bold(), shown(&app.place).into()];
    if let (Some(took), Some(_)) = (app.took, app.answered) {
        line.push(format!("  answered in {}", roughly(took)).dim());
    }
    if app.frozen {
        line.push("  standing still".yellow());
    }
    Line::from(line)
}

fn footer(app: &App) -> Line<'static> {
    if app.typing {
        return Line::from(format!("/{}_", shown(&app.search)));
    }
    if let Some(trouble) = &app.trouble {
        return Line::from(format!("no answer: {}", shown(trouble))).red();
    }
    if let Some(said) = &app.said {
        return Line::from(shown(said)).yellow();
    }
    let keys = match app.tab {
        Tab::Jobs => "enter show  s state  R retry  C cancel  N now  / search  ? help  q leave",
        Tab::Queues => "P pause  / search  ? help  q leave",
        Tab::Errors => "enter example  / search  ? help  q leave",
        _ => "1-5 look elsewhere  space stand still  ? help  q leave",
    };
    let mut line = Vec::new();
    if !app.search.is_empty() {
        line.push(Span::from(format!("/{}  ", shown(&app.search))).cyan());
    }
    if let (Tab::Jobs, Some(state)) = (app.tab, app.state) {
        line.push(Span::from(format!("{state} only  ")).cyan());
    }
    line.push(keys.dim());
    Line::from(line)
}

fn overview(app: &App, now: Timestamp, frame: &mut Frame<'_>, area: Rect) {
    // One line for each state, and a frame.
    let states = u16::try_from(JobState::ALL.len()).unwrap_or(u16::MAX).saturating_add(2);
    let [above, below] = Layout::vertical([Constraint::Length(states), Constraint::Min(3)]).areas(area);
    let [counts, rate] = Layout::horizontal([Constraint::Length(30), Constraint::Min(10)]).areas(above);
    let [queues, errors] =
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(below);
    let totals = app.totals();
    let lines: Vec<Line<'_>> =
        JobState::ALL.iter().copied().map(|state| counted(state, totals.of(state))).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("jobs")), counts);
    let data: Vec<u64> = app.ends.iter().copied().collect();
    let last = data.last().map_or(String::new(), |rate| format!(": {rate}"));
    let running: u64 = app.workers.iter().map(|worker| worker.running).sum();
    let workers = format!("{} workers, {running} attempts run", app.workers.len());
    let block = Block::bordered().title(format!("ended per second{last}")).title_bottom(workers);
    frame.render_widget(Sparkline::default().data(data).block(block), rate);
    let mut fullest: Vec<_> = app.queues.iter().collect();
    fullest.sort_by_key(|queue| std::cmp::Reverse(queue.counts.of(JobState::Ready)));
    table(&queue_rows(fullest.into_iter()), now, ("fullest queues", None), (frame, queues));
    table(&error_rows(app.errors.iter()), now, ("last errors", None), (frame, errors));
}

fn counted(state: JobState, count: u64) -> Line<'static> {
    let cell = Cell::State(state);
    let name = format!("{:<14}", cell.pretty(&style(Timestamp::MIN)));
    let line = Line::from(format!("{name}{count:>12}"));
    if count == 0 { line.dim() } else { line.style(colour(&cell)) }
}

/// What a tab shows that is a list.
fn listed(app: &App, list: &output::List, now: Timestamp, (frame, area): (&mut Frame<'_>, Rect)) {
    let title = format!("{}: {}", app.tab.title().to_lowercase(), list.rows.len());
    table(list, now, (&title, Some(app.selected)), (frame, area));
}

/// Rows as other commands print them.
fn table(
    list: &output::List,
    now: Timestamp,
    (title, selected): (&str, Option<usize>),
    (frame, area): (&mut Frame<'_>, Rect),
) {
    let style = style(now);
    let columns = list.columns;
    let texts: Vec<Vec<(String, Style)>> = list
        .rows
        .iter()
        .map(|row| row.cells.iter().map(|cell| (cell.pretty(&style), colour(cell))).collect())
        .collect();
    let shown = fitting(columns, &texts, usize::from(area.width.saturating_sub(2)));
    let widths = shown.iter().map(|(index, width)| {
        // The last column takes what room there is.
        let is_last = shown.last().is_some_and(|(last, _)| last == index);
        if is_last {
            Constraint::Fill(1)
        } else {
            Constraint::Length(u16::try_from(*width).unwrap_or(u16::MAX))
        }
    });
    let rows = texts.iter().map(|cells| {
        TableRow::new(
            shown.iter().map(|(index, _)| Slot::new(cells[*index].0.clone()).style(cells[*index].1)),
        )
    });
    let head = TableRow::new(shown.iter().map(|(index, _)| columns[*index].title)).dim();
    let table = Table::new(rows, widths)
        .header(head)
        .column_spacing(2)
        .row_highlight_style(Modifier::REVERSED)
        .block(Block::bordered().title(title.to_owned()));
    let mut state = TableState::default().with_selected(selected.filter(|_| !list.rows.is_empty()));
    frame.render_stateful_widget(table, area, &mut state);
}

/// Which columns there is room for, and how wide they are. What can be spared goes first, from the right; then others.
fn fitting(columns: &[Column], rows: &[Vec<(String, Style)>], room: usize) -> Vec<(usize, usize)> {
    let width = |index: usize| {
        let cells = rows.iter().map(|cells| cells[index].0.chars().count());
        cells.chain([columns[index].title.len()]).max().unwrap_or(0).min(40)
    };
    let mut shown: Vec<(usize, usize)> = (0..columns.len()).map(|index| (index, width(index))).collect();
    let needed = |shown: &[(usize, usize)]| shown.iter().map(|(_, width)| width + 2).sum::<usize>();
    while needed(&shown) > room && shown.len() > 2 {
        // The last column takes what room there is, so it may be narrow.
        if needed(&shown[..shown.len() - 1]) + 12 <= room {
            break;
        }
        let spare = shown.iter().rposition(|(index, _)| columns[*index].spare);
        shown.remove(spare.unwrap_or(shown.len() - 2));
    }
    shown
}

fn help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<Line<'_>> = HELP
        .iter()
        .map(|(keys, what)| Line::from(vec![format!("{keys:<16}").bold(), (*what).into()]))
        .collect();
    let height = lines.len() + 2;
    over(frame, area, (64, height), |frame, area| {
        frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("keys")), area);
    });
}

/// One job in full.
fn closer(lines: &[(&'static str, Cell)], now: Timestamp, (frame, area): (&mut Frame<'_>, Rect)) {
    let style = style(now);
    let told: Vec<Line<'_>> = lines
        .iter()
        .filter(|(_, cell)| *cell != Cell::Empty)
        .map(|(name, cell)| {
            Line::from(vec![format!("{name:<16}").dim(), Span::styled(cell.pretty(&style), colour(cell))])
        })
        .collect();
    let size = (usize::from(area.width.saturating_sub(4)), usize::from(area.height));
    over(frame, area, size, |frame, area| {
        let block = Block::bordered().title("job").title_bottom("any key leads back");
        frame.render_widget(Paragraph::new(told).wrap(Wrap { trim: false }).block(block), area);
    });
}

/// Clears room of this size in the middle, and draws there.
fn over(
    frame: &mut Frame<'_>,
    area: Rect,
    (width, height): (usize, usize),
    draw: impl FnOnce(&mut Frame<'_>, Rect),
) {
    let width = u16::try_from(width).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(height).unwrap_or(u16::MAX).min(area.height);
    let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let area = Rect { x, y, width, height };
    frame.render_widget(Clear, area);
    draw(frame, area);
}

/// As people see it elsewhere.
const fn style(now: Timestamp) -> output::Style {
    output::Style { form: Form::People, time: TimeForm::Relative, terminal: true, now, width: None }
}

fn colour(cell: &Cell) -> Style {
    let Some(colour) = cell.color() else { return Style::new() };
    Style::new().fg(match colour {
        comfy_table::Color::Green => Color::Green,
        comfy_table::Color::Red => Color::Red,
        comfy_table::Color::Cyan => Color::Cyan,
        comfy_table::Color::Yellow => Color::Yellow,
        _ => Color::DarkGray,
    })
}
