//  Part of libzmq as the crate zeroless builds it: see libzmq-changes.md.

#ifndef __ZEROLESS_NAME_LOOKUP_HPP_INCLUDED__
#define __ZEROLESS_NAME_LOOKUP_HPP_INCLUDED__

#include <pthread.h>
#include <unistd.h>

#include <new>
#include <string>

#include "atomic_counter.hpp"
#include "err.hpp"
#include "fd.hpp"
#include "ip_resolver.hpp"
#include "macros.hpp"
#include "options.hpp"
#include "signaler.hpp"
#include "tcp.hpp"
#include "tcp_address.hpp"

namespace zmq
{
//  Looks up the name of a server and opens a socket for its address, on a
//  thread of its own. A name server that does not answer would otherwise stop
//  the I/O thread, and with it every socket of the process.
//
//  The object belongs to a connecter and to its thread. The last of them
//  deletes it, so a connecter never waits for its thread.
class name_lookup_t
{
  public:
    //  True iff the host of a "[source;]host:port" is a name.
    static bool is_needed (const std::string &address_, bool ipv6_)
    {
        //  Without allow_dns, only addresses resolve.
        ip_resolver_options_t without_names;
        without_names.ipv6 (ipv6_).expect_port (true);
        const size_t server = address_.rfind (';') + 1;
        ip_addr_t unused;
        return ip_resolver_t (without_names)
                 .resolve (&unused, address_.c_str () + server)
               != 0;
    }

    //  Start a lookup. Return NULL if there are too many, or if the process
    //  has no thread or file descriptor left.
    static name_lookup_t *start (const std::string &address_,
                                 const options_t &options_)
    {
        if (_running.add (1) >= max_running) {
            _running.sub (1);
            return NULL;
        }
        name_lookup_t *lookup =
          new (std::nothrow) name_lookup_t (address_, options_);
        alloc_assert (lookup);
        pthread_t thread;
        if (!lookup->_done.valid ()
            || pthread_create (&thread, NULL, run, lookup) != 0) {
            _running.sub (1);
            delete lookup;
            return NULL;
        }
        const int rc = pthread_detach (thread);
        posix_assert (rc);
        return lookup;
    }

    //  Readable once the lookup is done.
    fd_t get_fd () const { return _done.get_fd (); }

    //  Return what tcp_open_socket has returned, and release the lookup, which
    //  must be done.
    fd_t finish (tcp_address_t *out_tcp_addr_)
    {
        _done.recv ();
        const fd_t s = _s;
        const int err = _err;
        *out_tcp_addr_ = _tcp_addr;
        _s = retired_fd;
        release ();
        errno = err;
        return s;
    }

    //  Give up the connecter's share.
    void release ()
    {
        if (!_owners.sub (1))
            delete this;
    }

  private:
    //  Sockets that are closed leave their lookups behind. A program that
    //  opens and closes many must not run out of threads.
    enum
    {
        max_running = 256
    };
    static atomic_counter_t _running;

    name_lookup_t (const std::string &address_, const options_t &options_) :
        _address (address_),
        _options (options_),
        _s (retired_fd),
        _err (0),
        _owners (2)
    {
    }

    ~name_lookup_t ()
    {
        if (_s != retired_fd)
            ::close (_s);
    }

    static void *run (void *lookup_)
    {
        name_lookup_t *const lookup = static_cast<name_lookup_t *> (lookup_);
        lookup->_s =
          tcp_open_socket (lookup->_address.c_str (), lookup->_options, false,
                           true, &lookup->_tcp_addr);
        lookup->_err = errno;
        _running.sub (1);
        lookup->_done.send ();
        lookup->release ();
        return NULL;
    }

    const std::string _address;
    const options_t _options;
    tcp_address_t _tcp_addr;
    fd_t _s;
    int _err;
    signaler_t _done;
    atomic_counter_t _owners;

    ZMQ_NON_COPYABLE_NOR_MOVABLE (name_lookup_t)
};

atomic_counter_t name_lookup_t::_running;
}

#endif
