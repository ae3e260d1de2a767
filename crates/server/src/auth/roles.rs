//! What a role may do.

use windlass_store::{Role, Token, Via};

use crate::access::{Caller, QueueGlob, Verb, Verbs};

/// The verbs of one role.
pub(super) const fn verbs(role: Role) -> Verbs {
    let hears = Verbs::NONE.and(Verb::Listen);
    match role {
        Role::Viewer => hears.and(Verb::Read),
        Role::Producer => hears.and(Verb::Read).and(Verb::Enqueue),
        Role::Worker => hears.and(Verb::Work),
        Role::Operator => hears.and(Verb::Read).and(Verb::Enqueue).and(Verb::Operate),
        Role::Reviewer => hears.and(Verb::Read).and(Verb::Review),
        // It does not work: who looks after a queue has no reason to take jobs out of it.
        Role::Admin => {
            hears.and(Verb::Read).and(Verb::Enqueue).and(Verb::Operate).and(Verb::Review).and(Verb::Admin)
        }
        // A role of a later version may do nothing here.
        _ => Verbs::NONE,
    }
}

/// Whether the role sees what is in jobs: their args and results.
const fn sees_payloads(role: Role) -> bool {
    !matches!(role, Role::Viewer)
}

/// Whether the role sees the jobs of others.
const fn sees_all(role: Role) -> bool {
    matches!(role, Role::Viewer | Role::Operator | Role::Reviewer | Role::Admin)
}

/// Who comes with a token: everything that one of its roles may do.
pub(super) fn caller(token: &Token) -> Caller {
    let roles = &token.made.roles;
    let queues = token.made.queues.as_ref();
    Caller {
        verbs: roles.iter().fold(Verbs::NONE, |all, role| all.with(verbs(*role))),
        queues: queues.map(|globs| globs.iter().map(QueueGlob::new).collect()),
        speaks_for_others: roles.contains(&Role::Admin),
        // A role that sees all jobs, but not into them, hides what is in one's own, too.
        sees_payloads: roles.iter().any(|role| sees_payloads(*role) && sees_all(*role))
            || !roles.iter().any(|role| sees_all(*role)),
        own_jobs_only: !roles.iter().any(|role| sees_all(*role)),
        via: Via { token: Some(token.made.id), ..Via::default() },
        ..Caller::new(token.made.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use windlass_core::Timestamp;
    use windlass_store::{NewToken, Secret};

    use super::*;

    fn of(roles: &[Role]) -> Caller {
        let made = NewToken::new(&Secret::draw(), "ci", roles.iter().copied()).in_queues(["mail"]);
        let created_at = Timestamp::from_micros(0);
        caller(&Token { made, created_at, created_by: "ada".to_owned(), revoked_at: None, used_at: None })
    }

    #[test]
    fn roles_have_the_verbs_that_the_design_gives_them() {
        use Verb::{Admin, Enqueue, Operate, Read, Review, Work};

        for (role, may) in [
            (Role::Viewer, vec![Read]),
            (Role::Producer, vec![Read, Enqueue]),
            (Role::Worker, vec![Work]),
            (Role::Operator, vec![Read, Enqueue, Operate]),
            (Role::Reviewer, vec![Read, Review]),
            (Role::Admin, vec![Read, Enqueue, Operate, Review, Admin]),
        ] {
            for verb in Verb::ALL {
                let everybody = matches!(verb, Verb::Open | Verb::Listen);
                assert_eq!(verbs(role).has(verb), everybody || may.contains(&verb), "{role} {verb}");
            }
        }
    }

    #[test]
    fn a_token_of_several_roles_may_do_what_each_of_them_may() {
        let caller = of(&[Role::Admin, Role::Worker]);

        assert!(caller.verbs.has(Verb::Work) && caller.verbs.has(Verb::Admin) && caller.speaks_for_others);
        assert!(!of(&[Role::Operator]).speaks_for_others);
        assert!(!caller.reaches_all());
    }

    #[test]
    fn who_only_produces_sees_its_own_jobs_and_a_viewer_sees_none_from_inside() {
        assert!(of(&[Role::Producer]).own_jobs_only && of(&[Role::Producer]).sees_payloads);
        assert!(!of(&[Role::Viewer]).own_jobs_only && !of(&[Role::Viewer]).sees_payloads);
        assert!(!of(&[Role::Viewer, Role::Producer]).sees_payloads);
        assert!(of(&[Role::Viewer, Role::Operator]).sees_payloads);
    }
}
