#pragma once
// What a GDB asks of a recorded run, and what it is answered: packets in, packets out, and no socket. Threads are
// harts. Memory is that of the page table which the hart uses at present; what that does not map and is RAM is read by
// its physical address, so that the kernel's own names can be looked at while a user program runs. Nothing can be
// written: the run is the one that was.

#include "checker/debug/timeline.h"
#include "impl/board/board.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::debug {

class Stub {
  public:
    struct Client {
        // Answers `monitor ...`.
        std::function<std::string(std::string_view words)> monitor{};
        // Whether the client wants to have back what it has set going.
        std::function<bool()> interrupted{};
    };
    // REQUIRES: both outlive the stub, and the timeline is the board's.
    Stub(Timeline& timeline, board::Board& board, Client client);

    struct Answer {
        std::string packet;
        enum class Then : std::uint8_t { goes_on, without_acks, leaves, ends } then = Then::goes_on;
    };
    Answer answer(std::string_view packet);

  private:
    enum class Towards : std::uint8_t { end, beginning };

    std::string query(std::string_view packet);
    std::string read_registers();
    std::string read_register(std::string_view arguments);
    std::string read_memory(std::string_view arguments);
    std::string select_thread(std::string_view arguments);
    std::string set_point(std::string_view packet);
    std::string go_on(std::string_view actions);
    std::string move(Search search, Towards towards);
    std::string step(board::HartIndex hart, Towards towards, VirtAddr from = VirtAddr{0}, VirtAddr to = VirtAddr{0});
    std::string stop_reply(std::string_view signal, std::string_view reason) const;
    std::string threads() const;
    std::string value_of(std::size_t number) const;
    std::optional<PhysAddr> where(VirtAddr address) const;
    std::optional<board::HartIndex> hart_of(std::string_view thread) const;
    board::HartIndex moved() const { return moved_.value_or(timeline_.hart()); }

    Timeline& timeline_;
    board::Board& board_;
    Client client_;
    board::HartIndex looked_at_;             // whose registers and page table are meant
    std::optional<board::HartIndex> moved_;  // who is stepped; nothing: who comes next
    std::vector<VirtAddr> breakpoints_;
    std::vector<Watch> watches_;
};

// The registers that GDB sees, as it wants to be told.
std::string target_description();

}  // namespace vmcheck::debug
