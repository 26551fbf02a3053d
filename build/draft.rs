//! The changes to libzmq's draft sockets, which `libzmq-changes.md` describes. Made only with the feature `draft`.

use super::changes::Change;

pub const CHANGES: &[Change] = &[
    Change {
        file: "server.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true),\n",
        new: "    socket_base_t (parent_, tid_, sid_),\n",
    },
    Change {
        file: "client.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true)\n",
        new: "    socket_base_t (parent_, tid_, sid_)\n",
    },
    Change {
        file: "scatter.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true)\n",
        new: "    socket_base_t (parent_, tid_, sid_)\n",
    },
    Change {
        file: "gather.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true)\n",
        new: "    socket_base_t (parent_, tid_, sid_)\n",
    },
    Change {
        file: "channel.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true),\n",
        new: "    socket_base_t (parent_, tid_, sid_),\n",
    },
    Change {
        file: "radio.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true),\n",
        new: "    socket_base_t (parent_, tid_, sid_),\n",
    },
    Change {
        file: "dish.cpp",
        old: "    socket_base_t (parent_, tid_, sid_, true),\n",
        new: "    socket_base_t (parent_, tid_, sid_),\n",
    },
    Change {
        file: "radio.cpp",
        old: "        //  Set the group
        rc = join_leave_msg.set_group (group, group_length);
        errno_assert (rc == 0);
",
        new: "        //  Set the group. One that is too long is the peer's fault.
        rc = join_leave_msg.set_group (group, group_length);
        if (rc != 0) {
            errno = EPROTO;
            return -1;
        }
",
    },
    Change {
        file: "radio.cpp",
        old: "zmq::radio_session_t::~radio_session_t ()
{
}
",
        new: "zmq::radio_session_t::~radio_session_t ()
{
    if (_state == body)
        _pending_msg.close ();
}
",
    },
    Change {
        file: "radio.cpp",
        old: "    session_base_t::reset ();
    _state = group;
",
        new: "    session_base_t::reset ();
    if (_state == body)
        _pending_msg.close ();
    _state = group;
",
    },
    Change {
        file: "dish.cpp",
        old: "    session_base_t (io_thread_, connect_, socket_, options_, addr_),
    _state (group)
{
}

zmq::dish_session_t::~dish_session_t ()
{
}
",
        new: "    session_base_t (io_thread_, connect_, socket_, options_, addr_),
    _state (group)
{
    _group_msg.init ();
}

zmq::dish_session_t::~dish_session_t ()
{
    _group_msg.close ();
}
",
    },
    Change {
        file: "dish.cpp",
        old: "    //  We set the group, so we don't need the group_msg anymore
    rc = _group_msg.close ();
    errno_assert (rc == 0);
",
        new: "    //  We set the group, so we don't need the group_msg anymore. It must stay
    //  valid: a message with an empty group that does not fit into the pipe
    //  comes here again.
    rc = _group_msg.close ();
    errno_assert (rc == 0);
    _group_msg.init ();
",
    },
    Change {
        file: "dish.cpp",
        old: "    session_base_t::reset ();
    _state = group;
",
        new: "    session_base_t::reset ();
    _group_msg.close ();
    _group_msg.init ();
    _state = group;
",
    },
    Change {
        file: "dist.cpp",
        old: "    if (msg_->is_vsm ()) {
",
        new: "    //  A long group is shared memory. Each pipe needs a reference of its own.
    if (strlen (msg_->group ()) > 14) {
        int rc;
        for (pipes_t::size_type i = 0; i < _matching;) {
            msg_t copy;
            rc = copy.init ();
            errno_assert (rc == 0);
            rc = copy.copy (*msg_);
            errno_assert (rc == 0);
            if (write (_pipes[i], &copy)) {
                ++i;
            } else {
                rc = copy.close ();
                errno_assert (rc == 0);
            }
        }
        rc = msg_->close ();
        errno_assert (rc == 0);
        rc = msg_->init ();
        errno_assert (rc == 0);
        return;
    }

    if (msg_->is_vsm ()) {
",
    },
    Change {
        file: "msg.cpp",
        old: "        case type_zclmsg:
            return _u.zclmsg.content->data;
",
        new: "        case type_zclmsg:
            return _u.zclmsg.content->data;
        //  Over inproc, a socket of any type may receive these.
        case type_join:
        case type_leave:
            return _u.base.group.sgroup.group;
",
    },
    Change {
        file: "msg.cpp",
        old: "        case type_cmsg:
            return _u.cmsg.size;
",
        new: "        case type_cmsg:
            return _u.cmsg.size;
        case type_join:
        case type_leave:
            return 0;
",
    },
    Change {
        file: "dgram.cpp",
        old: "    // If there's no out pipe, just drop it.
    if (!_pipe) {
        const int rc = msg_->close ();
        errno_assert (rc == 0);
        return -1;
    }
",
        new: "    if (!_pipe) {
        errno = EAGAIN;
        return -1;
    }
",
    },
    Change {
        file: "dgram.cpp",
        old: "        _pipe = NULL;
    }
",
        new: "        _pipe = NULL;
        //  The half of a message that was in it is gone, too.
        _more_out = false;
    }
",
    },
    Change {
        file: "session_base.cpp",
        old: "        int rc = engine->init (_addr, send, recv);
        errno_assert (rc == 0);

        send_attach (this, engine);

        return;
    }

#ifdef ZMQ_HAVE_OPENPGM
",
        new: "        //  No file descriptor may be left.
        if (engine->init (_addr, send, recv) != 0) {
            delete engine;
            terminate ();
            return;
        }

        send_attach (this, engine);

        return;
    }

#ifdef ZMQ_HAVE_OPENPGM
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "            assert_success_or_recoverable (_fd, rc);
            error (connection_error);
            return;
        }

        if (multicast) {
",
        new: "            //  It would fail again at once, and without end.
            error (protocol_error);
            return;
        }

        if (multicast) {
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "            assert_success_or_recoverable (_fd, rc);
            error (connection_error);
            return;
        }
    }

    if (_send_enabled) {
",
        new: "            //  It would fail again at once, and without end.
            error (protocol_error);
            return;
        }
    }

    if (_send_enabled) {
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "        const size_t body_size = body_msg.size ();
        size_t size;
",
        new: "        const size_t body_size = body_msg.size ();
        size_t size;

        //  What does not fit is dropped.
        if (body_size > MAX_UDP_MSG
            || (!_options.raw_socket
                && 1 + group_size + body_size > MAX_UDP_MSG)) {
            group_msg.close ();
            body_msg.close ();
            return;
        }
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "            if (rc != EWOULDBLOCK) {
                assert_success_or_recoverable (_fd, rc);
                error (connection_error);
            }
#endif
        }
    } else {
",
        new: "            //  The datagram is lost; the next one may be sent.
#endif
        }
    } else {
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "      recvfrom (_fd, _in_buffer, MAX_UDP_MSG, 0,
                reinterpret_cast<sockaddr *> (&in_address), &in_addrlen);
",
        new: "      recvfrom (_fd, _in_buffer, MAX_UDP_MSG, MSG_TRUNC,
                reinterpret_cast<sockaddr *> (&in_address), &in_addrlen);

    //  It has been cut off.
    if (nbytes > MAX_UDP_MSG)
        return;
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "        if (nbytes != EWOULDBLOCK) {
            assert_success_or_recoverable (_fd, nbytes);
            error (connection_error);
        }
#endif
        return;
",
        new: "        //  Nothing has arrived, or a datagram is lost.
#endif
        return;
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "        zmq_assert (in_address.ss_family == AF_INET);
",
        new: "        if (in_address.ss_family != AF_INET)
            return;
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "        const int group_size = _in_buffer[0];

        rc = msg.init_size (group_size);
        errno_assert (rc == 0);
        msg.set_flags (msg_t::more);
        memcpy (msg.data (), group_buffer, group_size);

        //  This doesn't fit, just ingore
        if (nbytes - 1 < group_size)
            return;
",
        new: "        const int group_size = static_cast<unsigned char> (_in_buffer[0]);

        //  This doesn't fit, just ignore
        if (nbytes - 1 < group_size)
            return;

        rc = msg.init_size (group_size);
        errno_assert (rc == 0);
        msg.set_flags (msg_t::more);
        memcpy (msg.data (), group_buffer, group_size);
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "    const int size = static_cast<int> (name_len) + 1 /* colon */
                     + port_len + 1;                 //  terminating NUL
",
        new: "    const int size = static_cast<int> (name_len) + 1 /* colon */ + port_len;
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "    memcpy (address, port, static_cast<size_t> (port_len));
    address += port_len;
    *address = 0;
",
        new: "    memcpy (address, port, static_cast<size_t> (port_len));
",
    },
    Change {
        file: "socket_base.cpp",
        old: "        add_endpoint (endpoint_uri_pair_t (endpoint_uri_, std::string (),
                                           endpoint_type_none),
                      static_cast<own_t *> (session), newpipe);
",
        new: "        //  With the name that unbinding looks for.
        add_endpoint (make_unconnected_bind_endpoint_pair (endpoint_uri_),
                      static_cast<own_t *> (session), newpipe);
",
    },
    Change {
        file: "channel.cpp",
        old: "        // drop all frames of the current multi-frame message
        read = _pipe->read (msg_);
        while (read && msg_->flags () & msg_t::more)
            read = _pipe->read (msg_);

        // get the new message
        if (read)
            read = _pipe->read (msg_);
",
        new: "        // drop all frames of the current multi-frame message
        while (read && msg_->flags () & msg_t::more) {
            msg_->close ();
            read = _pipe->read (msg_);
        }

        // get the new message
        if (read) {
            msg_->close ();
            read = _pipe->read (msg_);
        }
",
    },
    Change {
        file: "udp_engine.cpp",
        old: "            //  In multicast we should bind ANY and use the mreq struct to
            //  specify the interface
            any.set_port (bind_addr->port ());

            real_bind_addr = &any;
",
        new: "            //  Bound to the multicast address, it takes no other datagrams. The
            //  mreq struct specifies the interface.
            real_bind_addr = udp_addr->target_addr ();
",
    },
];
