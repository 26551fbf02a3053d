//! Sets the options of a new socket, before it binds or connects.

use std::time::Duration;

use super::draft;
use super::options::{Options, SocketSpec};
use super::pattern::{Linger, Properties};
use super::wait::milliseconds;
use crate::error::{Error, Result};
use crate::security::ZapDomain;

/// The longest time, in milliseconds, within which libzmq can make a peer expect a heartbeat.
const MAX_HEARTBEAT_TTL: i32 = 6_553_599;

/// How long one attempt to connect may take. The system would wait twice as long after each of its own attempts, and
/// notice only then that a network or a host is back.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// How many probes without an answer the system sends before it gives up a connection.
const KEEPALIVE_PROBES: i32 = 3;

/// How many intervals between probes fit into the idle time before the first one.
const KEEPALIVE_INTERVALS: i32 = 6;

/// How long to deliver what a peer can do without.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long a client may take to ask a server that does not let everyone in. libzmq's default, 30 seconds, would let
/// strangers that say nothing hold a descriptor each for that long.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// Sets all options. What the user configures comes last, and takes precedence.
pub(super) fn set_up(socket: &mut zmq::Socket, spec: &SocketSpec<'_>, domain: Option<&ZapDomain>) -> Result<()> {
    let properties = spec.pattern.properties();
    let mut set_all = || {
        set_link_options(socket, spec.options.keepalive())?;
        set_general_options(socket, spec.options, properties)?;
        socket.set_ipv6(needs_ipv6(spec))?;
        (properties.set_options)(socket)?;
        set_security(socket, spec.options, domain)?;
        spec.topics.iter().try_for_each(|topic| match properties.joins_groups {
            true => draft::join(socket, topic),
            false => socket.set_subscribe(topic),
        })?;
        spec.options
            .configure
            .iter()
            .try_for_each(|configure| configure(socket))?;
        note_handshake_time(socket, domain)?;
        is_security_as_set(socket, domain)
    };
    let what_failed = || format!("cannot configure a {} socket", properties.name);
    match set_all() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::invalid(format!(
            "{}: configure must not change which clients are let in; use Server::allow, plain or curve",
            what_failed()
        ))),
        Err(error) => Err(Error::from_zmq(what_failed(), error)),
    }
}

/// Lets links heal by themselves. Without keepalive, a client that only receives would never notice that its server's
/// host has lost its power. zmq-sys's libzmq accepts keepalive and ignores it.
fn set_link_options(socket: &zmq::Socket, keepalive: i32) -> zmq::Result<()> {
    socket.set_connect_timeout(milliseconds(CONNECT_LIMIT))?;
    if keepalive == 0 {
        return socket.set_tcp_keepalive(0);
    }
    socket.set_tcp_keepalive(1)?;
    socket.set_tcp_keepalive_idle(keepalive)?;
    socket.set_tcp_keepalive_intvl((keepalive / KEEPALIVE_INTERVALS).max(1))?;
    socket.set_tcp_keepalive_cnt(KEEPALIVE_PROBES)
}

fn set_general_options(socket: &zmq::Socket, options: &Options, properties: &Properties) -> zmq::Result<()> {
    match properties.linger {
        Linger::AsOptionsSay => {
            let linger = options.linger.or(options.timeout);
            socket.set_linger(linger.map_or(-1, milliseconds))?;
        }
        Linger::AMoment => socket.set_linger(milliseconds(options.linger.unwrap_or(A_MOMENT)))?,
        Linger::Never => socket.set_linger(0)?,
        Linger::AsLibzmqChooses => {}
    }
    if let Some(messages) = options.high_water_mark {
        socket.set_sndhwm(messages)?;
        socket.set_rcvhwm(messages)?;
    }
    if let Some(identity) = &options.identity {
        socket.set_identity(identity)?;
    }
    if let Some(interval) = options.heartbeat {
        // The peer has one interval to answer. It is also told to expect heartbeats, so that it notices a lost
        // connection, too.
        let interval = milliseconds(interval);
        socket.set_heartbeat_ivl(interval)?;
        socket.set_heartbeat_timeout(interval)?;
        socket.set_heartbeat_ttl(interval.saturating_mul(2).min(MAX_HEARTBEAT_TTL))?;
    }
    if let Some(bytes) = options.max_message_size {
        socket.set_maxmsgsize(bytes)?;
    }
    Ok(())
}

fn needs_ipv6(spec: &SocketSpec<'_>) -> bool {
    let mut endpoints = spec.binds.iter().chain(spec.connects);
    endpoints.any(|endpoint| endpoint.contains('['))
}

fn set_security(socket: &zmq::Socket, options: &Options, domain: Option<&ZapDomain>) -> zmq::Result<()> {
    if let Some(credentials) = &options.credentials {
        credentials.set_on(socket)?;
    }
    if let Some(domain) = domain {
        socket.set_handshake_ivl(milliseconds(HANDSHAKE_LIMIT))?;
        socket.set_zap_domain(domain.name())?;
        domain.policy().set_on(socket)?;
    }
    Ok(())
}

/// Tells the ZAP handler how long libzmq waits for its answers, which `configure` may have changed.
fn note_handshake_time(socket: &zmq::Socket, domain: Option<&ZapDomain>) -> zmq::Result<()> {
    if let Some(domain) = domain {
        let time = match socket.get_handshake_ivl()? {
            // libzmq waits forever.
            0 => Duration::MAX,
            milliseconds => Duration::from_millis(milliseconds.unsigned_abs().into()),
        };
        domain.set_handshake_time(time);
    }
    Ok(())
}

/// Whether the security of a socket is still as it was set, after the user's functions have configured the socket.
///
/// If they have made the socket a server of a mechanism, but it has no policy, then other sockets decide which clients
/// are let in: if no ZAP handler runs, libzmq lets everyone in; if one runs, for other sockets, libzmq asks it, and it
/// does not know this socket.
fn is_security_as_set(socket: &zmq::Socket, domain: Option<&ZapDomain>) -> zmq::Result<bool> {
    let mechanism = socket.get_mechanism()?;
    let is_server = match mechanism {
        zmq::Mechanism::ZMQ_NULL => true,
        zmq::Mechanism::ZMQ_PLAIN => socket.is_plain_server()?,
        zmq::Mechanism::ZMQ_CURVE => socket.is_curve_server()?,
        _ => false,
    };
    let domain_name = socket.get_zap_domain()?;
    Ok(match domain {
        Some(domain) => {
            domain_name.as_deref() == Ok(domain.name()) && mechanism == domain.policy().mechanism() && is_server
        }
        None => domain_name.as_deref() == Ok("") && (mechanism == zmq::Mechanism::ZMQ_NULL || !is_server),
    })
}
