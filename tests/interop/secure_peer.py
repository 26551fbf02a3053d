"""The Python end of tests/interop_security.rs: as peer.py, with a pyzmq socket that proves who it is, or asks for it.

    python secure_peer.py ROLE PORT HOW [WORD...]

HOW is one of the functions below, and the words are its arguments. A client knows one more order: "await_handshake"
prints the event that tells how its handshake ended.
"""

import sys

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

import peer


def null(sock, authenticator):
    pass


def plain_client(sock, authenticator, user, password):
    sock.plain_username = user.encode()
    sock.plain_password = password.encode()


def plain_server(sock, authenticator, user, password):
    authenticator.configure_plain(passwords={user: password})
    sock.plain_server = True


def curve_client(sock, authenticator, server_key, public_key, secret_key):
    sock.curve_serverkey = server_key.encode()
    sock.curve_publickey = public_key.encode()
    sock.curve_secretkey = secret_key.encode()


def curve_server(sock, authenticator, secret_key, location):
    """The location is a folder of keys, or zmq.auth.CURVE_ALLOW_ANY, which is "*"."""
    authenticator.configure_curve(location=location)
    sock.curve_server = True
    sock.curve_secretkey = secret_key.encode()


def denying_server(sock, authenticator, address):
    authenticator.deny(address)
    sock.zap_domain = b"global"  # Without one, clients that speak NULL are let in without a question.


TIMEOUT = 20_000  # In milliseconds. A failure is better than a hang.

HANDSHAKE = (
    zmq.Event.HANDSHAKE_SUCCEEDED
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_AUTH
)


def serve(role, how, words):
    authenticator = ThreadAuthenticator()
    authenticator.start()

    def prepare(sock):
        globals()[how](sock, authenticator, *words)
        sock.rcvtimeo = TIMEOUT

    try:
        send, messages, port = peer.open_pyzmq(role, 0, [], prepare)
        peer.obey(port, peer.orders_for(send, messages))
    finally:
        authenticator.stop()


def connect(role, port, how, words):
    monitor = None

    def prepare(sock):
        nonlocal monitor
        globals()[how](sock, None, *words)
        monitor = sock.get_monitor_socket(HANDSHAKE)
        monitor.rcvtimeo = sock.rcvtimeo = TIMEOUT
        sock.sndtimeo = 0

    def send_unless_turned_away(message):
        try:
            orders["send"](message)
        except zmq.Again:
            pass  # There is room from the first, until a server turns it away.

    def await_handshake(_):
        return zmq.Event(recv_monitor_message(monitor)["event"]).name

    send, messages, port = peer.open_pyzmq(role, port, [], prepare)
    orders = peer.orders_for(send, messages)
    peer.obey(port, orders | {"send": send_unless_turned_away, "await_handshake": await_handshake})


role, port, how, *words = sys.argv[1:]
if int(port):
    connect(role, int(port), how, words)
else:
    serve(role, how, words)
zmq.Context.instance().term()
