// The system calls that copy: pipe_write (copyin), open (copyinstr), and pipe_read, file_read, fstat, pipe (copyout).

#include "spec/copyout.h"
#include "spec/judgement.h"
#include "spec/path_rules.h"
#include "spec/pipe_rules.h"
#include "spec/transition.h"

#include <fmt/format.h>

#include <algorithm>

namespace vmcheck::spec {

namespace {

constexpr std::uint64_t kDescriptorMax = std::numeric_limits<std::int32_t>::max();

// A copyout of fixed size with 0 for success.
Judged judge_copyout(Asked const& asked, VirtAddr to, std::vector<std::byte> data, std::vector<bool> anything,
                     bool may_fail_anyway) {
    Copyout copyout{asked, to, data.size()};
    auto const value = asked.returned();
    if (value == kFailed) {
        if (!copyout.limits().may_fail() && !may_fail_anyway)
            return wrong_result(asked, fmt::format("{} failed at a good address", words_for(asked)));
        copyout.add_failed(std::move(data), 0, {}, std::move(anything));
        return copyout.finish();
    }
    if (value != std::uint64_t{0})
        return wrong_result(asked, fmt::format("{} returned neither 0 nor -1", words_for(asked)));
    if (!copyout.limits().may_succeed())
        return wrong_result(asked, fmt::format("{} succeeded where copyout must refuse the address", words_for(asked)));
    copyout.add_complete(std::move(data), std::move(anything));
    return copyout.finish();
}

void put(std::vector<std::byte>& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
}

}  // namespace

Judged judge(Asked const& asked, PipeWrite const& write) {
    World const& world = asked.world;
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "the write to the pipe did not return");
    VirtAddr const from = world.resolve(asked.actor(), write.from);
    Reach const reach = copy_reach(world, asked.actor(), from, write.bytes, Access::read);
    auto const data = world.read(asked.actor(), from, reach.possible).value_or(PipeContents{});
    bool const may_fail = write.bytes > 0 && (reach.sure < write.bytes || asked.memory_was_short());
    std::size_t least = 0;
    std::size_t most = reach.possible;
    if (*value == write.bytes) {
        if (reach.possible < write.bytes)
            return wrong_result(asked, "the write took bytes from where copyin must refuse the address");
        least = most = write.bytes;
    } else if (!may_fail) {
        return wrong_result(asked, "the write to the pipe took less than it was given");
    } else if (*value != kFailed) {
        // xv6 copies byte by byte and returns the count before the bad byte; others count by page or buffer.
        if (*value > reach.possible)
            return wrong_result(asked, "the write to the pipe counted bytes that cannot be read");
        least = most = static_cast<std::size_t>(*value);
    }
    Transition next{world};
    // A kernel may read zeros for a reserved page without mapping it, hence not touch().
    next.may_touch(asked.actor(), from, reach.possible, false);
    next.set_pipe(after_adding(world.pipe(), data, least, most));
    return std::move(next).finish();
}

Judged judge(Asked const& asked, PipeRead const& read) {
    World const& world = asked.world;
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "the read from the pipe did not return");
    if (read.bytes == 0) {
        if (*value == 0) return unchanged(world);
        return wrong_result(asked, "a read of no bytes from the pipe did not return 0");
    }
    VirtAddr const to = world.resolve(asked.actor(), read.to);
    std::size_t longest = 0;
    for (PipeContents const& contents : world.pipe()) longest = std::max(longest, contents.size());
    Copyout copyout{asked, to, std::min<std::size_t>(read.bytes, longest)};
    std::vector<PipeContents> afterwards;
    for (PipeContents const& contents : world.pipe()) {
        std::size_t const wanted = std::min<std::size_t>(read.bytes, contents.size());
        CopyLimits const alone{asked, to, wanted};
        PipeContents data{contents.begin(), contents.begin() + static_cast<std::ptrdiff_t>(wanted)};
        std::vector<PipeContents> after;
        if (*value == wanted && alone.may_succeed()) {
            after = after_taking(contents, wanted, wanted);
            copyout.add_complete(std::move(data), {}, after);
        } else if (*value == kFailed && alone.may_fail()) {
            after = after_taking(contents, 0, alone.possible() + 1);
            copyout.add_failed(std::move(data), 0, after);
        } else if (*value < wanted && *value <= alone.possible() && alone.may_fail()) {
            // xv6's piperead takes a byte out of the pipe before copyout refuses it: one more may be gone.
            auto const count = static_cast<std::size_t>(*value);
            after = after_taking(contents, count, count + 1);
            copyout.add_failed(std::move(data), count, after);
        }
        append(afterwards, after);
    }
    if (!copyout.possible_at_all()) {
        bool const refusable = *value != kFailed && *value > copyout.limits().possible();
        return wrong_result(asked, refusable ? "the read from the pipe wrote to where copyout must refuse the address"
                                             : "the read from the pipe returned another count than there was to read");
    }
    copyout.transition().set_pipe(std::move(afterwards));
    return copyout.finish();
}

Judged judge(Asked const& asked, FileRead const& read) {
    World const& world = asked.world;
    auto const value = asked.returned();
    auto const& file = world.setting().data_file.contents;
    std::size_t const wanted = std::min<std::size_t>(read.bytes, file.size());
    if (!value) return wrong_result(asked, "the read from the file did not return");
    std::vector<std::byte> data{file.begin(), file.begin() + static_cast<std::ptrdiff_t>(wanted)};
    Copyout copyout{asked, world.resolve(asked.actor(), read.to), wanted};
    if (*value == wanted) {
        if (!copyout.limits().may_succeed())
            return wrong_result(asked, "the read wrote to where copyout must refuse the address");
        copyout.add_complete(std::move(data));
        return copyout.finish();
    }
    if (!copyout.limits().may_fail() && !asked.memory_was_short())
        return wrong_result(asked, "the read from the file returned another count than there was to read");
    // readi returns -1 or, in kernels that count what was copied, the bytes before the bad one.
    if (*value != kFailed && (*value > wanted || *value > copyout.limits().possible()))
        return wrong_result(asked, "the read from the file counted bytes that cannot be written");
    copyout.add_failed(std::move(data), *value == kFailed ? 0 : static_cast<std::size_t>(*value));
    return copyout.finish();
}

Judged judge(Asked const& asked, Fstat const& fstat) {
    // struct stat of xv6 (kernel/stat.h): int dev; uint ino; short type; short nlink; uint64 size, with four bytes of
    // padding before the size that hold whatever the kernel's stack held.
    DataFile const& file = asked.world.setting().data_file;
    std::vector<std::byte> stat(24);
    put(stat, 0, file.device, 4);
    put(stat, 4, file.inode, 4);
    put(stat, 8, static_cast<std::uint16_t>(file.type), 2);
    put(stat, 10, static_cast<std::uint16_t>(file.links), 2);
    put(stat, 16, file.contents.size(), 8);
    std::vector<bool> anything(stat.size(), false);
    std::fill(anything.begin() + 12, anything.begin() + 16, true);
    return judge_copyout(asked, asked.world.resolve(asked.actor(), fstat.to), std::move(stat), std::move(anything),
                         false);
}

Judged judge(Asked const& asked, Pipe const& pipe) {
    // The two lowest free descriptors, read end first (fdalloc in sysfile.c).
    std::uint32_t const first = asked.world.setting().traits.first_free_descriptor;
    std::vector<std::byte> descriptors(8);
    put(descriptors, 0, first, 4);
    put(descriptors, 4, first + 1, 4);
    return judge_copyout(asked, asked.world.resolve(asked.actor(), pipe.to), std::move(descriptors), {},
                         asked.memory_was_short());
}

Judged judge(Asked const& asked, Open const& open) {
    World const& world = asked.world;
    auto const value = asked.returned();
    if (!value) return wrong_result(asked, "open did not return");
    VirtAddr const at = world.resolve(asked.actor(), open.path);
    Reach const reach = path_reach(world, asked.actor(), at);
    auto const bytes = world.read(asked.actor(), at, reach.possible).value_or(PipeContents{});
    auto const end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    auto const length = static_cast<std::size_t>(end - bytes.begin());
    bool const terminated = end != bytes.end();
    PathVerdict const verdict = terminated ? judge_path({bytes.data(), length}) : PathVerdict::missing;
    bool const may_fail = verdict != PathVerdict::opens || length >= reach.sure || asked.memory_was_short();
    if (*value == kFailed) {
        if (!may_fail) return wrong_result(asked, "open did not find a file that is there");
    } else if (*value > kDescriptorMax) {
        return wrong_result(asked, "open returned neither a descriptor nor -1");
    } else if (verdict == PathVerdict::missing) {
        return wrong_result(
            asked, terminated ? "open found a file that is not there" : "open took a path that copyinstr must refuse");
    }
    Transition next{world};
    // copyinstr may read ahead of the terminator.
    next.may_touch(asked.actor(), at, reach.possible, false);
    return std::move(next).finish();
}

World killed_for_memory(Asked const& asked) {
    World const& world = asked.world;
    Transition next{world};
    // Whatever had gone through the pipe by then has gone through.
    if (auto const* write = std::get_if<PipeWrite>(&asked.step.action)) {
        VirtAddr const from = world.resolve(asked.actor(), write->from);
        Reach const reach = copy_reach(world, asked.actor(), from, write->bytes, Access::read);
        auto const data = world.read(asked.actor(), from, reach.possible).value_or(PipeContents{});
        next.set_pipe(after_adding(world.pipe(), data, 0, data.size()));
    } else if (auto const* read = std::get_if<PipeRead>(&asked.step.action)) {
        VirtAddr const to = world.resolve(asked.actor(), read->to);
        Reach const reach = copy_reach(world, asked.actor(), to, read->bytes, Access::write);
        std::vector<PipeContents> afterwards;
        for (PipeContents const& contents : world.pipe())
            append(afterwards, after_taking(contents, 0, std::min<std::size_t>(read->bytes, reach.possible + 1)));
        next.set_pipe(std::move(afterwards));
    } else if (std::holds_alternative<Wait>(asked.step.action)) {
        // Killed by the copy of a child's status, it may have got to the end of wait before it died.
        for (ProcId child : world.children(asked.actor()))
            if (world.find(child)->life == Life::zombie) next.set_perhaps_reaped(child, true);
    }
    next.end(asked.actor(), -1);
    return std::move(next).finish();
}

}  // namespace vmcheck::spec
