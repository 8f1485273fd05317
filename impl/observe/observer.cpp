#include "impl/observe/observer.h"

#include <utility>

namespace vmcheck::observe {

Observer::Observer(board::Board& board, std::shared_ptr<Windows const> windows)
    : board_(board), windows_(std::move(windows)) {
    if (windows_->free_list) free_list_.emplace(windows_->free_list);
}

spec::FrameCensus Observer::census() {
    if (!free_list_) return {};
    free_list_->refresh(ram(), board_.dirty_frames());
    return {free_list_->length()};
}

spec::ObservedProcess Observer::look_at(spec::ProcId id, FrameNo root) const {
    TableContents table = read_user_table(ram(), root);
    spec::ObservedProcess process;
    process.id = id;
    process.pages = std::move(table.pages);
    process.table_frames = std::move(table.tables);
    process.broken = std::move(table.broken);
    return process;
}

// A running process is known by the root of its page table.
void Observer::see_breaks(std::vector<spec::ObservedProcess>& running) const {
    for (std::uint64_t i = 0; i < windows_->processes->size(); ++i) {
        ProcessEntry const entry = windows_->processes->read(ram(), i);
        if (!entry.root || entry.life != Life::other) continue;
        for (spec::ObservedProcess& process : running)
            if (!process.table_frames.empty() && process.table_frames.front() == *entry.root) process.brk = entry.brk;
    }
}

spec::Observation Observer::observe(std::span<Subject const> running, std::span<EndedSubject const> ended) {
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
    return seen;
}

std::span<std::byte const, kPageBytes> Observer::bytes(FrameNo frame) const {
    return ram().frame(frame);
}

std::optional<bool> Observer::on_free_list(FrameNo frame) const {
    if (!free_list_ || !ram().holds(frame)) return std::nullopt;
    return free_list_->contains(frame);
}

std::optional<std::int64_t> Observer::reference_count(FrameNo frame) const {
    if (!windows_->counts) return std::nullopt;
    return windows_->counts->normalised(ram(), frame, windows_->raw_count_for_one);
}

}  // namespace vmcheck::observe
