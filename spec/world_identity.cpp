// What makes two Worlds the same state: equality, hash, and the printed form, all blind to history (world.h).

#include "spec/world.h"

#include <fmt/core.h>
#include <xxhash.h>

#include <array>
#include <string_view>
#include <unordered_map>

namespace vmcheck::spec {

namespace {

// Numbers logical frames by first appearance, so that states reached on different ways compare equal.
class FrameNames {
  public:
    std::uint64_t operator()(LogicalFrame frame) { return names_.try_emplace(frame.id, names_.size()).first->second; }

  private:
    std::unordered_map<std::uint64_t, std::uint64_t> names_;
};

class Hasher {
  public:
    void add(std::uint64_t value) { hash_ = XXH3_64bits_withSeed(&value, sizeof value, hash_); }
    void add(std::vector<std::byte> const& bytes) {
        add(bytes.size());
        hash_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), hash_);
    }
    // A page is hashed once, however many processes share it.
    void add(Contents const& contents) {
        if (!contents) return add(std::uint64_t{0});
        auto const [known, fresh] = pages_.try_emplace(contents.get(), 0);
        if (fresh) known->second = XXH3_64bits(contents->data(), contents->size());
        add(known->second);
    }
    std::uint64_t value() const { return hash_; }

  private:
    std::uint64_t hash_ = 0;
    std::unordered_map<PageBytes const*, std::uint64_t> pages_;
};

std::uint64_t bits(Rights rights) {
    return (rights.read ? 1u : 0u) | (rights.write ? 2u : 0u) | (rights.execute ? 4u : 0u) | (rights.user ? 8u : 0u);
}

bool same_contents(Contents const& a, Contents const& b) {
    return a == b || (a && b && *a == *b);
}

bool same_space(AddressSpace const& a, AddressSpace const& b, FrameNames& names_a, FrameNames& names_b) {
    if (a.program != b.program || a.brk != b.brk || a.pages.size() != b.pages.size()) return false;
    auto other = b.pages.begin();
    for (auto const& [vpn, page] : a.pages) {
        auto const& [other_vpn, other_page] = *other++;
        if (vpn != other_vpn || page.rights != other_page.rights || page.presence != other_page.presence ||
            names_a(page.frame) != names_b(other_page.frame) || !same_contents(page.contents, other_page.contents))
            return false;
    }
    return true;
}

// By Presence.
constexpr std::array<std::string_view, 3> kPresences = {"present", "reserved", "either"};

void print_space(std::string& text, AddressSpace const& space, FrameNames& names) {
    text += fmt::format(" break {:#x}\n", space.brk.value);
    for (auto const& [vpn, page] : space.pages)
        text += fmt::format(
            "  {:#x} {} frame {} {}{}\n", start_of(vpn).value, to_string(page.rights), names(page.frame),
            kPresences.at(static_cast<std::size_t>(page.presence)),
            page.contents && page.contents != zero_page()
                ? fmt::format(" contents {:016x}", XXH3_64bits(page.contents->data(), page.contents->size()))
                : std::string{});
}

}  // namespace

bool operator==(World const& a, World const& b) {
    if (a.over_ != b.over_ || a.pipe_ != b.pipe_ || a.open_copies_ != b.open_copies_ ||
        a.processes_.size() != b.processes_.size())
        return false;
    FrameNames names_a, names_b;
    auto other = b.processes_.begin();
    for (auto const& [id, process] : a.processes_) {
        auto const& [other_id, other_process] = *other++;
        if (id != other_id || process.parent != other_process.parent || process.life != other_process.life ||
            process.exit_status != other_process.exit_status)
            return false;
        if (process.life == Life::running && !same_space(*process.space, *other_process.space, names_a, names_b))
            return false;
    }
    return true;
}

std::uint64_t World::hash() const {
    Hasher hasher;
    FrameNames names;
    hasher.add(std::uint64_t{over_});
    for (auto const& contents : pipe_) hasher.add(contents);
    for (auto const& copy : open_copies_) hasher.add(copy.bytes);
    for (auto const& [id, process] : processes_) {
        hasher.add((std::uint64_t{id.value} << 32) | process.parent.value);
        hasher.add((std::uint64_t{static_cast<std::uint32_t>(process.exit_status)} << 1) |
                   (process.life == Life::zombie ? 1u : 0u));
        if (process.life == Life::zombie) continue;
        hasher.add(process.space->brk.value);
        for (auto const& [vpn, page] : process.space->pages) {
            hasher.add(vpn.value);
            hasher.add(bits(page.rights) | (static_cast<std::uint64_t>(page.presence) << 4) | (names(page.frame) << 8));
            hasher.add(page.contents);
        }
    }
    return hasher.value();
}

std::string to_string(World const& world) {
    std::string text;
    FrameNames names;
    for (auto const& [id, process] : world.processes()) {
        text += fmt::format("p{}", id.value);
        if (id != kInit) text += fmt::format(" child of p{}", process.parent.value);
        if (process.life == Life::zombie)
            text += fmt::format(" zombie, status {}\n", process.exit_status);
        else
            print_space(text, *process.space, names);
    }
    for (auto const& contents : world.pipe()) text += fmt::format("pipe: {} bytes\n", contents.size());
    if (!world.open_copies().empty()) text += fmt::format("open copies: {}\n", world.open_copies().size());
    if (world.over()) text += "over\n";
    return text;
}

}  // namespace vmcheck::spec
