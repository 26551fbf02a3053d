//! What an eavesdropper on the network learns.

use zeroless::{Client, Server};

use crate::support::relay::Relay;
use crate::support::watchdog;

/// All bytes that are exchanged while a client sends a request and gets a reply.
pub fn overheard(server: &Server, client: &Client) -> Vec<u8> {
    let (reply, requests) = server.reply().unwrap();
    let relay = Relay::to(requests.socket().port().unwrap());
    relay.record();
    let mut client = client.clone();
    let (request, replies) = client.connect_local(relay.port()).request().unwrap();
    request.send(&["what is the plan?"]).unwrap();
    assert_eq!(requests.recv().unwrap(), [b"what is the plan?"]);
    reply.send(&["attack at dawn"]).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"attack at dawn"]);
    relay.recording().concat()
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn learns_everything_without_encryption() {
    let _watchdog = watchdog();
    // So `curve::eavesdropper_learns_neither_messages_nor_keys` would fail without encryption.
    let overheard = overheard(
        Server::new(0).plain_users([("ada", "enchantress")]),
        Client::new().plain("ada", "enchantress"),
    );
    for secret in ["what is the plan?", "attack at dawn", "enchantress", "Socket-Type"] {
        assert!(contains(&overheard, secret.as_bytes()), "{secret}");
    }
}
