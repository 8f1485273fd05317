#pragma once
// Blocks of translated code by where they were found last: over flushes of the TLB, at which Unicorn forgets it.

#include "spec/address.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace vmcheck::board {

class BlockCache {
  public:
    // As TranslationBlock begins (Unicorn 2.1.2 to 2.1.4, qemu/include/exec/exec-all.h).
    struct Block {
        std::uint64_t pc;
        std::uint64_t cs_base;  // 0, here
        std::uint32_t flags;    // what the translation depends on besides: privilege and FPU
        std::uint16_t bytes;
        std::uint16_t instructions;
        std::uint32_t how;  // how it was compiled, and whether a store has hit its code since
        std::uint32_t trace;
        void const* code;

        bool is_valid() const { return (how & kInvalid) == 0; }
        bool is_as(std::uint32_t wanted) const { return (how & (kCompared | kInvalid)) == wanted; }

      private:
        static constexpr std::uint32_t kInvalid = 0x0004'0000, kCompared = 0xff0a'ffff;  // CF_INVALID, CF_HASH_MASK
    };

    // Where a block may be remembered. What it says of `physical` holds until the TLB is flushed, or until that is
    // asked for anew.
    struct Entry {
        Block const* block = nullptr;
        std::uint64_t pc = 0;
        std::uint64_t physical = 0;  // where that is in Unicorn's RAM
        std::uint32_t flags = 0;
        std::uint32_t flushes = 0;

        bool is_of(std::uint64_t at, std::uint32_t with) const {
            return pc == at && flags == with && block != nullptr && block->is_valid();
        }
    };

    Entry& entry(std::uint64_t pc, std::uint32_t flags) {
        std::uint64_t const halfwords = pc >> 1;
        return entries_[(halfwords ^ halfwords >> 11 ^ flags) % kEntries];
    }
    bool holds(Entry const& entry) const { return entry.flushes == flushes_; }
    void hold(Entry& entry) const { entry.flushes = flushes_; }

    // Unicorn has found `block`, whose first byte is at `physical`. One that reaches into a second page depends on
    // where that is, and is not kept.
    void remember(Block const& block, std::uint64_t physical) {
        if (VirtAddr{block.pc}.offset() + block.bytes <= kPageBytes)
            entry(block.pc, block.flags) = {&block, block.pc, physical, block.flags, flushes_};
    }

    // REQUIRED at each flush of the TLB.
    void note_flush() {
        if (++flushes_ == 0) clear();
    }
    // REQUIRED whenever Unicorn drops all translated code: its memory is used again.
    void clear() { entries_ = {}; }

  private:
    static constexpr std::size_t kEntries = 4096;
    std::array<Entry, kEntries> entries_{};
    std::uint32_t flushes_ = 1;
};

}  // namespace vmcheck::board
