//! Chapters of the guide that go into detail. These modules contain only documentation.
//!
//! The [crate page](crate) is the guide for beginners. These chapters continue it:
//!
//! | chapter | what it answers |
//! |---|---|
//! | [`guarantees`] | What does the crate promise? Which tests check each promise? Which messages can be lost? |
//! | [`jobs`] | What do `dispatch` and `work` guarantee? What if a worker dies? How do workers in other languages take part? |
//! | [`networks`] | How does a server let in only known clients? What happens to the others? What can strangers do? |
//! | [`python`] | How is a line of Python's Zeroless written here? What is different? |
//! | [`protocol`] | What do `call` and `serve` send? How does a program in another language call, or answer? |
//! | [`draft`] | What are the draft sockets for, and UDP? What does one want instead? |
//! | [`shell`] | How do scripts of a shell use all this, with the command line `zeroless`? |
//! | [`platforms`] | Which systems does the crate support? Which builds of libzmq are there, and what does each lack? |

pub mod draft;
pub mod guarantees;
pub mod jobs;
pub mod networks;
pub mod platforms;
pub mod protocol;
pub mod python;
pub mod shell;
