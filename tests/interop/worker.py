import sys
import zmq

MDP, READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = b"MDPW01", b"\1", b"\2", b"\3", b"\4", b"\5"


def work(job):
    if job == [b"fail"]:
        raise ValueError("as the job says")
    return [b" ".join(job).upper()]


worker = zmq.Context().socket(zmq.DEALER)
worker.connect(sys.argv[1])
worker.send_multipart([b"", MDP, READY, b"jobs"])
while True:
    if not worker.poll(2500):
        worker.send_multipart([b"", MDP, HEARTBEAT])
        continue
    _, _, command, *rest = worker.recv_multipart()
    if command == REQUEST:
        address, _, *job = rest
        try:
            answer = [b"200", *work(job)]
        except Exception as error:
            answer = [b"500", str(error).encode()]
        worker.send_multipart([b"", MDP, REPLY, address, b"", *answer])
    elif command == DISCONNECT and rest == [b"finished"]:
        break
    elif command == DISCONNECT:
        worker.send_multipart([b"", MDP, READY, b"jobs"])
