//! Messages of several frames: each frame is a field, so a simple record needs no data format.
//!
//! ```text
//!              ┌───┬─────┬──────────────┐
//!   push ──▶   │ 1 │ tea │ without milk │   ──▶ pull
//!              └───┴─────┴──────────────┘
//! ```
//!
//! ```sh
//! cargo run --example multipart
//! ```

use zeroless::{Client, Message, Result, Server};

fn main() -> Result<()> {
    env_logger::init_from_env(env_logger::Env::new().default_filter_or("warn"));
    let orders = Server::new(0).pull()?;
    let order = Client::new().connect_local(orders.socket().port()?).push()?;

    // A call takes slices of bytes, of any length. A frame may be empty.
    order(&[b"1", b"tea", b"without milk"])?;
    order(&[b"2", b"coffee", b""])?;
    // `send` takes anything that is bytes: strings, vectors, arrays.
    order.send(&["3", "water", "with gas"])?;
    order.send(&[3u8.to_string().into_bytes(), b"bread".to_vec()])?;

    for message in orders.iter().take(4) {
        println!("{}", describe(&message));
    }
    Ok(())
}

/// A message always has all of its frames, so a slice pattern can take them apart.
fn describe(message: &Message) -> String {
    let frames: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    match frames.as_slice() {
        [number, what, how] if how.is_empty() => format!("order {number}: {what}"),
        [number, what, how] => format!("order {number}: {what}, {how}"),
        other => format!(
            "not an order, because it has {} frames: {}",
            other.len(),
            other.join(", ")
        ),
    }
}
