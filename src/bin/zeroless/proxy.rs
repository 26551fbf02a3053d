//! Passes messages on between two ports.

use zeroless::proxy as pass_on;

use crate::address::Address;
use crate::fault::{Fault, Result};
use crate::options::{ProxyOptions, ProxyPattern};
use crate::recipe::{Recipe, in_role};
use crate::session::announce;

pub fn proxy(options: &ProxyOptions) -> Result<()> {
    let front = Recipe::of_proxy(options, &options.frontend)?;
    let back = Recipe::of_proxy(options, &options.backend)?;
    match options.pattern {
        ProxyPattern::RouterDealer => {
            let front = in_role!(&front, front => front.router()).map_err(Fault::from_opening)?;
            let back = in_role!(&back, back => back.dealer()).map_err(Fault::from_opening)?;
            tell_ports(options, &front.1.socket(), &back.1.socket());
            pass_on(front, back)?;
        }
        ProxyPattern::Forwarder => {
            let front = in_role!(&front, front => front.xsubscribe()).map_err(Fault::from_opening)?;
            let back = in_role!(&back, back => back.xpublish()).map_err(Fault::from_opening)?;
            tell_ports(options, &front.1.socket(), &back.1.socket());
            pass_on(front, back)?;
        }
        ProxyPattern::Streamer => {
            let front = in_role!(&front, front => front.pull()).map_err(Fault::from_opening)?;
            let back = in_role!(&back, back => back.push()).map_err(Fault::from_opening)?;
            tell_ports(options, &front.socket(), &back.socket());
            pass_on(front, back)?;
        }
    }
    Ok(())
}

fn tell_ports(options: &ProxyOptions, front: &zeroless::Socket, back: &zeroless::Socket) {
    let tell = |address: &Address, socket, what| {
        if address.is_any_port() {
            announce(socket, what);
        }
    };
    tell(&options.frontend, front, "the frontend is ");
    tell(&options.backend, back, "the backend is ");
}
