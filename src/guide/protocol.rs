//! What `call` and `serve` send, and how a program in another language calls or answers.
//!
//! What `dispatch` and `work` send is in the chapter [Jobs](super::jobs#the-wire-format), with a worker in Python.
//!
//! * [The wire format](#the-wire-format)
//! * [Call from another language](#call-from-another-language)
//! * [Answer from another language](#answer-from-another-language)
//!
//! # The wire format
//!
//! It is that of REQ and REP ([RFC 28](https://rfc.zeromq.org/spec/28/)). A caller is a DEALER, and a `serve` is a
//! ROUTER. These are the frames that a caller sends and receives; each `[ ]` is one frame:
//!
//! ```text
//! call                      [id] [] [body] ...
//! answer                    [id] [] [body] ...
//! failure                   [id] [failed] [] [text in UTF-8]
//! failure, for other ids         [] [failed] [text in UTF-8]
//!
//! id, 16 bytes              "zls1"
//!                           4 bytes: how many ms the caller waits; 0: forever
//!                           8 bytes: the number of the call
//! ```
//!
//! Both numbers begin with their highest byte. A body has one frame or more. Everything before the first empty frame is
//! the envelope, which also has a routing id for each router on the way. A server sends it back unchanged.
//!
//! A caller uses each id once, and drops answers whose id it does not wait for. It understands a failure only in the
//! form with its id. A caller whose id is not of this form, or that has none, receives a failure as an answer of two
//! frames.
//!
//! # Call from another language
//!
//! A plain REQ can ask a `serve`. It sees a failure as an answer of two frames, `failed` and the text. This client, in
//! Python with pyzmq, has an id, so it can tell a failure from an answer:
//!
//! ```python
//! import struct, sys, zmq
//!
//! def call(server, number, frames, ms=5000):
//!     id = struct.pack(">4sIQ", b"zls1", ms, number)
//!     server.send_multipart([id, b"", *frames])
//!     while server.poll(ms):
//!         sender, status, *rest = server.recv_multipart()
//!         if sender == id and status == b"failed":
//!             raise RuntimeError(rest[1].decode())
//!         if sender == id:
//!             return rest
//!     raise TimeoutError("no answer: the server may have run the call")
//!
//! server = zmq.Context.instance().socket(zmq.DEALER)
//! server.connect(f"tcp://127.0.0.1:{sys.argv[1]}")
//! frames = [argument.encode() for argument in sys.argv[2:]]
//! print(call(server, 1, frames))
//! ```
//!
//! Each call needs another `number`. If no server is connected, this client's call waits in its queue. It can then run
//! after the client has given up. The option `zmq.IMMEDIATE` prevents this: sending blocks until a server is connected.
//!
//! # Answer from another language
//!
//! A plain REP, in any language, can be called: it returns the envelope by itself. It answers one call at a time, and
//! cannot fail one. A ROUTER can do both: it sends the envelope back as it is, or with the frame `failed` before the
//! empty one.
//!
//! A server can use the time in the id. `serve` drops a call, without running it, when it has held the call for longer
//! than its caller waits. This counts only the time in the server, so the clocks of two machines are never compared.
