//! Tokens of access: who may do what through a door.

use std::time::Duration;

use windlass_core::Timestamp;
use windlass_store::{
    AuditFilter, ErrorKind, NewToken, Noun, PageRequest, Role, Secret, SecretHash, Token, TokenId,
};

use crate::bench::{Bench, SECOND, at_once, field_of, operator, refused};

cases! {
    a_token_is_kept_as_it_was_made,
    a_token_that_could_do_nothing_is_refused,
    making_a_token_again_makes_no_second_one,
    two_tokens_that_are_valid_have_two_names,
    one_of_many_who_ask_for_a_name_gets_it,
    a_revoked_token_stays_so_and_gives_its_name_back,
    a_token_is_valid_until_it_expires,
    the_use_of_a_token_is_noted_once_a_minute,
    tokens_are_listed_newest_first_page_by_page,
    a_token_that_never_was_is_not_found,
    tokens_survive_a_restart,
}

fn worker(name: &str) -> NewToken {
    NewToken::new(&Secret::draw(), name, [Role::Worker])
}

async fn made(bench: &Bench, token: NewToken) -> TokenId {
    let id = token.id;
    bench.store.create_token(token, operator()).await.unwrap();
    id
}

async fn read(bench: &Bench, id: TokenId) -> Token {
    bench.store.token(id).await.unwrap()
}

async fn a_token_is_kept_as_it_was_made(bench: Bench) {
    let secret = Secret::draw();
    let until = bench.now().after(Duration::from_secs(3600));
    let asked = NewToken::new(&secret, "ci é", [Role::Worker, Role::Producer])
        .in_queues(["billing.*", "mail"])
        .until(until);

    made(&bench, asked).await;

    let token = read(&bench, secret.id()).await;
    assert_eq!(token.made.name, "ci é");
    assert_eq!(token.made.roles, [Role::Worker, Role::Producer]);
    assert_eq!(token.made.queues, Some(vec!["billing.*".to_owned(), "mail".to_owned()]));
    assert_eq!((token.made.expires_at, token.created_at), (Some(until), bench.now()));
    assert_eq!((token.created_by.as_str(), token.revoked_at, token.used_at), ("ada", None, None));
    assert!(token.made.hash.is_of(&secret) && !token.made.hash.is_of(&Secret::draw()));
    let everywhere = made(&bench, worker("everywhere")).await;
    assert_eq!(read(&bench, everywhere).await.made.queues, None);
}

async fn a_token_that_could_do_nothing_is_refused(bench: Bench) {
    let store = &bench.store;
    let nobody = NewToken { name: String::new(), ..worker("x") };
    assert_eq!(field_of(store.create_token(nobody, operator()).await), "name");
    let idle = NewToken { roles: Vec::new(), ..worker("x") };
    assert_eq!(field_of(store.create_token(idle, operator()).await), "roles");
    assert_eq!(field_of(store.create_token(worker("x").in_queues(["a b"]), operator()).await), "queues");
    let unknown = windlass_store::Actor::new("");
    assert_eq!(field_of(store.create_token(worker("x"), unknown.clone()).await), "by.name");
    let id = made(&bench, worker("x")).await;
    assert_eq!(field_of(store.revoke_token(id, unknown).await), "by.name");

    assert_eq!(store.tokens(PageRequest::first(10)).await.unwrap().items.len(), 1);
}

async fn making_a_token_again_makes_no_second_one(bench: Bench) {
    let token = worker("ci");
    made(&bench, token.clone()).await;

    made(&bench, NewToken { name: "other".to_owned(), ..token.clone() }).await;

    assert_eq!(read(&bench, token.id).await.made.name, "ci");
    assert_eq!(bench.store.tokens(PageRequest::first(10)).await.unwrap().items.len(), 1);
    let of_token = AuditFilter { noun: Some(Noun::Token), ..AuditFilter::default() };
    assert_eq!(bench.store.audit(of_token, PageRequest::first(10)).await.unwrap().items.len(), 1);
}

async fn two_tokens_that_are_valid_have_two_names(bench: Bench) {
    made(&bench, worker("ci")).await;

    let second = bench.store.create_token(worker("ci"), operator()).await;

    assert_eq!(field_of(second), "name");
}

async fn one_of_many_who_ask_for_a_name_gets_it(bench: Bench) {
    let store = bench.store.clone();
    let answers = at_once(8, move |_| {
        let store = store.clone();
        async move { store.create_token(worker("ci"), operator()).await.is_ok() }
    });

    assert_eq!(answers.await.into_iter().filter(|made| *made).count(), 1);
}

async fn a_revoked_token_stays_so_and_gives_its_name_back(bench: Bench) {
    let id = made(&bench, worker("ci")).await;
    let at = bench.now();
    bench.store.revoke_token(id, operator()).await.unwrap();
    bench.advance(SECOND);
    bench.store.revoke_token(id, operator()).await.unwrap();

    let token = read(&bench, id).await;

    assert_eq!(token.revoked_at, Some(at));
    assert!(!token.is_valid(bench.now()));
    let next = made(&bench, worker("ci")).await;
    assert!(read(&bench, next).await.is_valid(bench.now()));
}

async fn a_token_is_valid_until_it_expires(bench: Bench) {
    let until = bench.now().after(SECOND);
    let id = made(&bench, worker("ci").until(until)).await;
    let token = read(&bench, id).await;

    assert!(token.is_valid(until.before(Duration::from_micros(1))));
    assert!(!token.is_valid(until));
}

async fn the_use_of_a_token_is_noted_once_a_minute(bench: Bench) {
    let id = made(&bench, worker("ci")).await;
    let used_at = async || read(&bench, id).await.used_at;
    let first: Timestamp = bench.now();
    bench.store.use_token(id).await.unwrap();
    assert_eq!(used_at().await, Some(first));

    bench.advance(Duration::from_secs(59));
    bench.store.use_token(id).await.unwrap();
    assert_eq!(used_at().await, Some(first));
    bench.advance(SECOND);
    bench.store.use_token(id).await.unwrap();
    assert_eq!(used_at().await, Some(bench.now()));
}

async fn tokens_are_listed_newest_first_page_by_page(bench: Bench) {
    for name in ["a", "b", "c", "d"] {
        made(&bench, worker(name)).await;
    }

    let (mut names, mut page) = (Vec::new(), PageRequest::first(3));
    loop {
        let found = bench.store.tokens(page).await.unwrap();
        names.extend(found.items.into_iter().map(|token| token.made.name));
        if found.next.is_none() {
            break;
        }
        page = page.after(found.next);
    }

    assert_eq!(names, ["d", "c", "b", "a"]);
}

async fn a_token_that_never_was_is_not_found(bench: Bench) {
    let (store, nobody) = (&bench.store, TokenId::from_number(7));

    assert_eq!(refused(store.token(nobody).await), ErrorKind::NotFound);
    assert_eq!(refused(store.revoke_token(nobody, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.use_token(nobody).await), ErrorKind::NotFound);
}

async fn tokens_survive_a_restart(bench: Bench) {
    let secret = Secret::draw();
    made(&bench, NewToken::new(&secret, "ci", [Role::Admin])).await;
    let job = bench.enqueue_one().await;
    bench.cancel(job).await;

    let Some(again) = bench.reopened().await else { return };

    let token = again.token(secret.id()).await.unwrap();
    let kept = SecretHash::from_bytes(*token.made.hash.as_bytes());
    assert!(kept.is_of(&secret));
    let audit = again.audit(AuditFilter::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!(audit.items.len(), 2);
}
