//! Calls of libzmq that a signal interrupts.

/// Repeats an operation for as long as a signal interrupts it (rule 5 of the engine, for operations that do not wait).
#[inline]
pub(super) fn retry_interrupted<T>(mut operation: impl FnMut() -> zmq::Result<T>) -> zmq::Result<T> {
    loop {
        match operation() {
            Err(zmq::Error::EINTR) => {}
            outcome => return outcome,
        }
    }
}
