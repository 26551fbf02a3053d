//! Request/reply: clients ask, the server answers. Stop the server while a client asks, and start it again.
//!
//! ```sh
//! cargo run --example request_reply -- server
//! cargo run --example request_reply -- client
//! ```

mod cli;

use std::process::ExitCode;
use std::time::Duration;

use zeroless::{Client, Result, Server};

fn main() -> ExitCode {
    env_logger::init();
    cli::play(&[("server", server), ("client", client)])
}

fn server(port: u16) -> Result<()> {
    let (reply, requests) = Server::new(port).reply()?;
    println!("replying at port {}; Ctrl-C ends it", requests.socket().port()?);
    for request in requests {
        println!("asked for {}", cli::text(&request));
        let loud: Vec<Vec<u8>> = request.iter().map(|frame| frame.to_ascii_uppercase()).collect();
        reply.send(&loud)?;
    }
    Ok(())
}

fn client(port: u16) -> Result<()> {
    let (request, mut replies) = Client::new()
        .connect_local(port)
        .timeout(Duration::from_secs(2))
        .request()?;
    for question in ["one", "two", "three"] {
        loop {
            request(&[question.as_bytes()])?;
            // After a timeout the request may be asked again, and a late reply to the first is not mistaken for it.
            match replies.next() {
                Some(reply) => break println!("{question} is {}", cli::text(&reply)),
                None => println!("no reply to {question} yet; is the server there?"),
            }
        }
    }
    Ok(())
}
