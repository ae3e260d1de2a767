//! Who asked for it is told by mail.

use windlass::reviews::Conclusion;
use windlass_mail_testing::MailServer;

use crate::office::{COUNTRIES, Office};

#[tokio::test]
async fn who_asked_for_an_import_is_told_what_came_of_it() {
    let (office, server) = (Office::new().await, MailServer::plain());
    let smtp = server.url("127.0.0.1");
    let mail = ["--smtp", &smtp, "--mail-from", "windlass@example.org", "--allow-host", "example.com"];
    let _service = office.serve(&mail);
    let (import, _) = office.load("country", &[COUNTRIES, "--notify", "ada@example.com"]);

    assert_eq!(office.accept(import).await, Conclusion::Accepted);

    let said = server.conversation();
    let subject = format!("Subject: [windlass] import {import} completed");
    for line in ["RCPT TO:<ada@example.com>", &subject, "reason:    accepted"] {
        assert!(said.iter().any(|known| known == line), "no {line:?} in {said:#?}");
    }
}
