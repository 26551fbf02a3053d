//! The endpoints and topics of a socket.

use super::gate::Gate;
use super::pattern::Properties;
use super::wire::Wire;
use super::{inproc, reaper};
use crate::error::{Error, ErrorKind, Result};
use crate::{endpoint, group, libzmq, topic};

/// The endpoints and topics of a socket. It keeps them after it is closed.
///
/// Its methods write nothing to the log: they run under a lock, and a logger may use the same socket.
#[derive(Default)]
pub(super) struct SocketState {
    pub(super) bound: Vec<String>,
    pub(super) connected: Vec<String>,
    /// The first endpoint that the socket was bound or connected to.
    first_endpoint: Option<String>,
    /// The topics that it is subscribed to, or the groups that it has joined.
    topics: Vec<Vec<u8>>,
}

impl SocketState {
    pub(super) fn new(topics: Vec<Vec<u8>>) -> SocketState {
        SocketState {
            topics,
            ..SocketState::default()
        }
    }

    pub(super) fn note_bound(&mut self, endpoint: String) {
        self.first_endpoint.get_or_insert_with(|| endpoint.clone());
        self.bound.push(endpoint);
    }

    pub(super) fn connect(&mut self, gate: &Gate<Wire>, properties: &Properties, endpoint: &str) -> Result<()> {
        if self.connected.iter().any(|other| other == endpoint) {
            return Err(endpoint::connected_twice(endpoint));
        }
        // Even if it has disconnected since: libzmq releases a pair's peer in the background, at an unknown time, and
        // until then it silently refuses another peer.
        if let (true, Some(peer)) = (properties.has_one_peer, &self.first_endpoint) {
            return Err(Error::new(
                ErrorKind::AlreadyConnected,
                format!(
                    "cannot connect to {endpoint}: a {name} has one peer in its lifetime, and this one has {peer}; \
                     open a new {name}",
                    name = properties.name
                ),
            ));
        }
        gate.run(|wire| wire.connect(endpoint))
            .map_err(|error| error.into_error(&format_args!("cannot connect to {endpoint}")))?;
        self.first_endpoint.get_or_insert_with(|| endpoint.to_owned());
        self.connected.push(endpoint.to_owned());
        Ok(())
    }

    pub(super) fn disconnect(&mut self, gate: &Gate<Wire>, endpoint: &str) -> Result<()> {
        let position = self.connected.iter().position(|other| other == endpoint);
        let position = position.ok_or_else(|| endpoint::not_connected(endpoint, &self.connected))?;
        gate.run(|wire| wire.disconnect(endpoint))
            .map_err(|error| error.into_error(&format_args!("cannot disconnect from {endpoint}")))?;
        self.connected.remove(position);
        Ok(())
    }

    pub(super) fn unbind(&mut self, gate: &Gate<Wire>, endpoint: &str) -> Result<()> {
        let position = self.bound.iter().position(|other| other == endpoint);
        let position = position.ok_or_else(|| endpoint::not_bound(endpoint, &self.bound))?;
        // Another libzmq closes the connections over tcp and ipc, and what is on its way is lost.
        if !endpoint::is_inproc(endpoint) {
            libzmq::require_own(&cannot_unbind(endpoint))?;
        }
        // A client may connect to the name, and another socket may bind the endpoint, as soon as libzmq has freed it.
        inproc::note_released(endpoint);
        reaper::note_released(endpoint.to_owned());
        gate.run(|wire| wire.socket.unbind(endpoint))
            .map_err(|error| error.into_error(&cannot_unbind(endpoint)))?;
        self.bound.remove(position);
        Ok(())
    }

    /// Subscribes to a topic, or joins a group.
    pub(super) fn subscribe(&mut self, gate: &Gate<Wire>, properties: &Properties, topic: &[u8]) -> Result<()> {
        if !self.topics.iter().any(|other| other == topic) {
            gate.run(|wire| wire.subscribe(topic))
                .map_err(|error| error.into_error(&cannot_subscribe(properties, topic)))?;
            self.topics.push(topic.to_owned());
        }
        Ok(())
    }

    pub(super) fn unsubscribe(&mut self, gate: &Gate<Wire>, properties: &Properties, topic: &[u8]) -> Result<()> {
        let position = self.topics.iter().position(|other| other == topic);
        let position = position.ok_or_else(|| match properties.joins_groups {
            true => group::not_joined(topic, &self.topics),
            false => topic::not_subscribed(topic, &self.topics),
        })?;
        gate.run(|wire| wire.unsubscribe(topic))
            .map_err(|error| error.into_error(&cannot_unsubscribe(properties, topic)))?;
        self.topics.remove(position);
        Ok(())
    }
}

pub(super) fn cannot_unbind(endpoint: &str) -> String {
    format!("cannot unbind {}", endpoint.escape_debug())
}

/// `topic` is a topic to subscribe to, or a group to join.
pub(super) fn cannot_subscribe(properties: &Properties, topic: &[u8]) -> String {
    let action = if properties.joins_groups {
        "join the group"
    } else {
        "subscribe to"
    };
    format!("cannot {action} {}", topic::quote(topic))
}

pub(super) fn cannot_unsubscribe(properties: &Properties, topic: &[u8]) -> String {
    let action = if properties.joins_groups {
        "leave the group"
    } else {
        "unsubscribe from"
    };
    format!("cannot {action} {}", topic::quote(topic))
}
