//! The recipe of a socket, as the command line describes it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

use zeroless::{Client, Keypair, PublicKey, Server};

use crate::address::Address;
use crate::fault::{Fault, Result, USAGE};
use crate::options::{Access, ClientOptions, Connection, Credentials, Ends, ProxyOptions, ServerOptions};

/// The recipe of a server or of a client, which have the same methods.
pub enum Recipe {
    Server(Server),
    Client(Client),
}

/// Does the same with a recipe in either role.
macro_rules! in_role {
    ($recipe:expr, $name:ident => $action:expr) => {
        match $recipe {
            $crate::recipe::Recipe::Server($name) => $action,
            $crate::recipe::Recipe::Client($name) => $action,
        }
    };
}
pub(crate) use in_role;

impl Recipe {
    pub fn of_server(options: &ServerOptions) -> Result<Recipe> {
        let mut recipe = Recipe::Server(server(&options.addresses, &options.access)?);
        recipe.set_ends(&options.common.ends);
        recipe.set_connection(&options.common.connection);
        Ok(recipe)
    }

    pub fn of_client(options: &ClientOptions) -> Result<Recipe> {
        let mut client = Client::new();
        for address in &options.addresses {
            match address {
                Address::Port(port) => client.connect_local(*port),
                Address::Host { host, port } => client.connect(host, *port),
                Address::Endpoint(endpoint) => client.connect_to(endpoint),
            };
        }
        prove(&mut client, &options.credentials)?;
        let mut recipe = Recipe::Client(client);
        recipe.set_ends(&options.common.ends);
        recipe.set_connection(&options.common.connection);
        Ok(recipe)
    }

    /// One side of a proxy.
    pub fn of_proxy(options: &ProxyOptions, address: &Address) -> Result<Recipe> {
        let mut recipe = Recipe::Server(server(slice::from_ref(address), &options.access)?);
        recipe.set_connection(&options.connection);
        if let Some(timeout) = options.timeout {
            in_role!(&mut recipe, recipe => _ = recipe.timeout(timeout));
        }
        Ok(recipe)
    }

    fn set_ends(&mut self, options: &Ends) {
        in_role!(self, recipe => {
            if let Some(timeout) = options.timeout {
                recipe.timeout(timeout);
            }
            if let Some(linger) = options.linger {
                recipe.linger(linger);
            }
        });
    }

    fn set_connection(&mut self, options: &Connection) {
        in_role!(self, recipe => {
            if let Some(messages) = options.high_water_mark {
                recipe.high_water_mark(messages);
            }
            if let Some(interval) = options.heartbeat {
                recipe.heartbeat(interval);
            }
            if let Some(idle) = options.keepalive {
                recipe.keepalive(idle);
            }
            if let Some(identity) = &options.identity {
                recipe.identity(identity.as_bytes());
            }
            if let Some(bytes) = options.max_message_size {
                recipe.max_message_size(bytes);
            }
        });
    }
}

fn server(addresses: &[Address], access: &Access) -> Result<Server> {
    let mut endpoints = addresses.iter().map(|address| address.to_bind(access.public));
    let first = endpoints.next().unwrap_or_default();
    let mut server = Server::at(first);
    endpoints.for_each(|endpoint| _ = server.also_at(endpoint));
    let_in(&mut server, access)?;
    Ok(server)
}

fn let_in(server: &mut Server, access: &Access) -> Result<()> {
    if let Some(file) = &access.curve {
        server.curve(&Keypair::load(file).map_err(Fault::from_opening)?);
    }
    for path in &access.allow_keys {
        server.allow_keys_in(path);
    }
    if access.allow_any_key {
        server.allow_any_key();
    }
    if let Some(file) = &access.plain {
        server.plain_users(passwords(file)?);
    }
    if !access.allow.is_empty() {
        server.allow(&access.allow);
    }
    if !access.deny.is_empty() {
        server.deny(&access.deny);
    }
    Ok(())
}

fn prove(client: &mut Client, credentials: &Credentials) -> Result<()> {
    match (&credentials.curve, &credentials.server_key) {
        (None, None) => {}
        (Some(file), Some(server)) => {
            let keypair = Keypair::load(file).map_err(Fault::from_opening)?;
            client.curve(public_key(server)?, &keypair);
        }
        _ => {
            let message = "--curve and --server-key belong together: give the client's own key and the server's key";
            return Err(Fault::new(USAGE, message));
        }
    }
    if let Some(file) = &credentials.plain {
        match passwords(file)?.as_slice() {
            [(user, password)] => _ = client.plain(user, password),
            _ => {
                let message = format!("--plain {}: a client has one line, NAME:PASSWORD", file.display());
                return Err(Fault::new(USAGE, message));
            }
        }
    }
    Ok(())
}

/// The key in this text, or in the file that it names.
fn public_key(text: &str) -> Result<PublicKey> {
    text.parse()
        .or_else(|_| PublicKey::load(text))
        .map_err(Fault::from_opening)
}

/// The names and passwords in a file.
fn passwords(file: &Path) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(file)
        .map_err(|error| Fault::new(USAGE, format!("cannot read {}: {error}", file.display())))?;
    (1..)
        .zip(text.lines())
        .map(|(number, line)| match line.split_once(':') {
            Some((name, password)) => Ok((name.to_owned(), password.to_owned())),
            None => {
                let message = format!("{}, line {number}: write NAME:PASSWORD", file.display());
                Err(Fault::new(USAGE, message))
            }
        })
        .collect()
}
