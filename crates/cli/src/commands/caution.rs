//! Which commands are asked about in production, and which heed no settings.

use crate::args::{
    Command, ConfigCommand, ErrorsCommand, FlowsCommand, JobsCommand, MigrateCommand, OpsCommand,
    QueuesCommand, ReviewsCommand, SchedulesCommand, TokensCommand, WhichJobs,
};
use crate::output::cell::counted;

/// What a command would do that has to be confirmed in production. Those about all that match ask by themselves, once it is
/// known how many that are.
pub(crate) fn deed(command: &Command) -> Option<String> {
    match command {
        Command::Jobs { command: Some(command), .. } => of_jobs(command),
        Command::Flows { command: FlowsCommand::Delete { id, .. } } => {
            Some(format!("delete job {id} with those that were there for it alone"))
        }
        Command::Flows { command: FlowsCommand::Cancel(args) } => {
            Some(format!("cancel the flow of job {}", args.id))
        }
        Command::Schedules { command: Some(SchedulesCommand::Remove(args)) } => {
            let names: Vec<String> = args.names.iter().map(ToString::to_string).collect();
            Some(format!("remove the schedules {}", names.join(", ")))
        }
        Command::Tokens { command: Some(TokensCommand::Revoke { id, .. }) } => {
            Some(format!("revoke the token {id}"))
        }
        Command::Migrate { command: Some(MigrateCommand::Up) } => Some("change the schema".to_owned()),
        Command::Promote(args) if args.undo => Some("undo the move of the jobs".to_owned()),
        Command::Promote(_) => Some("move jobs".to_owned()),
        _ => None,
    }
}

fn of_jobs(command: &JobsCommand) -> Option<String> {
    match command {
        JobsCommand::Delete(args) => named("delete", &args.which),
        JobsCommand::Cancel(args) => named("cancel", &args.which),
        _ => None,
    }
}

fn named(verb: &str, which: &WhichJobs) -> Option<String> {
    let named = which.ids();
    (!named.is_empty() && !which.dry_run).then(|| format!("{verb} {}", counted(named.len() as u64, "job")))
}

/// Whether a command only looks, and so may be done again and again.
pub(crate) const fn only_looks(command: &Command) -> bool {
    match command {
        Command::Jobs { command, .. } => matches!(
            command,
            None | Some(
                JobsCommand::List(_)
                    | JobsCommand::Show { .. }
                    | JobsCommand::Why { .. }
                    | JobsCommand::Logs(_)
            )
        ),
        Command::Flows { command } => {
            matches!(command, FlowsCommand::Show { .. } | FlowsCommand::Errors { .. })
        }
        Command::Queues { command } => matches!(command, None | Some(QueuesCommand::List)),
        Command::Reviews { command } => {
            matches!(command, None | Some(ReviewsCommand::List(_) | ReviewsCommand::Show { .. }))
        }
        Command::Schedules { command } => matches!(
            command,
            None | Some(
                SchedulesCommand::List(_) | SchedulesCommand::Show { .. } | SchedulesCommand::Next(_)
            )
        ),
        Command::Errors { command, .. } => {
            matches!(command, None | Some(ErrorsCommand::List(_) | ErrorsCommand::Show { .. }))
        }
        Command::Workers { .. } | Command::Audit(_) | Command::Doctor => true,
        Command::Tokens { command } => matches!(command, None | Some(TokensCommand::List)),
        Command::Ops { command } => {
            matches!(command, None | Some(OpsCommand::List(_) | OpsCommand::Show { .. }))
        }
        _ => false,
    }
}

/// Whether a command heeds what was configured: one that only prints what is in this program must not fail for a file.
pub(crate) const fn heeds_settings(command: &Command) -> bool {
    !matches!(
        command,
        Command::Help { .. }
            | Command::Version
            | Command::Completions { .. }
            | Command::Man(_)
            | Command::Config { command: ConfigCommand::Path }
            | Command::Guard { .. }
    )
}
