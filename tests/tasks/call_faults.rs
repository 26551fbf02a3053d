//! Remote calls when something goes wrong. The servers count what they run.

use std::thread;

use zeroless::Server;

use crate::support::{client_of_port, watchdog};

#[test]
fn answer_arrives_although_server_closes_at_once() {
    let _watchdog = watchdog();
    for round in 0..200 {
        let calls = Server::new(0).serve().unwrap();
        let caller = client_of_port(calls.socket().port().unwrap()).call().unwrap();
        let server = thread::spawn(move || calls.recv().unwrap().reply("last words").unwrap());
        assert_eq!(caller.call("anything").unwrap(), [b"last words"], "in round {round}");
        server.join().unwrap();
    }
}
