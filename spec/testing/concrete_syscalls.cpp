#include "spec/testing/concrete_syscalls.h"

#include <algorithm>
#include <limits>

namespace vmcheck::spec::testing {

namespace {

constexpr std::uint64_t kMinus1 = std::numeric_limits<std::uint64_t>::max();

Outcome returned(std::uint64_t value) {
    Outcome outcome;
    outcome.what = Returned{value};
    return outcome;
}

Outcome panic(char const* message) {
    Outcome outcome;
    outcome.what = Panicked{message};
    return outcome;
}

std::vector<std::byte> integer(std::uint64_t value, std::size_t size) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < size; ++i, value >>= 8) bytes.push_back(static_cast<std::byte>(value & 0xff));
    return bytes;
}

}  // namespace

Syscalls::Syscalls(ConcreteMachine& machine, ProcId actor)
    : machine_(machine),
      actor_(actor),
      memory_(*machine.setting_, machine.defect_, machine.manners_, machine.state_.frames) {}

VirtAddr Syscalls::resolve(Address address) {
    Layout const& layout = machine_.setting_->layout_of(self().program);
    std::array<VirtAddr, 14> const bases = {
        VirtAddr{0},      layout.text,       layout.rodata, layout.data,           layout.bss,
        layout.guard,     layout.stack,      layout.heap,   VirtAddr{self().size}, layout.top,
        layout.trapframe, layout.trampoline, layout.maxva,  layout.kernel};
    return bases[static_cast<std::size_t>(address.anchor)] + static_cast<std::uint64_t>(address.offset);
}

void Syscalls::end(ProcId id, std::int32_t status) {
    auto& processes = machine_.state_.processes;
    Process& process = processes.at(id);
    process.zombie = true;
    process.status = status;
    if (!machine_.manners_.zombies_keep_memory) {
        memory_.release(process);
        process.has_memory = false;
    }
    for (auto& [other_id, other] : processes)
        if (other.parent == id && other_id != kInit) other.parent = kInit;
}

Outcome Syscalls::end_self(std::int32_t status) {
    if (actor_ == kInit) return panic("init exiting");
    end(actor_, status);
    Outcome outcome;
    outcome.what = Ended{};
    return outcome;
}

Outcome Syscalls::operator()(Fork const& fork) {
    auto& state = machine_.state_;
    if (state.processes.size() >= machine_.setting_->traits.processes_max) return returned(kMinus1);
    Process child;
    if (!memory_.create(child)) return returned(kMinus1);
    if (!memory_.copy(self(), child)) {
        if (machine_.defect_ != PlantedDefect::failed_fork_leaks) memory_.release(child);
        if (machine_.defect_ == PlantedDefect::failed_fork_kills) return end_self(-1);
        return returned(kMinus1);
    }
    child.id = fork.child;
    child.parent = actor_;
    child.pid = state.next_pid++;
    Outcome outcome = returned(child.pid);
    outcome.child_started = true;
    state.processes.emplace(fork.child, std::move(child));
    return outcome;
}

Outcome Syscalls::operator()(Exit const& exit) {
    return end_self(exit.status);
}

void Syscalls::reap(Process& zombie) {
    if (zombie.has_memory) memory_.release(zombie);
    machine_.state_.processes.erase(zombie.id);
}

Outcome Syscalls::operator()(Wait const& wait) {
    auto& processes = machine_.state_.processes;
    Process* zombie = nullptr;
    bool any_child = false;
    for (auto& [id, process] : processes) {
        if (id == kInit || process.parent != actor_) continue;
        any_child = true;
        if (process.zombie && (!zombie || machine_.manners_.wait_takes_newest)) zombie = &process;
    }
    if (!any_child) return returned(kMinus1);
    if (!zombie || machine_.defect_ == PlantedDefect::wait_sleeps) {
        Outcome outcome;
        outcome.what = Blocked{};
        return outcome;
    }
    if (VirtAddr const to = wait.status ? resolve(*wait.status) : VirtAddr{0}; to != VirtAddr{0}) {
        auto status = static_cast<std::uint32_t>(zombie->status);
        if (machine_.defect_ == PlantedDefect::wrong_exit_status) status &= 0xff;
        auto const bytes = integer(status, 4);
        Copied const copied = copy_out(to, bytes);
        bool const stored = copied.end == Served::yes;
        if (!stored && machine_.defect_ == PlantedDefect::wait_forgets) reap(*zombie);
        if (!stored) return result_of(copied, bytes.size(), 0, false);
    }
    std::uint64_t const pid = zombie->pid;
    reap(*zombie);
    return returned(pid);
}

Outcome Syscalls::operator()(Kill const& kill) {
    if (kill.target == actor_) return end_self(-1);
    Outcome outcome = returned(0);
    if (machine_.state_.processes.at(kill.target).zombie || machine_.defect_ == PlantedDefect::kill_spares)
        return outcome;
    end(kill.target, -1);
    outcome.ended_others.push_back(kill.target);
    return outcome;
}

Outcome Syscalls::operator()(Sbrk const& sbrk) {
    Process& process = self();
    Setting const& setting = *machine_.setting_;
    std::int64_t const bytes = machine_.manners_.sbrk_takes_64_bits
                                   ? sbrk.bytes
                                   : static_cast<std::int32_t>(static_cast<std::uint64_t>(sbrk.bytes) & 0xffffffff);
    std::uint64_t const old = process.size;
    std::uint64_t const size = old + static_cast<std::uint64_t>(bytes);
    bool eager = setting.profile.sbrk == SbrkPolicy::eager;
    if (setting.traits.sbrk_takes_mode && sbrk.mode != SbrkMode::by_profile) eager = sbrk.mode == SbrkMode::eager;
    if (bytes > 0) {
        if (size > setting.layout.top.value) return returned(kMinus1);
        bool const maps = eager || machine_.defect_ == PlantedDefect::sbrk_maps_at_once;
        if (maps && !memory_.grow(process, size)) return returned(kMinus1);
    } else if (size > old) {  // below zero: wraps
        return returned(machine_.manners_.sbrk_keeps_image ? kMinus1 : old);
    } else {
        if (machine_.manners_.sbrk_keeps_image && bytes < 0 && size < setting.layout_of(process.program).heap.value)
            return returned(kMinus1);
        memory_.shrink(process, size);
    }
    process.size = size;
    return returned(old);
}

Outcome Syscalls::fatal(Served why, Want want) {
    bool const spares_stores = why == Served::bad_address
                                   ? machine_.defect_ == PlantedDefect::wild_store_survives
                                   : machine_.defect_ == PlantedDefect::survives_failed_allocation;
    if (want == Want::write && spares_stores) return returned(0);
    if (want == Want::write && why == Served::bad_address && machine_.defect_ == PlantedDefect::panic_on_wild_store)
        return panic("cow error");
    return end_self(-1);
}

Outcome Syscalls::operator()(Load const& load) {
    VirtAddr const at = resolve(load.at);
    for (std::size_t i = 0; i < load.size; ++i)
        if (auto const served = memory_.reach(self(), at + i, Want::read, true); served != Served::yes)
            return fatal(served, Want::read);
    std::uint64_t value = 0;
    for (std::size_t i = load.size; i-- > 0;)
        value = (value << 8) | std::to_integer<std::uint64_t>(memory_.byte_at(self(), at + i));
    return returned(value);
}

Outcome Syscalls::operator()(Store const& store) {
    VirtAddr const at = resolve(store.at);
    for (std::size_t i = 0; i < store.size; ++i)
        if (auto const served = memory_.reach(self(), at + i, Want::write, true); served != Served::yes)
            return fatal(served, Want::write);
    auto const bytes = integer(store.value, store.size);
    for (std::size_t i = 0; i < bytes.size(); ++i) memory_.byte_at(self(), at + i) = bytes[i];
    return returned(0);
}

Outcome Syscalls::operator()(Touch const& touch) {
    std::uint64_t value = 0;
    for (std::uint32_t page = 0; page < touch.pages; ++page) {
        VirtAddr const at = resolve(touch.at) + page * kPageBytes;
        if (auto const served = memory_.reach(self(), at, Want::read, true); served != Served::yes)
            return fatal(served, Want::read);
        value = std::to_integer<std::uint64_t>(memory_.byte_at(self(), at));
    }
    return returned(value);
}

Outcome Syscalls::operator()(Fetch const& fetch) {
    auto const served = memory_.reach(self(), resolve(fetch.at), Want::execute, true);
    return served == Served::yes ? returned(0) : fatal(served, Want::execute);
}

Outcome Syscalls::operator()(Yield const&) {
    return returned(0);
}

Outcome Syscalls::operator()(SetSp const&) {
    return returned(0);
}

Syscalls::Copied Syscalls::copy_in(VirtAddr from, std::size_t bytes, bool is_string, std::vector<std::byte>& to) {
    for (std::size_t i = 0; i < bytes; ++i) {
        auto const served = memory_.reach(self(), from + i, Want::read, false);
        if (served != Served::yes) return {i, served};
        to.push_back(memory_.byte_at(self(), from + i));
        if (is_string && to.back() == std::byte{0}) return {bytes, Served::yes};
    }
    return {is_string ? 0 : bytes, is_string ? Served::bad_address : Served::yes};
}

Syscalls::Copied Syscalls::arguments(Exec const& exec, std::vector<std::vector<std::byte>>& strings) {
    constexpr std::size_t kPageOfAnArgument = 4096;
    for (VirtAddr at = exec.arguments ? resolve(*exec.arguments) : VirtAddr{0}; exec.arguments; at = at + 8) {
        std::vector<std::byte> pointer;
        if (auto const copied = copy_in(at, 8, false, pointer); copied.end != Served::yes) return {0, copied.end};
        std::uint64_t string = 0;
        for (std::size_t i = 8; i-- > 0;) string = string << 8 | std::to_integer<std::uint64_t>(pointer[i]);
        if (string == 0) break;
        strings.emplace_back();
        auto const copied = copy_in(VirtAddr{string}, kPageOfAnArgument, true, strings.back());
        if (copied.end != Served::yes) return {0, copied.end};
    }
    return {1, Served::yes};
}

Syscalls::Copied Syscalls::push(Process& process, std::vector<std::vector<std::byte>> const& strings, VirtAddr stack) {
    std::uint64_t sp = stack.value;
    std::vector<std::byte> pointers;
    for (auto const& each : strings) {
        sp = (sp - each.size()) & ~std::uint64_t{15};
        auto const pointer = integer(sp, 8);
        pointers.insert(pointers.end(), pointer.begin(), pointer.end());
        if (auto const copied = copy_out(process, VirtAddr{sp}, each); copied.end != Served::yes)
            return {0, copied.end};
    }
    pointers.resize(pointers.size() + 8);
    sp = (sp - pointers.size()) & ~std::uint64_t{15};
    return copy_out(process, VirtAddr{sp}, pointers);
}

Outcome Syscalls::operator()(Exec const& exec) {
    std::vector<std::vector<std::byte>> strings;
    if (auto const copied = arguments(exec, strings); copied.end != Served::yes) return result_of(copied, 1, 0, false);
    Process fresh;
    fresh.program = exec.program;
    if (!memory_.create(fresh)) return returned(kMinus1);
    bool const to_old = machine_.defect_ == PlantedDefect::exec_copies_to_old_table;
    VirtAddr const stack = machine_.setting_->layout_of(exec.program).stack;
    bool const loaded = memory_.load_image(fresh, false) && exec.program != Executable::broken;
    if (!loaded || push(to_old ? self() : fresh, strings, stack).end != Served::yes) {
        bool const leaks = machine_.defect_ == PlantedDefect::failed_exec_leaks && exec.program == Executable::broken;
        if (!leaks) memory_.release(fresh);
        return returned(kMinus1);
    }
    Process& process = self();
    memory_.release(process);
    process.table = std::move(fresh.table);
    process.trapframe = fresh.trapframe;
    process.size = fresh.size;
    process.program = fresh.program;
    Outcome outcome;
    outcome.what = Restarted{};
    return outcome;
}

void Syscalls::make_ready(VirtAddr at, std::size_t bytes, Want want) {
    if (!machine_.manners_.buffers_are_made_ready) return;
    for (std::size_t i = 0; i < bytes; i += std::min(kPageBytes - (at + i).offset(), bytes - i))
        memory_.reach(self(), at + i, want, false);
}

Syscalls::Copied Syscalls::copy_out(Process& process, VirtAddr to, std::span<std::byte const> bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto const served = memory_.reach(process, to + i, Want::write, false);
        if (served != Served::yes) return {i, served};
        memory_.byte_at(process, to + i) = bytes[i];
    }
    return {bytes.size(), Served::yes};
}

Outcome Syscalls::result_of(Copied const& copied, std::size_t wanted, std::uint64_t on_success, bool counts) {
    if (copied.end == Served::no_memory && machine_.manners_.out_of_memory_kills_in_copies) return end_self(-1);
    if (copied.bytes == wanted) return returned(on_success);
    bool const partial = counts && !machine_.manners_.failed_copies_return_minus_1;
    return returned(partial ? copied.bytes : kMinus1);
}

Outcome Syscalls::operator()(PipeWrite const& write) {
    VirtAddr const from = resolve(write.from);
    make_ready(from, write.bytes, Want::read);
    Copied copied;
    for (; copied.bytes < write.bytes; ++copied.bytes) {
        copied.end = memory_.reach(self(), from + copied.bytes, Want::read, false);
        if (copied.end != Served::yes) break;
        machine_.state_.pipe.push_back(memory_.byte_at(self(), from + copied.bytes));
    }
    return result_of(copied, write.bytes, write.bytes, true);
}

Outcome Syscalls::operator()(PipeRead const& read) {
    VirtAddr const to = resolve(read.to);
    auto& pipe = machine_.state_.pipe;
    if (pipe.empty()) {
        Outcome outcome;
        outcome.what = Blocked{};
        return outcome;
    }
    make_ready(to, read.bytes, Want::write);
    std::size_t const wanted = std::min<std::size_t>(read.bytes, pipe.size());
    Copied copied;
    for (; copied.bytes < wanted; ++copied.bytes) {
        // As in xv6's piperead: the byte is out of the pipe before copyout is tried.
        std::byte const byte = pipe.front();
        pipe.pop_front();
        copied.end = memory_.reach(self(), to + copied.bytes, Want::write, false);
        if (copied.end != Served::yes) break;
        memory_.byte_at(self(), to + copied.bytes) = byte;
    }
    return result_of(copied, wanted, wanted, true);
}

Outcome Syscalls::operator()(FileRead const& read) {
    auto const& file = machine_.setting_->data_file.contents;
    std::size_t const wanted = std::min<std::size_t>(read.bytes, file.size());
    make_ready(resolve(read.to), read.bytes, Want::write);
    return result_of(copy_out(resolve(read.to), std::span{file}.first(wanted)), wanted, wanted, true);
}

Outcome Syscalls::operator()(Fstat const& fstat) {
    DataFile const& file = machine_.setting_->data_file;
    std::vector<std::byte> stat;
    auto const add = [&](std::uint64_t value, std::size_t size) {
        auto const bytes = integer(value, size);
        stat.insert(stat.end(), bytes.begin(), bytes.end());
    };
    add(file.device, 4);
    add(file.inode, 4);
    add(static_cast<std::uint16_t>(file.type), 2);
    add(static_cast<std::uint16_t>(file.links), 2);
    add(0xdeadbeef, 4);  // padding: whatever was on the kernel's stack
    add(file.contents.size(), 8);
    return result_of(copy_out(resolve(fstat.to), stat), stat.size(), 0, false);
}

Outcome Syscalls::operator()(Pipe const& pipe) {
    auto const buffer = machine_.state_.frames.allocate();
    if (!buffer) return returned(kMinus1);
    std::uint32_t const first = machine_.setting_->traits.first_free_descriptor;
    auto descriptors = integer(first, 4);
    auto const second = integer(first + 1, 4);
    descriptors.insert(descriptors.end(), second.begin(), second.end());
    Copied const copied = copy_out(resolve(pipe.to), descriptors);
    machine_.state_.frames.drop(*buffer);
    return result_of(copied, descriptors.size(), 0, false);
}

Outcome Syscalls::operator()(Open const& open) {
    VirtAddr const at = resolve(open.path);
    std::string path;
    for (std::size_t i = 0; i < 128; ++i) {
        Copied const copied{i, memory_.reach(self(), at + i, Want::read, false)};
        if (copied.end != Served::yes) return result_of(copied, 128, 0, false);
        auto const character = std::to_integer<unsigned char>(memory_.byte_at(self(), at + i));
        if (character == 0) {
            bool const there = path.empty() || path == "/data" || path == "data" || path == "/init" || path == "init" ||
                               path == "/" || path == ".";
            return returned(there ? machine_.setting_->traits.first_free_descriptor : kMinus1);
        }
        path.push_back(static_cast<char>(character));
    }
    return returned(kMinus1);
}

}  // namespace vmcheck::spec::testing
