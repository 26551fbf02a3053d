//! The handles that the patterns return.

mod channel;
mod open_socket;
mod publish;
mod radio;
mod receiver;
mod sender;
mod socket;
pub(crate) mod workers;

pub use channel::Channel;
pub(crate) use open_socket::OpenSocket;
pub use publish::{Publisher, Subscriber};
pub use radio::{Dish, Radio};
pub(crate) use receiver::step;
pub use receiver::{Frames, Incoming, Iter, Receiver, TryIter};
pub use sender::Sender;
pub use socket::Socket;

/// The handles of a pattern that both sends and receives.
pub(crate) fn sender_and_receiver(socket: OpenSocket) -> (Sender, Receiver) {
    (Sender::new(socket.clone()), Receiver::new(socket))
}
