//! Empty clusters. Making one takes a second or two, copying one a tenth of that: so one is kept for each server.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::account::Account;
use crate::error::{Attempted as _, succeeded};
use crate::folder::{Folder, unique};
use crate::{Binaries, Error};

/// Marks cargo's target folder, which cargo writes there for programs that make backups.
const MARK: &str = "CACHEDIR.TAG";

/// Fills `data`, which is not there yet and lies in `folder`, with an empty cluster.
pub(crate) fn fill(
    data: &Path,
    folder: &mut Folder,
    binaries: &Binaries,
    account: Account,
) -> Result<(), Error> {
    let kept = place(binaries);
    if let Some(kept) = kept.as_deref().filter(|kept| kept.is_dir()) {
        if copy(kept, data, account).is_ok() {
            return Ok(());
        }
        // Somebody else's, and not for us to read, or just being removed.
        let _ = fs::remove_dir_all(data);
    }
    make(data, folder, binaries, account)?;
    if let Some(kept) = kept {
        // Without it the next start takes longer, and that is all.
        let _ = keep(data, &kept);
    }
    Ok(())
}

/// Where the empty cluster of this server is kept: in the target folder this program was built in, if it was.
fn place(binaries: &Binaries) -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    let target = program.ancestors().find(|folder| folder.join(MARK).is_file())?;
    // Rather than by its version, which takes as long to ask for as a tenth of the copy.
    let server = binaries.postgres().metadata().ok()?;
    let mut hasher = DefaultHasher::new();
    (binaries.folder(), server.len(), server.modified().ok()?, OPTIONS).hash(&mut hasher);
    Some(target.join("postgres-template").join(format!("{:016x}", hasher.finish())))
}

/// The one superuser has the same name whoever runs the server, so that all URLs look alike.
const OPTIONS: [&str; 5] =
    ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];

fn make(data: &Path, folder: &mut Folder, binaries: &Binaries, account: Account) -> Result<(), Error> {
    let program = binaries.initdb();
    let mut command = account.command(&program, folder.path());
    command.args(OPTIONS).arg("-D").arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().attempted(|| format!("start {}", program.display()))?;
    folder.occupied_by(Some(running.id()))?;
    let output = running.wait_with_output().attempted(|| format!("wait for {}", program.display()))?;
    folder.occupied_by(None)?;
    succeeded(&program, &output).map(drop)
}

/// Copies `data` to `kept` in one step, as far as others can see. If another was faster, theirs is as good.
fn keep(data: &Path, kept: &Path) -> io::Result<()> {
    let unfinished = kept.with_extension(unique());
    fs::create_dir_all(kept.parent().expect("it is in a folder of the target folder"))?;
    let done = copy_as_is(data, &unfinished).and_then(|()| fs::rename(&unfinished, kept));
    done.inspect_err(|_| drop(fs::remove_dir_all(&unfinished)))
}

fn copy_as_is(from: &Path, to: &Path) -> io::Result<()> {
    copy(from, to, Account::ours()).map_err(io::Error::other)
}

/// Copies a folder with all that is in it and gives it to `account`. There are only files and folders in an empty cluster.
fn copy(from: &Path, to: &Path, account: Account) -> Result<(), Error> {
    let attempt = || format!("copy {} to {}", from.display(), to.display());
    DirBuilder::new().mode(0o700).create(to).attempted(attempt)?;
    account.own(to)?;
    for entry in fs::read_dir(from).attempted(attempt)? {
        let entry = entry.attempted(attempt)?;
        let copied = to.join(entry.file_name());
        if entry.file_type().attempted(attempt)?.is_dir() {
            copy(&entry.path(), &copied, account)?;
        } else {
            fs::copy(entry.path(), &copied).attempted(attempt)?;
            account.own(&copied)?;
        }
    }
    Ok(())
}
