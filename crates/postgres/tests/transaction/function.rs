//! The function `enqueue`, for triggers and for programs in other languages.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, NoTls};
use uuid::Uuid;
use windlass_core::{Due, JobId, JobState, KindName, NewJob, Priority, QueueName, Timestamp, Verdict};
use windlass_store::{JobStore, LeaseStore, Settlement};

use crate::scene::{PATIENCE, Scene, job};

/// Calls the function with these arguments.
async fn call(scene: &Scene, arguments: &str) -> Result<JobId, tokio_postgres::Error> {
    let text = format!("SELECT windlass.enqueue({arguments})");
    Ok(JobId::from_uuid(scene.client.query_one(&text, &[]).await?.get(0)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_said_is_as_in_a_plain_enqueue() {
    let scene = Scene::new().await;
    let plain = NewJob::new(job().id, KindName::new("send_email").unwrap(), windlass_core::Args::default());
    let _ = scene.store.enqueue(vec![plain.clone()]).await.unwrap();

    let id = call(&scene, "'send_email'").await.unwrap();

    let mut found = scene.store.job(id).await.unwrap();
    let expected = scene.store.job(plain.id).await.unwrap();
    assert_eq!(found.run_at, found.created_at);
    (found.id, found.created_at, found.run_at) = (expected.id, expected.created_at, expected.run_at);
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_as_in_a_plain_enqueue() {
    let scene = Scene::new().await;
    let mut plain = job();
    plain.queue = QueueName::new("mail").unwrap();
    plain.priority = Priority::High;
    plain.version = 3;
    (plain.attempts_max, plain.losses_max) = (1, 0);
    plain.due = Due::At(Timestamp::from_micros(4_102_444_800_000_000));
    plain.deadline = Some(Due::At(Timestamp::from_micros(4_133_980_800_000_000)));
    plain.args = windlass_core::Args::json("{\"to\": \"ada\"}").unwrap();
    let _ = scene.store.enqueue(vec![plain.clone()]).await.unwrap();

    let arguments = "'send_email', jsonb_build_object('to', 'ada'), queue => 'mail', priority => 'high', version => 3, \
                     attempts_max => 1, losses_max => 0, run_at => '2100-01-01 00:00:00+00', \
                     deadline => '2101-01-01 00:00:00+00'";
    let id = call(&scene, arguments).await.unwrap();

    let mut found = scene.store.job(id).await.unwrap();
    let expected = scene.store.job(plain.id).await.unwrap();
    (found.id, found.created_at) = (expected.id, expected.created_at);
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_enqueued_is_refused_by_name() {
    let scene = Scene::new().await;
    let long = format!("'{}'", "k".repeat(129));
    let deep = format!("'k', '{}{}'", "[".repeat(101), "]".repeat(101));
    let large = "'k', to_jsonb(repeat('x', 262143))";

    for (arguments, message) in [
        ("''", "kind must not be empty"),
        ("NULL", "kind must not be NULL"),
        (&long, "kind is 129 bytes long; at most 128 are allowed"),
        ("'.hidden'", "kind must start with a letter or a digit"),
        ("'k', queue => 'a b'", "queue has a character that is none of letters, digits and . _ : / -"),
        ("'kö'", "kind has a character that is none of letters, digits and . _ : / -"),
        ("E'k\\n'", "kind has a character that is none of letters, digits and . _ : / -"),
        ("'windlass.notice'", "kind begins with \"windlass.\": such names are kept for Windlass's own jobs"),
        (
            "'k', queue => 'windlass.x'",
            "queue begins with \"windlass.\": such names are kept for Windlass's own jobs",
        ),
        ("'k', NULL", "args must not be NULL; the JSON value is 'null'"),
        (&deep, "args nest deeper than 100 levels"),
        (large, "args are 262145 bytes long; at most 262144 are allowed"),
        ("'k', priority => 'urgent'", "priority 'urgent' is not one of critical, high, normal, low, idle"),
        ("'k', version => 0", "version must be 1 or more"),
        ("'k', attempts_max => 0", "attempts_max must be 1 or more: 1 is no retry"),
        ("'k', losses_max => -1", "losses_max must be 0 or more"),
        ("'k', id => '00000000-0000-0000-0000-000000000000'", "id must not be the nil UUID"),
    ] {
        let error = call(&scene, arguments).await.unwrap_err();
        let reported = error.as_db_error().unwrap();
        assert_eq!(reported.message(), format!("could not enqueue the job: {message}"), "{arguments:.40}");
        assert_eq!(reported.code().code(), "22023");
        assert_eq!(reported.column(), message.split(' ').next());
    }

    let brackets = "'k', jsonb_build_object('text', repeat('[', 200) || E'\\\\\"' || repeat('{', 200))";
    assert!(call(&scene, brackets).await.is_ok(), "brackets in strings do not nest");
    let nested = format!("'k', '{}{}'", "[".repeat(100), "]".repeat(100));
    assert!(call(&scene, &nested).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_was_enqueued_before_is_left_as_it_is() {
    let scene = Scene::new().await;
    let ended = scene.running_job().await.token;
    let verdict = Verdict::Succeeded { result: None };
    scene.store.settle(vec![Settlement { token: ended, verdict }]).await.unwrap()[0].as_ref().unwrap();
    let waiting = job();
    let _ = scene.store.enqueue(vec![waiting.clone()]).await.unwrap();

    for id in [ended.job, waiting.id] {
        assert_eq!(call(&scene, &format!("'other', id => '{}'", id.as_uuid())).await.unwrap(), id);
        assert_eq!(scene.store.job(id).await.unwrap().kind.as_str(), "send_email");
    }
    let fresh = job().id;
    let arguments = format!("'send_email', id => '{}'", fresh.as_uuid());
    for _ in 0..2 {
        assert_eq!(call(&scene, &arguments).await.unwrap(), fresh);
    }
    let count: i64 = scene.client.query_one("SELECT count(*) FROM windlass.job", &[]).await.unwrap().get(0);
    assert_eq!(count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_made_tells_when() {
    let scene = Scene::new().await;

    let id = call(&scene, "'send_email'").await.unwrap();

    let created_at = scene.store.job(id).await.unwrap().created_at;
    let uuid: Uuid = id.as_uuid();
    assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
    let (seconds, nanos) = uuid.get_timestamp().unwrap().to_unix();
    let made_at = Timestamp::MIN.after(Duration::new(seconds, nanos));
    let apart = made_at.since(created_at).max(created_at.since(made_at));
    assert!(apart < PATIENCE, "{apart:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_trigger_is_there_if_its_row_is_and_can_be_run() {
    let mut scene = Scene::new().await;
    let trigger = "
        CREATE TABLE public.person (name text NOT NULL);
        CREATE FUNCTION public.greet() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM windlass.enqueue('greet', to_jsonb(NEW), queue => 'mail');
            RETURN NEW;
        END $$;
        CREATE TRIGGER greet AFTER INSERT ON public.person FOR EACH ROW EXECUTE FUNCTION public.greet();";
    scene.client.batch_execute(trigger).await.unwrap();

    let tx = scene.client.transaction().await.unwrap();
    tx.batch_execute("INSERT INTO public.person VALUES ('nobody')").await.unwrap();
    tx.rollback().await.unwrap();
    scene.client.batch_execute("INSERT INTO public.person VALUES ('ada')").await.unwrap();

    let leased = scene.claim(PATIENCE).await.unwrap();
    assert_eq!((leased.kind.as_str(), leased.queue.as_str()), ("greet", "mail"));
    assert_eq!(leased.args.as_bytes(), b"{\"name\": \"ada\"}");
    let settlement = Settlement { token: leased.token, verdict: Verdict::Succeeded { result: None } };
    scene.store.settle(vec![settlement]).await.unwrap()[0].as_ref().unwrap();
    assert_eq!(scene.store.job(leased.id()).await.unwrap().state, JobState::Completed);
    assert!(scene.claim(PATIENCE).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_may_be_bound_by_any_driver() {
    let scene = Scene::new().await;

    let text = "SELECT windlass.enqueue($1, $2::text::jsonb, queue => $3)";
    let row = scene.client.query_one(text, &[&"send_email", &"{\"to\":1e2}", &"mail"]).await.unwrap();

    let found = scene.store.job(JobId::from_uuid(row.get(0))).await.unwrap();
    assert_eq!(found.args.as_bytes(), b"{\"to\": 100}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_schema_has_a_function_of_its_own() {
    let schema = "it's \"mine\"";
    let scene = Scene::with(|options| options.schema(schema)).await;
    let mut ear = Ear::of(&scene, "windlass_it's \"mine\"").await;

    let text = "SELECT \"it's \"\"mine\"\"\".enqueue('send_email')";
    let row = scene.client.query_one(text, &[]).await.unwrap();

    assert!(scene.exists(JobId::from_uuid(row.get(0))).await);
    assert_eq!(ear.next().await, "w");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_woken_once_by_a_transaction_and_not_at_all_if_nobody_wants_it() {
    let mut scene = Scene::new().await;
    let store = Arc::clone(&scene.store);
    let mut ear = Ear::of(&scene, "windlass").await;

    call(&scene, "'send_email', notify => false").await.unwrap();
    let mut tx = scene.client.transaction().await.unwrap();
    let _ = store.enqueue_in_tx(&mut tx, vec![job()]).await.unwrap();
    tx.commit().await.unwrap();
    scene.client.batch_execute("NOTIFY windlass, 'quiet so far'").await.unwrap();
    let mut tx = scene.client.transaction().await.unwrap();
    tx.batch_execute("SELECT windlass.enqueue('send_email') FROM generate_series(1, 3)").await.unwrap();
    store.notify_in_tx(&mut tx).await.unwrap();
    store.notify_in_tx(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    scene.client.batch_execute("NOTIFY windlass, 'the end'").await.unwrap();

    // The last is one that the store sends itself, whose number we do not know.
    let heard = [ear.next().await, ear.next().await, ear.next().await];
    assert_eq!(heard, ["quiet so far", "w", "the end"]);
}

/// Hears what is said on a channel.
struct Ear {
    said: mpsc::Receiver<String>,
    _tasks: JoinSet<()>,
}

impl Ear {
    async fn of(scene: &Scene, channel: &str) -> Self {
        let (client, mut connection) =
            tokio_postgres::connect(scene.database.url(), NoTls).await.expect("the server answers");
        let (sender, said) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(said) = message {
                    let _ = sender.send(said.payload().to_owned()).await;
                }
            }
        });
        let listen = format!("LISTEN \"{}\"", channel.replace('"', "\"\""));
        client.batch_execute(&listen).await.expect("it listens");
        tasks.spawn(async move {
            // The connection ends with its client.
            let _client = client;
            std::future::pending::<()>().await;
        });
        Self { said, _tasks: tasks }
    }

    async fn next(&mut self) -> String {
        timeout(PATIENCE, self.said.recv()).await.expect("something is said").expect("the ear is open")
    }
}
