//! The command line `zeroless`: the crate's words, from a shell. It debugs ZeroMQ programs, and makes scripts of a shell
//! a log collector, a pool of workers or a service.
//!
//! * [Install](#install)
//! * [Messages are lines](#messages-are-lines)
//! * [How it ends](#how-it-ends)
//! * [Recipes](#recipes)
//!   * [A log collector](#a-log-collector)
//!   * [A remote tail](#a-remote-tail)
//!   * [A job pool over ssh](#a-job-pool-over-ssh)
//!   * [A small service](#a-small-service)
//!   * [A broker](#a-broker)
//! * [What to know](#what-to-know)
//!
//! # Install
//!
//! In a clone of the crate's repository:
//!
//! ```sh
//! cargo install --path . --features cli
//! ```
//!
//! With `--features cli,curve`, it can also encrypt. `zeroless help` lists the commands, `zeroless help server push`
//! explains one pattern, and `zeroless man` prints a man page.
//!
//! # Messages are lines
//!
//! A command line has a role, an address and a pattern: `zeroless server 12345 pull`, `zeroless client boss:12345 push`.
//! What sends reads its messages from the standard input, or takes them as arguments. What receives prints them. The
//! patterns are those of the [crate page](crate#which-pattern), and so are most options: `--timeout 10s` is
//! [`timeout`](crate::Server::timeout).
//!
//! A message is a line with one frame. For other messages, choose another format, on either side:
//!
//! | format | a message is | it carries |
//! |---|---|---|
//! | without an option | a line | one frame without line ends |
//! | `-0` | one frame, ended by a NUL, for `find -print0` and `xargs -0` | one frame without NULs |
//! | `--frames`, `--frames=,` | a line, with a tab or another character between frames | frames without that character and without line ends |
//! | `--json` | a line with an array of strings; a frame that is no text is `base64:` and its base64 | everything |
//! | `--hex` | a line with hexadecimal digits, and tabs between frames | everything |
//! | `--length` | each frame behind its length, such as `3:job,1:7` and a line end | everything |
//! | `--raw` | bytes as they come | one frame; messages have no borders |
//!
//! `--in json` and `--out json` set the format of one direction. If the output's format cannot carry a message, the
//! program ends with an error that names the format that can. So choose a format that carries everything where you do
//! not know the senders.
//!
//! # How it ends
//!
//! Sending ends with the input, after everything is delivered. If that takes longer than a second, the program says what
//! it waits for. Receiving ends after `-n` messages, after `--timeout` without a message, or on Ctrl-C. Then everything
//! that was received is printed. It also ends when the reader of its output ends, as in `zeroless server 12345 pull |
//! head -1`. Then `dispatch` tells its workers that it is over.
//!
//! | exit status | why |
//! |---|---|
//! | 0 | done, or nobody reads the output any more |
//! | 1 | failed: the standard error says why |
//! | 2 | wrong usage |
//! | 124 | timed out |
//! | 130, 143 | ended by Ctrl-C or by `kill`: 128 and the number of the signal |
//!
//! # Recipes
//!
//! ## A log collector
//!
//! On one machine, with the address `collector`, all lines of all machines go to one file. If the collector is not there,
//! the lines wait on the machines:
//!
//! ```sh
//! zeroless server --public 12345 pull >> logs
//! ```
//!
//! On each of the others:
//!
//! ```sh
//! tail -n 0 -F app.log | sed -u "s/^/$(hostname) /" | zeroless client collector:12345 push
//! ```
//!
//! ## A remote tail
//!
//! Everyone who is interested sees the lines of a file on `web`, from now on. Nobody slows the others down:
//!
//! ```sh
//! tail -n 0 -F app.log | zeroless server --public 12345 publish
//! ```
//!
//! ```sh
//! zeroless client web:12345 subscribe ERROR WARN
//! ```
//!
//! A subscriber receives the lines that begin with its topics, and without topics all lines.
//!
//! ## A job pool over ssh
//!
//! The jobs are lines, and so are the results. The port is only for this machine, and ssh carries it to the workers:
//!
//! ```sh
//! find photos -name '*.jpg' | sort | zeroless server 12345 dispatch --joblog log --resume >> hashes
//! ```
//!
//! ```sh
//! for host in ada bob; do ssh -R 12345:localhost:12345 $host zeroless client 12345 work --workers 8 --timeout 1m -- sha256sum {} & done; wait
//! ```
//!
//! A pool ends when there are no more jobs. If it connects after that, or has had no job for a minute, `--timeout` ends
//! it.
//!
//! Kill any worker: another one does its job. Kill the producer, too, and start it again: with `--joblog` and `--resume`
//! it goes on where it was. A job is in the log when its result is printed. (After `kill -9` between these two, that one
//! result is printed again.) The log has the columns of GNU parallel; `Host` is unknown, and `Exitval` is 0, 1 for a job
//! that has failed, 124 after `--time-limit`, and 255 if its workers have died. The files must be there on the workers,
//! by a network file system for example.
//!
//! ## A small service
//!
//! A script answers calls. Its arguments are the frames of the call, and its output is the answer. If its exit status is
//! not 0, the call fails with what it says on the standard error. This is the file `answer`:
//!
//! ```text
//! #!/bin/sh
//! case $1 in
//!     add) expr "$2" + "$3" || [ $? = 1 ] ;; # for the sum 0, the status of expr is 1
//!     *) echo "no such operation: $1" >&2; exit 1 ;;
//! esac
//! ```
//!
//! ```sh
//! zeroless server 12345 serve --workers 4 -- ./answer
//! ```
//!
//! ```sh
//! zeroless client 12345 call add 1 2
//! ```
//!
//! Programs call it by [`call`](crate::Client::call), and in other languages with a REQ socket: see
//! [the protocol](super::protocol).
//!
//! ## A broker
//!
//! With a broker, only the broker needs a known address. Servers and their clients come and go:
//!
//! ```sh
//! zeroless proxy 12345 12346 --pattern router-dealer
//! ```
//!
//! ```sh
//! zeroless client 12346 serve -- ./answer
//! ```
//!
//! ```sh
//! zeroless client 12345 call add 1 2
//! ```
//!
//! # What to know
//!
//! * **Security.** Without `--public`, a port is for this machine only. With it, everyone who can reach the port is let
//!   in, unless `--curve`, `--plain` or `--allow` restrict that: see [networks](super::networks). Passwords and secret
//!   keys are in files, because other users of a machine can see arguments.
//! * **Arguments of strangers.** A frame is one argument of the command, whatever it contains; no shell reads it. But it
//!   may begin with `-`. If the command has options, end your own arguments with `--`, or use `--stdin`.
//! * **`{}`** in the command of `work` and `serve` is the message. As a word of its own, it becomes one argument for each
//!   frame. Without `{}`, the frames are appended.
//! * **Failures of jobs.** A job whose command fails has failed, and is not tried again; `--failed FILE` collects such
//!   jobs. A job whose command is killed by a signal goes back, and is tried again up to `--attempts` times.
//! * **A worker that is killed** does not end the command that it runs, unless Ctrl-C ends both. So a job may run twice.
//! * **`-n`** of a receiver that others share the messages with: what has arrived beyond that number is lost.
//! * **Workers that are left.** A worker that was not connected when the last job ended waits for the next producer. So do
//!   all workers of a producer that a signal ends, because it may be started again; and those of a producer that still
//!   waits for input when the reader of its output ends. `--timeout` limits that.
