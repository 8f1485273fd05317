// Clients that come, send what they like, and go.
#include "checker/debug/server.h"

#include "checker/debug/recorded_guest_testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace vmcheck::debug {
namespace {

class Client {
  public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(socket_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        timeval const patience{20, 0};
        setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    void send(std::string_view bytes) { ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    // What comes until it ends so.
    std::string take_until(std::string_view end) {
        std::string all;
        char c = 0;
        while (!all.ends_with(end) && recv(socket_.number(), &c, 1, 0) == 1) all += c;
        return all;
    }

  private:
    base::Descriptor socket_;
};

struct Serving {
    explicit Serving(int scenario = SCENARIO_SSTC_TIMER) : guest(1, scenario) {
        server.emplace(std::move(Server::listen(0).value()));
        thread = std::jthread([this] {
            end = server->serve({*guest.timeline, guest.board, [](std::string_view) { return std::string("x"); }},
                                [this] { return stop.load(); });
        });
    }
    ~Serving() {
        stop = true;
        thread.join();
    }
    Client client() { return Client(server->port()); }
    RecordedGuest guest;
    std::optional<Server> server;
    std::atomic<bool> stop{false};
    std::atomic<Server::End> end{Server::End::stopped};
    std::jthread thread;
};

TEST(Server, AnswersInTurnAndSendsAgain) {
    Serving serving;
    Client client = serving.client();
    client.send("+$qC#b4");
    EXPECT_EQ(client.take_until("#c5"), "+$QC1#c5");
    client.send("-");
    EXPECT_EQ(client.take_until("#c5"), "$QC1#c5");
    client.send("$qC#00");
    EXPECT_EQ(client.take_until("-"), "-");
}

TEST(Server, OutlivesClientsThatSendRubbishOrGoAway) {
    Serving serving;
    for (std::string const& rubbish :
         {std::string("\xff\x00$$$###", 8), std::string(1u << 20, '$'), "$" + std::string(4u << 20, 'm'),
          std::string("$c#63"), std::string("GET / HTTP/1.1\r\n\r\n")})
        serving.client().send(rubbish);
    Client client = serving.client();
    client.send("$qC#b4");
    EXPECT_EQ(client.take_until("#c5"), "+$QC1#c5");
}

TEST(Server, EndsWhatIsGoingOnWhenItIsInterrupted) {
    Serving serving(SCENARIO_LOOP_IN_M);
    Client client = serving.client();
    client.send("\x03$bc#c5\x03");
    EXPECT_EQ(client.take_until("#d4"), "+$T02thread:1;#d4");
    client.send("$bc#c5");
    EXPECT_EQ(client.take_until("begin;#20"), "+$T05thread:1;replaylog:begin;#20");
}

TEST(Server, EndsWhenTheProgramIsKilled) {
    Serving serving;
    serving.client().send("$k#6b");
    serving.thread.join();
    serving.thread = std::jthread([] {});
    EXPECT_EQ(serving.end, Server::End::killed);
}

TEST(Server, StopsSoonWhateverItsClientDoes) {
    Serving serving;
    Client client = serving.client();
    client.send("$qC#b4");
    client.take_until("#c5");
    auto const asked = std::chrono::steady_clock::now();
    serving.stop = true;
    serving.thread.join();
    serving.thread = std::jthread([] {});
    EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds{2});
}

TEST(Server, IsThereForThisMachineAlone) {
    auto const server = Server::listen(0);
    ASSERT_TRUE(server);
    EXPECT_FALSE(Server::listen(server->port()));
}

}  // namespace
}  // namespace vmcheck::debug
