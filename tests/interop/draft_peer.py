"""The Python end of tests/interop/draft.rs: like peer.py, with the draft sockets of pyzmq.

    python draft_peer.py ROLE ENDPOINT [GROUP...]

ENDPOINT is the one to bind or to connect to: a peer, and a dish and a dgram over UDP, bind; all others connect. A GROUP is what a dish
joins. A message of two frames is a group or a routing id, and the frame.
"""

import signal
import sys

import zmq

ROLES = {
    "scatter": zmq.SCATTER,
    "gather": zmq.GATHER,
    "radio": zmq.RADIO,
    "dish": zmq.DISH,
    "server": zmq.SERVER,
    "client": zmq.CLIENT,
    "peer": zmq.PEER,
    "channel": zmq.CHANNEL,
    "dgram": zmq.DGRAM,
}


def serve(role, endpoint, *groups):
    sock = zmq.Context.instance().socket(ROLES[role])
    if role in ("peer", "dgram") or role == "dish" and endpoint.startswith("udp:"):
        sock.bind(endpoint)
    else:
        sock.connect(endpoint)
    for group in groups:
        sock.join(group)

    def send(message):
        frames = [bytes.fromhex(frame) for frame in message.split(",")]
        if role == "radio":
            sock.send(frames[1], group=frames[0].decode())
        elif role in ("server", "peer"):
            sock.send(frames[1], routing_id=int.from_bytes(frames[0], "big"))
        else:
            sock.send_multipart(frames)

    def receive(_):
        if role == "dgram":
            frames = sock.recv_multipart()
        else:
            frame = sock.recv(copy=False)
            tags = {
                "dish": lambda: [frame.group.encode()],
                "server": lambda: [frame.routing_id.to_bytes(4, "big")],
                "peer": lambda: [frame.routing_id.to_bytes(4, "big")],
            }
            frames = tags.get(role, list)() + [frame.bytes]
        return ",".join(frame.hex() for frame in frames)

    # A port, as the other scripts print one.
    print(0, flush=True)
    for line in sys.stdin:
        order, _, argument = line.rstrip("\n").partition(" ")
        answer = {"send": send, "receive": receive}[order](argument)
        if answer is not None:
            print(answer, flush=True)


signal.alarm(120)  # Ends a peer whose test is gone, whatever it waits for.
serve(*sys.argv[1:])
zmq.Context.instance().term()  # Its socket is closed by now, having been local; this waits until all is delivered.
