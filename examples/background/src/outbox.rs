//! Where mail goes: a folder, from which a mail server takes it. One file for each mail.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What is sent.
pub(crate) struct Mail<'a> {
    /// The same id again is the same mail.
    pub(crate) id: &'a str,
    pub(crate) to: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) text: &'a str,
}

/// The folder.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    pub(crate) folder: PathBuf,
}

impl Outbox {
    /// Puts a mail there, in one step.
    pub(crate) fn send(&self, Mail { id, to, subject, text }: &Mail<'_>) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mail = self.folder.join(format!("{id}.eml"));
        let part = mail.with_extension("part");
        fs::write(&part, format!("Message-ID: <{id}@example.com>\nTo: {to}\nSubject: {subject}\n\n{text}"))?;
        fs::rename(part, mail)
    }

    /// Removes what has been there for longer than `age`, and says how much that was.
    pub(crate) fn remove_older_than(&self, age: Duration) -> io::Result<u64> {
        let mut removed = 0;
        for mail in fs::read_dir(&self.folder)? {
            let mail = mail?;
            let sent = mail.metadata()?.modified()?;
            if sent.elapsed().is_ok_and(|here| here > age) {
                fs::remove_file(mail.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
