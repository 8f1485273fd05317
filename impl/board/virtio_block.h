#pragma once
// A virtio block device on the memory-mapped transport: legacy registers (virtio 1.1, section 4.2.4) or modern ones
// (section 4.2.2); block requests as in section 5.2.6. One queue. Requests are completed at once.

#include "impl/board/clock.h"
#include "impl/board/device.h"
#include "impl/board/disk.h"
#include "impl/board/memory.h"
#include "impl/board/types.h"
#include "impl/board/virtio_queue.h"

#include <cstdint>

namespace vmcheck::board {

class VirtioBlock final : public Device {
  public:
    struct State {
        VirtioQueue::State queue;
        std::uint32_t status = 0;
        std::uint32_t interrupt_status = 0;
        std::uint32_t device_features_selector = 0;
        std::uint32_t driver_features_selector = 0;
        std::uint32_t queue_selector = 0;
        std::uint32_t queue_ready = 0;       // modern
        std::uint32_t guest_page_bytes = 0;  // legacy
        std::uint32_t queue_align = 4096;    // legacy
        std::uint32_t queue_page = 0;        // legacy
    };

    // All references must outlive this object.
    VirtioBlock(DiskInterface interface, Memory& memory, Disk& disk, InterruptLines& lines, Clock& clock,
                Counters& counters);

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    State state{};

  private:
    std::uint32_t read_register(std::uint64_t offset) const;
    void write_common(std::uint64_t offset, std::uint32_t value);
    void write_legacy(std::uint64_t offset, std::uint32_t value);
    void write_modern(std::uint64_t offset, std::uint32_t value);
    void reset();
    void process_queue();
    // Does what is queued; returns whether anything was.
    bool serve_all();
    // Does one request; returns how many bytes were written to the guest.
    std::uint32_t serve(DescriptorChain const& chain);
    // Moves sectors; returns the request's status byte.
    std::uint8_t transfer(std::span<Segment const> data, std::uint64_t sector, bool to_guest, std::uint32_t& written);

    DiskInterface interface_;
    Memory& memory_;
    Disk& disk_;
    InterruptLines& lines_;
    Clock& clock_;
    Counters& counters_;
    VirtioQueue queue_;
};

}  // namespace vmcheck::board
