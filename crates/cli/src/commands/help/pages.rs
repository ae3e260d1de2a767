//! The pages of the topics.

/// How a store is named, and which to take.
pub(super) const STORES: &str = "\
A store keeps the jobs. It is named by --store, by WINDLASS_STORE, or in a configuration file (`windlass help environment`);
./windlass.db unless said, or a server of yours that runs here if there is no such file.

  app.db, /var/lib/app.db      A file, for any number of processes of one machine. It is made when it is first used.
  postgres://user@host/app     A PostgreSQL database, for processes of any number of machines. `postgresql://` is the
                               same. The jobs are in its schema `windlass`, made when it is first used. Options
                               follow a `?`, with `&` between: schema=NAME for another schema, sslmode=verify-full,
                               connections=N, pooled=true behind a pooler that hands out transactions
                               (and listen=HOST:PORT of the server itself, so that work is heard of at once)
  http://127.0.0.1:7117        A server (`windlass serve`, `windlass dev`), which has the store. The same as --url. It asks for
  https://jobs.example.com     a token: WINDLASS_TOKEN, or the token_command of a context. Servers that this user started on
                               this machine are known with their tokens. What may be done is what the token may

A password is read from the address, so better keep that in WINDLASS_STORE than on the command line, where others see it.
It is printed nowhere.

`windlass migrate status` shows the version of a store's schema, `up` makes it or brings it up to date, and `sql` prints
the script for those who do not let programs change their databases. `windlass promote` moves a file's jobs to a database.
";

/// What can be set, and where.
pub(super) const ENVIRONMENT: &str = "\
What holds is what is said nearest to the command:

  1. the command line: --store, --url or --context, --color, --time
  2. the environment: WINDLASS_STORE, WINDLASS_URL or WINDLASS_CONTEXT
  3. ./windlass.toml, in this folder or the nearest one above it that has such a file
  4. your own file, $XDG_CONFIG_HOME/windlass/config.toml, else ~/.config/windlass/config.toml
  5. ./windlass.db; where there is none, a server that you started on this machine

Each of them names one place or none. `windlass config show --origin` says what holds and why, `windlass config path` which files
are read. A key that means nothing is an error.

  store = \"jobs.db\"             A store, seen from where the file lies
  url = \"https://…\"            Or a server
  context = \"prod\"             Or one of the contexts below
  color = \"auto\"               auto, always or never
  time = \"relative\"            relative or iso

  [contexts.prod]               In your own file only
  url = \"https://jobs.example.com\"
  token_command = \"pass show windlass/prod\"
  ca_certificate = \"ours.pem\"  Who vouches for the server, where the system knows nobody who does
  production = true             What removes or changes many jobs has to be confirmed: by typing the name, or by --yes

WINDLASS_CA_CERTIFICATE and --ca-certificate say the same as the key of a context. Secrets stand in no file: WINDLASS_TOKEN holds the token for a server, or token_command prints it. A server that only the
file of a project names is not sent WINDLASS_TOKEN.

  WINDLASS_SMTP, WINDLASS_MAIL_FROM, WINDLASS_WEBHOOK_SECRETS    For workers that send notices
  NO_COLOR, CLICOLOR_FORCE, TERM                                 Whether there is colour
  USER                                                           Who does it, unless --by says
";

/// How jobs are chosen.
pub(super) const FILTER: &str = "\
Commands about jobs take ids, or say which jobs are meant. Everything that is said has to hold; of several values of one option,
one has to.

  --state dead,cancelled        scheduled, ready, retryable, blocked, in_review, running, completed, cancelled, dead
  --queue mail,billing          Where they wait
  --kind send                   Which handler they are for
  --tag v1                      With this tag
  --error 7f31c0a2b4d6e8f0      With an attempt that ended with an error of this group (`windlass errors`)
  --since 2h                    Enqueued in the last two hours, or since an instant
  --finished-since 24h          Ended since then
  --all                         All that the verb is for

A verb about all that match says how many that are and asks, where somebody can answer; --dry-run only says it.

The same and more stands in one text, with --filter or where ids would stand; GET /api/v1/jobs?filter= takes it, too:

  windlass jobs list 'state:dead queue:mail,billing args.user.id:42 error:\"timeout\" age:<1h is:root'

The fields are id kind queue state reason tag priority version worker submitted_by error age created finished is args.* meta.*.
Terms are all to hold, values between commas are alternatives, and what has a blank in it stands in quotes. What a store has no
index for is asked of each job, so say a state or a queue besides.
";

/// How things are printed.
pub(super) const FORMATTING: &str = "\
On a terminal, lists are tables: ids in full, times as `5m ago`, what is too wide is cut. Notes go to stderr.
Piped, they are plain: a line for each row, tabs between, times in ISO 8601 UTC, no titles, no colour, nothing cut.

  --json, --json=id,state       Every field, or these: an array, or one object
  --jsonl, --jsonl=id,state     One object a line
  -q                            Ids only: windlass jobs -q --state dead | xargs windlass jobs retry
  -o wide                       A table with nothing cut or left out
  -o tsv, -o csv                For other programs; csv has titles
  --watch, --watch=10s          Again and again, for commands that only look
  --time iso                    Times as they are, on a terminal too
  --color never                 Without colour

A field that there is not is an error that lists those there are. The JSON is a contract (`windlass version --json` says of which
version); what is printed for people may change.
";
