#include "checker/debug/server.h"

#include "checker/debug/packet.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>

namespace vmcheck::debug {

namespace {

// How often one looks whether it is time to stop, in milliseconds.
constexpr int kLookEvery = 100;
// A client that takes nothing for so many looks is gone.
constexpr int kLooksForSending = 50;
// So many packets wait at most; what comes beyond stays in the socket.
constexpr std::size_t kWaitingMax = 64;

bool ready(int socket, short what, int milliseconds) {
    pollfd one{socket, what, 0};
    return poll(&one, 1, milliseconds) > 0;
}

class Connection {
  public:
    Connection(base::Descriptor socket, std::function<bool()> const& stop) : socket_(std::move(socket)), stop_(stop) {}

    // What came next; nothing: the client is gone, or it is time to stop.
    std::optional<Received> next() {
        while (waiting_.empty() && !gone_ && !stop_())
            if (ready(socket_.number(), POLLIN, kLookEvery)) read();
        if (waiting_.empty() || stop_()) return std::nullopt;
        Received first = std::move(waiting_.front());
        waiting_.pop_front();
        return first;
    }

    // Looks without waiting whether the client, or the user, wants an end of what is going on.
    bool is_interrupted() {
        while (!gone_ && waiting_.size() < kWaitingMax && ready(socket_.number(), POLLIN, 0)) read();
        auto const at = std::ranges::find_if(
            waiting_, [](Received const& each) { return std::holds_alternative<Interrupt>(each); });
        bool const asked = at != waiting_.end();
        if (asked) waiting_.erase(at);
        return asked || gone_ || stop_();
    }

    void send(std::string_view bytes) {
        for (int looks = 0; !bytes.empty() && !gone_;) {
            if (!ready(socket_.number(), POLLOUT, kLookEvery)) {
                gone_ = ++looks == kLooksForSending || stop_();
                continue;
            }
            ssize_t const sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN && errno != EINTR) gone_ = true;
            if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

  private:
    void read() {
        std::array<char, 4096> buffer{};
        ssize_t const count = recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (count <= 0) {
            gone_ = true;
            return;
        }
        for (Received& each : reader_.take({buffer.data(), static_cast<std::size_t>(count)}))
            waiting_.push_back(std::move(each));
    }

    base::Descriptor socket_;
    std::function<bool()> const& stop_;
    PacketReader reader_;
    std::deque<Received> waiting_;
    bool gone_ = false;
};

// One client, until it goes. True: it killed the program.
bool converse(Connection& connection, Server::Served const& served) {
    Stub stub(served.timeline, served.board, {served.monitor, [&] { return connection.is_interrupted(); }});
    std::string latest;
    bool acks = true;
    while (auto const received = connection.next()) {
        if (std::holds_alternative<SendAgain>(*received)) {
            if (acks) connection.send(latest);
            continue;
        }
        // What came while nothing was going on interrupts nothing.
        if (std::holds_alternative<Interrupt>(*received)) continue;
        auto const* packet = std::get_if<Packet>(&*received);
        if (acks) connection.send(packet != nullptr ? "+" : "-");
        if (packet == nullptr) continue;
        Stub::Answer const answer = stub.answer(packet->data);
        using Then = Stub::Answer::Then;
        if (answer.then == Then::ends && answer.packet.empty()) return true;
        latest = frame(answer.packet);
        connection.send(latest);
        if (answer.then == Then::ends) return true;
        if (answer.then == Then::leaves) return false;
        if (answer.then == Then::without_acks) acks = false;
    }
    return false;
}

base::Error socket_error(char const* what) {
    return {fmt::format("could not {} for GDB: {}.", what, std::strerror(errno))};
}

}  // namespace

tl::expected<Server, base::Error> Server::listen(std::uint16_t port) {
    base::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return tl::unexpected(socket_error("make a socket"));
    int const yes = 1;
    setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    // The interface of sockets takes addresses of every family as this type.
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket.number(), any, size) != 0 || ::listen(socket.number(), 1) != 0 ||
        getsockname(socket.number(), any, &size) != 0)
        return tl::unexpected(socket_error(fmt::format("listen at 127.0.0.1:{}", port).c_str()));
    return Server{std::move(socket), ntohs(address.sin_port)};
}

Server::End Server::serve(Served const& served, std::function<bool()> const& stop) {
    while (!stop()) {
        if (!ready(socket_.number(), POLLIN, kLookEvery)) continue;
        base::Descriptor client(accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client.valid()) continue;
        int const yes = 1;
        setsockopt(client.number(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection connection(std::move(client), stop);
        if (converse(connection, served)) return End::killed;
    }
    return End::stopped;
}

}  // namespace vmcheck::debug
