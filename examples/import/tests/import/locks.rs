//! Who has a table alone, and who shares it.

use windlass::store::Obstacle;
use windlass::{JobId, JobState};

use crate::office::{COUNTRIES, Office, ZONES};

/// The jobs that hold what this one waits for; none if it waits for nothing.
async fn held_by(office: &Office, job: JobId) -> Vec<JobId> {
    let why = office.windlass.handle::<()>(job).explain().await.unwrap();
    let holders = why.obstacles.into_iter().filter_map(|obstacle| match obstacle {
        Obstacle::Gate(gate) => Some(gate.holders.into_iter().map(|holder| holder.job)),
        _ => None,
    });
    holders.flatten().collect()
}

#[tokio::test]
async fn imports_of_a_table_never_overlap_and_readers_may_share_it() {
    let office = Office::new().await;
    let _service = office.serve(&[]);
    office.load_countries().await;
    let pipe = office.pipe("slow.tab");
    let (slow, _waits) = office.ask(&["load", "zone", pipe.name()]);
    let file = pipe.reader();

    // The import only reads the countries, and so may others.
    let (sharer, _shares) = office.ask(&["export", "country", "countries.tsv"]);
    office.until("it shares", async |office| office.state(sharer).await == JobState::Completed).await;
    let (other, _waits_too) = office.ask(&["load", "zone", ZONES]);
    let (reader, _reads) = office.ask(&["export", "zone", "zones.tsv"]);
    let (writer, _writes) = office.ask(&["load", "country", COUNTRIES]);

    for waiting in [other, reader, writer] {
        let told = async |office: &Office| held_by(office, waiting).await.contains(&slow);
        office.until("it is told who is in the way", told).await;
    }
    assert_eq!(office.state(slow).await, JobState::Running);
    drop(file);
    office.until("the import comes", async |office| office.state(other).await == JobState::InReview).await;
    for waiting in [reader, writer] {
        office.until("it comes", async |office| office.state(waiting).await == JobState::Completed).await;
    }
}
