"""The Python end of tests/interop/patterns.rs: does with one socket what its standard input orders.

    python peer.py LIBRARY ROLE PORT [TOPIC...]

PORT is the one to connect to; 0 is for binding a free one. A TOPIC is what a publisher or a subscriber is for; to a
dealer or a request it is the identity. The port is printed once the socket is open. From there on each line of input
is an order: "send" and a message, or "receive", which prints the next message. A message is written as its frames in
hexadecimal, with commas between them. When the input ends, what was sent is delivered, and that is all.
"""

import signal
import socket
import sys
from functools import partial

import zeroless
import zmq

# What each role that it has is called in Zeroless: the function to send with, and the iterable to receive from.
ZEROLESS = {
    "push": lambda recipe, topics: (recipe.push(), None),
    "pull": lambda recipe, topics: (None, recipe.pull()),
    "publish": lambda recipe, topics: (recipe.pub(*topics), None),
    "embed": lambda recipe, topics: (recipe.pub(*topics, embed_topic=True), None),
    "subscribe": lambda recipe, topics: (None, recipe.sub(topics)),
    "request": lambda recipe, topics: recipe.request(),
    "reply": lambda recipe, topics: recipe.reply(),
    "pair": lambda recipe, topics: recipe.pair(),
}

PYZMQ = {
    "push": zmq.PUSH,
    "pull": zmq.PULL,
    "publish": zmq.PUB,
    "embed": zmq.PUB,
    "subscribe": zmq.SUB,
    "request": zmq.REQ,
    "reply": zmq.REP,
    "pair": zmq.PAIR,
    "dealer": zmq.DEALER,
    "router": zmq.ROUTER,
    "xpublish": zmq.XPUB,
    "xsubscribe": zmq.XSUB,
    "stream": zmq.STREAM,
}

# The option that a topic is set with, in the roles that set it beforehand.
TOPIC_OPTION = {
    "subscribe": zmq.SUBSCRIBE,
    "request": zmq.IDENTITY,
    "dealer": zmq.IDENTITY,
}


def open_zeroless(role, port, topics):
    if port:
        client = zeroless.Client()
        client.connect_local(port)
        return *ZEROLESS[role](client, topics), port
    for _ in range(20):
        port = free_port()
        try:
            return *ZEROLESS[role](zeroless.Server(port), topics), port
        except ValueError:
            pass  # Someone else was quicker to take the port.
    sys.exit("found no free port to bind")


def free_port():
    """Zeroless cannot bind port 0, so a port is looked for beforehand."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def open_pyzmq(role, port, topics, prepare=lambda sock: None):
    sock = zmq.Context.instance().socket(PYZMQ[role])
    if role in TOPIC_OPTION:
        for topic in topics:
            sock.setsockopt(TOPIC_OPTION[role], topic)
    prepare(sock)
    if port:
        sock.connect(f"tcp://127.0.0.1:{port}")
    else:
        port = sock.bind_to_random_port("tcp://127.0.0.1")

    def send(*frames):
        sock.send_multipart(frames)

    return partial(send, *topics) if role == "embed" else send, iter(sock.recv_multipart, None), port


def written(message):
    # Zeroless yields the bare frame of a message that has only one.
    frames = [message] if isinstance(message, bytes) else message
    return ",".join(frame.hex() for frame in frames)


def read(text):
    return [bytes.fromhex(frame) for frame in text.split(",")]


def obey(port, orders):
    """Tells the port, and then does what the lines of input say."""
    print(port, flush=True)
    for line in sys.stdin:
        order, _, argument = line.rstrip("\n").partition(" ")
        answer = orders[order](argument)
        if answer is not None:
            print(answer, flush=True)


def orders_for(send, messages):
    return {
        "send": lambda message: send(*read(message)),
        "receive": lambda _: written(next(messages)),
    }


def serve(library, role, port, *topics):
    open_socket = {"zeroless": open_zeroless, "pyzmq": open_pyzmq}[library]
    send, messages, port = open_socket(role, int(port), [topic.encode() for topic in topics])
    obey(port, orders_for(send, messages))


signal.alarm(120)  # Ends a peer whose test is gone, whatever it waits for.
if __name__ == "__main__":
    serve(*sys.argv[1:])
    zmq.Context.instance().term()  # Its socket is closed by now, having been local; this waits until all is delivered.
