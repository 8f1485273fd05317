#include "impl/board/snapshot.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// For each page, the file that it lies in at its own place; null where it is plain, or zeros.
using Files = std::vector<std::shared_ptr<base::Descriptor const>>;

Files files_of(std::span<Piece const> pieces) {
    Files files;
    for (Piece const& piece : pieces) files.insert(files.end(), piece.bytes / kPageBytes, piece.file);
    return files;
}

bool write_all(int file, std::span<std::byte const> bytes, std::uint64_t at) {
    while (!bytes.empty()) {
        ssize_t const written = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (written < 0 && errno != EINTR) return false;
        if (written < 0) continue;
        at += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

// What a frame holds, whether it is late or not.
std::optional<PlainFrame> plain_at(Memory const& memory, std::size_t index) {
    if (memory.late().has(index)) return memory.late().at(index);
    return PlainFrame::of(memory.pages().subspan(index * kPageBytes).first<kPageBytes>());
}

// Into the file, at its own place.
bool write_frames(int file, Memory const& memory, std::size_t index, std::size_t end) {
    for (std::size_t until = index; index < end; index = until) {
        if (memory.late().has(index)) {
            std::array<std::byte, kPageBytes> page;
            memory.late().at(index).write_to(page);
            if (!write_all(file, page, index * kPageBytes)) return false;
            until = index + 1;
            continue;
        }
        while (until < end && !memory.late().has(until)) ++until;
        if (!write_all(file, memory.pages().subspan(index * kPageBytes, (until - index) * kPageBytes),
                       index * kPageBytes))
            return false;
    }
    return true;
}

}  // namespace

tl::expected<SharedRam, Error> SharedRam::copy_of(Memory const& memory, SharedRam const* like) {
    std::span<std::byte const> const bytes = memory.pages();
    auto const own = std::make_shared<base::Descriptor const>(memfd_create("vmcheck-golden", MFD_CLOEXEC));
    if (!own->valid()) return tl::unexpected(host_error("make a memory file"));
    if (ftruncate(own->number(), static_cast<off_t>(bytes.size())) != 0)
        return tl::unexpected(host_error("size a memory file"));
    std::size_t const pages = bytes.size() / kPageBytes;
    bool const alike = like != nullptr && like->bytes().size() == bytes.size();
    auto plain = std::make_shared<PlainFrames>(pages);
    Files files = alike ? files_of(like->pieces()) : Files(pages, own);
    for (std::size_t page = 0; page < pages; ++page) {
        if (auto const frame = plain_at(memory, page)) {
            files[page].reset();
            if (!frame->is_zero()) plain->add(page, *frame);
        } else if (!files[page] || (alike && std::memcmp(bytes.data() + page * kPageBytes,
                                                         like->bytes().data() + page * kPageBytes, kPageBytes) != 0))
            files[page] = own;
    }
    std::vector<Piece> pieces;
    for (std::size_t page = 0, end = 0; page < pages; page = end) {
        while (end < pages && files[end] == files[page]) ++end;
        // It is not worth a mapping for itself.
        constexpr std::size_t kShort = 64;
        auto const& file = end - page < kShort ? own : files[page];
        // Written rather than stored: a store through a mapping costs a page fault for each page, which would be most
        // of the time that a golden image takes.
        if (file == own && !write_frames(own->number(), memory, page, end))
            return tl::unexpected(host_error("fill a memory file"));
        for (std::size_t each = page; file && each < end; ++each) plain->forget(each);
        std::uint64_t const count = (end - page) * kPageBytes;
        if (!pieces.empty() && pieces.back().file == file)
            pieces.back().bytes += count;
        else
            pieces.push_back({count, file});
    }
    void* const room = mmap(nullptr, bytes.size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return tl::unexpected(host_error("find room"));
    Mapping mapping(static_cast<std::byte*>(room), Unmap{bytes.size()});
    if (!map_pieces(mapping.get(), pieces, PROT_READ)) return tl::unexpected(host_error("map a memory file"));
    return SharedRam(std::move(pieces), std::move(plain), std::move(mapping));
}

namespace {

void drop_private(Machine& machine) {
    machine.memory.drop_private([&](FrameNo frame) { return machine.golden->ram.frame(frame); });
}

// A plain frame is left as it is, and written when it is next asked for: many a program leaves it alone.
void put_back(Machine& machine, FrameNo frame) {
    if (machine.memory.late().is_plain(Memory::index_of(frame)))
        machine.memory.make_late(frame);
    else
        machine.memory.replace_frame(frame, machine.golden->ram.frame(frame));
}

}  // namespace

std::size_t Checkpoint::bytes() const {
    return contents_->bytes.size() + contents_->frames.size() * sizeof(Contents::Frame) +
           contents_->disk.size() * (kSectorBytes + sizeof(std::uint64_t)) + contents_->console.size();
}

tl::expected<std::shared_ptr<Golden const>, Error> Board::take_golden(std::shared_ptr<Golden const> like) {
    Machine& machine = *machine_;
    if (!like) like = machine.golden;
    tl::expected<SharedRam, Error> ram = SharedRam::copy_of(machine.memory, like ? &like->ram : nullptr);
    if (!ram) return tl::unexpected(ram.error());
    // The same bytes from here on, but shared with the image: this gives the private pages back to the host.
    if (!machine.memory.map_from(ram->pieces(), ram->plain())) return tl::unexpected(host_error("map a memory file"));
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
    if (!memory.map_from(golden->ram.pieces(), golden->ram.plain()))
        return tl::unexpected(host_error("map a memory file"));
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
    if (memory.uses_huge_pages()) drop_private(machine);
    for (FrameNo const frame : memory.dirty_frames()) put_back(machine, frame);
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
    for (FrameNo const frame : machine.memory.dirty_frames()) {
        std::span<std::byte const, kPageBytes> const bytes = machine.memory.frame(frame);
        contents->frames.push_back({frame, PlainFrame::of(bytes)});
        if (!contents->frames.back().plain) contents->bytes.insert(contents->bytes.end(), bytes.begin(), bytes.end());
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
    if (memory.dirty_frames().size() > frames + Memory::kManyFrames) drop_private(machine);
    // The present dirty frames that the checkpoint does not hold are golden there.
    std::vector<FrameNo> held;
    held.reserve(frames);
    for (auto const& each : checkpoint.frames) held.push_back(each.number);
    std::ranges::sort(held);
    for (FrameNo const frame : memory.dirty_frames()) {
        if (std::ranges::binary_search(held, frame)) continue;
        put_back(machine, frame);
        ++frames;
    }
    memory.clear_dirty();
    std::span<std::byte const> bytes = checkpoint.bytes;
    for (auto const& [frame, plain] : checkpoint.frames) {
        memory.mark_dirty(frame);
        if (plain) {
            std::array<std::byte, kPageBytes> page;
            plain->write_to(page);
            memory.replace_frame(frame, page);
        } else {
            memory.replace_frame(frame, bytes.first<kPageBytes>());
            bytes = bytes.subspan(kPageBytes);
        }
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

void Board::begin_trial() {
    Machine& machine = *machine_;
    machine.trial = Trial{machine.capture(), machine.disk.written()};
    machine.apply(machine.trial->snapshot);  // no TLB lets the guest store unseen
    machine.memory.begin_trial();
}

void Board::end_trial() {
    Machine& machine = *machine_;
    Trial trial = *std::exchange(machine.trial, std::nullopt);
    machine.disk.set_written(std::move(trial.disk));
    machine.apply(trial.snapshot);
    machine.memory.end_trial();
}

}  // namespace vmcheck::board
