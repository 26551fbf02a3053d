//! The changes to libzmq's source, which `libzmq-changes.md` describes.

use std::fs;
use std::path::Path;

/// A part of a file, and its replacement.
pub struct Change {
    pub file: &'static str,
    pub old: &'static str,
    pub new: &'static str,
}

pub const CHANGES: &[Change] = &[
    Change {
        file: "options.cpp",
        old: "    in_batch_size (8192),\n    out_batch_size (8192),\n",
        new: "    in_batch_size (65536),\n    out_batch_size (65536),\n",
    },
    Change {
        file: "own.cpp",
        old: "    //  Plug the object into the I/O thread.
    send_plug (object_);

    //  Take ownership of the object.
    send_own (this, object_);
",
        new: "    //  Take ownership of the object. Once plugged, it may ask its owner to
    //  terminate it, and an owner that does not know it ignores that.
    send_own (this, object_);

    //  Plug the object into the I/O thread.
    send_plug (object_);
",
    },
    Change {
        file: "own.hpp",
        old: "    void inc_seqnum ();\n",
        new: "    void inc_seqnum ();

    //  Stop listening, and keep the objects that this one owns. Return false
    //  if it does not listen.
    virtual bool stop_listening () { return false; }
",
    },
    Change {
        file: "own.hpp",
        old: "    //  Terminate owned object
",
        new: "    //  An object that is not owned may be deallocated already.
    bool owns (own_t *object_) const { return _owned.count (object_) > 0; }

    //  Terminate owned object
",
    },
    Change {
        file: "socket_base.cpp",
        old: "        term_child (it->second.first);\n",
        new: "        if (!owns (it->second.first)
            || !it->second.first->stop_listening ())
            term_child (it->second.first);
",
    },
    Change {
        file: "socket_base.cpp",
        old: "    if (options.immediate == 1)
        pipe_->terminate (false);
    else
        // Notify derived",
        new: "    //  With `immediate`, the session terminates the pipe, once all messages
    //  have been read from it.
    if (options.immediate != 1)
        // Notify derived",
    },
    Change {
        file: "stream_listener_base.hpp",
        old: "    int get_local_address (std::string &addr_) const;\n",
        new: "    int get_local_address (std::string &addr_) const;

    //  Called by the thread of the socket.
    bool stop_listening () ZMQ_FINAL;
",
    },
    Change {
        file: "stream_listener_base.hpp",
        old: "    void process_plug () ZMQ_FINAL;\n",
        new: "    void process_plug () ZMQ_FINAL;\n    void process_stop () ZMQ_FINAL;\n",
    },
    Change {
        file: "stream_listener_base.cpp",
        old: "void zmq::stream_listener_base_t::process_term (int linger_)
{
    rm_fd (_handle);
    _handle = static_cast<handle_t> (NULL);
    close ();
    own_t::process_term (linger_);
}
",
        new: "bool zmq::stream_listener_base_t::stop_listening ()
{
    send_stop ();
    return true;
}

void zmq::stream_listener_base_t::process_stop ()
{
    rm_fd (_handle);
    _handle = static_cast<handle_t> (NULL);
    close ();
}

void zmq::stream_listener_base_t::process_term (int linger_)
{
    if (_s != retired_fd)
        process_stop ();
    own_t::process_term (linger_);
}
",
    },
    Change {
        file: "v2_decoder.hpp",
        old: "    v2_decoder_t (size_t bufsize_, int64_t maxmsgsize_, bool zero_copy_);
",
        new: "    //  The limit may change while the decoder lives.
    v2_decoder_t (size_t bufsize_,
                  const int64_t &maxmsgsize_,
                  bool zero_copy_);
",
    },
    Change {
        file: "v2_decoder.hpp",
        old: "    const int64_t _max_msg_size;
",
        new: "    const int64_t &_max_msg_size;
",
    },
    Change {
        file: "v2_decoder.cpp",
        old: "                                 int64_t maxmsgsize_,
",
        new: "                                 const int64_t &maxmsgsize_,
",
    },
    Change {
        file: "stream_engine_base.hpp",
        old: "    const options_t _options;
",
        new: "    const options_t _options;

    //  The largest frame that the peer may send now: until the handshake is
    //  done, 64 KiB; then what the options say.
    int64_t _frame_limit;
",
    },
    Change {
        file: "stream_engine_base.cpp",
        old: "    _options (options_),
",
        new: "    _options (options_),
    _frame_limit (65536),
",
    },
    Change {
        file: "stream_engine_base.cpp",
        old: "void zmq::stream_engine_base_t::mechanism_ready ()
{
",
        new: "void zmq::stream_engine_base_t::mechanism_ready ()
{
    _frame_limit = _options.maxmsgsize;
",
    },
    Change {
        file: "zmtp_engine.cpp",
        old: "bool zmq::zmtp_engine_t::handshake_v3_0 ()
{
    _encoder = new (std::nothrow) v2_encoder_t (_options.out_batch_size);
    alloc_assert (_encoder);

    _decoder = new (std::nothrow) v2_decoder_t (
      _options.in_batch_size, _options.maxmsgsize, _options.zero_copy);
",
        new: "bool zmq::zmtp_engine_t::handshake_v3_0 ()
{
    _encoder = new (std::nothrow) v2_encoder_t (_options.out_batch_size);
    alloc_assert (_encoder);

    _decoder = new (std::nothrow) v2_decoder_t (
      _options.in_batch_size, _frame_limit, _options.zero_copy);
",
    },
    Change {
        file: "zmtp_engine.cpp",
        old: "bool zmq::zmtp_engine_t::handshake_v3_1 ()
{
    _encoder = new (std::nothrow) v3_1_encoder_t (_options.out_batch_size);
    alloc_assert (_encoder);

    _decoder = new (std::nothrow) v2_decoder_t (
      _options.in_batch_size, _options.maxmsgsize, _options.zero_copy);
",
        new: "bool zmq::zmtp_engine_t::handshake_v3_1 ()
{
    _encoder = new (std::nothrow) v3_1_encoder_t (_options.out_batch_size);
    alloc_assert (_encoder);

    _decoder = new (std::nothrow) v2_decoder_t (
      _options.in_batch_size, _frame_limit, _options.zero_copy);
",
    },
    Change {
        file: "tcp_connecter.hpp",
        old: "    void out_event ();
    void timer_event (int id_);
",
        new: "    void in_event ();
    void out_event ();
    void timer_event (int id_);
",
    },
    Change {
        file: "tcp_connecter.hpp",
        old: "    bool _connect_timer_started;
",
        new: "    bool _connect_timer_started;

    //  The lookup that must finish before the socket can be opened, or NULL.
    class name_lookup_t *_lookup;
",
    },
    Change {
        file: "tcp_connecter.cpp",
        old: "#include \"session_base.hpp\"
",
        new: "#include \"session_base.hpp\"
#include \"name_lookup.hpp\"
",
    },
    Change {
        file: "tcp_connecter.cpp",
        old: "    _connect_timer_started (false)
{
",
        new: "    _connect_timer_started (false),
    _lookup (NULL)
{
",
    },
    Change {
        file: "tcp_connecter.cpp",
        old: "    zmq_assert (!_connect_timer_started);
}
",
        new: "    zmq_assert (!_connect_timer_started);
    if (_lookup)
        _lookup->release ();
}
",
    },
    Change {
        file: "tcp_connecter.cpp",
        old: "void zmq::tcp_connecter_t::out_event ()
{
",
        new: "void zmq::tcp_connecter_t::in_event ()
{
    if (_lookup) {
        rm_handle ();
        start_connecting ();
    } else
        out_event ();
}

void zmq::tcp_connecter_t::out_event ()
{
",
    },
    Change {
        file: "tcp_connecter.cpp",
        old: "void zmq::tcp_connecter_t::start_connecting ()
{
",
        new: "void zmq::tcp_connecter_t::start_connecting ()
{
    //  Look up a name first. When that is done, in_event comes back here.
    if (!_lookup && name_lookup_t::is_needed (_addr->address, options.ipv6)) {
        _lookup = name_lookup_t::start (_addr->address, options);
        if (_lookup) {
            _handle = add_fd (_lookup->get_fd ());
            set_pollin (_handle);
        } else
            add_reconnect_timer ();
        return;
    }

",
    },
    Change {
        file: "tcp_connecter.cpp",
        old: "    _s = tcp_open_socket (_addr->address.c_str (), options, false, true,
                          _addr->resolved.tcp_addr);
",
        new: "    if (_lookup) {
        _s = _lookup->finish (_addr->resolved.tcp_addr);
        _lookup = NULL;
    } else
        _s = tcp_open_socket (_addr->address.c_str (), options, false, true,
                              _addr->resolved.tcp_addr);
",
    },
    Change {
        file: "zmtp_engine.cpp",
        old: "          ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);
",
        new: "          ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);
        //  The peer needs the rest of our greeting to notice the same.
        if (_outsize > 0)
            write (_outpos, _outsize);
",
    },
    Change {
        file: "zmtp_engine.cpp",
        old: "            if (errno != EAGAIN)
                error (connection_error);
            return -1;
",
        new: "            if (errno == EAGAIN)
                return -1;
            //  A peer of another mechanism may have read our greeting and
            //  closed the connection before it has sent its mechanism.
            const bool may_refuse = errno == EPIPE && _outsize == 0
                                    && _greeting_size == v3_greeting_size
                                    && _greeting_bytes_read > signature_size;
            if (may_refuse && session ()->is_refused_again ()) {
                socket ()->event_handshake_failed_no_detail (
                  session ()->get_endpoint (), EPIPE);
                error (protocol_error);
            } else
                error (connection_error);
            return -1;
",
    },
    Change {
        file: "pipe.cpp",
        old: "    if (!(msg_->flags () & msg_t::more) && !msg_->is_routing_id ())
        _msgs_read++;

    if (_lwm > 0 && _msgs_read % _lwm == 0)
        send_activate_write (_peer, _msgs_read);
",
        new: "    //  Only when a whole message was read, so that this is always news.
    if (!(msg_->flags () & msg_t::more) && !msg_->is_routing_id ()) {
        _msgs_read++;
        if (_lwm > 0 && _msgs_read % _lwm == 0)
            send_activate_write (_peer, _msgs_read);
    }
",
    },
    Change {
        file: "session_base.hpp",
        old: "    void engine_ready ();
",
        new: "    void engine_ready ();

    //  The peer has closed the connection in the middle of its greeting.
    //  Return whether this was the third time without a handshake between.
    bool is_refused_again () { return ++_refusals == 3; }
",
    },
    Change {
        file: "session_base.hpp",
        old: "    const bool _active;
",
        new: "    const bool _active;

    int _refusals;
",
    },
    Change {
        file: "session_base.cpp",
        old: "    own_t (io_thread_, options_),
    io_object_t (io_thread_),
    _active (active_),
",
        new: "    own_t (io_thread_, options_),
    io_object_t (io_thread_),
    _active (active_),
    _refusals (0),
",
    },
    Change {
        file: "session_base.cpp",
        old: "void zmq::session_base_t::engine_ready ()
{
",
        new: "void zmq::session_base_t::engine_ready ()
{
    _refusals = 0;
",
    },
    Change {
        file: "session_base.cpp",
        old: "        case i_engine::protocol_error:
            if (_pending) {
                if (_pipe)
                    _pipe->terminate (false);
                if (_zap_pipe)
                    _zap_pipe->terminate (false);
            } else {
                terminate ();
            }
            break;
",
        new: "        case i_engine::protocol_error:
            //  Nothing can be delivered any more, so the pipe must not wait.
            if (_pipe)
                _pipe->terminate (false);
            if (_pending) {
                if (_zap_pipe)
                    _zap_pipe->terminate (false);
            } else {
                terminate ();
            }
            break;
",
    },
];

/// Changes the files of a folder, and notes this in each of them. Fails if the source is not that of libzmq 4.3.4.
pub fn apply(folder: &Path, changes: &[Change]) -> Result<(), String> {
    for &Change { file, old, new } in changes {
        let path = folder.join(file);
        let source = fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let found = source.matches(old).count();
        if found != 1 {
            return Err(format!(
                "cannot change {}: the text to replace must occur once and occurs {found} times; build with the crate \
                 zeromq-src 0.2.6, or build zeroless without its feature `own-libzmq`: {old:?}",
                path.display()
            ));
        }
        let notice = "/* Changed by the crate zeroless, in November 2026: see its libzmq-changes.md. */\n";
        let notice = if source.starts_with(notice) { "" } else { notice };
        fs::write(&path, [notice, &source.replace(old, new)].concat())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}
