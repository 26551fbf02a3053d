//! The client, which writes the chunks to a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use zeroless::{Client, ErrorKind, Receiver, Sender, text};

use crate::{CHUNK, CREDIT, Result, hash};

/// After this time without an answer, a client asks again.
const PATIENCE: Duration = Duration::from_secs(3);

pub fn run(endpoint: &str, target: &Path) -> Result<()> {
    let (send, answers) = Client::new()
        .connect_to(endpoint)
        .timeout(PATIENCE)
        .linger(Duration::ZERO)
        .dealer()?;
    let (size, checksum) = ask_for_info(endpoint, &send, &answers)?;
    let partial = PathBuf::from(format!("{}.{:.8}.part", target.display(), checksum));
    let in_file = |error: io::Error| format!("{}: {error}", partial.display());
    let file = File::options()
        .create(true)
        .append(true)
        .open(&partial)
        .map_err(in_file)?;
    receive(&file, size, &checksum, &send, &answers)?;
    if hash(&partial).map_err(in_file)?.to_string() != checksum {
        fs::remove_file(&partial)?;
        return Err("the checksum is wrong, because the file has changed at the server; download it again".into());
    }
    fs::rename(&partial, target).map_err(|error| format!("{}: {error}", target.display()))?;
    println!("{}: {size} bytes, with the right checksum", target.display());
    Ok(())
}

/// Returns the size and the checksum of the server's file.
fn ask_for_info(endpoint: &str, send: &Sender, answers: &Receiver) -> Result<(u64, String)> {
    loop {
        send(&[b"info"])?;
        match answers.recv() {
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                println!("no answer from {endpoint} yet; is the server running?");
            }
            answer => match answer?.as_slice() {
                [_, size, checksum] => return Ok((text(&[size]).parse()?, text(&[checksum]))),
                other => return Err(format!("this is no file server; it answers {}", text(other)).into()),
            },
        }
    }
}

/// Appends to the file until it has this size. Fails if the server comes back with another file.
fn receive(mut file: &File, size: u64, checksum: &str, send: &Sender, answers: &Receiver) -> Result<()> {
    let mut written = file.metadata()?.len();
    if written > 0 {
        println!("continuing at {written} of {size} bytes");
    }
    let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let progress = ProgressBar::new(size)
        .with_style(ProgressStyle::with_template(style)?)
        .with_position(written);
    progress.reset_eta();
    let mut asked = written;
    while written < size {
        while asked < size.min(written + (CREDIT * CHUNK) as u64) {
            send.send(&asked.to_string())?;
            asked += CHUNK as u64;
        }
        match answers.recv_frames() {
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                progress.suspend(|| println!("no answer; asking again from {written} of {size} bytes"));
                asked = written;
                send(&[b"info"])?;
            }
            answer => match answer?.as_slice() {
                [offset, chunk] if *offset == written.to_string() => {
                    file.write_all(chunk)?;
                    written += chunk.len() as u64;
                    progress.set_position(written);
                }
                [_, _, other] if *other != checksum.as_bytes() => {
                    return Err("the server has another file now; download it again".into());
                }
                // A chunk that was asked for twice, or one after a chunk that was lost, which will be asked for again.
                _ => {}
            },
        }
    }
    progress.finish_and_clear();
    Ok(())
}
