//! Everything that the operating system decides, in one module per platform.

#[cfg(unix)]
#[cfg_attr(zeroless_loom, allow(dead_code, reason = "the model simulates descriptors"))]
mod unix;

#[cfg(all(unix, not(zeroless_loom)))]
pub(crate) use unix::{Descriptor, Notifier};
#[cfg(unix)]
pub(crate) use unix::{
    FileMode, FileVersion, accessible_by_others, bind_probe, block_signals, check_free_descriptors, create_file,
    has_no_device, is_out_of_descriptors, open_regular_file, probe_multicast, probe_udp,
};
#[cfg(not(unix))]
compile_error!("zeroless waits on the file descriptors of libzmq, which needs a Unix system");
