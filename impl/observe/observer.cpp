#include "impl/observe/observer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vmcheck::observe {

Observer::Observer(board::Board& board, std::shared_ptr<Windows const> windows)
    : board_(board),
      ram_(ram_of(board)),
      windows_(std::move(windows)),
      written_(ram().frames()),
      compared_(ram().frames()) {
    if (windows_->free_list) free_list_.emplace(windows_->free_list);
}

spec::FrameCensus Observer::census() {
    if (!free_list_) return {};
    free_list_->refresh(ram(), board_.dirty_frames());
    return {free_list_->length()};
}

std::vector<FrameNo> Observer::free_frames() {
    std::vector<FrameNo> free;
    if (!free_list_) return free;
    free_list_->refresh(ram(), board_.dirty_frames());
    for (std::uint64_t i = 0; i < ram().frames(); ++i)
        if (FrameNo const frame{ram().first().value + i}; free_list_->contains(frame)) free.push_back(frame);
    return free;
}

void Observer::begin_look() {
    ++look_;
    for (FrameNo const frame : board_.take_written_frames()) written_[index_of(frame)] = look_;
    for (Walked& each : walked_) each.wanted = false;
}

TableContents const& Observer::table_at(FrameNo root) {
    auto known = std::ranges::find(walked_, root, &Walked::root);
    auto const holds = [&] {
        return std::ranges::all_of(known->table.tables,
                                   [&](FrameNo frame) { return written_[index_of(frame)] <= known->look; });
    };
    if (known == walked_.end()) {
        known = walked_.insert(known, {root, read_user_table(ram(), root), look_});
    } else if (!holds()) {
        known->table = read_user_table(ram(), root);
        known->look = look_;
    }
    known->wanted = true;
    return known->table;
}

spec::ObservedProcess Observer::look_at(spec::ProcId id, FrameNo root) {
    TableContents const& table = table_at(root);
    spec::ObservedProcess process;
    process.id = id;
    process.pages = table.pages;
    process.table_frames = table.tables;
    process.broken = table.broken;
    return process;
}

// A running process is known by the root of its page table.
void Observer::see_breaks(std::vector<spec::ObservedProcess>& running) const {
    for (std::uint64_t i = 0; i < windows_->processes->size(); ++i) {
        auto const root = windows_->processes->root(ram(), i);
        if (!root) continue;
        for (spec::ObservedProcess& process : running) {
            if (process.table_frames.empty() || process.table_frames.front() != *root) continue;
            ProcessEntry const entry = windows_->processes->read(ram(), i);
            if (entry.life == Life::other) process.brk = entry.brk;
        }
    }
}

spec::Observation Observer::observe(std::span<Subject const> running, std::span<EndedSubject const> ended) {
    begin_look();
    spec::Observation seen;
    seen.memory = this;
    seen.census = census();
    if (free_list_) seen.free_list_broken = free_list_->broken();
    for (Subject const& subject : running) seen.processes.push_back(look_at(subject.id, subject.root));
    if (!windows_->processes) return seen;
    see_breaks(seen.processes);
    seen.zombies.emplace();
    for (EndedSubject const& subject : ended) {
        auto const entry = windows_->processes->find(ram(), subject.pid);
        if (!entry) continue;
        seen.zombies->push_back(subject.id);
        if (!entry->root) continue;
        seen.processes.push_back(look_at(subject.id, *entry->root));
        seen.processes.back().zombie = true;
    }
    std::erase_if(walked_, [](Walked const& each) { return !each.wanted; });
    return seen;
}

std::span<std::byte const, kPageBytes> Observer::bytes(FrameNo frame) const {
    return ram().frame(frame);
}

bool Observer::holds(FrameNo frame, spec::Contents const& contents) const {
    Compared& known = compared_[index_of(frame)];
    if (known.equal == contents && written_[index_of(frame)] <= known.look) return true;
    if (!MachineMemory::holds(frame, contents)) return false;
    known = {contents, look_};
    return true;
}

std::optional<bool> Observer::on_free_list(FrameNo frame) const {
    if (!free_list_ || !ram().holds(frame)) return std::nullopt;
    return free_list_->contains(frame);
}

std::optional<std::int64_t> Observer::reference_count(FrameNo frame) const {
    if (!windows_->counts) return std::nullopt;
    ReferenceCounts const& counts = *windows_->counts;
    if (!counts.layout().key) return counts.normalised(ram(), frame, windows_->raw_count_for_one);
    return counts.normalised(ram(), frame, elements_of(counts), windows_->raw_count_for_one);
}

ReferenceCounts::Elements const& Observer::elements_of(ReferenceCounts const& counts) const {
    map::ReferenceCounts const& layout = counts.layout();
    // A count may lie beside the outermost key.
    auto const beside = static_cast<std::uint64_t>(std::abs(layout.key->to_count)) + layout.element_bytes;
    PhysAddr const end = layout.base + layout.count * sizeof(std::uint64_t) + beside;
    bool holds = elements_look_ > 0;
    for (FrameNo frame = PhysAddr{layout.base.value - beside}.frame(); holds && start_of(frame) < end; ++frame.value)
        holds = !ram().holds(frame) || written_[index_of(frame)] <= elements_look_;
    if (!holds) elements_ = counts.elements(ram());
    elements_look_ = look_;
    return elements_;
}

}  // namespace vmcheck::observe
