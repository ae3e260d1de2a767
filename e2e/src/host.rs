//! A network namespace as another host: its own interfaces, its own routes, one link to us that can be cut.
//!
//! It lives as long as a process that sleeps in it, and that one as long as this process holds its input: so nothing stays
//! of it, however this process ends.

use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use crate::Failure;
use crate::proxy::Proxy;

/// A host of our own. Dropped, it is gone, with what runs in it cut off.
#[derive(Debug)]
pub struct Host {
    sleeper: Child,
    /// Our end of the link.
    link: String,
    /// The way from there to the server of this machine.
    pub proxy: Proxy,
}

/// What the other end of the link is called.
const FAR: &str = "far";

/// Says that it is there, and sleeps until its input ends.
const SLEEP: &str = "echo; read -r line";

impl Host {
    /// Makes the `number`th host of a scenario, 0 to 62, from which the server at `port` of this machine can be reached.
    ///
    /// # Errors
    ///
    /// When we may not, or the system has none of the programs it takes.
    pub async fn make(number: u8, port: u16) -> Result<Self, Failure> {
        let mut sleeper = Command::new("unshare");
        sleeper
            .args(["--net", "sh", "-c", SLEEP])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut sleeper = sleeper.spawn()?;
        let output = sleeper.stdout.take().ok_or_else(|| Failure::new("it has no output"))?;
        if BufReader::new(output).read_line(&mut String::new())? == 0 {
            return Err(Failure::new("a network namespace cannot be made"));
        }
        // The id of a process is nobody else's as long as it lives.
        let link = format!("wl{}", sleeper.id());
        let (ours, theirs) = addresses(sleeper.id(), number);
        let namespace = namespace_of(&sleeper);
        ip(
            None,
            &["link", "add", &link, "type", "veth", "peer", "name", FAR, "netns", &sleeper.id().to_string()],
        )?;
        ip(None, &["address", "add", &format!("{ours}/30"), "dev", &link])?;
        ip(None, &["link", "set", &link, "up"])?;
        ip(Some(&namespace), &["address", "add", &format!("{theirs}/30"), "dev", FAR])?;
        ip(Some(&namespace), &["link", "set", FAR, "up"])?;
        Ok(Self { sleeper, link, proxy: Proxy::start(ours, port).await? })
    }

    /// Whether hosts can be made here; else why not.
    ///
    /// # Errors
    ///
    /// The reason.
    pub async fn can_be_made() -> Result<(), Failure> {
        Self::make(0, 0).await.map(drop)
    }

    /// The file that stands for its namespace.
    #[must_use]
    pub fn namespace(&self) -> String {
        namespace_of(&self.sleeper)
    }

    /// Cuts the link. What was sent is lost, and nobody is told.
    ///
    /// # Errors
    ///
    /// When the system does not do it.
    pub fn cut(&self) -> Result<(), Failure> {
        ip(None, &["link", "set", &self.link, "down"])
    }

    /// Mends the link.
    ///
    /// # Errors
    ///
    /// When the system does not do it.
    pub fn mend(&self) -> Result<(), Failure> {
        ip(None, &["link", "set", &self.link, "up"])
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.sleeper.kill();
        let _ = self.sleeper.wait();
    }
}

fn namespace_of(sleeper: &Child) -> String {
    format!("/proc/{}/ns/net", sleeper.id())
}

/// Both ends of a link, in the range that is set aside for tests of networks. Of runs beside each other, and of the hosts
/// of one run, each has links of its own: 512 times 64.
fn addresses(seed: u32, number: u8) -> (Ipv4Addr, Ipv4Addr) {
    let [_, _, high, low] = (seed % 512).to_be_bytes();
    let end = |last| Ipv4Addr::new(198, 18 + high, low, number * 4 + last);
    (end(1), end(2))
}

fn ip(namespace: Option<&str>, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = match namespace {
        None => Command::new("ip"),
        Some(namespace) => {
            let mut command = Command::new("nsenter");
            command.arg(format!("--net={namespace}")).arg("ip");
            command
        }
    };
    let output = command.args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    Err(Failure::new(format!("`ip {}`: {why}", arguments.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_has_addresses_of_its_own() {
        assert_eq!(addresses(0, 0), (Ipv4Addr::new(198, 18, 0, 1), Ipv4Addr::new(198, 18, 0, 2)));
        assert_eq!(addresses(511, 62), (Ipv4Addr::new(198, 19, 255, 249), Ipv4Addr::new(198, 19, 255, 250)));
    }
}
