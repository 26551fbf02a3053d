//! What the help says at its end, mostly examples.
//!
//! A test runs each example: each line that is indented by two spaces, below `Examples`.

pub const ABOUT: &str = "\
Sends and receives ZeroMQ messages, and shares work among machines.

A server listens on a port, and clients connect to it. Either can send, and
either can start first. A pattern says who sends to whom: push, publish,
request, dispatch and others. Messages are lines of the standard input and
output, unless you choose another format.";

pub const TOP: &str = "\
Examples, each line for a terminal of its own:
  zeroless server 12345 pull
  seq 10 | zeroless client 12345 push

  zeroless server 12345 reply -- tr a-z A-Z
  zeroless client 12345 request hello again

  find . -name '*.jpg' | zeroless server 12345 dispatch > hashes
  zeroless client 12345 work --workers 8 -- sha256sum {}

To learn a pattern: zeroless help server push. For a man page: zeroless man.

Exit status:
  0    done; or nobody reads the output any more, such as head
  1    failed; the standard error says why
  2    wrong usage
  124  timed out
  130  ended by Ctrl-C, as other programs: 128 and the number of the signal

Environment:
  RUST_LOG  what to say on the standard error, such as zeroless=trace or off";

pub const SERVER: &str = "\
A port alone is for this machine only, unless --public is given. Port 0 is any
free port: it is printed on the standard error. An endpoint is like
tcp://10.1.2.3:5555 or ipc:///tmp/jobs. With several addresses, the server
listens at each of them. Options can also follow the pattern.";

pub const CLIENT: &str = "\
A port alone is on this machine. An endpoint is like tcp://10.1.2.3:5555 or
ipc:///tmp/jobs. With several addresses, the client connects to each of them.
Options can also follow the pattern.";

pub const PUSH: &str = "\
Examples:
  seq 10 | zeroless client 12345 push
  zeroless client 12345 push hello again
  printf 'job\\t7\\n' | zeroless client 12345 push --frames
  printf 'job\\n7\\0' | zeroless client 12345 push -0

It ends when the messages are delivered, and says so if it waits for that.
Messages are dealt out in advance: if a puller dies, its share is lost. Use
dispatch for jobs that must all be done.";

pub const PULL: &str = "\
Examples:
  zeroless server 12345 pull
  zeroless server 12345 pull -n 10 --json
  zeroless server 12345 pull --timeout 10s | head -1

A message that the format cannot carry ends the program, and it says which
format can. --json, --hex and --length carry all messages. What has arrived
after -n messages is lost.";

pub const PUBLISH: &str = "\
Examples:
  zeroless server 12345 publish --topic news < lines
  zeroless server 12345 publish --wait 1 'news: rain' 'sport: 2:1'
  zeroless server 12345 publish --embed-topic news --wait 1 rain

A topic is how a message begins. Who has not subscribed in time, or is too
slow, misses messages: --wait 1 waits for the first subscription.";

pub const SUBSCRIBE: &str = "\
Examples:
  zeroless client 12345 subscribe news sport
  zeroless client 12345 subscribe news --frames -n 1";

pub const REQUEST: &str = "\
Examples:
  zeroless client 12345 request hello again
  seq 3 | zeroless client 12345 request --timeout 5s

If the server ends before it replies, the reply never comes: use --timeout.";

pub const REPLY: &str = "\
Examples:
  zeroless server 12345 reply -- tr a-z A-Z
  zeroless server 12345 reply yes no

The command runs for each request. The request is its input, and its output is
the reply, without a last line end. If it fails, the reply is empty: with serve,
the other end is told. Without a command, requests are printed, and replies are
read from the standard input.";

pub const CALL: &str = "\
Examples:
  zeroless client 12345 call add 1 2
  seq 3 | zeroless client 12345 call --timeout 5s

If the server fails the call, its words are printed on the standard error, and
the exit status is 1. A call that has timed out may have run. Write -- before a
frame that begins with -.";

pub const SERVE: &str = "\
Examples:
  zeroless server 12345 serve --workers 4 -- ./answer
  zeroless server 12345 serve --stdin -- tr a-z A-Z

The frames of a call are appended to the command as arguments, or put in the
place of {}. The output is the answer, without a last line end. If the exit
status is not 0, the call fails with what is on the standard error. Arguments
of strangers may begin with -: end your own with -- if the command has options.";

pub const DISPATCH: &str = "\
Examples:
  find . -name '*.jpg' | zeroless server 12345 dispatch > hashes
  zeroless server 12345 dispatch --joblog log --resume < jobs >> results
  zeroless server 12345 dispatch --keep-order --failed again < jobs

A worker gets a job when it is idle. If it dies, another one gets its job. So
each job has one result, while this program lives. With --joblog and --resume,
run the same command again if this program dies, too: a job is in the log when
its result is printed. A job that a worker fails is not tried again; it is
printed on the standard error, and the exit status is 1.";

pub const WORK: &str = "\
Examples:
  zeroless client 12345 work --workers 8 -- sha256sum {}
  zeroless client 12345 work --stdin -- wc -c

It ends when the producer has no more jobs. The frames of a job are put in the
place of {}, or appended. The output is the result, without a last line end. If
the exit status is not 0, the job has failed, with what is on the standard
error. If a signal ends the command, the job goes back, and is tried again.";

pub const STREAM: &str = "\
Examples:
  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | zeroless client 12345 stream
  zeroless server 12345 stream --json

A client exchanges bytes as they come with one server, and ends when it closes
the connection. A server receives two frames: the id of a peer, and bytes. They
are empty when the peer connects and when it leaves. To send, write two such
frames; empty bytes close the connection.";

pub const PROXY: &str = "\
Examples:
  zeroless proxy 12345 12346 --pattern router-dealer
  zeroless proxy 12345 12346 --pattern forwarder
  zeroless proxy 12345 12346 --pattern streamer

Clients request or call, publish, or push at the first port. The others connect
to the second one, as clients that reply or serve, subscribe, or pull. The
options for access apply to both ports.";

pub const KEYGEN: &str = "\
Examples:
  zeroless keygen boss
  zeroless keygen ada
  zeroless server 12345 --curve boss.key_secret --allow-keys ada.key pull
  zeroless client 12345 --curve ada.key_secret --server-key boss.key push hi

Give the file NAME.key to the other end, and keep NAME.key_secret. This needs a
program with the feature curve: cargo install --path . --features cli,curve.";

pub const COMPLETIONS: &str = "\
Examples:
  source <(zeroless completions bash)";

pub const MAN: &str = "\
Examples:
  zeroless man > zeroless.1
  zeroless man server dispatch > zeroless-server-dispatch.1";
