//! Turns what stopped an operation into an error for the user.

use std::fmt::Display;

use super::denial::DENIED;
use super::gate::GateError;
use super::wait::Wait;
use super::wire::{LARGEST_DATAGRAM, TOO_LONG, UNCONNECTED};
use crate::error::{Error, ErrorKind};

impl GateError {
    /// The error of an operation that does not wait. `what_failed` is a clause, such as "cannot bind tcp://…".
    pub(super) fn into_error(self, what_failed: &dyn Display) -> Error {
        match self {
            GateError::NotReady => Error::from_zmq(what_failed, zmq::Error::EAGAIN),
            GateError::Closed => Error::new(ErrorKind::Closed, format!("{what_failed}: the socket is closed")),
            GateError::Libzmq(error) => Error::from_zmq(what_failed, error),
            GateError::NoNotifier(error) => {
                let message = format!(
                    "{what_failed}: no file descriptor is left to wait with; close some, or raise the limit (ulimit -n)"
                );
                Error::with_source(ErrorKind::Exhausted, message, error)
            }
        }
    }
}

/// The error of an operation that may wait. `label` names the socket, and `action` is what it could not do, such as
/// "send".
pub(super) fn of_waiting(
    error: GateError,
    label: &str,
    action: &dyn Display,
    wait: Wait<'_>,
    has_credentials: bool,
    advice_on_turns: &str,
) -> Error {
    let what_failed = format_args!("{label}: could not {action}");
    match error {
        GateError::NotReady => match wait {
            Wait::For(time) | Wait::Until(_, Some(time)) => {
                Error::new(ErrorKind::TimedOut, format!("{what_failed} within {time:?}"))
            }
            _ => Error::new(ErrorKind::WouldBlock, format!("{what_failed} without waiting")),
        },
        GateError::Libzmq(zmq::Error::EFSM) => Error::new(
            ErrorKind::OutOfTurn,
            format!("{label}: requests and replies take turns: {advice_on_turns}"),
        ),
        GateError::Libzmq(DENIED) => Error::new(
            ErrorKind::Denied,
            format!(
                "{what_failed}: the server has refused this client: {}; correct that, then open a new client",
                reasons_for_denial(has_credentials)
            ),
        ),
        GateError::Libzmq(UNCONNECTED) => Error::new(
            ErrorKind::NotConnected,
            format!(
                "{what_failed}: it has no address; call connect on the recipe first, or \
                 socket().connect_local(port) on the handle"
            ),
        ),
        GateError::Libzmq(TOO_LONG) => Error::invalid(format!(
            "{what_failed}: the message does not fit into a datagram of {LARGEST_DATAGRAM} bytes, the most that libzmq \
             sends over udp; send less at a time, or use tcp"
        )),
        other => other.into_error(&what_failed),
    }
}

/// Why a server may have refused a client, the likely reasons first. libzmq does not report which one it was.
pub(super) fn reasons_for_denial(has_credentials: bool) -> &'static str {
    match has_credentials {
        true => {
            "its password, key or address is not let in, or the server uses another mechanism or pattern, or has sent a \
             malformed message"
        }
        false => {
            "the server speaks another pattern, or has sent a malformed message, or does not let this client in, as it \
             does not allow the address or asks for a key or a password"
        }
    }
}

/// The error of sending to a routing id that no peer has.
pub(super) fn of_unknown_peer(label: &str, routing_id: &[u8]) -> Error {
    let message = format!(
        "{label}: no peer has the routing id \"{}\"; that peer has left, or has not connected yet",
        routing_id.escape_ascii()
    );
    Error::with_source(ErrorKind::NotConnected, message, zmq::Error::EHOSTUNREACH)
}
