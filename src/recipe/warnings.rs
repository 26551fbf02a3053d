//! Warnings about what a newcomer may not expect of a socket that has just opened.

use crate::engine::{Options, Pattern};
use crate::handle::OpenSocket;
use crate::{endpoint, report};

pub(super) fn about_server(pattern: Pattern, socket: &OpenSocket) {
    let is_public = || socket.bound().iter().any(|endpoint| endpoint::is_everywhere(endpoint));
    match socket.policy() {
        None if is_public() => report::warn(format_args!(
            "{} lets anyone in from other machines, without a password or encryption; \
             the page guide::networks of the documentation shows how to let in only known clients, \
             and Server::new listens only on this machine",
            socket.label()
        )),
        Some(policy) if policy.lets_in_no_key() => report::warn(format_args!(
            "{} lets no client in yet; call allow_keys with the public keys of its clients",
            socket.label()
        )),
        _ => {}
    }
    if socket
        .bound()
        .iter()
        .any(|endpoint| endpoint::takes_datagrams_of_others(endpoint))
    {
        report::warn(format_args!(
            "{} takes datagrams of anyone from other machines, and udp has no rules, passwords or encryption; \
             udp://127.0.0.1:port takes only those of this machine",
            socket.label()
        ));
    }
    if pattern == Pattern::Subscribe {
        report::warn(format_args!(
            "{} is a subscriber that binds, so it misses what is published before it first receives; \
             to avoid that, make the publisher the server and the subscriber the client",
            socket.label()
        ));
    }
    if pattern == Pattern::Dish && socket.bound().iter().any(|endpoint| !endpoint::is_udp(endpoint)) {
        report::warn(format_args!(
            "{} is a dish that binds, so it misses what is sent before it first receives; \
             to avoid that, make the radio the server and the dish the client",
            socket.label()
        ));
    }
}

pub(super) fn about_heartbeat(pattern: Pattern, options: &Options, socket: &OpenSocket) {
    match pattern {
        Pattern::Push | Pattern::Pull if options.has_heartbeat() => report::warn(format_args!(
            "{} has a heartbeat: if a transfer or a full queue takes longer than its interval, the connection breaks and \
             messages are lost; set a longer interval than that, or none",
            socket.label()
        )),
        Pattern::Request if options.has_heartbeat() && options.timeout.is_none() => report::warn(format_args!(
            "{} has a heartbeat but no timeout: after a connection was lost, the reply never comes; set a timeout",
            socket.label()
        )),
        _ => {}
    }
}
