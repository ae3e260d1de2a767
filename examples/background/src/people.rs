//! The application's own data: who has signed up. In a table where the jobs are in a database; else in a folder.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use deadpool_postgres::{Manager, Pool};
use tokio_postgres::NoTls;
use windlass::Windlass;

use crate::Failure;
use crate::jobs::welcome_to;

/// Those who have signed up.
#[derive(Debug, Clone)]
pub(crate) enum People {
    /// An empty file each.
    Folder(PathBuf),
    /// A row each.
    Table(Pool),
}

impl People {
    pub(crate) fn in_folder(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self::Folder(folder))
    }

    pub(crate) async fn in_database(url: &str) -> Result<Self, Failure> {
        let pool = Pool::builder(Manager::new(url.parse()?, NoTls)).max_size(4).build()?;
        // One after the other: two processes that make the same table at the same time get in each other's way.
        let table =
            "SELECT pg_advisory_xact_lock(7); CREATE TABLE IF NOT EXISTS person (email text PRIMARY KEY)";
        let mut client = pool.get().await?;
        let tx = client.transaction().await?;
        tx.batch_execute(table).await?;
        tx.commit().await?;
        Ok(Self::Table(pool))
    }

    /// Signs people up, and has each of them welcomed. Whoever is there already is not welcomed again.
    pub(crate) async fn sign_up(&self, windlass: &Windlass, emails: &[String]) -> Result<(), Failure> {
        match self {
            Self::Folder(folder) => {
                for email in emails {
                    // Two writes. If the second one fails, the person asks again, and the first does no harm.
                    fs::write(folder.join(checked(email)?), "")?;
                    welcome_to(windlass, email).await?;
                }
            }
            Self::Table(pool) => {
                let mut client = pool.get().await?;
                let mut tx = client.transaction().await?;
                for email in emails {
                    let row = "INSERT INTO person (email) VALUES ($1) ON CONFLICT DO NOTHING";
                    tx.execute(row, &[&checked(email)?]).await?;
                    // One write: the people are there and will be welcomed, or neither.
                    welcome_to(windlass, email).in_tx(&mut tx).await?;
                }
                tx.commit().await?;
                windlass.committed();
            }
        }
        Ok(())
    }

    pub(crate) async fn count(&self) -> Result<u64, Failure> {
        match self {
            Self::Folder(folder) => Ok(fs::read_dir(folder)?.count() as u64),
            Self::Table(pool) => {
                let row = pool.get().await?.query_one("SELECT count(*) FROM person", &[]).await?;
                Ok(u64::try_from(row.get::<_, i64>(0))?)
            }
        }
    }
}

/// An address is the name of a file here, so it must be an ordinary one.
fn checked(email: &str) -> io::Result<&str> {
    let ordinary = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
    if email.contains('@') && !email.starts_with('.') && email.chars().all(ordinary) {
        return Ok(email);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, format!("{email:?} is no mail address")))
}
