//! The job that sums up, when every file is done.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use comfy_table::{Table, presets};
use indicatif::HumanBytes;
use serde::{Deserialize, Serialize};
use windlass::model::Job as Record;
use windlass::prelude::*;

use crate::App;
use crate::archive::{ArchiveFile, Archived};
use crate::job_id;
use crate::scan::Found;

/// How many of the largest files are told.
const LARGEST: usize = 5;

/// Writes `report.json` and `index.tsv`.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "write_report", queue = "reports", attempts = 3, output = Totals)]
pub(crate) struct WriteReport {
    /// The file that lists the jobs to sum up. Not the list itself: args are for what fits into a line.
    pub(crate) manifest: String,
}

/// The whole archive in a few numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Objects in the archive: one for all files of the same content.
    pub(crate) objects: u64,
    pub(crate) compressed: u64,
    /// The share of its size that is left of the folder.
    pub(crate) ratio: f64,
    /// Files that are the same, a group each.
    pub(crate) duplicates: Vec<Vec<String>>,
    pub(crate) largest: Vec<(String, u64)>,
    /// Files that could not be archived, and why.
    pub(crate) failed: Vec<(String, String)>,
}

/// What a report is about.
pub(crate) struct Manifest {
    pub(crate) name: String,
    /// The job that reports on it: the same for the same files, done at the same times.
    pub(crate) job: JobId,
}

/// Writes down what is to be reported on.
pub(crate) async fn manifest(
    app: &App,
    found: &[Found],
    jobs: &[JobHandle<ArchiveFile>],
) -> Result<Manifest, Box<dyn std::error::Error>> {
    let (mut lines, mut finished) = (String::new(), String::new());
    for (file, job) in found.iter().zip(jobs) {
        writeln!(lines, "{}\t{}", file.job, file.path)?;
        // A file that failed and was tried again has a new end, and so a new report.
        write!(finished, "{:?}", job.job().await?.finished_at)?;
    }
    let job = job_id::of(&[b"report", lines.as_bytes(), finished.as_bytes()]);
    let name = format!("manifest-{job}.tsv");
    write_whole(&app.out.join(&name), lines.as_bytes())?;
    Ok(Manifest { name, job })
}

/// Sums up what the jobs of the manifest made.
pub(crate) async fn write_report(job: WriteReport, State(app): State<App>) -> Result<Totals, JobError> {
    let manifest = std::fs::read_to_string(app.out.join(&job.manifest))?;
    let (mut totals, mut index) = (Totals::default(), String::new());
    let mut contents = BTreeMap::<String, (Archived, Vec<String>)>::new();
    for line in manifest.lines() {
        let (id, path) =
            line.split_once('\t').ok_or_else(|| JobError::fatal("the manifest has a line without a tab"))?;
        let record = app.windlass.handle::<ArchiveFile>(id.parse()?).job().await?;
        let Some(archived) = made(&record)? else {
            totals
                .failed
                .push((path.to_owned(), record.error.map(|error| error.message).unwrap_or_default()));
            continue;
        };
        writeln!(index, "{path}\t{}\t{}", archived.size, archived.sha256)?;
        totals.add(path, &archived);
        contents
            .entry(archived.sha256.clone())
            .or_insert_with(|| (archived, Vec::new()))
            .1
            .push(path.to_owned());
    }
    totals.sum_up(contents);
    write_whole(&app.out.join("index.tsv"), index.as_bytes())?;
    write_whole(&app.out.join("report.json"), &serde_json::to_vec_pretty(&totals)?)?;
    // What killed attempts left behind. Every file is done, so nobody writes there.
    let _ = std::fs::remove_dir_all(app.out.join("parts"));
    Ok(totals)
}

fn made(record: &Record) -> Result<Option<Archived>, JobError> {
    Ok(record.result.as_ref().map(windlass::model::Json::decode).transpose()?)
}

impl Totals {
    fn add(&mut self, path: &str, file: &Archived) {
        self.files += 1;
        self.bytes += file.size;
        self.largest.push((path.to_owned(), file.size));
        self.largest.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        self.largest.truncate(LARGEST);
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    fn sum_up(&mut self, contents: BTreeMap<String, (Archived, Vec<String>)>) {
        self.objects = contents.len() as u64;
        self.compressed = contents.values().map(|(file, _)| file.compressed).sum();
        self.ratio = if self.bytes == 0 { 1.0 } else { self.compressed as f64 / self.bytes as f64 };
        // Empty files are all the same, and nobody is helped by hearing so.
        let same = contents.into_values().filter(|(file, paths)| paths.len() > 1 && file.size > 0);
        self.duplicates = same.map(|(_, paths)| paths).collect();
        self.duplicates.sort();
    }
}

/// Writes a file in one step: whoever reads it finds the old one or the new one, whole.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(part, path)
}

/// Shows the totals.
pub(crate) fn print(totals: &Totals, archive: &Path, out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let saved = format!("{:.0} % of {}", totals.ratio * 100.0, HumanBytes(totals.bytes));
    table.add_row(["files", &totals.files.to_string()]);
    table.add_row(["objects", &totals.objects.to_string()]);
    table.add_row(["archive", &format!("{} ({saved})", HumanBytes(totals.compressed))]);
    table.add_row([
        "duplicates",
        &totals.duplicates.iter().map(|group| group.len() - 1).sum::<usize>().to_string(),
    ]);
    for (path, size) in &totals.largest {
        table.add_row(["largest", &format!("{} {path}", HumanBytes(*size))]);
    }
    for (path, why) in &totals.failed {
        table.add_row(["failed", &format!("{path}: {why}")]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "\n index    {}", archive.join("index.tsv").display())?;
    writeln!(out, " report   {}", archive.join("report.json").display())?;
    writeln!(out, " objects  {}", archive.join("objects").display())
}
