//! A TCP port that stays free for one server, through every crash and restart.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;

/// A port of this machine's own address, kept for whoever is to listen there. Until then, and whenever nobody does, whoever
/// connects to it is refused.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Bound but not listening, so that the server may listen there and nobody else is given it: neither who asks for any
    /// free port, nor a connection that goes out. Between a kill and the restart somebody would be, sooner or later.
    _reserved: Option<OwnedFd>,
}

impl Port {
    /// A port that is free now, and stays so for as long as this value does. Where the system is not Linux, only the first.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub fn reserve() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        return linux::reserve();
        #[cfg(not(target_os = "linux"))]
        return Self::free();
    }

    /// A port that was free a moment ago.
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "for systems that reserve none"))]
    fn free() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self { number: listener.local_addr()?.port(), _reserved: None })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Only Linux lets two sockets have one address when both ask for it and one listens at most.
#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

    use rustix::net::sockopt::set_socket_reuseaddr;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

    use super::Port;

    pub(super) fn reserve() -> io::Result<Port> {
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(getsockname(&socket)?)?;
        Ok(Port { number: address.port(), _reserved: Some(socket) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_can_be_listened_on_again_and_again() {
        let port = Port::reserve().unwrap();

        for _ in 0..3 {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).unwrap();
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_reserved_port_is_given_to_nobody_who_asks_for_any() {
        let port = Port::reserve().unwrap();

        let others: Vec<u16> = (0..500).map(|_| Port::reserve().unwrap().number()).collect();

        assert!(!others.contains(&port.number()));
    }
}
