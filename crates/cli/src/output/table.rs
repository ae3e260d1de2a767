//! Output for people and pipes.

use std::io::{self, Write};

use comfy_table::{Attribute, ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::{Cell, Form, List, Record, Style};

/// Between two columns.
const PADDING: u16 = 2;

/// Aligned columns; what is too wide for the screen is cut, but for ids.
pub(super) fn list(list: &List, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if list.rows.is_empty() {
        return Ok(());
    }
    let mut table = empty(style);
    let width = table.width().map(usize::from).filter(|_| style.form != Form::Wide);
    let shown = fitting(list, style, width);
    let columns = || shown.iter().map(|index| &list.columns[*index]);
    let titles = columns().map(|column| comfy_table::Cell::new(column.title).add_attribute(Attribute::Dim));
    table.set_header(one_line(titles));
    for row in &list.rows {
        table.add_row(one_line(shown.iter().map(|index| pretty(&row.cells[*index], style))));
    }
    for (column, wanted) in table.column_iter_mut().zip(columns()) {
        column.set_padding((0, PADDING));
        let title = u16::try_from(wanted.title.len()).unwrap_or(u16::MAX);
        column.set_constraint(if wanted.whole {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(title.saturating_add(PADDING)))
        });
    }
    write(&table, out)
}

/// The columns that are shown in this width: all, or as many as there is room for the titles of.
fn fitting(list: &List, style: &Style, width: Option<usize>) -> Vec<usize> {
    let mut shown: Vec<usize> = (0..list.columns.len()).collect();
    let Some(width) = width else { return shown };
    let needed = |shown: &[usize]| shown.iter().map(|index| room(list, *index, style)).sum::<usize>();
    while needed(&shown) > width {
        let Some(spare) = shown.iter().rposition(|index| list.columns[*index].spare) else { break };
        shown.remove(spare);
    }
    shown
}

/// The least room for a column: its title, or all of it.
fn room(list: &List, index: usize, style: &Style) -> usize {
    let column = &list.columns[index];
    let cells = list.rows.iter().filter(|_| column.whole).map(|row| row.cells[index].pretty(style));
    let longest = cells.map(|text| text.chars().count()).max().unwrap_or(0);
    longest.max(column.title.len()) + usize::from(PADDING)
}

fn one_line(cells: impl Iterator<Item = comfy_table::Cell>) -> comfy_table::Row {
    let mut row = comfy_table::Row::from(cells);
    row.max_height(1);
    row
}

/// A line for each field, then the sections.
pub(super) fn record(record: &Record, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut table = empty(style);
    for (name, cell) in record.lines.iter().filter(|(_, cell)| *cell != Cell::Empty) {
        table.add_row([comfy_table::Cell::new(name).add_attribute(Attribute::Dim), pretty(cell, style)]);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, PADDING));
    });
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    write(&table, out)?;
    for (title, section) in record.sections.iter().filter(|(_, section)| !section.rows.is_empty()) {
        writeln!(out, "\n{title}")?;
        list(section, style, out)?;
    }
    Ok(())
}

/// The cells of one row, a tab between two.
pub(super) fn tsv(cells: &[Cell], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(Cell::plain).collect();
    writeln!(out, "{}", cells.join("\t"))
}

/// The titles, then a line for each row.
pub(super) fn csv(list: &List, out: &mut dyn Write) -> io::Result<()> {
    let titles: Vec<String> =
        list.columns.iter().map(|column| column.title.to_lowercase().replace(' ', "_")).collect();
    csv_line(&titles, out)?;
    list.rows.iter().try_for_each(|row| {
        let cells: Vec<String> = row.cells.iter().map(Cell::plain).collect();
        csv_line(&cells, out)
    })
}

/// One line as RFC 4180 has it.
pub(super) fn csv_line<S: AsRef<str>>(cells: &[S], out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell.as_ref())).collect();
    writeln!(out, "{}", cells.join(","))
}

/// A text that begins like a formula would be computed by whoever opens it; a quote before it says that it is text.
fn csv_cell(text: &str) -> String {
    let marked = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if marked.contains([',', '"']) { format!("\"{}\"", marked.replace('"', "\"\"")) } else { marked }
}

fn empty(style: &Style) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_truncation_indicator("…")
        // What is cut is cut where the room ends, not at the last space before it: no such character is shown.
        .set_delimiter('\u{0}')
        // Whether colours reach the terminal is decided once, where stdout is opened.
        .enforce_styling();
    table.style_text_only();
    if style.form == Form::Wide {
        table.set_content_arrangement(ContentArrangement::Disabled);
    } else if let Some(width) = style.width {
        table.set_width(width);
    }
    table
}

fn pretty(cell: &Cell, style: &Style) -> comfy_table::Cell {
    let shown = comfy_table::Cell::new(cell.pretty(style));
    match cell.color() {
        Some(color) => shown.fg(color),
        None => shown,
    }
}

fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}
