//! All that was said, put together.

use std::path::{Path, PathBuf};

use super::{
    ConfigFile, ContextEntry, Folders, Origin, Place, RunningServer, SERVER_DEFAULT, STORE_DEFAULT, Setting,
    TokenSource, Whose, running,
};
use crate::args::{Color, Global, TimeForm};
use crate::error::{CliError, ErrorCode};

/// All that says something, the strongest first.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) flags: Layer,
    pub(crate) environment: Layer,
    pub(crate) token: Option<String>,
    pub(crate) project: Option<ConfigFile>,
    pub(crate) user: Option<ConfigFile>,
    /// Whether the store that is taken if nothing is said is there.
    pub(crate) default_there: bool,
    pub(crate) servers: Vec<RunningServer>,
}

/// What one source says of the place. It may say one thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) store: Option<PathBuf>,
    pub(crate) url: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) ca_certificate: Option<PathBuf>,
    pub(crate) color: Option<Color>,
    pub(crate) time: Option<TimeForm>,
}

/// What holds, and why.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) context: Option<Setting<String>>,
    pub(crate) place: Setting<Place>,
    pub(crate) token: Option<Setting<TokenSource>>,
    /// Which authorities are believed about servers, if not those that the system believes.
    pub(crate) ca_certificate: Option<Setting<PathBuf>>,
    /// Whether what changes or removes jobs has to be confirmed.
    pub(crate) production: Setting<bool>,
    pub(crate) color: Setting<Color>,
    pub(crate) time: Setting<TimeForm>,
}

impl Sources {
    /// Reads everything there is.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or says something that means nothing.
    pub(crate) fn read(global: &Global, folders: &Folders) -> Result<Self, CliError> {
        let text = |name| super::variable(name).map(|value| value.to_string_lossy().into_owned());
        let environment = Layer {
            store: super::variable("WINDLASS_STORE").map(PathBuf::from),
            url: text("WINDLASS_URL"),
            context: text("WINDLASS_CONTEXT"),
            ca_certificate: super::variable("WINDLASS_CA_CERTIFICATE").map(PathBuf::from),
            ..Layer::default()
        };
        let read = |path: Option<PathBuf>, whose| path.map(|path| ConfigFile::read(&path, whose)).transpose();
        Ok(Self {
            flags: Layer::of(global),
            environment,
            token: text("WINDLASS_TOKEN"),
            project: read(folders.project_file(), Whose::Project)?.flatten(),
            user: read(folders.user_file(), Whose::User)?.flatten(),
            default_there: folders.working.join(STORE_DEFAULT).exists(),
            servers: folders.servers().map(|folder| running(&folder)).unwrap_or_default(),
        })
    }

    /// Puts it together.
    ///
    /// # Errors
    ///
    /// When one source names two places, when there is no such context, or when a place is named in no way that is known.
    pub(crate) fn settle(&self) -> Result<Settings, CliError> {
        let (place, context) = self.place()?;
        let entry = context.as_ref().map(|context| self.entry(&context.value)).transpose()?;
        let of_context = |context: &Setting<String>| Origin::Context(context.value.clone());
        let production = match (&context, entry) {
            (Some(context), Some(entry)) if entry.production => Setting::new(true, of_context(context)),
            _ => Setting::new(false, Origin::Default),
        };
        let token = self.token(&place, context.as_ref().zip(entry));
        let ca_certificate = self.ca_certificate(context.as_ref().zip(entry));
        let color = context
            .as_ref()
            .zip(entry)
            .and_then(|(context, entry)| entry.color.map(|color| Setting::new(color, of_context(context))));
        Ok(Settings {
            color: self.printing(|layer| layer.color, "--color", color),
            time: self.printing(|layer| layer.time, "--time", None),
            context,
            place,
            token,
            ca_certificate,
            production,
        })
    }

    /// The layers that say something of the place, the strongest first.
    fn layers(&self) -> [(Layer, [Origin; 3]); 4] {
        let of_file = |file: &Option<ConfigFile>| {
            let origin = Origin::File(file.as_ref().map(|file| file.path.clone()).unwrap_or_default());
            (file.as_ref().map(Layer::of_file).unwrap_or_default(), [origin.clone(), origin.clone(), origin])
        };
        let flags = ["--store", "--url", "--context"].map(Origin::Flag);
        let variables = ["WINDLASS_STORE", "WINDLASS_URL", "WINDLASS_CONTEXT"].map(Origin::Environment);
        [
            (self.flags.clone(), flags),
            (self.environment.clone(), variables),
            of_file(&self.project),
            of_file(&self.user),
        ]
    }

    /// Where the jobs are, and the context that says so or that is about the same place.
    fn place(&self) -> Result<(Setting<Place>, Option<Setting<String>>), CliError> {
        for (layer, origins) in self.layers() {
            let [store, url, context] = origins;
            let found = match (&layer.store, &layer.url, &layer.context) {
                (None, None, None) => continue,
                (Some(named), None, None) => read(named, store)?,
                (None, Some(named), None) => serving(named, url)?,
                (None, None, Some(name)) => {
                    let place = of_entry(name, self.entry(name)?)?;
                    return Ok((place, Some(Setting::new(name.clone(), context))));
                }
                _ => {
                    return Err(two_places(&[
                        (layer.store.is_some(), &store),
                        (layer.url.is_some(), &url),
                        (layer.context.is_some(), &context),
                    ]));
                }
            };
            let same = self.context_of(&found.value);
            return Ok((found, same));
        }
        let found = self.unless_said()?;
        let same = self.context_of(&found.value);
        Ok((found, same))
    }

    /// The store of this folder; where there is none, a server that runs here.
    fn unless_said(&self) -> Result<Setting<Place>, CliError> {
        let server = match self.servers.as_slice() {
            _ if self.default_there => None,
            [one] => Some(one),
            many => many.iter().find(|server| server.url == SERVER_DEFAULT),
        };
        match server {
            Some(server) => serving(&server.url, Origin::Running),
            None => read(Path::new(STORE_DEFAULT), Origin::Default),
        }
    }

    /// The context that is about `place`: what was said of it holds however the place is named.
    fn context_of(&self, place: &Place) -> Option<Setting<String>> {
        let user = self.user.as_ref()?;
        let is_same = |entry: &ContextEntry| {
            of_entry("", entry).is_ok_and(|other| other.value.anywhere() == place.anywhere())
        };
        let (name, _) = user.contexts.iter().find(|(_, entry)| is_same(entry))?;
        Some(Setting::new(name.clone(), Origin::File(user.path.clone())))
    }

    fn entry(&self, name: &str) -> Result<&ContextEntry, CliError> {
        let contexts = self.user.iter().flat_map(|user| &user.contexts);
        contexts.clone().find(|(known, _)| *known == name).map(|(_, entry)| entry).ok_or_else(|| {
            let known: Vec<&str> = contexts.map(|(name, _)| name.as_str()).collect();
            unknown_context(name, &known)
        })
    }

    fn token(
        &self,
        place: &Setting<Place>,
        context: Option<(&Setting<String>, &ContextEntry)>,
    ) -> Option<Setting<TokenSource>> {
        let url = place.value.url()?;
        let of_project = self.project.as_ref().map(|file| Origin::File(file.path.clone()));
        // Whoever can put a file into a folder must not be sent the secrets of whoever works there.
        let is_trusted = context.is_some() || of_project.is_none_or(|origin| origin != place.origin);
        if let Some(token) = self.token.as_ref().filter(|_| is_trusted) {
            let origin = Origin::Environment("WINDLASS_TOKEN");
            return Some(Setting::new(TokenSource::Said(token.clone()), origin));
        }
        if let Some((context, entry)) = context
            && let Some(command) = &entry.token_command
        {
            let origin = Origin::Context(context.value.clone());
            return Some(Setting::new(TokenSource::Command(command.clone()), origin));
        }
        let here = self.servers.iter().find(|server| server.url == url)?;
        Some(Setting::new(TokenSource::File(here.token_file.clone()), Origin::Running))
    }

    /// Never said by the file of a folder: whoever put that there would say which server is the right one.
    fn ca_certificate(&self, context: Option<(&Setting<String>, &ContextEntry)>) -> Option<Setting<PathBuf>> {
        let said = |path: &Option<PathBuf>, origin| path.clone().map(|path| Setting::new(path, origin));
        let of_context = |(context, entry): (&Setting<String>, &ContextEntry)| {
            said(&entry.ca_certificate, Origin::Context(context.value.clone()))
        };
        said(&self.flags.ca_certificate, Origin::Flag("--ca-certificate"))
            .or_else(|| {
                said(&self.environment.ca_certificate, Origin::Environment("WINDLASS_CA_CERTIFICATE"))
            })
            .or_else(|| context.and_then(of_context))
    }

    fn printing<T: Copy + Default>(
        &self,
        of: impl Fn(&Layer) -> Option<T>,
        flag: &'static str,
        of_context: Option<Setting<T>>,
    ) -> Setting<T> {
        let [(flags, _), _, (project, project_origins), (user, user_origins)] = self.layers();
        let in_file = |layer: &Layer, origins: [Origin; 3]| {
            let [origin, ..] = origins;
            of(layer).map(|value| Setting::new(value, origin))
        };
        of(&flags)
            .map(|value| Setting::new(value, Origin::Flag(flag)))
            .or(of_context)
            .or_else(|| in_file(&project, project_origins))
            .or_else(|| in_file(&user, user_origins))
            .unwrap_or_else(|| Setting::new(T::default(), Origin::Default))
    }
}

impl Layer {
    fn of(global: &Global) -> Self {
        Self {
            store: global.store.clone(),
            url: global.url.clone(),
            context: global.context.clone(),
            ca_certificate: global.ca_certificate.clone(),
            color: global.color,
            time: global.time,
        }
    }

    fn of_file(file: &ConfigFile) -> Self {
        Self {
            store: file.store.clone(),
            url: file.url.clone(),
            context: file.context.clone(),
            ca_certificate: None,
            color: file.color,
            time: file.time,
        }
    }
}

fn read(named: &Path, origin: Origin) -> Result<Setting<Place>, CliError> {
    let place = Place::read(named).map_err(|invalid| {
        CliError::new(ErrorCode::Invalid, format!("{}: {}", origin.named(), invalid.problem))
            .with_help("`windlass help stores` shows how stores are named")
    });
    Ok(Setting::new(place?, origin))
}

fn serving(url: &str, origin: Origin) -> Result<Setting<Place>, CliError> {
    let place = Place::server(url).map_err(|invalid| {
        CliError::new(ErrorCode::Invalid, format!("{}: {}", origin.named(), invalid.problem))
            .with_help("name the server as http://127.0.0.1:7117 or https://jobs.example.com")
    });
    Ok(Setting::new(place?, origin))
}

fn of_entry(name: &str, entry: &ContextEntry) -> Result<Setting<Place>, CliError> {
    let origin = Origin::Context(name.to_owned());
    match (&entry.url, &entry.store) {
        (Some(url), _) => serving(url, origin),
        (None, store) => read(store.as_deref().unwrap_or_else(|| Path::new(STORE_DEFAULT)), origin),
    }
}

fn two_places(said: &[(bool, &Origin)]) -> CliError {
    let said: Vec<String> =
        said.iter().filter(|(is_said, _)| *is_said).map(|(_, by)| by.to_string()).collect();
    CliError::new(ErrorCode::Invalid, format!("{} each name a place", said.join(" and ")))
        .with_help("jobs are in one place: leave one of them out")
}

fn unknown_context(name: &str, known: &[&str]) -> CliError {
    let meant = windlass_wire::nearest::suggestion(name, known.iter().copied());
    let help = match (meant, known) {
        (Some(meant), _) => meant,
        (None, []) => format!("there are none yet: `windlass config contexts add {name} --url URL` makes it"),
        (None, known) => format!("there are {}", known.join(", ")),
    };
    CliError::new(ErrorCode::Configuration, format!("there is no context `{name}`")).with_help(help)
}

#[cfg(test)]
mod tests;
