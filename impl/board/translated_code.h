#pragma once
// Keeps an engine's translated code in step with guest RAM that the host rewrites.
//
// Unicorn notices when the guest itself writes to code that has been translated. It cannot notice writes by the host
// (restoring a snapshot, disk transfers, accelerated memmove). The rule that is kept here for each frame:
//
//     translated code of the frame was made from the bytes that are in RAM,
//     or the frame is *doubtful*, and then from the copy that is kept, and then no TLB entry lets the frame be
//     executed.
//
// A frame becomes doubtful before its first overwrite. The next fetch from it needs a TLB fill, and that is the moment
// to compare: when the bytes are the copy's again (the usual case, since each run starts from the same image), the code
// is right after all; otherwise it must be dropped before the fetch may go on.

#include "impl/board/memory.h"
#include "spec/address.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <unordered_map>

namespace vmcheck::board {

class TranslatedCode final : public CodeFrameListener {
  public:
    // Must outlive this object.
    explicit TranslatedCode(Memory& memory) : memory_(memory) {}

    // The engine is about to fetch from this frame. Returns false when translated code has to be dropped first (by
    // the caller, who then calls forget()).
    bool may_fetch(FrameNo frame) {
        if (!doubtful_.empty() && !settle(frame)) return false;
        memory_.mark_code(frame);
        return true;
    }
    // Whether a TLB entry may allow execution although the fill was not for a fetch.
    bool is_known_good(FrameNo frame) const { return memory_.has_code(frame) && !doubtful_.contains(frame); }

    // All translated code of the frame is gone.
    void forget(FrameNo frame) { doubtful_.erase(frame); }
    void forget_all() { doubtful_.clear(); }

    // Whether a frame has become doubtful since the last call: the engine's TLB must be flushed before it goes on.
    bool take_flush_request() { return std::exchange(flush_requested_, false); }
    bool flush_requested() const { return flush_requested_; }

    void before_overwrite(FrameNo frame, std::span<std::byte const, kPageBytes> old_bytes) override {
        auto const [entry, is_new] = doubtful_.try_emplace(frame);
        if (!is_new) return;  // the copy is of the bytes that the code was made from; those in RAM came later
        std::ranges::copy(old_bytes, entry->second.begin());
        flush_requested_ = true;
    }

  private:
    // Returns false when the frame's bytes differ from those that its code was made from.
    bool settle(FrameNo frame) {
        auto const found = doubtful_.find(frame);
        if (found == doubtful_.end()) return true;
        if (!std::ranges::equal(found->second, memory_.frame(frame))) return false;
        doubtful_.erase(found);
        return true;
    }

    using Copy = std::array<std::byte, kPageBytes>;
    Memory& memory_;
    std::unordered_map<FrameNo, Copy> doubtful_;
    bool flush_requested_ = false;
};

}  // namespace vmcheck::board
