//! By default, builds a libzmq that supports more than zmq-sys's does. Without the feature `own-libzmq`, and if Cargo
//! links the system's libzmq, builds nothing.

#[cfg(feature = "own-libzmq")]
mod changes;
#[cfg(feature = "draft")]
mod draft;

use std::{env, io};

fn main() -> io::Result<()> {
    // By default, Cargo runs this again when any file of the package changes.
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rustc-check-cfg=cfg(libzmq, values(\"own\", \"zmq_sys\", \"system\"))");
    println!("cargo::rustc-check-cfg=cfg(draft)");
    // The folder in which zmq-sys put libzmq's source. It is not set if Cargo links the system's libzmq.
    let which = match env::var_os("DEP_ZMQ_OUT") {
        None => "system",
        #[cfg(feature = "own-libzmq")]
        Some(zmq) => {
            libzmq::build(&std::path::Path::new(&zmq).join("source"))?;
            // Cargo may link the system's libzmq although the feature is on.
            #[cfg(feature = "draft")]
            println!("cargo::rustc-cfg=draft");
            "own"
        }
        #[cfg(not(feature = "own-libzmq"))]
        Some(_) => "zmq_sys",
    };
    println!("cargo::rustc-cfg=libzmq=\"{which}\"");
    Ok(())
}

#[cfg(feature = "own-libzmq")]
mod libzmq {
    use std::collections::BTreeSet;
    use std::fmt::Write;
    use std::path::{Path, PathBuf};
    use std::{env, fs, io, process};

    use super::changes;

    /// The definitions of zmq-sys's build, and everything that libzmq's own build detects on any Linux. Android gets the
    /// same as from zmq-sys.
    const PLATFORM: &str = r#"
        #include <stdlib.h> // defines which libc this is

        #define HAVE_STRNLEN
        #define ZMQ_HAVE_IPC
        #define ZMQ_HAVE_UIO
        #define ZMQ_HAVE_WS
        #define ZMQ_POLL_BASED_ON_POLL
        #define ZMQ_USE_BUILTIN_SHA1
        #define ZMQ_USE_CV_IMPL_STL11

        #ifdef __linux__
            #define ZMQ_IOTHREAD_POLLER_USE_EPOLL
        #else
            #define ZMQ_IOTHREAD_POLLER_USE_KQUEUE
        #endif

        // Only glibc before 2.38 lacks it.
        #ifndef __GLIBC__
            #define ZMQ_HAVE_STRLCPY
        #elif __GLIBC_PREREQ(2, 38)
            #define ZMQ_HAVE_STRLCPY
        #endif

        #if defined __linux__ && !defined __ANDROID__
            #define HAVE_ACCEPT4
            #define HAVE_CLOCK_GETTIME
            #define HAVE_FORK
            #define HAVE_IF_NAMETOINDEX
            #define HAVE_MKDTEMP
            #define ZMQ_HAVE_EVENTFD
            #define ZMQ_HAVE_EVENTFD_CLOEXEC
            #define ZMQ_HAVE_IFADDRS
            #define ZMQ_HAVE_O_CLOEXEC
            #define ZMQ_HAVE_PTHREAD_SETNAME_2
            #define ZMQ_HAVE_PTHREAD_SET_AFFINITY
            #define ZMQ_HAVE_SOCK_CLOEXEC
            #define ZMQ_HAVE_SO_BINDTODEVICE
            #define ZMQ_HAVE_SO_KEEPALIVE
            #define ZMQ_HAVE_SO_PEERCRED
            #define ZMQ_HAVE_SO_PRIORITY
            #define ZMQ_HAVE_TCP_KEEPCNT
            #define ZMQ_HAVE_TCP_KEEPIDLE
            #define ZMQ_HAVE_TCP_KEEPINTVL
            #define ZMQ_IOTHREAD_POLLER_USE_EPOLL_CLOEXEC
        #endif
    "#;

    /// Without these, libzmq has no cryptography at all.
    const CURVE: &str = "
        #define ZMQ_HAVE_CURVE
        #define ZMQ_USE_LIBSODIUM
    ";

    const DRAFT: &str = "
        #define ZMQ_BUILD_DRAFT_API
    ";

    pub fn build(source: &Path) -> io::Result<()> {
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
        let curve = if cfg!(feature = "curve") { CURVE } else { "" };
        let draft = if cfg!(feature = "draft") { DRAFT } else { "" };
        fs::write(out.join("platform.hpp"), [PLATFORM, curve, draft].concat())?;

        let changed = out.join("libzmq");
        copy_files(&source.join("src"), &changed)?;
        let all_changes = [
            changes::CHANGES,
            #[cfg(feature = "draft")]
            super::draft::CHANGES,
        ];
        let outcome = all_changes
            .into_iter()
            .try_for_each(|changes| changes::apply(&changed, changes));
        if let Err(error) = outcome {
            println!("cargo::error={error}");
            process::exit(1);
        }
        let whole = out.join("libzmq.cpp");
        fs::write(&whole, whole_source(&changed, &source.join("external/sha1/sha1.c"))?)?;
        cc::Build::new()
            .cpp(true)
            .file(whole)
            .include(out)
            .include(changed)
            .include("build") // name_lookup.hpp, for the changes
            .include(source.join("include"))
            .includes(env::var_os("DEP_SODIUM_INCLUDE"))
            .warnings(false)
            .opt_level(2) // Cargo's dev profile would not optimise
            // Lets the compiler inline functions of other files: 15 % fewer instructions a message. libzmq's own build
            // sets it, too.
            .flag_if_supported("-fvisibility=hidden")
            .debug(false) // takes longer, and a debugger finds the functions without it
            // The linker reads this library before zmq-sys's libzmq. It takes all of this one, and then needs nothing
            // from the other.
            .link_lib_modifier("+whole-archive")
            .compile("zeroless_zmq");
        Ok(())
    }

    /// Copies the files of a folder to a new one.
    fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// One file that includes all others. Compiling it is faster, because the headers of libzmq and of the C++ library
    /// are read once.
    fn whole_source(folder: &Path, sha1: &Path) -> io::Result<String> {
        let mut files = BTreeSet::from([sha1.to_owned()]); // sorted, so that every build is the same
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let needs_gnutls = name.starts_with("wss_");
            if name.ends_with(".cpp") && !needs_gnutls {
                files.insert(path);
            }
        }
        let mut whole = String::new();
        for file in files {
            let _ = writeln!(whole, "#include \"{}\"", file.display());
        }
        Ok(whole)
    }
}
