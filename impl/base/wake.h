#pragma once
// A stop request as something that poll() can wait for, beside whatever else is waited for.

#include "impl/base/descriptor.h"

#include <sys/eventfd.h>

#include <stop_token>

namespace vmcheck::base {

class Wake {
  public:
    explicit Wake(std::stop_token const& stop) : callback_(stop, Ring{event_.number()}) {}

    // Readable once the stop was asked for.
    int number() const { return event_.number(); }

  private:
    struct Ring {
        int number;
        void operator()() const { ::eventfd_write(number, 1); }
    };
    Descriptor event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    std::stop_callback<Ring> callback_;
};

}  // namespace vmcheck::base
