//! The tables there are, and how their rows are read from the files of the time zone database.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A table that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Table {
    /// Countries, as in `iso3166.tab`: a code and a name.
    Country,
    /// Time zones, as in `zone1970.tab`. Their countries have to be known.
    Zone,
}

/// The columns of a row in the order of its table. The first is its key.
pub(crate) type Row = Vec<String>;

/// Rows by their keys.
pub(crate) type Rows = BTreeMap<String, Row>;

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) rows: Rows,
    /// The numbers of the lines that make no row, and why.
    pub(crate) rejected: Vec<(usize, String)>,
}

impl Table {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Zone => "zone",
        }
    }

    /// The table that an import of this one looks into.
    pub(crate) const fn reads(self) -> Option<Self> {
        match self {
            Self::Country => None,
            Self::Zone => Some(Self::Country),
        }
    }

    /// Reads the rows of a file, of which every line is checked. `known` are the rows of the table that this one reads.
    pub(crate) fn read(self, text: &str, known: &Rows) -> Reading {
        let mut reading = Reading::default();
        let lines = text.lines().enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
            match self.row(line, known) {
                Ok(row) if reading.rows.contains_key(&row[0]) => {
                    reading.rejected.push((index + 1, format!("{:?} is there already", row[0])));
                }
                Ok(row) => {
                    reading.rows.insert(row[0].clone(), row);
                }
                Err(problem) => reading.rejected.push((index + 1, problem)),
            }
        }
        reading
    }

    fn row(self, line: &str, known: &Rows) -> Result<Row, String> {
        let columns: Vec<&str> = line.split('\t').collect();
        match (self, columns.as_slice()) {
            (Self::Country, [code, name]) => country(code, name),
            (Self::Zone, [countries, place, name]) => zone([name, countries, place, ""], known),
            (Self::Zone, [countries, place, name, comments]) => {
                zone([name, countries, place, comments], known)
            }
            _ => Err(format!("a {} does not have {} columns", self.as_str(), columns.len())),
        }
    }
}

fn country(code: &str, name: &str) -> Result<Row, String> {
    if code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("{code:?} is no code of a country"));
    }
    if name.trim().is_empty() {
        return Err(format!("{code} has no name"));
    }
    Ok(vec![code.to_owned(), name.to_owned()])
}

fn zone(row: [&str; 4], known: &Rows) -> Result<Row, String> {
    let [name, countries, place, _comments] = row;
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    if !name.contains('/') || !name.bytes().all(of_name) {
        return Err(format!("{name:?} is no name of a zone"));
    }
    if let Some(code) = countries.split(',').find(|code| !known.contains_key(*code)) {
        return Err(format!("country {code:?} is not known"));
    }
    if !is_place(place) {
        return Err(format!("{place:?} is no place: expected such as +5230+01322"));
    }
    Ok(row.map(str::to_owned).to_vec())
}

/// Whether this is a latitude and a longitude in degrees and minutes, or also seconds: +DDMM+DDDMM or +DDMMSS+DDDMMSS.
fn is_place(text: &str) -> bool {
    let Some(middle) = text.rfind(['+', '-']) else { return false };
    let (latitude, longitude) = text.split_at(middle);
    matches!((latitude.len(), longitude.len()), (5, 6) | (7, 8))
        && is_angle(latitude, 2, 90)
        && is_angle(longitude, 3, 180)
}

fn is_angle(text: &str, digits: usize, degrees_max: u32) -> bool {
    let Some(figures) = text.strip_prefix(['+', '-']) else { return false };
    figures.bytes().all(|byte| byte.is_ascii_digit())
        && figures[..digits].parse().is_ok_and(|degrees: u32| degrees <= degrees_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn countries() -> Rows {
        Table::Country.read("CH\tSwitzerland\nDE\tGermany\n", &Rows::new()).rows
    }

    #[test]
    fn the_files_of_the_time_zone_database_are_read_whole() {
        let countries = Table::Country.read(include_str!("../data/iso3166.tab"), &Rows::new());
        let zones = Table::Zone.read(include_str!("../data/zone1970.tab"), &countries.rows);

        assert_eq!((countries.rejected, zones.rejected), (vec![], vec![]));
        assert_eq!((countries.rows.len(), zones.rows.len()), (249, 312));
        assert_eq!(zones.rows["Europe/Zurich"][1..3], ["CH,DE,LI", "+4723+00832"]);
    }

    #[test]
    fn a_row_that_makes_no_sense_is_rejected_with_its_line() {
        let good = "# zones\n\nDE\t+5230+01322\tEurope/Berlin\tmost of Germany";
        for (line, problem) in [
            ("DE,XX\t+5230+01322\tEurope/Berlin", "country \"XX\" is not known"),
            ("DE\t+9130+01322\tEurope/Bonn", "\"+9130+01322\" is no place: expected such as +5230+01322"),
            ("DE\t5230+01322\tEurope/Bonn", "\"5230+01322\" is no place: expected such as +5230+01322"),
            ("DE\t+5230é1322\tEurope/Bonn", "\"+5230é1322\" is no place: expected such as +5230+01322"),
            ("DE\t+5230+01322\tBonn", "\"Bonn\" is no name of a zone"),
            ("DE\t+5230+01322", "a zone does not have 2 columns"),
            ("CH\t+4723+00832\tEurope/Berlin", "\"Europe/Berlin\" is there already"),
        ] {
            let reading = Table::Zone.read(&format!("{good}\n{line}\n"), &countries());

            assert_eq!(reading.rejected, [(4, problem.to_owned())]);
            assert_eq!(reading.rows.len(), 1);
        }
    }

    #[test]
    fn a_country_has_a_code_and_a_name() {
        for line in ["de\tGermany", "DEU\tGermany", "DE\t ", "DE", "DE\tGermany\tBonn"] {
            assert_eq!(Table::Country.read(line, &Rows::new()).rejected.len(), 1, "{line}");
        }
    }
}
