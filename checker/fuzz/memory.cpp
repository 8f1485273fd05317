// The windows into a kernel's memory, over a few frames of RAM that the input has filled: whatever it holds, they end,
// and what they say is what plainer readers see.

#include "checker/fuzz/fuzz.h"
#include "impl/observe/fake_ram_testing.h"
#include "impl/observe/free_list.h"
#include "impl/observe/kernel_tables.h"
#include "impl/observe/page_table.h"

#include <algorithm>
#include <random>
#include <set>

namespace vmcheck::fuzz {

namespace {

using observe::FakeRam;
using observe::Ram;

constexpr std::uint64_t kFrames = 24;

// A frame of RAM, or the one behind it, or the one that has no number.
FrameNo some_frame(Pieces& input) {
    auto const number = input.take<std::uint8_t>();
    return number == 0xff ? FrameNo{(std::uint64_t{1} << 44) - 1} : FakeRam::frame(number % (kFrames + 1));
}

// ---- page tables

// The entry that the hardware would find for a page, and at which level.
struct Found {
    std::uint64_t pte = 0;
    unsigned level = 0;
};
Found look_up(Ram ram, FrameNo root, Vpn page) {
    FrameNo table = root;
    for (unsigned level = 2;; --level) {
        auto const pte = ram.load(start_of(table) + (page.value >> (9 * level) & 0x1ff) * 8, 8).value_or(0);
        if (level == 0 || (pte & 0xe) != 0 || (pte & 1) == 0) return {pte, level};
        table = FrameNo{pte >> 10 & ((std::uint64_t{1} << 44) - 1)};
    }
}

void check_page(Ram ram, FrameNo root, spec::ObservedPage const& page) {
    require(page.in_ram == ram.holds(page.frame), "a page says whether its frame is in RAM");
    auto const [pte, level] = look_up(ram, root, page.page);
    std::uint64_t const within = page.page.value & ((std::uint64_t{1} << (9 * level)) - 1);
    require((pte & 1) != 0, "a page that is listed is mapped");
    require(page.frame.value == (pte >> 10 & ((std::uint64_t{1} << 44) - 1)) + within, "to its frame");
    require(page.rights == spec::Rights{(pte & 2) != 0, (pte & 4) != 0, (pte & 8) != 0, (pte & 16) != 0},
            "with its rights");
}

// ---- lists of free frames

struct PlainList {
    std::set<std::uint64_t> frames{};
    bool sound = true;
};
PlainList read_plainly(Ram ram, std::vector<PhysAddr> const& heads) {
    PlainList list;
    for (PhysAddr const head : heads)
        for (auto next = ram.load(head, 8); next && *next != 0; next = ram.load(PhysAddr{*next}, 8)) {
            FrameNo const frame = PhysAddr{*next}.frame();
            if (start_of(frame).value == *next && ram.holds(frame) && list.frames.insert(frame.value).second) continue;
            list.sound = false;
            break;
        }
    return list;
}

// A frame's link, mostly to a frame.
std::uint64_t some_link(Pieces& input) {
    auto const kind = input.take<std::uint8_t>();
    return kind < 64 ? 0 : start_of(some_frame(input)).value + (kind > 250 ? kind : 0);
}

}  // namespace

void page_table(std::string_view input) {
    FakeRam memory{kFrames};
    Pieces pieces{input};
    while (!pieces.empty()) {
        auto const table = pieces.take<std::uint8_t>() % kFrames;
        auto const entry = pieces.take<std::uint16_t>() % 512U;
        FrameNo const target = some_frame(pieces);
        memory.map(table, entry, target, pieces.take<std::uint16_t>() & 0x3ffU);
    }
    Ram const ram = memory.view();
    observe::TableContents const contents = observe::read_user_table(ram, FakeRam::frame(0));
    std::set<std::uint64_t> tables;
    for (FrameNo const table : contents.tables) {
        require(ram.holds(table), "a table lies in RAM");
        require(tables.insert(table.value).second, "a table is used once");
    }
    for (std::size_t i = 0; i < contents.pages.size(); ++i) {
        require(i == 0 || contents.pages[i - 1].page < contents.pages[i].page, "pages ascend");
        check_page(ram, FakeRam::frame(0), contents.pages[i]);
    }
}

void free_list(std::string_view input) {
    FakeRam memory{kFrames};
    Pieces pieces{input};
    // Frame 0 holds the heads; the others are dealt to their lists.
    std::vector<PhysAddr> heads(1 + pieces.take<std::uint8_t>() % 3U);
    for (std::size_t i = 0; i < heads.size(); ++i) heads[i] = FakeRam::address(0, 8 * i);
    std::vector<PhysAddr> ends = heads;
    auto const listed = pieces.take<std::uint8_t>() % kFrames;
    for (std::uint64_t i = 1; i <= listed; ++i) {
        PhysAddr& end = ends[pieces.take<std::uint8_t>() % heads.size()];
        memory.write(end, FakeRam::address(i).value);
        end = FakeRam::address(i);
    }
    auto golden = observe::GoldenFreeList::take(memory.view(), heads);
    require(golden.has_value() && golden->length() == listed, "a list that is sound is taken");
    observe::FreeList list(std::make_shared<observe::GoldenFreeList const>(std::move(*golden)));
    std::vector<FrameNo> dirty;
    while (!pieces.empty()) {
        for (auto writes = pieces.take<std::uint8_t>() % 8U; writes > 0; --writes) {
            auto const at = pieces.take<std::uint8_t>();
            PhysAddr const where = at >= 128 ? heads[at % heads.size()] : FakeRam::address(1 + at % (kFrames - 1));
            memory.write(where, some_link(pieces));
            dirty.push_back(where.frame());
        }
        list.refresh(memory.view(), dirty);
        PlainList const plain = read_plainly(memory.view(), heads);
        require(list.broken().empty() == plain.sound, "a list is broken where a plain walk finds it so");
        if (!plain.sound) {
            auto const again = observe::GoldenFreeList::take(memory.view(), heads);
            require(!again && !again.error().why.empty(), "no census is taken of a broken list");
            continue;
        }
        require(list.length() == plain.frames.size(), "the length is the number of frames");
        for (std::uint64_t i = 0; i < kFrames; ++i)
            require(list.contains(FakeRam::frame(i)) == plain.frames.contains(FakeRam::frame(i).value),
                    "a frame is on the list where a plain walk finds it");
    }
}

void kernel_tables(std::string_view input) {
    FakeRam memory{2};
    Pieces pieces{input};
    auto const base = FakeRam::address(0, pieces.take<std::uint16_t>());
    auto const field = [&pieces](std::uint64_t stride) {
        std::uint64_t const bytes = std::uint64_t{1} << (pieces.take<std::uint8_t>() % 4U);
        return map::Field{pieces.take<std::uint8_t>() % (stride - bytes + 1), bytes,
                          pieces.take<std::uint8_t>() % 2U == 1};
    };
    map::ProcessTable table;
    table.base = base;
    table.stride = 8 + pieces.take<std::uint8_t>();
    table.count = 1 + pieces.take<std::uint8_t>();
    table.pid = field(table.stride);
    table.state = field(table.stride);
    table.state_zombie = pieces.take<std::uint8_t>();
    table.root = field(table.stride);
    if (table.count % 2 == 0) table.brk = field(table.stride);
    map::ReferenceCounts array;
    array.base = base;
    array.element_bytes = table.pid.bytes;
    array.is_signed = table.pid.is_signed;
    array.stride = table.stride;
    array.behind_pointer = pieces.take<std::uint8_t>() % 2U == 0;
    array.count = array.behind_pointer ? 0 : table.count;
    array.offset_behind_pointer = pieces.take<std::uint16_t>();
    auto const one = static_cast<std::int64_t>(pieces.take<std::uint8_t>());
    for (std::uint64_t at = 0; !pieces.empty() && at < kPageBytes; at += 8)
        memory.write(FakeRam::address(0, at), pieces.take<std::uint64_t>());

    Ram const ram = memory.view();
    observe::ProcessTable const processes(table);
    for (std::uint64_t i = 0; i < processes.size(); ++i) {
        observe::ProcessEntry const entry = processes.read(ram, i);
        require(entry.life != observe::Life::unused || !entry.root, "nothing is known of an unused entry");
        if (entry.life == observe::Life::unused) continue;
        auto const found = processes.find(ram, entry.pid);
        require(found && found->pid == entry.pid, "who is in the table is found by the pid");
    }
    observe::ReferenceCounts const counts(array, FakeRam::frame(0));
    for (std::uint64_t i = 0; i < 2 * kFrames; ++i) {
        auto const raw = counts.raw(ram, FakeRam::frame(i));
        auto const normalised = counts.normalised(ram, FakeRam::frame(i), one);
        require(raw.has_value() == normalised.has_value(), "a count comes of an element");
        require(!raw || array.behind_pointer || i < array.count, "an array ends where it ends");
    }
}

std::vector<std::string> memory_seeds() {
    std::mt19937 random(1);
    std::vector<std::string> seeds;
    for (std::size_t size = 8; size <= 1024; size *= 2) {
        std::string bytes(size, '\0');
        std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
        seeds.push_back(std::move(bytes));
    }
    return seeds;
}

}  // namespace vmcheck::fuzz
