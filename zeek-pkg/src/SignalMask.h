#pragma once

#include <csignal>

namespace iforest {

// Keeps signals from this thread while it lives. Zeek's handlers run on
// whatever stack they find (src/3rdparty/setsignal.c sets no SA_ONSTACK), and
// one that ran on a goroutine's would overwrite memory behind it.
class SignalMask {
public:
    // All signals: around dlopen, so that the threads that Go starts inherit
    // the mask and the kernel never picks one of them for Zeek's signals.
    static SignalMask All() {
        sigset_t set;
        sigfillset(&set);
        return SignalMask(set);
    }

    // All but those that a fault of the code itself raises: around each call.
    static SignalMask Asynchronous() {
        static const sigset_t set = [] {
            sigset_t s;
            sigfillset(&s);
            for ( int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS} )
                sigdelset(&s, fault);
            return s;
        }();
        return SignalMask(set);
    }

    ~SignalMask() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    SignalMask(const SignalMask&) = delete;
    SignalMask& operator=(const SignalMask&) = delete;

private:
    explicit SignalMask(const sigset_t& set) { pthread_sigmask(SIG_BLOCK, &set, &before); }

    sigset_t before;
};

} // namespace iforest
