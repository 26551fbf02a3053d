use super::*;

/// As in the example.
const CHUNK: usize = 64 * 1024;

/// A file with 20 chunks and a bit, in a folder of its own, and where its copy goes.
fn file(name: &str) -> (Folder, Vec<u8>, String, String) {
    let content: Vec<u8> = (0..CHUNK * 20 + 7)
        .map(|number| (number * number % 251) as u8)
        .collect();
    let folder = Folder::new(name, &[]);
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let (original, copy) = (path("original"), path("copy"));
    fs::write(&original, &content).unwrap();
    (folder, content, original, copy)
}

/// Serves a file until two chunks are sent, and then no more. Returns the socket, which is still open.
fn serve_two_chunks(port: u16, content: &[u8]) -> (Sender, Receiver) {
    let (send, requests) = Server::new(port).router().unwrap();
    let mut sent = 0;
    for request in &requests {
        let [client, wanted] = request.as_slice() else {
            panic!("{request:?}")
        };
        match zeroless::text(&[wanted]).parse::<usize>() {
            Ok(offset) => {
                send.send(&[client, wanted, &content[offset..offset + CHUNK]]).unwrap();
                sent += 1;
            }
            Err(_) => {
                let (size, checksum) = (content.len().to_string(), blake3::hash(content).to_string());
                send.send(&[client, &b"info"[..], size.as_bytes(), checksum.as_bytes()])
                    .unwrap();
            }
        }
        if sent == 2 {
            break;
        }
    }
    (send, requests)
}

#[test]
fn alone_checks_what_it_downloads() {
    let _watchdog = watchdog();
    let (printed, complaint, code) = text_of(&run("download", &[]));
    assert!(
        printed.ends_with("copy: 100000000 bytes, with the right checksum\n"),
        "{printed}"
    );
    assert_eq!((complaint.as_str(), code), ("", Some(0)));
}

#[test]
fn many_clients_download_at_once() {
    let _watchdog = watchdog();
    let (_folder, content, original, copy) = file("many");
    let port = unused_port().to_string();
    let _server = launch("download", &["server", &port, &original]);
    let copies = [1, 2, 3, 4].map(|number| format!("{copy}{number}"));
    let clients = copies
        .each_ref()
        .map(|copy| launch("download", &["client", &port, copy]));
    for (mut client, copy) in clients.into_iter().zip(&copies) {
        client.succeeds();
        assert!(fs::read(copy).unwrap() == content);
    }
}

#[test]
fn client_continues_after_it_was_killed() {
    let _watchdog = watchdog();
    let (folder, content, original, copy) = file("client");
    let port = unused_port();
    let mut client = launch("download", &["client", &port.to_string(), &copy]);
    let server = serve_two_chunks(port, &content);
    let partial = || {
        fs::read_dir(&folder.0)
            .unwrap()
            .map(|file| file.unwrap())
            .find(|file| file.path() != Path::new(&original))
    };
    wait_until(|| partial().is_some_and(|file| file.metadata().unwrap().len() == 2 * CHUNK as u64));
    client.kill();
    drop(server);

    let _server = launch("download", &["server", &port.to_string(), &original]);
    let mut client = launch("download", &["client", &port.to_string(), &copy]);
    let continued = format!("continuing at {} of {} bytes", 2 * CHUNK, content.len());
    let mut printed = client.prints();
    assert!(printed.any(|line| line == continued));
    client.succeeds();
    assert!(fs::read(&copy).unwrap() == content);
    assert!(partial().is_some_and(|file| file.path() == Path::new(&copy)));
}

#[test]
fn client_continues_when_server_is_back() {
    let _watchdog = watchdog();
    let (_folder, content, original, copy) = file("server");
    let port = unused_port();
    let mut client = launch("download", &["client", &port.to_string(), &copy]);
    drop(serve_two_chunks(port, &content));
    let mut printed = client.prints();
    let asks = format!("no answer; asking again from {} of {} bytes", 2 * CHUNK, content.len());
    assert!(printed.any(|line| line == asks));
    let _server = launch("download", &["server", &port.to_string(), &original]);
    assert!(printed.any(|line| line.ends_with("with the right checksum")));
    client.succeeds();
    assert!(fs::read(&copy).unwrap() == content);
}

#[test]
fn file_that_changes_is_no_download() {
    let _watchdog = watchdog();
    let (folder, mut content, original, copy) = file("changes");
    let port = unused_port().to_string();
    let mut server = launch("download", &["server", &port, &original]);
    assert!(server.prints().next().unwrap().starts_with("serving"));
    *content.last_mut().unwrap() ^= 1;
    fs::write(&original, &content).unwrap();
    let mut client = launch("download", &["client", &port, &copy]);
    let complaint = client.reports().next().unwrap();
    assert!(complaint.starts_with("the checksum is wrong"), "{complaint}");
    assert_eq!(client.exit_code(), Some(1));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "only the original is left");
}

#[test]
fn server_that_is_back_with_another_file_ends_the_client() {
    let _watchdog = watchdog();
    let (_folder, content, original, copy) = file("another");
    let port = unused_port();
    let mut client = launch("download", &["client", &port.to_string(), &copy]);
    drop(serve_two_chunks(port, &content));
    fs::write(&original, "a short file").unwrap();
    let _server = launch("download", &["server", &port.to_string(), &original]);
    let complaint = client.reports().next().unwrap();
    assert_eq!(complaint, "the server has another file now; download it again");
    assert_eq!(client.exit_code(), Some(1));
}

#[test]
fn faults_are_told() {
    let _watchdog = watchdog();
    let port = unused_port().to_string();
    let mut client = launch("download", &["client", &port, "no/such/folder/copy"]);
    let question = format!("no answer from tcp://127.0.0.1:{port} yet; is the server running?");
    assert_prints(client.prints(), &[&question]);
    let (_, complaint, code) = text_of(&run("download", &["server", &port, "no/such/file"]));
    assert_eq!(complaint, "no/such/file: No such file or directory (os error 2)\n");
    assert_eq!(code, Some(1));
}
