//! The messages between a producer and its workers: RFC 7 (MDP/Worker 0.1), with a few additions.
//!
//! The chapter [Jobs](crate::guide::jobs#the-wire-format) of the guide describes them.

use crate::message::Message;

const HEADER: &[u8] = b"MDPW01";
const READY: &[u8] = b"\x01";
const REQUEST: &[u8] = b"\x02";
const REPLY: &[u8] = b"\x03";
const HEARTBEAT: &[u8] = b"\x04";
const DISCONNECT: &[u8] = b"\x05";

/// The service that workers offer. The producer ignores it, as it has only one.
const SERVICE: &[u8] = b"jobs";

/// Follows a `DISCONNECT` after which a worker must not register anew.
const FINISHED: &[u8] = b"finished";

/// The status that begins a reply, as in RFC 8 and 9.
const STATUS_OK: &[u8] = b"200";
const STATUS_FAILED: &[u8] = b"500";

const ADDRESS_LENGTH: usize = 20;

/// Names one start of a job: the client-address frame of RFC 7, which a worker returns unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// Differs for each producer, so that the results of an earlier one are told apart.
    pub(super) run: u64,
    pub(super) job: u64,
    /// Counts from 1 for each job.
    pub(super) start: u32,
}

impl Address {
    /// Stands for "no job yet".
    pub(super) const NONE: Address = Address {
        run: 0,
        job: 0,
        start: 0,
    };

    pub(super) fn to_bytes(self) -> [u8; ADDRESS_LENGTH] {
        let mut bytes = [0; ADDRESS_LENGTH];
        bytes[..8].copy_from_slice(&self.run.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.job.to_be_bytes());
        bytes[16..].copy_from_slice(&self.start.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Address> {
        let bytes: &[u8; ADDRESS_LENGTH] = bytes.try_into().ok()?;
        let (run, rest) = bytes.split_first_chunk()?;
        let (job, rest) = rest.split_first_chunk()?;
        let (start, _) = rest.split_first_chunk()?;
        Some(Address {
            run: u64::from_be_bytes(*run),
            job: u64::from_be_bytes(*job),
            start: u32::from_be_bytes(*start),
        })
    }
}

/// What a worker says to the producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It is ready for a job. `seen` names the last job that it has received; `None` if it does not say, because it is
    /// a worker of plain RFC 7. Such a worker is also ready after each reply.
    Ready {
        seen: Option<Address>,
    },
    Reply {
        address: Address,
        result: WorkerResult,
    },
    Heartbeat,
    /// It takes no more jobs until it says `Ready` again.
    Disconnect {
        seen: Option<Address>,
    },
    /// No message of the protocol.
    Malformed,
}

/// The frames of a result, or what a worker says about its failure.
pub(super) type WorkerResult = Result<Message, String>;

/// What the producer says to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order<'a> {
    Request(Address, &'a Message),
    Heartbeat,
    /// The producer does not know the worker, which must say `Ready` again.
    RegisterAnew,
    /// There are no more jobs.
    Finished,
}

impl Word {
    /// Reads a message of a worker, without the routing id.
    pub(super) fn parse(frames: &[Vec<u8>]) -> Word {
        let [empty, header, command, rest @ ..] = frames else {
            return Word::Malformed;
        };
        if !empty.is_empty() || header != HEADER {
            return Word::Malformed;
        }
        match (command.as_slice(), rest) {
            (READY, [_service]) => Word::Ready { seen: None },
            (READY, [_service, seen]) => match Address::from_bytes(seen) {
                Some(seen) => Word::Ready { seen: Some(seen) },
                None => Word::Malformed,
            },
            (REPLY, [address, empty, status, body @ ..]) if empty.is_empty() => match Address::from_bytes(address) {
                Some(address) => Word::Reply {
                    address,
                    result: read_result(status, body),
                },
                None => Word::Malformed,
            },
            (HEARTBEAT, []) => Word::Heartbeat,
            (DISCONNECT, []) => Word::Disconnect { seen: None },
            (DISCONNECT, [seen]) => match Address::from_bytes(seen) {
                Some(seen) => Word::Disconnect { seen: Some(seen) },
                None => Word::Malformed,
            },
            _ => Word::Malformed,
        }
    }
}

fn read_result(status: &[u8], body: &[Vec<u8>]) -> WorkerResult {
    match status {
        STATUS_OK => Ok(body.to_vec()),
        STATUS_FAILED => Err(crate::message::text(body)),
        _ => Err(format!(
            "the worker answered with the status \"{}\", which is neither 200 nor 500",
            status.escape_ascii()
        )),
    }
}

impl Order<'_> {
    /// Sends the frames of the order to a function, with the routing id of the worker before them.
    pub(super) fn send<T>(self, worker: &[u8], send: impl FnOnce(&[&[u8]]) -> T) -> T {
        match self {
            Order::Request(address, body) => {
                let address = address.to_bytes();
                let mut frames: Vec<&[u8]> = Vec::with_capacity(6 + body.len());
                frames.extend_from_slice(&[worker, b"", HEADER, REQUEST, &address, b""]);
                frames.extend(body.iter().map(Vec::as_slice));
                send(&frames)
            }
            Order::Heartbeat => send(&[worker, b"", HEADER, HEARTBEAT]),
            Order::RegisterAnew => send(&[worker, b"", HEADER, DISCONNECT]),
            Order::Finished => send(&[worker, b"", HEADER, DISCONNECT, FINISHED]),
        }
    }
}

/// An order as the worker receives it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Request { address: Vec<u8>, body: Message },
    Heartbeat,
    RegisterAnew,
    Finished,
    Malformed,
}

impl Received {
    /// Reads a message of the producer.
    pub(super) fn parse(mut message: Message) -> Received {
        match message.as_slice() {
            [empty, header, command, rest @ ..] if empty.is_empty() && header == HEADER => {
                match (command.as_slice(), rest) {
                    (REQUEST, [_, empty, ..]) if empty.is_empty() => {
                        let body = message.split_off(5);
                        let address = message.swap_remove(3);
                        Received::Request { address, body }
                    }
                    (HEARTBEAT, []) => Received::Heartbeat,
                    (DISCONNECT, [reason]) if reason == FINISHED => Received::Finished,
                    (DISCONNECT, _) => Received::RegisterAnew,
                    _ => Received::Malformed,
                }
            }
            _ => Received::Malformed,
        }
    }
}

/// The frames that a worker sends, where `seen` is the address of the last job that it has received.
pub(super) fn ready(seen: &[u8]) -> [&[u8]; 5] {
    [b"", HEADER, READY, SERVICE, seen]
}

pub(super) fn heartbeat() -> [&'static [u8]; 3] {
    [b"", HEADER, HEARTBEAT]
}

pub(super) fn disconnect(seen: &[u8]) -> [&[u8]; 4] {
    [b"", HEADER, DISCONNECT, seen]
}

pub(super) fn result<'a>(address: &'a [u8], body: &[&'a [u8]]) -> Vec<&'a [u8]> {
    reply(address, STATUS_OK, body)
}

pub(super) fn failure<'a>(address: &'a [u8], why: &'a str) -> Vec<&'a [u8]> {
    reply(address, STATUS_FAILED, &[why.as_bytes()])
}

fn reply<'a>(address: &'a [u8], status: &'a [u8], body: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut frames: Vec<&[u8]> = Vec::with_capacity(6 + body.len());
    frames.extend_from_slice(&[b"", HEADER, REPLY, address, b"", status]);
    frames.extend_from_slice(body);
    frames
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const ADDRESS: Address = Address {
        run: u64::MAX - 1,
        job: 1 << 40,
        start: 3,
    };

    fn owned(frames: &[&[u8]]) -> Message {
        frames.iter().map(|frame| frame.to_vec()).collect()
    }

    fn heard(frames: &[&[u8]]) -> Word {
        Word::parse(&owned(frames))
    }

    /// What a worker receives: the message without the routing id, which the router takes off.
    fn received(order: Order<'_>) -> Received {
        order.send(b"id", |frames| {
            assert_eq!(frames[0], b"id");
            Received::parse(owned(&frames[1..]))
        })
    }

    #[test]
    fn producer_reads_what_workers_say() {
        let address = ADDRESS.to_bytes();
        let seen = Some(ADDRESS);
        assert_eq!(heard(&ready(&address)), Word::Ready { seen });
        assert_eq!(
            heard(&ready(&Address::NONE.to_bytes())),
            Word::Ready {
                seen: Some(Address::NONE)
            }
        );
        assert_eq!(heard(&heartbeat()), Word::Heartbeat);
        assert_eq!(heard(&disconnect(&address)), Word::Disconnect { seen });
        let reply = |result| Word::Reply {
            address: ADDRESS,
            result,
        };
        assert_eq!(heard(&result(&address, &[b"a", b""])), reply(Ok(owned(&[b"a", b""]))));
        assert_eq!(heard(&result(&address, &[])), reply(Ok(vec![])));
        assert_eq!(heard(&failure(&address, "why")), reply(Err("why".into())));
    }

    #[test]
    fn producer_reads_workers_of_plain_rfc_7() {
        assert_eq!(heard(&[b"", b"MDPW01", b"\x01", b"echo"]), Word::Ready { seen: None });
        assert_eq!(heard(&[b"", b"MDPW01", b"\x05"]), Word::Disconnect { seen: None });
        let address = ADDRESS.to_bytes();
        let Word::Reply { result, .. } = heard(&[b"", b"MDPW01", b"\x03", &address, b"", b"no status"]) else {
            panic!("it is a reply");
        };
        assert!(result.unwrap_err().contains("no status"));
    }

    #[test]
    fn worker_reads_what_the_producer_says() {
        let body = owned(&[b"", b"body"]);
        let address = ADDRESS.to_bytes().to_vec();
        assert_eq!(
            received(Order::Request(ADDRESS, &body)),
            Received::Request { address, body }
        );
        assert_eq!(received(Order::Heartbeat), Received::Heartbeat);
        assert_eq!(received(Order::RegisterAnew), Received::RegisterAnew);
        assert_eq!(received(Order::Finished), Received::Finished);
    }

    proptest! {
        #[test]
        fn anything_can_be_read(
            start in 0..4_usize,
            rest in vec(prop_oneof![Just(vec![]), Just(ADDRESS.to_bytes().to_vec()), vec(any::<u8>(), 0..25)], 0..6),
            command in 0..8_u8,
        ) {
            let beginning = [vec![], HEADER.to_vec(), vec![command]];
            let message: Message = beginning.into_iter().take(start).chain(rest).collect();
            Word::parse(&message);
            Received::parse(message);
        }
    }
}
