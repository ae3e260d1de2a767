//! Flows: jobs that are connected, seen and changed together.

use windlass_core::{AttemptError, Edge, EdgePolicy, JobId, JobState, Json, Reason, Tag, Verdict};
use windlass_store::{ErrorKind, ErrorTree, FlowEdge, JobFilter, Page, PageRequest};

use crate::bench::{Bench, failed, operator, refused, succeeded};

use super::dependency::fatal;

cases! {
    parents_and_children_are_read_page_by_page,
    a_child_sees_what_its_parents_made_in_the_order_of_its_edges,
    a_flow_is_all_that_is_connected,
    the_jobs_of_a_flow_are_told_apart_by_their_tags,
    what_is_nowhere_has_no_flow,
    a_flow_is_cancelled_as_a_whole,
    a_flow_is_retried_as_a_whole,
    a_flow_with_an_open_attempt_is_not_retried_at_all,
    changes_of_a_flow_are_recorded_with_each_job,
    the_error_tree_leads_to_the_root_cause,
    an_error_of_its_own_has_no_causes,
    every_failed_parent_is_a_cause,
    a_closed_job_inherits_the_errors_of_its_parents,
    roots_are_the_jobs_that_nobody_waits_for,
    deleting_a_flow_respects_what_others_need,
    deleting_a_lone_root_leaves_nothing,
    deleting_a_diamond_leaves_nothing,
    a_job_that_is_needed_is_not_deleted,
    a_flow_with_an_open_attempt_is_not_deleted_at_all,
    with_a_job_go_its_edges,
}

impl Bench {
    async fn delete_flow(&self, root: JobId) -> Vec<JobId> {
        self.store.delete_flow(root, operator()).await.expect("the flow can be deleted")
    }

    async fn roots(&self) -> Vec<JobId> {
        let filter = JobFilter { roots: true, ..JobFilter::default() };
        let Page { items, .. } =
            self.store.jobs(filter, PageRequest::first(500)).await.expect("jobs can be listed");
        items.into_iter().rev().map(|job| job.id).collect()
    }

    async fn enqueue_three(&self) -> [JobId; 3] {
        [self.enqueue_one().await, self.enqueue_one().await, self.enqueue_one().await]
    }

    async fn error_tree(&self, id: JobId) -> ErrorTree {
        self.store.error_tree(id).await.expect("the job exists")
    }
}

fn by_parent(message: &str) -> Verdict {
    Verdict::Fatal { error: AttemptError::new(message).caused_by_parent() }
}

/// A tree as text: messages, with their causes in brackets.
fn told(tree: &ErrorTree) -> String {
    let message = tree.error.as_ref().map_or("-", |error| &error.message);
    let causes: Vec<String> = tree.causes.iter().map(told).collect();
    if causes.is_empty() { message.to_owned() } else { format!("{message}({})", causes.join(", ")) }
}

async fn parents_and_children_are_read_page_by_page(bench: Bench) {
    let parents = bench.enqueue_many(5).await;
    let child = bench.enqueue_after(&parents).await;
    let others = [bench.enqueue_after(&parents[..1]).await, bench.enqueue_after(&parents[..1]).await];

    let first = bench.store.parents(child, PageRequest::first(3)).await.unwrap();
    let rest = bench.store.parents(child, PageRequest::first(3).after(first.next)).await.unwrap();
    let found: Vec<JobId> = first.items.iter().chain(&rest.items).map(|parent| parent.id).collect();
    assert_eq!((found, rest.next), (parents.clone(), None));

    let first = bench.store.children(parents[0], PageRequest::first(2)).await.unwrap();
    let rest = bench.store.children(parents[0], PageRequest::first(2).after(first.next)).await.unwrap();
    let found: Vec<JobId> = first.items.iter().chain(&rest.items).map(|child| child.id).collect();
    assert_eq!((found, rest.next), (vec![child, others[0], others[1]], None));
    assert_eq!(first.items[0].policy, EdgePolicy::OnSuccess);
    assert_eq!((first.items[0].state, first.items[0].reason), (JobState::Blocked, Some(Reason::Dependency)));
}

// 49
async fn a_child_sees_what_its_parents_made_in_the_order_of_its_edges(bench: Bench) {
    let [one, two, three] = bench.enqueue_three().await;
    let child = bench.enqueue_after_end_of(&[three, one, two]).await;
    let result = |text: &'static str| Some(Json::new("result", text).unwrap());
    bench.run_to(one, Verdict::Succeeded { result: result("1") }).await;
    bench.run_to(two, fatal("broken")).await;
    bench.complete(three).await;

    let inputs = bench.store.inputs(child, PageRequest::first(2)).await.unwrap();
    let rest = bench.store.inputs(child, PageRequest::first(2).after(inputs.next)).await.unwrap();

    let all: Vec<_> = inputs.items.into_iter().chain(rest.items).collect();
    assert_eq!(all.iter().map(|input| input.parent).collect::<Vec<_>>(), [three, one, two]);
    assert_eq!(all.iter().map(|input| input.result.clone()).collect::<Vec<_>>(), [None, result("1"), None]);
    assert_eq!((all[2].state, all[2].reason), (JobState::Dead, Some(Reason::Fatal)));
    assert_eq!(all[2].error.as_ref().unwrap().message, "broken");
    assert_eq!(bench.claim_one().await.id(), child);
}

async fn a_flow_is_all_that_is_connected(bench: Bench) {
    let [one, two, alone] = bench.enqueue_three().await;
    let child = bench.enqueue_after(&[two, one]).await;
    let sibling = bench.enqueue_after_end_of(&[two]).await;
    bench.complete(one).await;

    for id in [one, two, child, sibling] {
        let flow = bench.store.flow(id).await.unwrap();
        assert!(!flow.cut);
        assert_eq!(flow.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [one, two, child, sibling]);
        assert_eq!(flow.jobs[0].state, JobState::Completed);
        let edge = |parent, child, policy| FlowEdge { parent, child, policy };
        let edges = [
            edge(two, child, EdgePolicy::OnSuccess),
            edge(one, child, EdgePolicy::OnSuccess),
            edge(two, sibling, EdgePolicy::OnFinish),
        ];
        assert_eq!(flow.edges, edges);
    }
    let flow = bench.store.flow(alone).await.unwrap();
    assert_eq!((flow.jobs.len(), flow.edges.len()), (1, 0));
}

async fn the_jobs_of_a_flow_are_told_apart_by_their_tags(bench: Bench) {
    let mut job = bench.new_job();
    job.options.tags = vec![Tag::new("compile").unwrap(), Tag::new("x86").unwrap()];
    let tagged = bench.enqueue(job).await;
    let child = bench.enqueue_after(&[tagged]).await;
    let tags = async || -> Vec<Vec<String>> {
        let jobs = bench.store.flow(child).await.unwrap().jobs;
        jobs.iter().map(|job| job.tags.iter().map(ToString::to_string).collect()).collect()
    };

    assert_eq!(tags().await, [vec!["compile", "x86"], vec![]]);
    bench.complete(tagged).await;
    assert_eq!(tags().await, [vec!["compile", "x86"], vec![]]);
}

async fn what_is_nowhere_has_no_flow(bench: Bench) {
    let (id, store, page) = (bench.fresh_id(), &bench.store, PageRequest::first(1));

    assert_eq!(refused(store.parents(id, page).await), ErrorKind::NotFound);
    assert_eq!(refused(store.children(id, page).await), ErrorKind::NotFound);
    assert_eq!(refused(store.inputs(id, page).await), ErrorKind::NotFound);
    assert_eq!(refused(store.flow(id).await), ErrorKind::NotFound);
    assert_eq!(refused(store.error_tree(id).await), ErrorKind::NotFound);
    assert_eq!(refused(store.cancel_flow(id, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.retry_flow(id, operator()).await), ErrorKind::NotFound);
    assert_eq!(refused(store.delete_flow(id, operator()).await), ErrorKind::NotFound);
}

async fn a_flow_is_cancelled_as_a_whole(bench: Bench) {
    let [done, running, waiting] = bench.enqueue_three().await;
    let child = bench.enqueue_after(&[running, waiting]).await;
    let last = bench.enqueue_after_end_of(&[child, done]).await;
    bench.complete(done).await;
    let attempt = bench.claim_this(running).await;

    let cancelled = bench.store.cancel_flow(last, operator()).await.unwrap();

    assert_eq!(cancelled, [running, waiting, child, last]);
    for id in cancelled {
        assert_eq!(bench.state_of(id).await, (JobState::Cancelled, Some(Reason::Operator)));
    }
    assert_eq!(bench.state_of(done).await.0, JobState::Completed);
    assert_eq!(bench.try_settle(&attempt, succeeded()).await, Err(ErrorKind::Cancelled));
    assert_eq!(bench.store.cancel_flow(last, operator()).await.unwrap(), []);
    assert_eq!(bench.claim(10).await, []);
}

// 183
async fn a_flow_is_retried_as_a_whole(bench: Bench) {
    let [broken, fine, other] = bench.enqueue_three().await;
    let child = bench.enqueue_after(&[broken, fine]).await;
    let last = bench.enqueue_after_end_of(&[child]).await;
    bench.complete(fine).await;
    bench.kill(broken).await;
    bench.kill(last).await;
    bench.kill(other).await;

    let retried = bench.store.retry_flow(fine, operator()).await.unwrap();

    assert_eq!(retried, [broken, child, last]);
    assert_eq!(bench.state_of(broken).await, (JobState::Ready, None));
    assert_eq!(bench.state_of(child).await, (JobState::Blocked, Some(Reason::Dependency)));
    assert_eq!(bench.state_of(last).await, (JobState::Blocked, Some(Reason::Dependency)));
    assert_eq!(bench.state_of(other).await.0, JobState::Dead);
    for id in [broken, child, last] {
        assert_eq!(bench.job(id).await.attempt, 0);
        bench.complete(id).await;
    }
    assert_eq!(bench.store.retry_flow(fine, operator()).await.unwrap(), []);
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

async fn a_flow_with_an_open_attempt_is_not_retried_at_all(bench: Bench) {
    let [dead, running, _] = bench.enqueue_three().await;
    bench.enqueue_after_end_of(&[dead, running]).await;
    bench.kill(dead).await;
    let attempt = bench.claim_this(running).await;
    bench.cancel(running).await;

    assert_eq!(refused(bench.store.retry_flow(dead, operator()).await), ErrorKind::NotReady);

    assert_eq!(bench.state_of(dead).await.0, JobState::Dead);
    bench.try_settle(&attempt, succeeded()).await.unwrap_err();
    assert_eq!(bench.store.retry_flow(dead, operator()).await.unwrap(), [dead, running]);
}

async fn changes_of_a_flow_are_recorded_with_each_job(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;

    bench.store.cancel_flow(parent, operator()).await.unwrap();
    bench.store.retry_flow(parent, operator()).await.unwrap();

    for id in [parent, child] {
        let events = bench.store.events(id).await.unwrap();
        let told: Vec<_> =
            events.iter().map(|event| (&*event.verb, &*event.by.name, event.revision)).collect();
        assert_eq!(told, [("cancel", "ada", 2), ("retry", "ada", 3)]);
    }
}

// 56
async fn the_error_tree_leads_to_the_root_cause(bench: Bench) {
    let depsolve = bench.enqueue_one().await;
    let manifest = bench.enqueue_after_end_of(&[depsolve]).await;
    let build = bench.enqueue_after_end_of(&[manifest]).await;
    bench.run_to(depsolve, fatal("no such package")).await;
    bench.run_to(manifest, by_parent("no manifest")).await;
    bench.run_to(build, by_parent("no image")).await;

    let tree = bench.error_tree(build).await;

    assert_eq!(told(&tree), "no image(no manifest(no such package))");
    assert_eq!((tree.id, tree.causes[0].id, tree.causes[0].causes[0].id), (build, manifest, depsolve));
    assert_eq!((tree.state, tree.reason), (JobState::Dead, Some(Reason::Fatal)));
}

// 57
async fn an_error_of_its_own_has_no_causes(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after_end_of(&[parent]).await;
    bench.kill(parent).await;
    bench.run_to(child, fatal("its own")).await;

    assert_eq!(told(&bench.error_tree(child).await), "its own");

    let sound = bench.enqueue_one().await;
    assert_eq!(told(&bench.error_tree(sound).await), "-");
}

// 58
async fn every_failed_parent_is_a_cause(bench: Bench) {
    let [one, two, three] = bench.enqueue_three().await;
    let child = bench.enqueue_after_end_of(&[two, three, one]).await;
    bench.run_to(one, fatal("first")).await;
    bench.run_to(two, fatal("second")).await;
    bench.complete(three).await;
    bench.run_to(child, by_parent("none of them")).await;

    assert_eq!(told(&bench.error_tree(child).await), "none of them(second, first)");
}

async fn a_closed_job_inherits_the_errors_of_its_parents(bench: Bench) {
    let root = bench.enqueue_one().await;
    let left = bench.enqueue_after(&[root]).await;
    let right = bench.enqueue_after(&[root]).await;
    let last = bench.enqueue_after(&[left, right]).await;
    let attempt = bench.claim_this(root).await;
    bench.settle(&attempt, failed("once")).await;
    bench.store.run_now(root, operator()).await.unwrap();
    bench.kill(root).await;

    let tree = bench.error_tree(last).await;

    assert_eq!(tree.causes.iter().map(|cause| cause.id).collect::<Vec<_>>(), [left, right]);
    assert_eq!(tree.causes[0].causes[0].error.as_ref().unwrap().message, "it broke");
    assert_eq!(tree.causes[1].causes[0].id, root, "a job that several were failed by is named by each");
}

// 241
async fn roots_are_the_jobs_that_nobody_waits_for(bench: Bench) {
    let [one, two, three] = bench.enqueue_three().await;
    let alone = bench.enqueue_one().await;
    let first = bench.enqueue_after(&[one, two]).await;
    let second = bench.enqueue_after(&[one, three]).await;

    assert_eq!(bench.roots().await, [alone, first, second]);
}

// 242
async fn deleting_a_flow_respects_what_others_need(bench: Bench) {
    let [one, two, three] = bench.enqueue_three().await;
    let first = bench.enqueue_after(&[one, two]).await;
    let second = bench.enqueue_after(&[one, three]).await;

    assert_eq!(bench.delete_flow(first).await, [two, first]);
    assert_eq!(bench.roots().await, [second]);
    assert_eq!(bench.children_of(one).await, [second]);
    assert_eq!(bench.delete_flow(second).await, [one, three, second]);

    for id in [one, two, three, first, second] {
        assert_eq!(refused(bench.store.job(id).await), ErrorKind::NotFound);
    }
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}

// 243
async fn deleting_a_lone_root_leaves_nothing(bench: Bench) {
    let root = bench.enqueue_one().await;

    assert_eq!(bench.delete_flow(root).await, [root]);

    assert_eq!(bench.roots().await, []);
}

// 244
async fn deleting_a_diamond_leaves_nothing(bench: Bench) {
    let init = bench.enqueue_one().await;
    let mut builds = Vec::new();
    for _ in 0..3 {
        let depsolve = bench.enqueue_after(&[init]).await;
        let ostree = bench.enqueue_after(&[init]).await;
        let manifest = bench.enqueue_after(&[depsolve, ostree]).await;
        builds.push(bench.enqueue_after(&[manifest, init]).await);
    }
    builds.push(init);
    let last = bench.enqueue_after(&builds).await;
    bench.complete(init).await;

    assert_eq!(bench.delete_flow(last).await.len(), 14);

    let Page { items, .. } = bench.store.jobs(JobFilter::default(), PageRequest::first(100)).await.unwrap();
    assert_eq!(items, []);
}

// 246
async fn a_job_that_is_needed_is_not_deleted(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after_end_of(&[parent]).await;
    bench.kill(parent).await;

    for error in [
        bench.store.delete(parent, operator()).await.unwrap_err(),
        bench.store.delete_flow(parent, operator()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), &ErrorKind::NotReady);
        assert!(error.to_string().contains(&child.to_string()), "{error}");
    }
    bench.complete(child).await;
    bench.store.delete(parent, operator()).await.unwrap();
    assert_eq!(bench.parents_of(child).await, []);
}

// 247
async fn a_flow_with_an_open_attempt_is_not_deleted_at_all(bench: Bench) {
    let [one, two, _] = bench.enqueue_three().await;
    let root = bench.enqueue_after(&[one, two]).await;
    let running = bench.claim_this(two).await;

    let error = bench.store.delete_flow(root, operator()).await.unwrap_err();

    assert_eq!(error.kind(), &ErrorKind::NotReady);
    assert!(error.to_string().contains(&two.to_string()), "{error}");
    assert_eq!(bench.parents_of(root).await.len(), 2);
    assert_eq!(refused(bench.store.delete(two, operator()).await), ErrorKind::NotReady);
    bench.settle(&running, succeeded()).await;
    assert_eq!(bench.delete_flow(root).await, [one, two, root]);
}

async fn with_a_job_go_its_edges(bench: Bench) {
    let parent = bench.enqueue_one().await;
    let child = bench.enqueue_after(&[parent]).await;
    bench.store.delete(child, operator()).await.unwrap();
    assert_eq!(bench.children_of(parent).await, []);
    assert_eq!(bench.roots().await, [parent]);
    bench.kill(parent).await;

    let closed = bench.enqueue_with(|job| job.after = vec![Edge::on_success(parent)]).await;
    bench.store.delete(parent, operator()).await.unwrap();
    bench.store.retry(closed, operator()).await.unwrap();

    assert_eq!(bench.state_of(closed).await, (JobState::Ready, None), "nobody is there to be waited for");
    assert_eq!(bench.store.check().await.unwrap(), Vec::<String>::new());
}
