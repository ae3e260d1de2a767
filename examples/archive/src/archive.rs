//! The job that archives one file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use windlass::prelude::*;

use crate::App;

/// Checksums and compresses a file.
#[derive(Debug, Serialize, Deserialize, Job)]
#[job(kind = "archive_file", queue = "files", attempts = 3, timeout = "10m", output = Archived)]
pub(crate) struct ArchiveFile {
    /// Below the folder that is archived.
    pub(crate) path: String,
}

/// What is known of an archived file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Archived {
    pub(crate) size: u64,
    /// The size of its object.
    pub(crate) compressed: u64,
    /// The SHA-256 of its content, in hexadecimal. Its object is named after it, so equal files share one.
    pub(crate) sha256: String,
}

/// Reads the file once, and puts its object into the archive when it is whole.
///
/// May be run twice, as every handler may: the object has the name of its content, and appears in one step.
#[expect(clippy::needless_pass_by_value, reason = "a handler is given what it takes")]
pub(crate) fn archive_file(
    ArchiveFile { path }: ArchiveFile,
    State(app): State<App>,
    cx: JobCx,
) -> Result<Archived, JobError> {
    let source = File::open(app.folder.join(path)).map_err(gone)?;
    // An attempt that was given up may still write: each has a file of its own.
    let part = app.out.join("parts").join(format!("{}-{}", cx.id(), cx.attempt().number));
    std::fs::create_dir_all(part.with_file_name(""))?;
    let (size, sha256) = compress(source, &part, &cx.cancel())?;
    let object = object(&app.out, &sha256);
    std::fs::create_dir_all(object.with_file_name(""))?;
    std::fs::rename(&part, &object)?;
    let compressed = std::fs::metadata(&object)?.len();
    Ok(Archived { size, compressed, sha256 })
}

/// Where the object of this content is.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn object(archive: &Path, sha256: &str) -> PathBuf {
    archive.join("objects").join(&sha256[..2]).join(format!("{sha256}.gz"))
}

fn compress(mut source: File, part: &Path, cancel: &Cancel) -> Result<(u64, String), JobError> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut packed = GzEncoder::new(File::create(part)?, Compression::default());
    let mut chunk = vec![0; 64 * 1024];
    loop {
        if cancel.is_cancelled() {
            return Err(JobError::new("asked to stop"));
        }
        let read = source.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        size += read as u64;
        hash.update(&chunk[..read]);
        packed.write_all(&chunk[..read])?;
    }
    // On the disk before the job is done: a job that is done is never done again.
    packed.finish()?.sync_all()?;
    Ok((size, hex(&hash.finalize())))
}

/// A file that is gone stays gone; anything else may be better at the next attempt.
fn gone(error: io::Error) -> JobError {
    match error.kind() {
        io::ErrorKind::NotFound => JobError::from(error).context("the file is gone").into_fatal(),
        _ => JobError::from(error).context("could not open the file"),
    }
}
