//! What a client that is not let in notices, and when.

use std::io::{Read, Write};
use std::iter;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use zeroless::{ErrorKind, Server};

use crate::support::zmtp::{self, shake_hands};
use crate::support::{await_denial_of, client_of, client_of_port, unused_port, watchdog};
use crate::{A_WHILE, client_as, kind_of, server_for_ada};

#[test]
fn ends_wait_for_reply() {
    let _watchdog = watchdog();
    let (_reply, requests) = server_for_ada().reply().unwrap();
    let (request, replies) = client_as(&requests, "eve", "?").request().unwrap();
    request(&[b"let me in"]).unwrap();
    let error = replies.recv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let says = |what: &str| error.to_string().find(what).unwrap_or_else(|| panic!("{error}"));
    assert!(says("refused this client") < says("password"));
    assert!(says("password") < says("pattern"), "{error}");
    assert_eq!(kind_of(request.send(&["please"])), ErrorKind::Denied);
    assert_eq!(replies.iter().count(), 0, "iteration ends");
    assert_eq!(requests.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn names_pattern_first_without_credentials() {
    let _watchdog = watchdog();
    let pull = Server::new(0).pull().unwrap();
    let client = client_of(&pull).linger(Duration::ZERO).timeout(A_WHILE).clone();
    // A client that is refused before it has finished connecting is not told, and tries again with a new socket.
    let mut errors = iter::repeat_with(|| {
        let (request, replies) = client.request().unwrap();
        request(&[b"?"]).and_then(|()| replies.recv()).unwrap_err()
    });
    let error = errors.find(|error| error.kind() == ErrorKind::Denied).unwrap();
    let says = |what: &str| error.to_string().find(what).unwrap_or_else(|| panic!("{error}"));
    assert!(says("refused this client") < says("pattern"));
    assert!(says("pattern") < says("address"), "{error}");
    assert!(says("address") < says("password"), "{error}");
}

#[test]
fn ends_wait_after_many_replies() {
    let _watchdog = watchdog();
    let (reply, requests) = server_for_ada().reply().unwrap();
    let port = requests.socket().port().unwrap();
    let (request, replies) = client_as(&requests, "ada", "enchantress").request().unwrap();
    for _ in 0..1_500 {
        request(&[b"again"]).unwrap();
        reply.send(&requests.recv().unwrap()).unwrap();
        replies.recv().unwrap();
    }
    drop((reply, requests));
    let _server = Server::new(port).plain(|_, _| false).reply().unwrap();
    request(&[b"again"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::Denied);
}

#[test]
fn ends_wait_for_frames() {
    let _watchdog = watchdog();
    let (_, requests) = server_for_ada().reply().unwrap();
    let (request, replies) = client_as(&requests, "eve", "?").request().unwrap();
    request(&[b"let me in"]).unwrap();
    assert_eq!(kind_of(replies.recv_frames()), ErrorKind::Denied);
}

#[test]
fn ends_wait_of_all_threads() {
    let _watchdog = watchdog();
    let (_, dealers) = server_for_ada().router().unwrap();
    let client = client_as(&dealers, "eve", "?");
    for _ in 0..10 {
        let (say, hear) = client.dealer().unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert_eq!(kind_of(hear.recv()), ErrorKind::Denied));
            }
            // Sending also notices what has happened to the socket.
            await_denial_of(&say);
        });
    }
}

#[test]
fn ends_wait_of_dealer_and_pair() {
    let _watchdog = watchdog();
    let (_, dealers) = server_for_ada().router().unwrap();
    let (_say, hear) = client_as(&dealers, "eve", "?").dealer().unwrap();
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);

    let (_, pairs) = server_for_ada().pair().unwrap();
    let (_say, hear) = client_as(&pairs, "eve", "?").pair().unwrap();
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);
}

#[test]
fn leaves_socket_that_can_be_disconnected() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    // libzmq has freed a connection that was refused.
    for _ in 0..10 {
        let push = client_as(&pull, "eve", "?").push().unwrap();
        await_denial_of(&push);
        push.socket().disconnect_all().unwrap();
    }
}

#[test]
fn disconnects_channel() {
    let _watchdog = watchdog();
    let (_, dealers) = server_for_ada().router().unwrap();
    let (_say, hear) = client_as(&dealers, "eve", "?").dealer().unwrap();
    assert_eq!(hear.into_channel(1).iter().count(), 0);
}

#[test]
fn receive_only_client_gets_nothing() {
    let _watchdog = watchdog();
    let push = server_for_ada().timeout(A_WHILE).push().unwrap();
    let port = push.socket().port().unwrap();
    let pull = client_of_port(port).plain("eve", "?").timeout(A_WHILE).pull().unwrap();
    assert_eq!(kind_of(push.send(&["secret"])), ErrorKind::TimedOut);
    assert_eq!(kind_of(pull.recv()), ErrorKind::TimedOut);

    let publish = server_for_ada().publish().unwrap();
    let port = publish.socket().port().unwrap();
    let subscribe = client_of_port(port)
        .plain("eve", "?")
        .timeout(A_WHILE)
        .subscribe([""])
        .unwrap();
    assert_eq!(kind_of(publish.wait_for_subscribers(1, A_WHILE)), ErrorKind::TimedOut);
    publish(&[b"secret"]).unwrap();
    assert_eq!(kind_of(subscribe.recv()), ErrorKind::TimedOut);
}

#[test]
fn client_continues_with_other_servers() {
    let _watchdog = watchdog();
    let (closed, open) = (server_for_ada().pull().unwrap(), server_for_ada().pull().unwrap());
    closed.socket().close();
    let stranger = Server::new(0).plain(|_, _| false).pull().unwrap();
    let mut client = client_as(&open, "ada", "enchantress");
    let push = client.connect_local(stranger.socket().port().unwrap()).push().unwrap();
    // Messages for the server that refuses are lost; once it has refused, all go to the other one.
    let mut arrived = 0;
    for number in 0..100 {
        push.send(&[format!("{number}")]).unwrap();
        arrived += usize::from(open.recv_timeout(A_WHILE).is_ok());
    }
    assert!(arrived > 50, "{arrived} of 100 arrived");
}

#[test]
fn client_can_connect_to_another_server() {
    let _watchdog = watchdog();
    let closed = server_for_ada().reply().unwrap();
    let open = Server::new(0).plain(|_, _| true).reply().unwrap();
    let (request, replies) = client_as(&closed.1, "eve", "?").request().unwrap();
    request(&[b"lost"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::Denied);

    request.socket().connect_local(open.1.socket().port().unwrap()).unwrap();
    request(&[b"anyone?"]).unwrap();
    open.0.send(&open.1.recv().unwrap()).unwrap();
    assert_eq!(replies.recv().unwrap(), [b"anyone?"]);
}

#[test]
fn not_reported_while_server_is_absent() {
    let _watchdog = watchdog();
    let port = unused_port();
    let (request, replies) = client_of_port(port).timeout(A_WHILE).request().unwrap();
    request(&[b"anyone?"]).unwrap();
    assert_eq!(kind_of(replies.recv()), ErrorKind::TimedOut);
    let push = client_of_port(port).timeout(A_WHILE).high_water_mark(5).push().unwrap();
    for _ in 0..5 {
        push(&[b"anyone?"]).unwrap();
    }
    assert_eq!(kind_of(push.send(&["full"])), ErrorKind::TimedOut);
    push.socket().disconnect_local(port).unwrap();
    assert_eq!(kind_of(push.send(&["to nobody"])), ErrorKind::TimedOut);
}

#[test]
fn not_reported_after_server_restarts() {
    let _watchdog = watchdog();
    let (_, requests) = server_for_ada().reply().unwrap();
    let port = requests.socket().port().unwrap();
    let (request, replies) = client_as(&requests, "ada", "enchantress")
        .timeout(A_WHILE)
        .request()
        .unwrap();
    drop(requests);
    let (reply, requests) = Server::new(port).plain(|_, _| true).reply().unwrap();
    let server = requests.socket();
    let echo = thread::spawn(move || requests.iter().try_for_each(|request| reply.send(&request)));
    // What the first server had received is lost with it, but the client can ask again.
    let answer = (0..100).find_map(|_| {
        request(&[b"still there?"]).unwrap();
        replies
            .recv()
            .map_err(|error| assert_eq!(error.kind(), ErrorKind::TimedOut))
            .ok()
    });
    assert_eq!(answer.unwrap(), [b"still there?"]);
    server.close();
    let _ = echo.join().unwrap();
}

#[test]
fn client_closes_at_once() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let (push, hear) = client_as(&pull, "eve", "?").dealer().unwrap();
    assert_eq!(
        kind_of(hear.recv()),
        ErrorKind::Denied,
        "a dealer and a pull do not go together either"
    );
    assert_eq!(kind_of(push.send(&["?"])), ErrorKind::Denied);
    drop((push, hear, pull));
}

/// Otherwise the client could not know that it needs a password.
#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs the libzmq that zeroless builds: run with default features"
)]
fn server_names_its_mechanism_before_it_refuses() {
    let _watchdog = watchdog();
    let pull = server_for_ada().pull().unwrap();
    let mut stranger = TcpStream::connect(("127.0.0.1", pull.socket().port().unwrap())).unwrap();
    stranger.write_all(&zmtp::greeting("NULL")).unwrap();
    let mut greeting = Vec::new();
    stranger.read_to_end(&mut greeting).unwrap();
    assert_eq!(greeting[12..32], zmtp::greeting("PLAIN")[12..32]);
}

/// Accepts a client, and closes the connection after reading its greeting, as libzmq's server of another mechanism may.
fn refuse_without_mechanism(listener: &TcpListener) {
    let mut client = listener.accept().unwrap().0;
    client.write_all(&zmtp::greeting("PLAIN")[..11]).unwrap();
    client.read_exact(&mut [0; 64]).unwrap();
}

#[test]
#[cfg_attr(
    not(libzmq = "own"),
    ignore = "needs the libzmq that zeroless builds: run with default features"
)]
fn reported_after_server_hides_its_mechanism_three_times() {
    let _watchdog = watchdog();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (say, hear) = client_of_port(listener.local_addr().unwrap().port()).dealer().unwrap();
    // A server that is restarted at that moment looks the same, so the client tries again.
    for _ in 0..3 {
        (0..2).for_each(|_| refuse_without_mechanism(&listener));
        let (mut server, _) = listener.accept().unwrap();
        shake_hands(&mut server, "DEALER");
        server.write_all(&zmtp::frame(0, b"welcome")).unwrap();
        assert_eq!(hear.recv().unwrap(), [b"welcome"]);
    }
    (0..3).for_each(|_| refuse_without_mechanism(&listener));
    assert_eq!(kind_of(hear.recv()), ErrorKind::Denied);
    assert_eq!(kind_of(say.send(&["?"])), ErrorKind::Denied);
}
