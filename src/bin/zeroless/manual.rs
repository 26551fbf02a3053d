//! What the program says of its command line: a man page, and scripts that complete it in a shell.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::fault::{Fault, Result, USAGE};
use crate::options::Cli;

/// What the man pages are from.
const SOURCE: &str = concat!("zeroless ", env!("CARGO_PKG_VERSION"));

/// A script that completes the command line.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "zeroless", &mut script);
    script
}

/// The man page of the program, or of the command below it that these words name.
pub fn man_page(words: &[String]) -> Result<Vec<u8>> {
    let mut command = Cli::command();
    // Names each command with those above it.
    command.build();
    for word in words {
        let Some(below) = command.find_subcommand(word) else {
            let name = command.get_name();
            let message = format!("there is no command {word:?} below {name}; its --help lists them");
            return Err(Fault::new(USAGE, message));
        };
        command = below.clone();
    }
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    // One line for the section `NAME`, and all for the section `DESCRIPTION`.
    let first = about.lines().next().unwrap_or_default().to_owned();
    let command = command.about(first).long_about(about);
    let mut page = Vec::new();
    match Man::new(command).source(SOURCE).render(&mut page) {
        // clap_mangen has no other name for it.
        Ok(()) => Ok(String::from_utf8_lossy(&page)
            .replace(".SH EXTRA", ".SH NOTES")
            .into_bytes()),
        Err(error) => Err(Fault::failed(format!("cannot write the man page: {error}"))),
    }
}
