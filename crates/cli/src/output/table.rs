//! Output for people and pipes.

use std::io::{self, Write};

use comfy_table::{Attribute, ColumnConstraint, ContentArrangement, Table, presets};

use super::{Cell, List, Record, Style};

/// Aligned columns; what is too wide for the screen is cut, but for ids.
pub(super) fn list(list: &List, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if list.rows.is_empty() {
        return Ok(());
    }
    let mut table = empty(style);
    table.set_header(
        list.columns.iter().map(|column| comfy_table::Cell::new(column.title).add_attribute(Attribute::Dim)),
    );
    for row in &list.rows {
        let mut line = comfy_table::Row::from(row.cells.iter().map(|cell| pretty(cell, style)));
        line.max_height(1);
        table.add_row(line);
    }
    for (column, wanted) in table.column_iter_mut().zip(list.columns) {
        column.set_padding((0, 2));
        if wanted.whole {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    write(&table, out)
}

/// A line for each field, then the sections.
pub(super) fn record(record: &Record, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut table = empty(style);
    for (name, cell) in record.lines.iter().filter(|(_, cell)| *cell != Cell::Empty) {
        table.add_row([comfy_table::Cell::new(name).add_attribute(Attribute::Dim), pretty(cell, style)]);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
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
    if let Some(width) = style.width {
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
