//! The application as processes: signing up here, working there, stopped and killed; in a file and in a database.

#[cfg(test)]
mod place;

use rustix::process::Signal;
use windlass::JobState;

use crate::place::Place;

fn on_every_store(test: impl Fn(&Place)) {
    test(&Place::in_folder());
    test(&Place::in_database());
}

#[test]
fn people_are_welcomed_once_and_the_team_is_told() {
    on_every_store(|place| {
        place.sign_up(&["ada@example.com", "bob@example.com"]);
        place.sign_up(&["ada@example.com"]);
        let work = place.work();

        place.wait_for_mails(3);
        let said = work.stopped_by(Signal::TERM);

        assert!(said.ends_with("stopped: 3 done, 0 given back\n"), "{said}");
        let mails = place.mails();
        assert_eq!(mails.iter().filter(|mail| mail.contains("Subject: Welcome")).count(), 2, "{mails:?}");
        assert!(mails.iter().any(|mail| mail.ends_with("There are 2 people.\n")), "{mails:?}");
        assert_eq!(place.schedules(), ["nightly-clean-up"]);
    });
}

#[test]
fn a_sign_up_and_its_mail_come_to_exist_together_or_not_at_all() {
    let place = Place::in_database();

    let refused = place.background(&["sign-up", "ada@example.com", "nobody"]).output().unwrap();

    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(String::from_utf8(refused.stderr).unwrap(), "error: \"nobody\" is no mail address\n");
    assert!(place.jobs().is_empty());
    place.sign_up(&["bob@example.com"]);
    let work = place.work();
    place.wait_for_mails(2);
    work.stopped_by(Signal::INT);
    assert!(place.mails().iter().any(|mail| mail.ends_with("There are 1 people.\n")));
}

#[test]
fn mail_that_cannot_be_sent_waits_until_it_can() {
    on_every_store(|place| {
        place.break_outbox();
        place.sign_up(&["ada@example.com"]);
        let work = place.work();
        place.wait_for("a failed attempt", |jobs| jobs.iter().any(|job| job.state == JobState::Retryable));

        place.mend_outbox();
        place.wait_for_mails(1);
        work.stopped_by(Signal::TERM);

        let jobs = place.jobs();
        let welcome = jobs.iter().find(|job| job.kind.as_str() == "welcome").unwrap();
        assert!(welcome.attempt > 1 && welcome.state == JobState::Completed, "{welcome:?}");
    });
}

#[test]
fn stopped_in_the_middle_it_goes_on_where_it_was() {
    on_every_store(|place| {
        let emails: Vec<String> = (0..300).map(|n| format!("person-{n}@example.com")).collect();
        place.sign_up(&emails.iter().map(String::as_str).collect::<Vec<_>>());
        let work = place.work();
        place.wait_for_mails(1);

        let said = work.stopped_by(Signal::TERM);

        assert!(said.ends_with(" given back\n"), "{said}");
        let sent = place.mails().len();
        let jobs = place.jobs();
        assert!(jobs.iter().all(|job| job.state != JobState::Running), "after a stop nothing is held");
        assert_eq!(jobs.iter().filter(|job| job.state == JobState::Completed).count(), sent);
        let work = place.work();
        place.wait_for_mails(emails.len() + 1);
        work.stopped_by(Signal::TERM);
        let welcomes = place.jobs().into_iter().filter(|job| job.kind.as_str() == "welcome");
        assert!(welcomes.into_iter().all(|job| job.attempt == 1 && job.losses == 0));
    });
}

#[test]
fn killed_in_the_middle_nothing_is_forgotten() {
    let place = Place::in_folder();
    let emails: Vec<String> = (0..300).map(|n| format!("person-{n}@example.com")).collect();
    place.sign_up(&emails.iter().map(String::as_str).collect::<Vec<_>>());
    let work = place.work();
    place.wait_for_mails(20);

    work.kill();
    let left = place.mails().len();
    let work = place.work();
    // What the dead one held waits until its lease is over: ten seconds.
    // Also that of which the mail was sent and nobody has heard.
    place.wait_for("the end of all", |jobs| jobs.iter().all(|job| job.state == JobState::Completed));
    work.stopped_by(Signal::TERM);

    assert!(left <= emails.len(), "{left}");
    assert_eq!(place.mails().len(), emails.len() + 1);
}

#[test]
fn the_guide_does_what_it_says() {
    on_every_store(|place| {
        let said = place.guide();

        assert_eq!(said.matches("Subject: Welcome\n").count(), 2, "{said}");
        assert_eq!(said.matches("There are 2 people.\n").count(), 1, "{said}");
    });
}
