//! The schema that a store is opened in.

use futures_util::future::join_all;
use windlass_postgres::{PostgresOptions, migrate};
use windlass_store::{ErrorKind, JobStore, Maintenance};

use crate::scene::{Person, database, job, refusal, unique};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_programs_that_open_a_fresh_schema_at_once_make_it_once() {
    let database = database();
    let options = PostgresOptions::new(database.url());

    let opened = join_all((0..8).map(|_| options.clone().open())).await;

    let stores: Vec<_> = opened.into_iter().map(|store| store.expect("the store opens")).collect();
    let id = job().id;
    let _ = stores[0].enqueue(vec![job()]).await.expect("the job is enqueued");
    assert_eq!(*stores[7].job(id).await.expect_err("nobody enqueued it").kind(), ErrorKind::NotFound);
    let person = Person::at(database.url()).await;
    let row = person.row("SELECT count(*), count(DISTINCT xmin::text) FROM windlass.migration").await;
    assert_eq!(row.get::<_, i64>(0), i64::from(known()));
    assert_eq!(row.get::<_, i64>(1), 1, "one transaction applied them all");
}

/// The newest version this program knows.
fn known() -> u32 {
    let script = migrate::sql("windlass").expect("the name is good");
    u32::try_from(script.matches("INSERT INTO \"windlass\".migration ").count()).expect("they are few")
}

#[tokio::test]
async fn a_program_that_is_killed_at_any_step_of_a_migration_leaves_nothing_behind() {
    let database = database();
    let person = Person::at(database.url()).await;
    // Kills whoever makes or changes something, at the step that `step.at` names.
    person
        .run(
            "CREATE TABLE public.step (at integer NOT NULL);
             INSERT INTO public.step VALUES (1);
             CREATE FUNCTION public.die() RETURNS event_trigger LANGUAGE plpgsql AS $$
             DECLARE done integer := coalesce(nullif(current_setting('test.done', true), ''), '0')::integer + 1;
             BEGIN
                 PERFORM set_config('test.done', done::text, false);
                 IF done = (SELECT at FROM public.step) THEN
                     PERFORM pg_terminate_backend(pg_backend_pid());
                 END IF;
             END $$;
             CREATE EVENT TRIGGER die ON ddl_command_end EXECUTE FUNCTION public.die();",
        )
        .await;
    let options = PostgresOptions::new(database.url());

    let mut steps = 0;
    while let Err(error) = options.clone().open().await {
        assert!(error.is_transient(), "{error:?}");
        assert!(!person.schema_exists("windlass").await, "step {steps} is left behind");
        steps += 1;
        person.run("UPDATE public.step SET at = at + 1").await;
    }

    assert!(steps > 20, "only {steps} steps were met");
    person.run("DROP EVENT TRIGGER die").await;
    let status = migrate::status(&options).await.expect("the status is read");
    assert_eq!(status.version, Some(known()));
}

#[tokio::test]
async fn a_program_runs_beside_a_newer_schema_that_suits_it() {
    let database = database();
    let options = PostgresOptions::new(database.url());
    drop(options.clone().open().await.expect("the store opens"));
    let newer = known() + 1;
    let person = Person::at(database.url()).await;
    let text = format!("INSERT INTO windlass.migration VALUES ({newer}, 'future', {})", known());
    person.run(&text).await;

    for may_migrate in [true, false] {
        let store = options.clone().migrate(may_migrate).open().await.expect("the store opens");
        let _ = store.enqueue(vec![job()]).await.expect("the job is enqueued");
    }

    let status = migrate::status(&options).await.expect("the status is read");
    assert_eq!((status.version, status.newest), (Some(newer), known()));
    assert_eq!(status.migrations.last().map(|newest| newest.name.as_str()), Some("future"));
}

#[tokio::test]
async fn a_program_that_is_too_old_for_a_schema_is_refused_and_writes_nothing() {
    let database = database();
    let options = PostgresOptions::new(database.url());
    drop(options.clone().open().await.expect("the store opens"));
    let newer = known() + 1;
    let person = Person::at(database.url()).await;
    let text = format!(
        "INSERT INTO windlass.migration VALUES ({newer}, 'future', {newer}), ({newer} + 1, 'later', {newer})"
    );
    person.run(&text).await;

    let (error, text) = refusal(options.clone()).await;

    assert_eq!(*error.kind(), ErrorKind::Incompatible);
    assert!(text.contains(&format!("version {}", newer + 1)) && text.contains("newer program"), "{text}");
    let migrated = migrate::up(&options).await.expect_err("it is too old");
    assert_eq!(*migrated.kind(), ErrorKind::Incompatible);
    let rows: i64 = person.row("SELECT count(*) FROM windlass.migration").await.get(0);
    assert_eq!(rows, i64::from(newer + 1));
}

#[tokio::test]
async fn without_leave_to_migrate_a_schema_that_is_missing_or_older_is_refused() {
    let database = database();
    let options = PostgresOptions::new(database.url()).schema(unique("schema")).migrate(false);

    let (missing, text) = refusal(options.clone()).await;

    assert_eq!(*missing.kind(), ErrorKind::Incompatible);
    assert!(text.contains("run `windlass migrate up`"), "{text}");
    let person = Person::at(database.url()).await;
    let schemas: i64 =
        person.row("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'schema%'").await.get(0);
    assert_eq!(schemas, 0, "a schema was made");

    let report = migrate::up(&options).await.expect("the schema is made");
    assert_eq!((report.from, report.to), (None, known()));
    let again = migrate::up(&options).await.expect("there is nothing to do");
    assert_eq!((again.from, again.to), (Some(known()), known()));
    let store = options.open().await.expect("the store opens");
    assert!(store.check().await.expect("the store is checked").is_empty());
}

#[tokio::test]
async fn an_older_schema_is_refused_without_leave_to_renew_it() {
    let database = database();
    let options = PostgresOptions::new(database.url());
    drop(options.clone().open().await.expect("the store opens"));
    let person = Person::at(database.url()).await;
    person.run(&format!("DELETE FROM windlass.migration WHERE version = {}", known())).await;

    let (error, text) = refusal(options.migrate(false)).await;

    assert_eq!(*error.kind(), ErrorKind::Incompatible);
    assert!(text.contains("run `windlass migrate up`"), "{text}");
}

#[tokio::test]
async fn the_script_for_a_person_makes_what_a_program_makes_and_may_be_run_again() {
    let database = database();
    let schema = "it's \"mine\"";
    let script = migrate::sql(schema).expect("the name is good");
    let person = Person::at(database.url()).await;
    person.run("SET search_path = nowhere; SET standard_conforming_strings = off").await;

    person.run(&script).await;
    person.run(&script).await;

    let options = PostgresOptions::new(database.url()).schema(schema).migrate(false);
    let store = options.clone().open().await.expect("the store opens");
    let _ = store.enqueue(vec![job()]).await.expect("the job is enqueued");
    assert!(store.check().await.expect("the store is checked").is_empty());
    let status = migrate::status(&options).await.expect("the status is read");
    assert_eq!(status.schema, schema);
    let now: i64 = person.row("SELECT (extract(epoch FROM now()) * 1000000)::bigint").await.get(0);
    for migration in &status.migrations {
        let applied = migration.applied_at.expect("it was applied").as_micros();
        assert!(now.abs_diff(applied) < 3_600_000_000, "{migration:?}");
    }
}

#[tokio::test]
async fn a_role_that_may_make_nothing_opens_what_is_up_to_date() {
    let database = database();
    drop(PostgresOptions::new(database.url()).open().await.expect("the store opens"));
    let person = Person::at(database.url()).await;
    let (role, url) = person.make_role(database.url()).await;
    let (_, text) = refusal(PostgresOptions::new(&url)).await;
    // As somebody would who reads the message.
    let grants = text.lines().next().and_then(|line| line.split_once("its owner can grant it: "));
    person.run(grants.expect("it says what to grant").1).await;

    for may_migrate in [true, false] {
        let store = PostgresOptions::new(&url).migrate(may_migrate).open().await.expect("the store opens");

        let _ = store.enqueue(vec![job()]).await.expect("the job is enqueued");
        store.tidy().await.expect("the store is tidied");
    }
    person.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_role_that_may_not_make_a_schema_makes_its_tables_in_one_that_was_given_to_it() {
    let database = database();
    let person = Person::at(database.url()).await;
    let (role, url) = person.make_role(database.url()).await;
    person.run(&format!("CREATE SCHEMA given AUTHORIZATION {role}")).await;

    let store = PostgresOptions::new(&url).schema("given").open().await.expect("the store opens");

    let _ = store.enqueue(vec![job()]).await.expect("the job is enqueued");
    drop(store);
    person.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn odd_settings_of_a_database_do_no_harm() {
    let database = database();
    let person = Person::at(database.url()).await;
    for setting in [
        "default_transaction_isolation = serializable",
        "default_transaction_deferrable = on",
        "search_path = nowhere",
        "standard_conforming_strings = off",
        "statement_timeout = 1",
        "DateStyle = 'German, DMY'",
        "IntervalStyle = sql_standard",
        "TimeZone = 'Asia/Kathmandu'",
        "bytea_output = escape",
        "plan_cache_mode = force_custom_plan",
        "extra_float_digits = -10",
        "lock_timeout = 1",
    ] {
        person.run(&format!("ALTER DATABASE {} SET {setting}", database.name())).await;
    }

    let store = PostgresOptions::new(database.url()).open().await.expect("the store opens");

    let new = job();
    let id = new.id;
    let _ = store.enqueue(vec![new]).await.expect("the job is enqueued");
    assert_eq!(store.job(id).await.expect("the job is there").id, id);
    assert!(store.check().await.expect("the store is checked").is_empty());
}
