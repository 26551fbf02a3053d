//! Encryption: a server lets in only clients whose keys it knows. It needs a libzmq with CURVE, here from the feature.
//!
//! ```text
//!   request (client) ◀── PORT, encrypted ──▶ reply (server) ◀── keys of the clients to let in
//! ```
//!
//! ```sh
//! cargo run --features curve --example secure -- keygen
//! cargo run --features curve --example secure -- server
//! cargo run --features curve --example secure -- client
//! ```
//!
//! `keygen` makes the keys of both sides, which is enough on one machine. On two machines, each side makes its own keys,
//! and they exchange only the public keys:
//!
//! ```text
//! secure-keys/server.key_secret     stays with the server
//! secure-keys/server.key            goes to the clients
//! secure-keys/client.key_secret     stays with the client
//! secure-keys/clients/client.key    goes to the server, which lets in the clients that have a key in this folder
//! ```
//!
//! If you remove `clients/client.key` while the server runs, it refuses the next client.

mod cli;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use zeroless::{Client, Keypair, PublicKey, Server, text};

const FOLDER: &str = "secure-keys";

fn main() -> ExitCode {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    cli::run_role(&[("keygen", keygen), ("server", server), ("client", client)])
}

fn keygen(_port: u16) -> Result<(), Box<dyn Error>> {
    let (server, client) = (Keypair::generate()?, Keypair::generate()?);
    let folder = Path::new(FOLDER);
    fs::create_dir_all(folder.join("clients"))?;
    server.save(folder.join("server.key_secret"))?;
    server.public().save(folder.join("server.key"))?;
    client.save(folder.join("client.key_secret"))?;
    client.public().save(folder.join("clients/client.key"))?;
    println!("the public key of the server is {}", server.public());
    println!("the public key of the client is {}", client.public());
    println!("the keys are saved in {FOLDER}");
    Ok(())
}

/// Fails with the remedy if this build cannot encrypt. Otherwise a missing key file would be reported first.
fn check_curve() -> Result<(), Box<dyn Error>> {
    match zeroless::libzmq().curve() {
        true => Ok(()),
        false => Err("this example needs CURVE: run it with --features curve".into()),
    }
}

fn server(port: u16) -> Result<(), Box<dyn Error>> {
    check_curve()?;
    let folder = Path::new(FOLDER);
    let keypair = Keypair::load(folder.join("server.key_secret"))?;
    let (reply, requests) = Server::public(port)
        .curve(&keypair)
        .allow_keys_in(folder.join("clients"))
        .reply()?;
    println!("replying at port {}; Ctrl-C to stop", requests.socket().port()?);
    for request in requests {
        println!("asked for {}", text(&request));
        reply(&[b"the treasure is under the oak"])?;
    }
    Ok(())
}

fn client(port: u16) -> Result<(), Box<dyn Error>> {
    check_curve()?;
    let folder = Path::new(FOLDER);
    let server = PublicKey::load(folder.join("server.key"))?;
    let keypair = Keypair::load(folder.join("client.key_secret"))?;
    let (request, replies) = Client::new().connect_local(port).curve(server, &keypair).request()?;
    request(&[b"where is it?"])?;
    println!("{}", text(&replies.recv()?));
    Ok(())
}
