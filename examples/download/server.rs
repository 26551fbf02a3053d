//! The server, which sends chunks of one file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use zeroless::{ErrorKind, Receiver, Sender, Server, frames, text};

use crate::{CHUNK, Result, hash};

pub struct FileServer {
    file: File,
    size: String,
    checksum: String,
    send: Sender,
    requests: Receiver,
}

impl FileServer {
    pub fn open(endpoint: &str, path: &Path) -> Result<FileServer> {
        let in_path = |error: io::Error| format!("{}: {error}", path.display());
        let file = File::open(path).map_err(in_path)?;
        let checksum = hash(path).map_err(in_path)?.to_string();
        let size = file.metadata()?.len().to_string();
        let (send, requests) = Server::at(endpoint).router()?;
        Ok(FileServer {
            file,
            size,
            checksum,
            send,
            requests,
        })
    }

    pub fn endpoint(&self) -> String {
        self.requests.socket().endpoints().concat()
    }

    /// A request asks for the chunk at an offset, or for `info`.
    pub fn run(self) -> Result<()> {
        let mut chunk = vec![0; CHUNK];
        for request in &self.requests {
            let [client, wanted] = request.as_slice() else { continue };
            let sent = match text(&[wanted]).parse() {
                Ok(offset) => {
                    let length = self.file.read_at(&mut chunk, offset)?;
                    self.send.try_send(frames![client, wanted, chunk[..length]])
                }
                Err(_) => self.send.try_send(frames![client, "info", self.size, self.checksum]),
            };
            match sent {
                // The client has gone, or has asked for more than it takes. If it still needs this, it asks again.
                Err(error) if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::WouldBlock) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }
}
