//! What comes of a file: published, thrown away, or nothing to decide.

use windlass::model::LogLevel;
use windlass::reviews::Conclusion;
use windlass::{ErrorKind, JobState, Reason};

use crate::office::{COUNTRIES, Office, ZONES};

async fn staged_looked_at_and_published(office: Office) {
    let _service = office.serve(&[]);
    office.load_countries().await;
    let (import, said) = office.load("zone", &[ZONES, "--by", "ada", "--export", "zones.tsv"]);
    assert!(said.contains("312 rows: 312 added, 0 changed, 0 removed; 0 lines rejected"), "{said}");
    assert!(said.contains(&format!("windlass reviews accept {import}")), "{said}");
    assert_eq!((office.count("zone"), office.count("staged_row")), (0, 312));

    let review = office.windlass.reviews().wait_for(import).await.unwrap();
    let own = review.accept().by("ada").await.unwrap_err();
    let conclusion = review.accept().by("bob").await.unwrap().conclusion().await.unwrap();

    assert!(matches!(own.kind(), ErrorKind::Invalid(invalid) if invalid.field == "by.name"), "{own}");
    assert_eq!(conclusion, Conclusion::Accepted);
    assert_eq!((office.count("zone"), office.count("staged_row")), (312, 0));
    assert_eq!(office.count("publication WHERE accepted_by = 'bob'"), 2);
    let log = office.log(import, LogLevel::Info).await;
    assert!(
        log.contains(&"added Africa/Abidjan".to_owned()) && log.contains(&"and 212 more".to_owned()),
        "{log:?}"
    );
    assert!(log.contains(&"published, as bob has accepted".to_owned()), "{log:?}");
    office.until("the table is exported", async |office| office.path("zones.tsv").exists()).await;
    let exported = std::fs::read_to_string(office.path("zones.tsv")).unwrap();
    assert_eq!(exported.lines().count(), 312);
    assert!(exported.contains("Europe/Zurich\tCH,DE,LI\t+4723+00832\tBüsingen\n"), "{exported}");
}

#[tokio::test]
async fn a_file_is_staged_looked_at_and_published() {
    staged_looked_at_and_published(Office::new().await).await;
}

#[tokio::test]
async fn a_file_is_staged_looked_at_and_published_with_the_queue_in_postgres() {
    staged_looked_at_and_published(Office::with_database().await).await;
}

#[tokio::test]
async fn the_same_file_once_more_changes_nothing_and_asks_nobody() {
    let office = Office::new().await;
    let _service = office.serve(&[]);
    office.load_countries().await;

    let (import, said) = office.load("country", &[COUNTRIES]);

    let job = office.windlass.handle::<()>(import).job().await.unwrap();
    assert_eq!((job.state, job.reason), (JobState::Completed, Some(Reason::Unchanged)));
    assert!(said.contains("completed (unchanged)"), "{said}");
    assert!(office.windlass.reviews().get(import).await.unwrap().is_none());
    assert_eq!((office.count("staging"), office.count("publication")), (0, 1));
}

#[tokio::test]
async fn who_decides_is_told_what_would_change_and_what_is_wrong_with_the_file() {
    let office = Office::new().await;
    let _service = office.serve(&[]);
    office.load_countries().await;
    let file = std::fs::read_to_string(COUNTRIES).unwrap();
    let first = file.lines().take_while(|line| *line != "ZW\tZimbabwe").collect::<Vec<_>>().join("\n");
    let lines = first.lines().count();
    let other = first.replace("DE\tGermany", "DE\tDeutschland");
    let name = office.file("other.tab", &format!("{other}\nXZ\tInternational waters\nx\tNowhere\n"));

    let (import, said) = office.load("country", &[&name]);

    assert!(said.contains("249 rows: 1 added, 1 changed, 1 removed; 1 lines rejected"), "{said}");
    let told = office.log(import, LogLevel::Info).await;
    let rejected = format!("line {}: \"x\" is no code of a country", lines + 2);
    let told: Vec<&str> = told.iter().map(String::as_str).take(4).collect();
    assert_eq!(told, [rejected.as_str(), "changed DE", "added XZ", "removed ZW"]);
}

#[tokio::test]
async fn a_file_of_which_nothing_can_be_used_is_refused_and_nobody_is_asked() {
    let office = Office::new().await;
    let _service = office.serve(&[]);

    // No country is known yet.
    let (import, said) = office.load("zone", &[ZONES]);

    let job = office.windlass.handle::<()>(import).job().await.unwrap();
    assert_eq!((job.state, job.reason), (JobState::Dead, Some(Reason::Fatal)));
    assert!(said.contains("the file has no row that could be used, and 312 others"), "{said}");
    assert!(office.log(import, LogLevel::Warn).await[0].ends_with("country \"AD\" is not known"));
    assert_eq!(office.count("staging"), 0);
}

#[tokio::test]
async fn what_is_declined_is_thrown_away_and_what_waited_for_it_does_not_run() {
    let office = Office::new().await;
    let _service = office.serve(&[]);
    let (import, _) = office.load("country", &[COUNTRIES, "--export", "countries.tsv"]);
    assert_eq!(office.count("staged_row"), 249);

    let review = office.windlass.reviews().wait_for(import).await.unwrap();
    let conclusion = review.decline().by("bob").await.unwrap().conclusion().await.unwrap();

    assert_eq!(conclusion, Conclusion::Declined);
    assert_eq!((office.count("staged_row"), office.count("staging"), office.count("country")), (0, 0, 0));
    let flow = office.windlass.handle::<()>(import).flow().await.unwrap();
    let states: Vec<_> = flow.jobs.iter().map(|job| (job.state, job.reason)).collect();
    let expected =
        [Reason::Declined, Reason::DependencyFailed].map(|reason| (JobState::Cancelled, Some(reason)));
    assert_eq!(states, expected);
    assert!(!office.path("countries.tsv").exists());
}

#[tokio::test]
async fn what_was_compared_with_another_table_is_not_published() {
    let office = Office::new().await;
    let _service = office.serve(&[]);
    let (first, _) = office.load("country", &[COUNTRIES]);
    let (second, _) = office.load("country", &[&office.file("one.tab", "DE\tGermany\n")]);
    assert_eq!(office.accept(first).await, Conclusion::Accepted);

    let conclusion = office.accept(second).await;

    let Conclusion::Failed { reason: Reason::Fatal, error: Some(error) } = conclusion else {
        panic!("{conclusion:?}")
    };
    assert!(error.message.contains("has changed since this import was compared with it"), "{error:?}");
    assert_eq!((office.count("country"), office.count("publication"), office.count("staging")), (249, 1, 0));
}

#[tokio::test]
async fn what_was_cancelled_while_it_waited_for_a_person_is_thrown_away_by_the_next_import() {
    let office = Office::new().await;
    let _service = office.serve(&[]);
    let (cancelled, _) = office.load("country", &[COUNTRIES]);
    office.windlass.cancel(cancelled).await.unwrap();

    let (next, _) = office.load("country", &[COUNTRIES]);

    assert_eq!((office.count("staging"), office.count("staged_row")), (1, 249));
    assert_eq!(office.accept(next).await, Conclusion::Accepted);
}
