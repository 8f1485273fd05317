#pragma once
// For self tests: a bare engine with a little RAM that notes what Unicorn tells it.

#include "impl/board/engine.h"

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vmcheck::board {

class Probe {
  public:
    static constexpr std::uint64_t kCode = 0x8000'0000;
    static constexpr std::uint64_t kData = 0x8000'4000;
    static constexpr std::uint64_t kBytes = 0x10000;

    struct Fill {
        std::uint64_t page = 0;
        uc_mem_type type = UC_MEM_READ;
    };

    // Ready to run `program` in M-mode; nothing when Unicorn refuses.
    static std::unique_ptr<Probe> with(std::vector<std::uint32_t> const& program);

    uc_err run(std::uint64_t from = kCode) {
        engine.set_pc(VirtAddr{from});
        return engine.start();
    }
    void put(std::uint64_t address, std::vector<std::uint32_t> const& program) {
        std::memcpy(memory.data() + (address - kCode), program.data(), program.size() * 4);
    }
    int fills_of(std::uint64_t page, uc_mem_type type) const {
        int count = 0;
        for (Fill const& fill : fills) count += fill.page == page && fill.type == type;
        return count;
    }
    // Calls `function` before the instruction at `address`.
    void at(std::uint64_t address, std::function<void()> function);

    Engine engine;
    std::vector<Fill> fills;
    std::vector<std::uint32_t> exceptions;  // by Unicorn's number
    std::vector<std::uint64_t> exception_pcs;
    std::vector<std::uint64_t> blocks;
    std::vector<std::uint32_t> block_bytes;
    std::function<bool(Fill const&)> allow_fill = [](Fill const&) { return true; };
    std::function<std::uint64_t(std::uint64_t page)> translate = [](std::uint64_t page) { return page; };
    std::function<void()> on_exception = [this] { engine.stop(); };
    std::function<void()> on_block = [] {};
    bool grant_writes_on_reads = false;

  private:
    explicit Probe(Engine opened) : engine(std::move(opened)) {}
    bool install();
    static bool fill_hook(uc_engine*, std::uint64_t page, uc_mem_type type, uc_tlb_entry* result, void* user);
    static void exception_hook(uc_engine*, std::uint32_t number, void* user);
    static void block_hook(uc_engine*, std::uint64_t address, std::uint32_t bytes, void* user);
    static void address_hook(uc_engine*, std::uint64_t address, std::uint32_t bytes, void* user);

    alignas(4096) std::array<std::byte, kBytes> memory{};
    std::vector<std::unique_ptr<std::function<void()>>> functions_;
};

}  // namespace vmcheck::board
