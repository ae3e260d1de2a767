//! Who wins, and what follows from the context.

use super::*;

fn user(text: &str) -> ConfigFile {
    ConfigFile::parse(Path::new("/u/config.toml"), text, Whose::User).unwrap()
}

fn project(text: &str) -> ConfigFile {
    ConfigFile::parse(Path::new("/p/windlass.toml"), text, Whose::Project).unwrap()
}

fn store(path: &str) -> Layer {
    Layer { store: Some(path.into()), ..Layer::default() }
}

fn server(url: &str) -> RunningServer {
    RunningServer { url: url.to_owned(), token_file: "/run/token".into(), store: String::new() }
}

fn settled(sources: &Sources) -> (String, String) {
    let place = sources.settle().unwrap().place;
    (place.value.to_string(), place.origin.to_string())
}

fn pair(value: &str, origin: &str) -> (String, String) {
    (value.to_owned(), origin.to_owned())
}

const PROD: &str =
    "[contexts.prod]\nurl = 'https://jobs.example.com/'\ntoken_command = 'echo t'\nproduction = true\n";

#[test]
fn flags_win_over_the_environment_and_that_over_files_and_the_projects_over_the_users() {
    let mut sources = Sources {
        flags: store("flag.db"),
        environment: store("env.db"),
        project: Some(project("store = 'project.db'")),
        user: Some(user("url = 'http://user'")),
        ..Sources::default()
    };
    assert_eq!(settled(&sources), pair("flag.db", "flag --store"));

    sources.flags = Layer::default();
    assert_eq!(settled(&sources), pair("env.db", "environment WINDLASS_STORE"));

    sources.environment = Layer::default();
    assert_eq!(settled(&sources), pair("/p/project.db", "file /p/windlass.toml"));

    sources.project = None;
    assert_eq!(settled(&sources), pair("http://user", "file /u/config.toml"));

    sources.user = None;
    assert_eq!(settled(&sources), pair("./windlass.db", "default"));
}

#[test]
fn where_nothing_is_said_a_server_that_runs_here_is_taken_unless_there_is_a_store() {
    let mut sources = Sources { servers: vec![server("http://127.0.0.1:9")], ..Sources::default() };
    assert_eq!(settled(&sources), pair("http://127.0.0.1:9", "a server that runs here"));
    let token = sources.settle().unwrap().token.unwrap();
    assert_eq!(token.value, TokenSource::File("/run/token".into()));

    sources.servers.push(server("http://127.0.0.1:8"));
    assert_eq!(settled(&sources), pair("./windlass.db", "default"), "which of two is not for us to guess");
    sources.servers.push(server(SERVER_DEFAULT));
    assert_eq!(settled(&sources).0, SERVER_DEFAULT);

    sources.default_there = true;
    assert_eq!(settled(&sources), pair("./windlass.db", "default"));
}

#[test]
fn a_context_says_where_how_to_get_in_and_how_careful_to_be() {
    let flags = Layer { context: Some("prod".to_owned()), ..Layer::default() };
    let sources =
        Sources { flags, environment: store("env.db"), user: Some(user(PROD)), ..Sources::default() };

    let settings = sources.settle().unwrap();

    assert_eq!(settings.place.value.to_string(), "https://jobs.example.com");
    assert_eq!(settings.production, Setting::new(true, Origin::Context("prod".to_owned())));
    assert_eq!(settings.token.unwrap().value, TokenSource::Command("echo t".to_owned()));
}

#[test]
fn production_is_production_however_it_is_named() {
    let flags = Layer { url: Some("https://jobs.example.com".to_owned()), ..Layer::default() };
    let token = Some("wl_1".to_owned());
    let sources = Sources { flags, token, user: Some(user(PROD)), ..Sources::default() };

    let settings = sources.settle().unwrap();

    assert!(settings.production.value);
    assert_eq!(settings.context.unwrap().value, "prod");
    assert_eq!(settings.token.unwrap().origin, Origin::Environment("WINDLASS_TOKEN"));
}

#[test]
fn the_token_of_the_environment_is_for_no_server_that_only_a_project_names() {
    let project = |url| Some(project(&format!("url = '{url}'")));
    let token = |sources: &Sources| sources.settle().unwrap().token.map(|token| token.value);
    let said = TokenSource::Said("wl_1".to_owned());
    let mut sources = Sources { token: Some("wl_1".to_owned()), ..Sources::default() };

    sources.project = project("https://evil.example.com");
    assert_eq!(token(&sources), None);

    sources.project = project("https://jobs.example.com");
    sources.user = Some(user(PROD));
    assert_eq!(token(&sources), Some(said.clone()), "the user knows it too");

    sources.environment.url = Some("https://other.example.com".to_owned());
    assert_eq!(token(&sources), Some(said));
}

#[test]
fn two_places_at_once_and_contexts_that_are_not_there_are_refused() {
    let flags = Layer { url: Some("http://h".to_owned()), ..store("a.db") };
    let said = Sources { flags, ..Sources::default() }.settle().unwrap_err().to_string();
    assert_eq!(said, "flag --store and flag --url each name a place");

    let flags = Layer { context: Some("prdo".to_owned()), ..Layer::default() };
    let error = Sources { flags, user: Some(user(PROD)), ..Sources::default() }.settle().unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.help()),
        ("there is no context `prdo`", Some("did you mean `prod`?"))
    );
}

#[test]
fn how_to_print_is_said_by_flags_contexts_and_files() {
    let text =
        "context = 'a'\ncolor = 'always'\ntime = 'iso'\n[contexts.a]\nstore = 'a.db'\ncolor = 'never'\n";
    let mut sources = Sources { user: Some(user(text)), ..Sources::default() };
    let color = |sources: &Sources| sources.settle().unwrap().color;
    assert_eq!(color(&sources), Setting::new(Color::Never, Origin::Context("a".to_owned())));
    assert_eq!(sources.settle().unwrap().time.value, TimeForm::Iso);

    sources.flags.color = Some(Color::Auto);
    assert_eq!(color(&sources), Setting::new(Color::Auto, Origin::Flag("--color")));
}
