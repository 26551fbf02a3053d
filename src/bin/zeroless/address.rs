//! Addresses on the command line.

use std::net::Ipv6Addr;
use std::str::FromStr;

/// Where a server listens, or what a client connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Port(u16),
    Host { host: String, port: u16 },
    Endpoint(String),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        if text.starts_with("inproc://") {
            return Err("inproc connects threads of one process; give a port, or ipc:///tmp/NAME".to_owned());
        }
        // Also that of `::1:5555`, which may be meant as a host and a port.
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err("write an IPv6 address in brackets, with a port behind it, such as [::1]:5555".to_owned());
        }
        if text.contains("://") {
            return Ok(Address::Endpoint(text.to_owned()));
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (None, text),
            Some((host, port)) => (Some(host), port),
        };
        let port = port
            .parse()
            .map_err(|_| "give PORT, HOST:PORT or an endpoint; a port is a number up to 65535".to_owned())?;
        match host {
            None => Ok(Address::Port(port)),
            Some("") => Err("there is no host before the colon; give PORT alone for this machine".to_owned()),
            Some(host) => Ok(Address::Host {
                host: host.to_owned(),
                port,
            }),
        }
    }
}

impl Address {
    /// The endpoint at which a server listens.
    pub fn to_bind(&self, is_public: bool) -> String {
        match self {
            Address::Port(port) if is_public => format!("tcp://*:{port}"),
            Address::Port(port) => format!("tcp://127.0.0.1:{port}"),
            Address::Host { host, port } => format!("tcp://{host}:{port}"),
            Address::Endpoint(endpoint) => endpoint.clone(),
        }
    }

    /// Whether a server gets any free port here.
    pub fn is_any_port(&self) -> bool {
        match self {
            Address::Port(port) | Address::Host { port, .. } => *port == 0,
            Address::Endpoint(endpoint) => {
                endpoint.starts_with("tcp:") && (endpoint.ends_with(":0") || endpoint.ends_with(":*"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> String {
        text.parse::<Address>().unwrap().to_bind(false)
    }

    #[test]
    fn port_alone_is_this_machine() {
        assert_eq!(bound("12345"), "tcp://127.0.0.1:12345");
        assert_eq!(Address::Port(1).to_bind(true), "tcp://*:1");
    }

    #[test]
    fn host_and_port_are_split_at_last_colon() {
        assert_eq!(bound("10.1.2.3:5"), "tcp://10.1.2.3:5");
        assert_eq!(bound("[::1]:5"), "tcp://[::1]:5");
    }

    #[test]
    fn endpoint_stays_as_it_is() {
        assert_eq!(bound("ipc:///tmp/jobs"), "ipc:///tmp/jobs");
    }

    #[test]
    fn other_text_is_an_error() {
        for text in [
            "",
            "boss",
            "boss:",
            ":5",
            "65536",
            "boss:http",
            "::1",
            "::1:5555",
            "inproc://a",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn any_port_is_0() {
        for (text, is_any) in [
            ("0", true),
            ("10.1.2.3:0", true),
            ("tcp://*:0", true),
            ("10", false),
            ("ipc:///a:0", false),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_any_port(), is_any, "{text}");
        }
    }
}
