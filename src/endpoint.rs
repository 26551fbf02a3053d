//! Checks hosts, ports and endpoints before libzmq sees them.
//!
//! On some invalid input, the `zmq` crate panics. For some, libzmq returns an errno that explains little. For some, it
//! reports nothing, and tries forever what cannot work. So this module accepts only input that can work. For other
//! input, it returns an [`Error`] that says what is wrong.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use crate::error::{Error, ErrorKind, Result};
use crate::sys;
use crate::udp::UdpEndpoint;

/// Where libzmq asks which clients to let in. A user's socket there could let anyone in, or terminate the process.
pub(crate) const ZAP: &str = "inproc://zeromq.zap.01";

/// libzmq's limit for the names of `inproc` endpoints.
const LONGEST_INPROC_NAME: usize = 255;

/// The endpoint for a host and port to connect to.
pub(crate) fn to_connect(host: &str, port: u16) -> Result<String> {
    let shown = host.escape_debug();
    let fault = |what: &str| Err(Error::invalid(format!("cannot connect to host \"{shown}\": {what}")));
    if host.is_empty() {
        return fault("it is empty; give a name or an IP address");
    }
    if host.contains("://") {
        return fault("it is an endpoint; give only the name or the IP address, or use connect_to");
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let host = match bare.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) if host.contains(':') => return fault("only an IPv6 address has colons; give the port separately"),
        Err(_) if !host.chars().all(is_of_a_host_name) => {
            return fault(
                "a host name has only letters, digits, dots, hyphens and underscores; give such a name or an IP address",
            );
        }
        Err(_) if host.chars().all(is_of_a_number) && host.parse::<Ipv4Addr>().is_err() => {
            return fault("an IP address has four numbers up to 255, with dots between them");
        }
        Err(_) => host.to_owned(),
    };
    if port == 0 {
        return Err(Error::invalid(format!(
            "cannot connect to {host}, port 0: give a port from 1 to 65535; the server's socket().port() returns it"
        )));
    }
    Ok(format!("tcp://{host}:{port}"))
}

fn is_of_a_host_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._".contains(character)
}

fn is_of_a_number(character: char) -> bool {
    character.is_ascii_digit() || character == '.'
}

/// The endpoint for a port of this machine to connect to.
pub(crate) fn to_connect_locally(port: u16) -> Result<String> {
    to_connect("127.0.0.1", port)
}

/// Checks an endpoint to connect to.
pub(crate) fn check_connectable(endpoint: &str) -> Result<()> {
    match Endpoint::parse("connect to", endpoint)? {
        Endpoint::Tcp { port: "0" | "*", .. } => Err(Error::invalid(format!(
            "cannot connect to \"{endpoint}\": a server's port is a number from 1 to 65535"
        ))),
        Endpoint::Tcp { host: "*", .. } => Err(Error::invalid(format!(
            "cannot connect to \"{endpoint}\": * is only for servers; give the host to connect to"
        ))),
        Endpoint::Udp(udp) => udp
            .check_connectable()
            .map_err(|fault| Error::invalid(format!("cannot connect to \"{endpoint}\": {fault}"))),
        _ => Ok(()),
    }
}

/// Checks an endpoint to bind, and whether the operating system would bind it. Returns it, over UDP with a free port in
/// the place of port 0.
pub(crate) fn check_bindable(endpoint: &str) -> Result<String> {
    let what_failed = || format!("cannot bind {}", endpoint.escape_debug());
    let is_bindable = match Endpoint::parse("bind", endpoint)? {
        Endpoint::Udp(endpoint) => return endpoint.probe(&what_failed()),
        Endpoint::Tcp { host, .. } => match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            // Probed, because the `zmq` crate panics if the system has no IPv6 or does not have that address.
            Some(host) if host != "*" => {
                let address = host.split('%').next().unwrap_or_default();
                if address.parse::<Ipv6Addr>().is_err() {
                    return Err(Error::invalid(format!(
                        "{}: the text in the brackets is not an IPv6 address, such as ::1",
                        what_failed()
                    )));
                }
                let probe = TcpListener::bind((host, 0)).map(drop);
                probe.map_err(|error| match error.raw_os_error() {
                    Some(_) => Error::from_io(what_failed(), error),
                    None => {
                        let message = format!(
                            "{}: this machine does not have that address; give another",
                            what_failed()
                        );
                        Error::with_source(ErrorKind::AddrNotAvailable, message, error)
                    }
                })
            }
            _ => Ok(()),
        },
        Endpoint::Ipc { path } if path == "*" || path.starts_with('@') => Ok(()),
        Endpoint::Ipc { path } => sys::bind_probe(path).map_err(|error| Error::from_io(what_failed(), error)),
        Endpoint::Inproc => Ok(()),
    };
    is_bindable.map(|()| endpoint.to_owned())
}

/// Whether an endpoint is in this process.
pub(crate) fn is_inproc(endpoint: &str) -> bool {
    endpoint.starts_with("inproc://")
}

/// Whether an endpoint is for datagrams.
pub(crate) fn is_udp(endpoint: &str) -> bool {
    endpoint.starts_with("udp://")
}

/// The TCP or UDP port of an endpoint as libzmq resolved it.
pub(crate) fn port_of(endpoint: &str) -> Option<u16> {
    let address = endpoint
        .strip_prefix("tcp://")
        .or_else(|| endpoint.strip_prefix("udp://"))?;
    let (_, port) = address.rsplit_once(':')?;
    port.parse().ok()
}

/// Whether an endpoint, as libzmq resolved it, is bound to all interfaces.
pub(crate) fn is_everywhere(endpoint: &str) -> bool {
    endpoint.starts_with("tcp://0.0.0.0:") || endpoint.starts_with("tcp://[::]:")
}

/// Whether datagrams from other machines arrive at an endpoint.
pub(crate) fn takes_datagrams_of_others(endpoint: &str) -> bool {
    let address = endpoint.strip_prefix("udp://");
    address.is_some_and(|address| UdpEndpoint::parse(address).is_ok_and(|endpoint| endpoint.is_public()))
}

pub(crate) fn connected_twice(endpoint: &str) -> Error {
    Error::new(
        ErrorKind::AlreadyConnected,
        format!(
            "cannot connect to {} twice: it is already connected; connect to each endpoint once",
            endpoint.escape_debug()
        ),
    )
}

pub(crate) fn not_connected(endpoint: &str, connected: &[String]) -> Error {
    let others = list(connected);
    Error::new(
        ErrorKind::NotConnected,
        format!(
            "cannot disconnect from {}: it is not connected; connected endpoints: {others}",
            endpoint.escape_debug()
        ),
    )
}

/// The error for an endpoint that a peer is not connected to.
pub(crate) fn not_a_server(what_failed: &str, connected: &[String]) -> Error {
    Error::new(
        ErrorKind::NotConnected,
        format!(
            "{what_failed}: it is not connected; connected endpoints: {}",
            list(connected)
        ),
    )
}

pub(crate) fn not_bound(endpoint: &str, bound: &[String]) -> Error {
    let others = list(bound);
    Error::new(
        ErrorKind::NotConnected,
        format!(
            "cannot unbind {}: the socket is not bound to it; bound endpoints: {others}",
            endpoint.escape_debug()
        ),
    )
}

fn list(endpoints: &[String]) -> String {
    match endpoints {
        [] => "none".to_owned(),
        some => some.join(", ").escape_debug().to_string(),
    }
}

/// The parts of an endpoint that are checked.
enum Endpoint<'a> {
    Tcp { host: &'a str, port: &'a str },
    Ipc { path: &'a str },
    Inproc,
    Udp(UdpEndpoint<'a>),
}

impl<'a> Endpoint<'a> {
    fn parse(action: &str, endpoint: &'a str) -> Result<Endpoint<'a>> {
        let fault = |kind, what: &str| {
            let shown = endpoint.escape_debug();
            Err(Error::new(kind, format!("cannot {action} \"{shown}\": {what}")))
        };
        let invalid = |what| fault(ErrorKind::InvalidInput, what);
        let is_tcp = endpoint.starts_with("tcp:");
        if let Some(odd) = endpoint.chars().find(|c| c.is_control() || is_tcp && c.is_whitespace()) {
            return invalid(&format!("it contains {odd:?}; remove that character"));
        }
        match endpoint.split_once("://") {
            Some(("tcp", address)) => match address.rsplit_once(':') {
                None => invalid("it has no port; tcp endpoints are of the form tcp://host:port"),
                Some(("", _)) => invalid("it has no host; tcp endpoints are of the form tcp://host:port"),
                Some((_, port)) if port != "*" && !is_port(port) => invalid("a port is a number up to 65535"),
                Some((host, port)) => Ok(Endpoint::Tcp { host, port }),
            },
            Some(("ipc", "")) => invalid("it has no path; ipc endpoints are of the form ipc:///tmp/name"),
            Some(("ipc", path)) => Ok(Endpoint::Ipc { path }),
            Some(("inproc", "")) => invalid("it has no name; inproc endpoints are of the form inproc://name"),
            Some(("inproc", name)) if name.len() > LONGEST_INPROC_NAME => {
                invalid(&format!("its name has more than {LONGEST_INPROC_NAME} bytes"))
            }
            Some(("inproc", _)) if endpoint == ZAP => {
                invalid("libzmq reserves this name for access control; use Server::allow, plain or curve")
            }
            Some(("inproc", _)) => Ok(Endpoint::Inproc),
            Some(("udp", address)) => match UdpEndpoint::parse(address) {
                Ok(address) => Ok(Endpoint::Udp(address)),
                Err(what) => invalid(what),
            },
            Some((scheme, _)) => {
                let what = format!(
                    "the scheme {} is not supported; use tcp, ipc or inproc, or udp for draft sockets",
                    scheme.escape_debug()
                );
                fault(ErrorKind::Unsupported, &what)
            }
            None => invalid("it has no scheme; endpoints are of the form tcp://host:port, ipc://path or inproc://name"),
        }
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses_become_endpoints() {
        assert_eq!(to_connect("example.com", 5555).unwrap(), "tcp://example.com:5555");
        assert_eq!(to_connect("10.1.2.3", 1).unwrap(), "tcp://10.1.2.3:1");
        assert_eq!(to_connect("::1", 5555).unwrap(), "tcp://[::1]:5555");
        assert_eq!(to_connect("[::1]", 5555).unwrap(), "tcp://[::1]:5555");
        assert_eq!(to_connect_locally(5555).unwrap(), "tcp://127.0.0.1:5555");
    }

    #[test]
    fn hosts_that_cannot_be_are_errors() {
        for host in [
            "",
            "a b",
            "tcp://host",
            "host:1",
            "1.2.3",
            "256.1.1.1",
            "höst",
            "host\0",
        ] {
            let error = to_connect(host, 5555).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{host}");
        }
        assert!(to_connect("example.com", 0).is_err());
    }

    #[test]
    fn endpoints_to_connect_to_name_host_and_port() {
        for endpoint in ["tcp://host:5555", "ipc:///tmp/a", "inproc://a", "udp://127.0.0.1:5555"] {
            assert!(check_connectable(endpoint).is_ok(), "{endpoint}");
        }
        let faults = [
            ("tcp://*:5555", ErrorKind::InvalidInput),
            ("tcp://host:0", ErrorKind::InvalidInput),
            ("tcp://host", ErrorKind::InvalidInput),
            ("tcp://:5555", ErrorKind::InvalidInput),
            ("tcp://host:65536", ErrorKind::InvalidInput),
            ("ipc://", ErrorKind::InvalidInput),
            ("inproc://", ErrorKind::InvalidInput),
            (ZAP, ErrorKind::InvalidInput),
            ("host:5555", ErrorKind::InvalidInput),
            ("udp://host:5555", ErrorKind::InvalidInput),
            ("udp://*:5555", ErrorKind::InvalidInput),
            ("tipc://a", ErrorKind::Unsupported),
            ("http://host", ErrorKind::Unsupported),
        ];
        for (endpoint, kind) in faults {
            assert_eq!(check_connectable(endpoint).unwrap_err().kind(), kind, "{endpoint}");
        }
    }

    #[test]
    fn ports_are_read_from_tcp_and_udp() {
        assert_eq!(port_of("tcp://[::1]:5555"), Some(5555));
        assert_eq!(port_of("tcp://0.0.0.0:1"), Some(1));
        assert_eq!(port_of("udp://127.0.0.1;239.1.2.3:5555"), Some(5555));
        assert_eq!(port_of("ipc:///tmp/a:5555"), None);
    }
}
