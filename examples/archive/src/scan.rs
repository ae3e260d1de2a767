//! What there is to archive.

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use windlass::JobId;

use crate::job_id;

/// A file to be archived.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its path below the folder, with slashes.
    pub(crate) path: String,
    /// The job that archives it as it is now: of path, size and time of change.
    pub(crate) job: JobId,
}

/// Every file below `folder` in the order of their paths, but for hidden folders, build folders (`target`), and the
/// archive itself.
pub(crate) fn files(folder: &Path, archive: &Path) -> io::Result<Vec<Found>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(&here)? {
            let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            let metadata = std::fs::symlink_metadata(&entry)?;
            let hidden = name.to_string_lossy().starts_with('.');
            if metadata.is_dir() && !hidden && name != "target" && entry != archive {
                folders.push(entry);
            } else if metadata.is_file() {
                found.extend(file(folder, &entry, &metadata)?);
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// None for a name that is no text: it could not be told in the index.
fn file(folder: &Path, path: &Path, metadata: &Metadata) -> io::Result<Option<Found>> {
    let below = path.strip_prefix(folder).map_err(io::Error::other)?;
    let Some(path) = below.to_str().map(|path| path.replace('\\', "/")) else { return Ok(None) };
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let job = job_id::of(&[b"file", path.as_bytes(), &metadata.len().to_be_bytes(), &changed.to_be_bytes()]);
    Ok(Some(Found { path, job }))
}
