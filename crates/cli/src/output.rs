//! What a command has to say, and how that is printed: for people, for `cut`, and for programs.
//!
//! A command returns an [`Output`] and prints nothing itself, so the forms cannot drift apart: each row is the same
//! record, written as cells for people and pipes and as JSON for programs.

pub(crate) mod cell;
mod json;
mod table;

use std::io::{self, Write};

use serde::Serialize;
use windlass_core::Timestamp;
use windlass_wire::Fields;

use crate::args::TimeForm;
use crate::exit_code::ExitCode;

pub(crate) use cell::{Cell, shown};

/// What a command has to say.
#[derive(Debug, Default)]
pub(crate) struct Output {
    body: Body,
    /// Said on stderr, on a terminal only: what the page leaves out, what to do next.
    notes: Vec<String>,
    exit: ExitCode,
}

#[derive(Debug, Default)]
enum Body {
    #[default]
    Nothing,
    Text(String),
    List(List),
    Record(Record),
}

/// Rows of the same make.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) columns: &'static [Column],
    pub(crate) rows: Vec<Row>,
}

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Whether the whole of it has to be readable however narrow the screen is, as that of an id.
    pub(crate) whole: bool,
    /// Whether it is left out on a screen that is too narrow for the titles of all.
    pub(crate) spare: bool,
}

impl Column {
    pub(crate) const fn new(title: &'static str) -> Self {
        Self { title, whole: false, spare: false }
    }

    pub(crate) const fn whole(title: &'static str) -> Self {
        Self { title, whole: true, spare: false }
    }

    pub(crate) const fn spare(title: &'static str) -> Self {
        Self { title, whole: false, spare: true }
    }
}

/// One row, in both of its forms.
#[derive(Debug)]
pub(crate) struct Row {
    /// What `-q` prints of it.
    pub(crate) id: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) fields: Fields,
}

/// One thing in full.
#[derive(Debug)]
pub(crate) struct Record {
    /// What `-q` prints of it.
    pub(crate) id: String,
    pub(crate) lines: Vec<(&'static str, Cell)>,
    /// Lists below it, each with its title; part of the JSON already.
    pub(crate) sections: Vec<(&'static str, List)>,
    pub(crate) fields: Fields,
}

/// The fields of something that is written as JSON.
///
/// # Panics
///
/// Never: what is passed here is written as an object by construction.
pub(crate) fn fields<T: Serialize>(value: &T) -> Fields {
    Fields::of(value).expect("shapes are written as JSON objects")
}

/// How to print.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    pub(crate) form: Form,
    pub(crate) time: TimeForm,
    /// Whether a person looks at stdout.
    pub(crate) terminal: bool,
    /// What relative times are relative to.
    pub(crate) now: Timestamp,
    /// How wide a table may be, if not as wide as the terminal.
    pub(crate) width: Option<u16>,
}

/// The form of what is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Aligned, coloured, with relative times.
    People,
    /// The same, with nothing left out or cut however narrow the screen is.
    Wide,
    /// Tab-separated, one row a line, no header.
    Tsv,
    /// Comma-separated, with the titles first.
    Csv,
    /// A JSON array or object, with these fields or all of them.
    Json(Option<Vec<String>>),
    /// One JSON object a line.
    JsonLines(Option<Vec<String>>),
    /// One id a line.
    Ids,
}

impl Form {
    /// Whether a person is to read it.
    pub(crate) const fn is_for_people(&self) -> bool {
        matches!(self, Self::People | Self::Wide)
    }
}

impl Output {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { body: Body::Text(text.into()), ..Self::default() }
    }

    pub(crate) fn list(columns: &'static [Column], rows: Vec<Row>) -> Self {
        Self { body: Body::List(List { columns, rows }), ..Self::default() }
    }

    pub(crate) fn record(record: Record) -> Self {
        Self { body: Body::Record(record), ..Self::default() }
    }

    /// The same, with this said on stderr where a person looks.
    #[must_use]
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same, ending the command with `exit`.
    #[must_use]
    pub(crate) fn with_exit(self, exit: ExitCode) -> Self {
        Self { exit, ..self }
    }

    /// How the command ends.
    pub(crate) const fn exit(&self) -> ExitCode {
        self.exit
    }

    /// What is to be said on stderr.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Prints to `out`.
    pub(crate) fn print(&self, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        match &self.body {
            Body::Nothing => Ok(()),
            Body::Text(text) => out.write_all(text.as_bytes()),
            Body::List(list) => list.print(style, out),
            Body::Record(record) => record.print(style, out),
        }
    }
}

impl List {
    fn print(&self, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        match &style.form {
            Form::People | Form::Wide => table::list(self, style, out),
            Form::Csv => table::csv(self, out),
            Form::Tsv => self.rows.iter().try_for_each(|row| table::tsv(&row.cells, out)),
            Form::Json(names) => {
                let rows: Vec<Fields> =
                    self.rows.iter().map(|row| json::chosen(&row.fields, names.as_deref())).collect();
                json::pretty(&rows, style, out)
            }
            Form::JsonLines(names) => {
                let line = |row: &Row| json::line(&json::chosen(&row.fields, names.as_deref()), style, out);
                self.rows.iter().try_for_each(line)
            }
            Form::Ids => self.rows.iter().try_for_each(|row| writeln!(out, "{}", row.id)),
        }
    }
}

impl Record {
    fn print(&self, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        match &style.form {
            Form::People | Form::Wide => table::record(self, style, out),
            Form::Csv => {
                self.lines.iter().try_for_each(|(name, cell)| table::csv_line(&[*name, &cell.plain()], out))
            }
            Form::Tsv => {
                for (name, cell) in &self.lines {
                    writeln!(out, "{name}\t{}", cell.plain())?;
                }
                for (title, section) in &self.sections {
                    // The title begins each line, so that lines of a kind can be picked out.
                    section.rows.iter().try_for_each(|row| {
                        write!(out, "{title}\t").and_then(|()| table::tsv(&row.cells, out))
                    })?;
                }
                Ok(())
            }
            Form::Json(names) => json::pretty(&json::chosen(&self.fields, names.as_deref()), style, out),
            Form::JsonLines(names) => json::line(&json::chosen(&self.fields, names.as_deref()), style, out),
            Form::Ids => writeln!(out, "{}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::JobState;

    use super::*;

    const COLUMNS: &[Column] =
        &[Column::whole("ID"), Column::new("STATE"), Column::new("ERROR"), Column::new("AT")];

    fn printed(form: Form, terminal: bool) -> String {
        #[derive(Serialize)]
        struct Thing {
            id: &'static str,
            error: &'static str,
        }
        let error = "bad\t\u{1b}[2J\nnews \u{202e}\u{9b}2J";
        let row = Row {
            id: "0192f3c1".to_owned(),
            cells: vec![
                Cell::text("0192f3c1"),
                Cell::State(JobState::Dead),
                Cell::text(error),
                Cell::Time(Timestamp::from_micros(40_000_000)),
            ],
            fields: fields(&Thing { id: "0192f3c1", error }),
        };
        let style = Style {
            form,
            time: TimeForm::Relative,
            terminal,
            now: Timestamp::from_micros(100_000_000),
            width: Some(60),
        };
        let mut out = Vec::new();
        Output::list(COLUMNS, vec![row]).print(&style, &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn people_see_a_table_that_nothing_stored_can_break() {
        let text = printed(Form::People, true);

        assert_eq!(
            text,
            concat!(
                "ID        STATE   ERROR                             AT\n",
                "0192f3c1  ✗ dead  bad\\t\\u{1b}[2J\\nnews \\u{202e}\\u…  1m ago\n"
            )
        );
    }

    #[test]
    fn a_narrow_screen_leaves_out_what_can_be_spared_and_cuts_no_title() {
        const NARROW: &[Column] =
            &[Column::whole("ID"), Column::spare("RUN AT"), Column::new("ERROR"), Column::spare("CREATED")];
        let row = || Row {
            id: String::new(),
            cells: ["0192f3c1", "soon", "it did not go well", "before"].map(Cell::text).to_vec(),
            fields: fields(&std::collections::BTreeMap::<&str, &str>::new()),
        };
        let printed = |width| {
            let style = Style {
                form: Form::People,
                time: TimeForm::Relative,
                terminal: true,
                now: Timestamp::MIN,
                width: Some(width),
            };
            let mut out = Vec::new();
            Output::list(NARROW, vec![row()]).print(&style, &mut out).unwrap();
            anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
        };

        assert!(printed(34).starts_with("ID        RUN AT  ERROR  CREATED\n"), "{}", printed(34));
        assert_eq!(printed(26), "ID        RUN AT  ERROR\n0192f3c1  soon    it d…\n");
        assert_eq!(printed(20), "ID        ERROR\n0192f3c1  it did …\n");
    }

    #[test]
    fn pipes_get_tabs_iso_times_and_no_header() {
        assert_eq!(
            printed(Form::Tsv, false),
            "0192f3c1\tdead\tbad\\t\\u{1b}[2J\\nnews \\u{202e}\\u{9b}2J\t1970-01-01T00:00:40Z\n"
        );
    }

    #[test]
    fn spreadsheets_get_titles_and_quotes_where_they_are_needed() {
        const TWO: &[Column] = &[Column::new("ID"), Column::new("N")];
        let row = |text: &str| Row {
            id: String::new(),
            cells: vec![Cell::text(text), Cell::Number(1)],
            fields: fields(&std::collections::BTreeMap::<&str, &str>::new()),
        };
        let style =
            Style { form: Form::Csv, time: TimeForm::Iso, terminal: true, now: Timestamp::MIN, width: None };
        let mut out = Vec::new();

        Output::list(TWO, vec![row("a"), row("say \"hi\", you"), row("=1+1")])
            .print(&style, &mut out)
            .unwrap();

        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "id,n\na,1\n\"say \"\"hi\"\", you\",1\n'=1+1,1\n");
    }

    #[test]
    fn what_is_wide_is_not_cut() {
        const TWO: &[Column] = &[Column::new("ONE"), Column::spare("TWO")];
        let row = Row {
            id: String::new(),
            cells: vec![Cell::text("x".repeat(90)), Cell::text("y".repeat(90))],
            fields: fields(&std::collections::BTreeMap::<&str, &str>::new()),
        };
        let style = Style {
            form: Form::Wide,
            time: TimeForm::Iso,
            terminal: true,
            now: Timestamp::MIN,
            width: Some(40),
        };
        let mut out = Vec::new();

        Output::list(TWO, vec![row]).print(&style, &mut out).unwrap();

        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        assert!(text.ends_with(&format!("{}  {}\n", "x".repeat(90), "y".repeat(90))), "{text}");
    }

    #[test]
    fn programs_get_what_is_stored_and_chosen_fields_only() {
        let names = || Some(vec!["error".to_owned(), "none".to_owned()]);

        let line = printed(Form::JsonLines(names()), false);

        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&line)["error"], "bad\t\u{1b}[2J\nnews \u{202e}\u{9b}2J");
        let on_a_terminal = printed(Form::JsonLines(names()), true);
        assert_eq!(value(&on_a_terminal), value(&line));
        assert!(on_a_terminal.contains(r"\u202e\u009b"), "{on_a_terminal}");
        assert_eq!(
            printed(Form::Json(Some(vec!["id".to_owned()])), false),
            "[\n  {\n    \"id\": \"0192f3c1\"\n  }\n]\n"
        );
    }
}
