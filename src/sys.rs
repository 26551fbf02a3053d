//! Everything that the operating system decides, in one module per platform.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::{
    Descriptor, FileMode, Notifier, accessible_by_others, bind_probe, block_signals, check_free_descriptors,
    create_file, is_out_of_descriptors,
};
#[cfg(not(unix))]
compile_error!("zeroless waits on the file descriptors of libzmq, which needs a Unix system");
