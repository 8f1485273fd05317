#pragma once
// Lets a GDB of this machine in, one at a time, on the loopback interface alone. A client that sends rubbish gets no
// answer; one that goes away, or reads nothing of what it is sent, is forgotten, and the next may come.

#include "checker/debug/stub.h"
#include "impl/base/descriptor.h"
#include "impl/base/error.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vmcheck::debug {

class Server {
  public:
    // Port 0: any that is free. Fails with a sentence.
    static tl::expected<Server, base::Error> listen(std::uint16_t port);
    std::uint16_t port() const { return port_; }

    struct Served {
        Timeline& timeline;
        board::Board& board;
        std::function<std::string(std::string_view)> monitor;
    };
    enum class End : std::uint8_t { killed, stopped };
    // Until a client kills the program, or `stop` says so: it is asked several times a second, also while a client
    // waits for an answer.
    End serve(Served const& served, std::function<bool()> const& stop);

  private:
    Server(base::Descriptor socket, std::uint16_t port) : socket_(std::move(socket)), port_(port) {}
    base::Descriptor socket_;
    std::uint16_t port_;
};

}  // namespace vmcheck::debug
