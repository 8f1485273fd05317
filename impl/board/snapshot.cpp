#include "impl/board/snapshot.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace vmcheck::board {
namespace {

Error host_error(char const* what) {
    return Error{fmt::format("Could not {} for a snapshot of the guest's RAM: {}.", what, strerror(errno))};
}

bool is_zero(std::byte const* page) {
    return page[0] == std::byte{0} && std::memcmp(page, page + 1, kPageBytes - 1) == 0;
}

}  // namespace

tl::expected<SharedRam, Error> SharedRam::copy_of(std::span<std::byte const> bytes) {
    base::Descriptor file(memfd_create("vmcheck-golden", MFD_CLOEXEC));
    if (!file.valid()) return tl::unexpected(host_error("make a memory file"));
    if (ftruncate(file.number(), static_cast<off_t>(bytes.size())) != 0)
        return tl::unexpected(host_error("size a memory file"));
    // Pages that stay holes in the file take no memory. The rest is written, run by run: a store through a mapping
    // costs a page fault for each page, which is most of the time that a golden image takes.
    for (std::size_t at = 0; at < bytes.size();) {
        std::size_t end = at;
        while (end < bytes.size() && !is_zero(bytes.data() + end)) end += kPageBytes;
        while (at < end) {
            ssize_t const written = pwrite(file.number(), bytes.data() + at, end - at, static_cast<off_t>(at));
            if (written < 0 && errno != EINTR) return tl::unexpected(host_error("fill a memory file"));
            if (written > 0) at += static_cast<std::size_t>(written);
        }
        at = end + kPageBytes;
    }
    void* const mapping = mmap(nullptr, bytes.size(), PROT_READ, MAP_SHARED, file.number(), 0);
    if (mapping == MAP_FAILED) return tl::unexpected(host_error("map a memory file"));
    return SharedRam(std::move(file), Mapping(static_cast<std::byte*>(mapping), Unmap{bytes.size()}));
}

std::size_t Checkpoint::bytes() const {
    return contents_->bytes.size() + contents_->frames.size() * sizeof(FrameNo) +
           contents_->disk.size() * (kSectorBytes + sizeof(std::uint64_t)) + contents_->console.size();
}

tl::expected<std::shared_ptr<Golden const>, Error> Board::take_golden() {
    Machine& machine = *machine_;
    tl::expected<SharedRam, Error> ram = SharedRam::copy_of(machine.memory.bytes());
    if (!ram) return tl::unexpected(ram.error());
    // The same bytes from here on, but shared with the image: this gives the private pages back to the host.
    if (!machine.memory.map_from(ram->file_descriptor())) return tl::unexpected(host_error("map a memory file"));
    machine.memory.clear_dirty();
    machine.golden = std::shared_ptr<Golden const>{
        new Golden{std::move(*ram), machine.disk.rebase(), std::string{machine.console.text()}, machine.capture()}};
    // So that the run that follows is no different from one after restore().
    machine.apply(machine.golden->snapshot);
    return machine.golden;
}

tl::expected<void, Error> Board::adopt(std::shared_ptr<Golden const> golden) {
    Machine& machine = *machine_;
    if (golden->ram.bytes().size() != machine.memory.size() || golden->snapshot.contexts.size() != machine.harts()) {
        return tl::unexpected(Error{"A board can start only from a golden image with as much RAM and as many harts."});
    }
    Memory& memory = machine.memory;
    memory.forget_code();
    if (!memory.map_from(golden->ram.file_descriptor())) return tl::unexpected(host_error("map a memory file"));
    memory.clear_dirty();
    machine.disk.set_base(golden->disk);
    machine.console.assign(golden->console);
    if (std::optional<Error> error = machine.watch_all(golden->snapshot.watched)) return tl::unexpected(*error);
    machine.apply(golden->snapshot);
    machine.golden = std::move(golden);
    return {};
}

std::size_t Board::restore() {
    Machine& machine = *machine_;
    assert(machine.golden != nullptr);
    Golden const& golden = *machine.golden;
    Memory& memory = machine.memory;
    std::size_t const frames = memory.dirty_frames().size();
    for (FrameNo const frame : memory.dirty_frames()) memory.replace_frame(frame, golden.ram.frame(frame));
    memory.clear_dirty();
    machine.disk.discard_written();
    machine.apply(golden.snapshot);
    if (recording_ != nullptr)
        recording_->requests.push_back({.again = [](Board& board) { board.restore(); }, .elapsed = elapsed()});
    return frames;
}

Checkpoint Board::save() const {
    Machine const& machine = *machine_;
    assert(machine.golden != nullptr);
    auto contents = std::make_shared<Checkpoint::Contents>();
    contents->golden = machine.golden;
    std::span<FrameNo const> const dirty = machine.memory.dirty_frames();
    contents->frames.assign(dirty.begin(), dirty.end());
    contents->bytes.reserve(dirty.size() * kPageBytes);
    for (FrameNo const frame : dirty) {
        std::span<std::byte const, kPageBytes> const bytes = machine.memory.frame(frame);
        contents->bytes.insert(contents->bytes.end(), bytes.begin(), bytes.end());
    }
    contents->disk = machine.disk.written();
    contents->console =
        machine.console.text().substr(std::min(machine.golden->console.size(), machine.console.text().size()));
    contents->snapshot = machine.capture();
    if (recording_ != nullptr)
        recording_->requests.push_back({.again = [](Board&) {}, .elapsed = elapsed(), .saved = contents.get()});
    return Checkpoint{std::move(contents)};
}

std::size_t Board::restore(Checkpoint const& saved) {
    Machine& machine = *machine_;
    Checkpoint::Contents const& checkpoint = *saved.contents_;
    assert(machine.golden == checkpoint.golden);
    Memory& memory = machine.memory;
    std::size_t frames = checkpoint.frames.size();
    // The present dirty frames that the checkpoint does not hold are golden there.
    std::vector<FrameNo> held = checkpoint.frames;
    std::ranges::sort(held);
    for (FrameNo const frame : memory.dirty_frames()) {
        if (std::ranges::binary_search(held, frame)) continue;
        memory.replace_frame(frame, machine.golden->ram.frame(frame));
        ++frames;
    }
    memory.clear_dirty();
    std::span<std::byte const> bytes = checkpoint.bytes;
    for (FrameNo const frame : checkpoint.frames) {
        memory.replace_frame(frame, bytes.first<kPageBytes>());
        memory.mark_dirty(frame);
        bytes = bytes.subspan(kPageBytes);
    }
    machine.disk.set_written(checkpoint.disk);
    machine.console.assign(machine.golden->console + checkpoint.console);
    machine.apply(checkpoint.snapshot);
    if (recording_ != nullptr) {
        std::vector<Request>& requests = recording_->requests;
        auto const at = std::ranges::find(requests, static_cast<void const*>(&checkpoint), &Request::saved);
        if (at != requests.end()) requests.erase(std::next(at), requests.end());
        requests.push_back({.again = [saved](Board& board) { board.restore(saved); }, .elapsed = elapsed()});
    }
    return frames;
}

}  // namespace vmcheck::board
