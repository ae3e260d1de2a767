//! What a person is told when a store does not open. Never a password.

use std::net::TcpListener;
use std::sync::OnceLock;

use windlass_postgres::{PostgresOptions, migrate};
use windlass_postgres_testing::{Cluster, Config};
use windlass_store::{ErrorKind, JobStore, Maintenance};

use crate::scene::{Person, database, job, refusal};

/// What must never be seen.
const PASSWORD: &str = "op3n-sesame";

/// A server that asks for its password.
fn guarded() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER
        .get_or_init(|| Cluster::start(Config::quick().password(PASSWORD)).expect("a server can be started"))
}

/// Why `url` does not open, on one line. It has to be worth another try.
async fn told(url: &str) -> String {
    let (error, text) = refusal(PostgresOptions::new(url)).await;
    assert_eq!(*error.kind(), ErrorKind::Unavailable, "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
    error.to_string()
}

/// `url` with another user and password.
fn with_user(url: &str, user: &str) -> String {
    let (_, rest) = url.rsplit_once('@').expect("the URL names a user");
    format!("postgres://{user}@{rest}")
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener.local_addr().expect("it is bound").port()
    };

    let text = told(&format!("postgres://app:{PASSWORD}@127.0.0.1:{port}/app")).await;

    assert_eq!(
        text,
        format!(
            "could not open the store: nothing answers at 127.0.0.1:{port}: is the server started, and is that its address?"
        )
    );
}

#[tokio::test]
async fn a_host_that_nobody_knows_is_named() {
    let text = told(&format!("postgres://app:{PASSWORD}@nowhere.invalid/app")).await;

    assert!(text.contains("no address is known of nowhere.invalid:5432"), "{text}");
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_named() {
    let text = told("host=/nowhere/at/all user=app dbname=app").await;

    assert!(text.contains("there is no socket at /nowhere/at/all:5432"), "{text}");
}

#[tokio::test]
async fn somebody_who_never_answers_is_given_up() {
    // Takes connections into its queue, and never one out of it.
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let url = format!("postgres://app:{PASSWORD}@127.0.0.1:{port}/app?connect_timeout=1");

    let text = told(&url).await;

    assert!(text.contains(&format!("127.0.0.1:{port} gave no answer in time")), "{text}");
    let migrated = migrate::up(&PostgresOptions::new(url)).await.expect_err("nobody answers");
    assert!(migrated.to_string().contains("gave no answer in time"), "{migrated}");
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_wrong_and_not_what_it_was() {
    let right = guarded().url();
    drop(PostgresOptions::new(right).open().await.expect("the store opens"));

    let text = told(&with_user(right, "postgres:wr0ng")).await;
    assert!(text.contains("refused the password of the user \"postgres\""), "{text}");
    assert!(!text.contains("wr0ng"), "{text}");
    let text = told(&with_user(right, "postgres")).await;
    assert!(text.contains("password missing"), "{text}");
}

#[tokio::test]
async fn no_password_is_in_what_is_printed_of_a_store() {
    let options = PostgresOptions::new(guarded().url()).schema("printed");
    assert!(!format!("{options:?}").contains(PASSWORD));

    let store = options.open().await.expect("the store opens");

    assert!(!format!("{store:?}").contains(PASSWORD), "{store:?}");
    let status = store.status().await.expect("the status is read");
    assert_eq!(status.location, format!("postgres://127.0.0.1:{}/postgres", guarded().port()));
}

#[tokio::test]
async fn a_password_with_an_at_is_not_taken_for_a_host() {
    let (error, text) = refusal(PostgresOptions::new("postgres://app:a@op3n-sesame@db/app")).await;

    assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{text}");
    assert!(text.contains("%40") && !text.contains(PASSWORD), "{text}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_with_what_makes_it() {
    let (server, _) = guarded().url().rsplit_once('/').expect("the URL names a database");

    let text = told(&format!("{server}/absent")).await;

    assert!(text.contains("there is no database \"absent\" on 127.0.0.1:"), "{text}");
    assert!(text.contains("CREATE DATABASE \"absent\" ENCODING 'UTF8' TEMPLATE template0"), "{text}");
}

#[tokio::test]
async fn a_role_that_may_not_make_a_schema_is_told_what_to_be_granted() {
    let database = database();
    let person = Person::at(database.url()).await;
    let (role, url) = person.make_role(database.url()).await;

    let text = told(&url).await;

    let grant = format!("GRANT CREATE ON DATABASE \"{}\" TO \"{role}\";", database.name());
    assert!(text.contains(&grant) && text.contains("`windlass migrate sql`"), "{text}");
    person.run(&grant).await;
    drop(PostgresOptions::new(&url).open().await.expect("the store opens"));
    person.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_role_that_may_only_read_is_told_what_to_be_granted() {
    let database = database();
    drop(PostgresOptions::new(database.url()).open().await.expect("the store opens"));
    let person = Person::at(database.url()).await;
    let (role, url) = person.make_role(database.url()).await;
    person
        .run(&format!("GRANT USAGE ON SCHEMA windlass TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA windlass TO {role}"))
        .await;

    let text = told(&url).await;

    assert!(
        text.contains(&format!("the role \"{role}\" may not use answer in the schema \"windlass\"")),
        "{text}"
    );
    let grant =
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \"windlass\" TO \"{role}\";");
    assert!(text.contains(&grant), "{text}");
    person.run(&grant).await;
    let store = PostgresOptions::new(&url).open().await.expect("the store opens");
    let _ = store.enqueue(vec![job()]).await.expect("the job is enqueued");
    person.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_database_that_only_reads_is_said_to() {
    let database = database();
    let person = Person::at(database.url()).await;
    person.run(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name())).await;

    let text = told(database.url()).await;

    assert!(text.contains("transactions only read here, as default_transaction_read_only is on"), "{text}");
}

#[tokio::test]
async fn a_replica_is_said_to_be_one() {
    let mut cluster = Cluster::start(Config::quick()).expect("a server can be started");
    drop(PostgresOptions::new(cluster.url()).open().await.expect("the store opens"));
    cluster.stop().expect("the server stops");
    std::fs::write(cluster.data_folder().join("standby.signal"), "").expect("there is room");
    cluster.restart().expect("the server starts again");

    let text = told(cluster.url()).await;

    assert!(text.contains("this server is a replica, which only reads: connect to the primary"), "{text}");
    let elsewhere = told(&format!("{}?target_session_attrs=read-write", cluster.url())).await;
    assert!(elsewhere.contains("database does not allow writes"), "{elsewhere}");
}

#[tokio::test]
async fn a_role_that_a_database_does_not_let_in_is_told_what_to_be_granted() {
    let database = database();
    let person = Person::at(database.url()).await;
    let (role, url) = person.make_role(database.url()).await;
    person.run(&format!("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", database.name())).await;

    let text = told(&url).await;

    let grant = format!("GRANT CONNECT ON DATABASE \"{}\" TO \"{role}\"", database.name());
    assert!(text.contains(&grant), "{text}");
    person.run(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_database_without_room_for_every_text_is_refused() {
    let database = database();
    let person = Person::at(database.url()).await;
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let name = format!("{}_{}", database.name(), encoding.to_lowercase());
        person
            .run(&format!(
                "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            ))
            .await;
        let url = database.url().replace(&format!("/{}", database.name()), &format!("/{name}"));

        let (error, text) = refusal(PostgresOptions::new(url)).await;

        assert_eq!(*error.kind(), ErrorKind::Incompatible);
        assert!(text.contains(&format!("the database \"{name}\" keeps text as {encoding}")), "{text}");
        assert!(text.contains("ENCODING 'UTF8' TEMPLATE template0"), "{text}");
        person.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

#[tokio::test]
async fn a_server_that_has_no_connection_left_is_said_to() {
    let database = database();
    let person = Person::at(database.url()).await;
    let (role, url) = person.make_role(database.url()).await;
    person.run(&format!("ALTER ROLE {role} CONNECTION LIMIT 0")).await;

    let text = told(&url).await;

    assert!(text.contains("has no connection left (too many connections for role"), "{text}");
    assert!(text.contains("max_connections"), "{text}");
    person.run(&format!("DROP ROLE {role}")).await;
}
