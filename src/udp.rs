//! The endpoints over UDP: `udp://address:port`, or `udp://interface;address:port` for a multicast address.

use std::io;
use std::net::Ipv4Addr;

use crate::error::{self, Error};
use crate::sys;

/// The parts of an endpoint over UDP. libzmq supports only IPv4 there.
pub(crate) struct UdpEndpoint<'a> {
    /// The text before the port.
    host: &'a str,
    /// The interface over which multicast is sent or received, if it is not left to the system.
    interface: Option<Ipv4Addr>,
    /// `None` for all addresses of this machine.
    address: Option<Ipv4Addr>,
    port: u16,
}

impl<'a> UdpEndpoint<'a> {
    /// Parses the part after `udp://`, or says what is wrong.
    pub(crate) fn parse(text: &'a str) -> Result<UdpEndpoint<'a>, &'static str> {
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("it has no port; udp endpoints are of the form udp://address:port")?;
        let port = port.parse().map_err(|_| "a port is a number up to 65535")?;
        let (interface, address) = match host.split_once(';') {
            None => (None, host),
            Some((interface, address)) => (Some(interface), address),
        };
        let interface = interface.map(str::parse).transpose();
        let interface = interface.map_err(|_| "the interface before the semicolon is given by its IPv4 address")?;
        let address = match address {
            "*" => None,
            address => Some(
                address
                    .parse()
                    .map_err(|_| "udp needs an IPv4 address, not a name, such as udp://127.0.0.1:5555")?,
            ),
        };
        let endpoint = UdpEndpoint {
            host,
            interface,
            address,
            port,
        };
        match endpoint.is_multicast() {
            false if interface.is_some() => Err("an interface goes only with a multicast address"),
            true if port == 0 => Err("a multicast address needs a port, which all its sockets share"),
            _ => Ok(endpoint),
        }
    }

    pub(crate) fn is_multicast(&self) -> bool {
        self.address.is_some_and(|address| address.is_multicast())
    }

    /// Whether other machines can reach a socket that is bound to it.
    pub(crate) fn is_public(&self) -> bool {
        let interface = self.interface.or(self.address.filter(|_| !self.is_multicast()));
        !interface.is_some_and(|address| address.is_loopback())
    }

    /// Fails unless datagrams can be sent to it.
    pub(crate) fn check_connectable(&self) -> Result<(), &'static str> {
        match self.address {
            None | Some(Ipv4Addr::UNSPECIFIED) => Err("give the address to send to"),
            Some(Ipv4Addr::BROADCAST) => Err("libzmq does not broadcast; use a multicast address"),
            Some(_) if self.port == 0 => Err("give the port to send to, from 1 to 65535"),
            Some(_) => Ok(()),
        }
    }

    /// Learns whether the system allows to bind it, and returns it, with a port that was free in the place of port 0.
    ///
    /// libzmq binds later, reports no error, and does not report the port.
    pub(crate) fn probe(&self, what_failed: &str) -> error::Result<String> {
        let address = self.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
        let probed = match self.is_multicast() {
            true => sys::probe_multicast(address, self.port, self.interface).map(|()| self.port),
            false => sys::probe_udp(address, self.port),
        };
        let port = probed.map_err(|error| explain(what_failed, error))?;
        Ok(format!("udp://{}:{port}", self.host))
    }
}

fn explain(what_failed: &str, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => Error::from_zmq(what_failed, zmq::Error::EADDRINUSE),
        io::ErrorKind::AddrNotAvailable => Error::from_zmq(what_failed, zmq::Error::EADDRNOTAVAIL),
        io::ErrorKind::PermissionDenied => Error::from_zmq(what_failed, zmq::Error::EACCES),
        _ if sys::has_no_device(&error) => Error::from_zmq(what_failed, zmq::Error::ENODEV),
        _ => Error::from_io(what_failed, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_addresses_and_interfaces_of_multicast() {
        for text in [
            "127.0.0.1:5555",
            "*:5555",
            "127.0.0.1:0",
            "239.1.2.3:5555",
            "127.0.0.1;239.1.2.3:5555",
        ] {
            assert!(UdpEndpoint::parse(text).is_ok(), "{text}");
        }
        let faulty = [
            "",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:65536",
            "127.0.0.1:*",
            "localhost:5555",
            "[::1]:5555",
            "239.1.2.3:0",
            "eth0;239.1.2.3:5555",
            "127.0.0.1;127.0.0.1:5555",
            "127.0.0.1;*:5555",
        ];
        for text in faulty {
            assert!(UdpEndpoint::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn connects_to_an_address_and_a_port() {
        let check = |text| UdpEndpoint::parse(text).unwrap().check_connectable();
        assert!(check("127.0.0.1:5555").is_ok());
        assert!(check("127.0.0.1;239.1.2.3:5555").is_ok());
        for text in ["*:5555", "0.0.0.0:5555", "127.0.0.1:0", "255.255.255.255:5555"] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_loopback_is_not_public() {
        let is_public = |text| UdpEndpoint::parse(text).unwrap().is_public();
        assert!(!is_public("127.0.0.1:5555") && !is_public("127.0.0.1;239.1.2.3:5555"));
        assert!(is_public("*:5555") && is_public("0.0.0.0:5555") && is_public("239.1.2.3:5555"));
    }
}
