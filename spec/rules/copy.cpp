// The system calls that copy: pipe_write (copyin), open (copyinstr), and pipe_read, file_read, fstat, pipe (copyout).

#include "spec/bytes.h"
#include "spec/rules/copyout.h"
#include "spec/rules/reach.h"
#include "spec/rules/rules.h"

#include <algorithm>
#include <set>

namespace vmcheck::spec {

std::vector<PipeContents> after_taking(PipeContents const& contents, std::size_t least, std::size_t most) {
    std::vector<PipeContents> result;
    for (std::size_t count = least; count <= std::min(most, contents.size()); ++count)
        result.emplace_back(contents.begin() + static_cast<std::ptrdiff_t>(count), contents.end());
    return result;
}

std::vector<PipeContents> after_adding(std::vector<PipeContents> const& contents, std::span<std::byte const> data,
                                       std::size_t least, std::size_t most) {
    std::vector<PipeContents> result;
    for (PipeContents const& each : contents)
        for (std::size_t count = least; count <= std::min(most, data.size()); ++count) {
            result.push_back(each);
            result.back().insert(result.back().end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
        }
    return result;
}

void append(std::vector<PipeContents>& to, std::vector<PipeContents> const& more) {
    to.insert(to.end(), more.begin(), more.end());
}

namespace {

// A copyout of fixed size with 0 for success.
Answers all_or_nothing(CopyRange const& range, std::vector<std::byte> const& data,
                       std::vector<bool> const& anything = {}) {
    Answers all;
    if (range.may_succeed())
        all.push_back({.result = Exactly{0}, .after = [range, data, anything](Outcome const&) {
                           Copyout copyout{range};
                           copyout.add_complete(data, anything);
                           return copyout.finish();
                       }});
    range.add_failure(all, Exactly{kFailed}, [range, data, anything](Outcome const&) {
        Copyout copyout{range};
        copyout.add_failed(data, 0, {}, anything);
        return copyout.finish();
    });
    return all;
}

// What a copy that fails may return instead of all `wanted`: -1, or, in kernels that count what was copied, the bytes
// before the bad one.
void add_short_counts(Answers& all, CopyRange const& range, std::size_t wanted,
                      std::function<World(Outcome const&)> const& after) {
    range.add_failure(all, Exactly{kFailed}, after);
    if (wanted > 0) range.add_failure(all, AtMost{std::min(range.possible(), wanted - 1)}, after);
}

}  // namespace

Answers answers(Question question, PipeWrite const& write) {
    CopyRange const range{question, question.at(write.from), write.bytes, Access::read};
    // xv6 copies byte by byte and returns the count before the bad byte; others count by page or buffer.
    auto const written = [range](Outcome const& outcome) {
        World const& world = range.question().world;
        ProcId const actor = range.question().actor();
        auto const data = world.read(actor, range.at(), range.possible()).value_or(PipeContents{});
        std::uint64_t const value = value_of(outcome);
        bool const failed = value == kFailed;
        Transition next{world};
        next.set_pipe(after_adding(world.pipe(), data, failed ? 0 : static_cast<std::size_t>(value),
                                   failed ? range.possible() : static_cast<std::size_t>(value)));
        return std::move(next).finish();
    };
    Answers all;
    if (range.may_succeed()) all.push_back({.result = Exactly{write.bytes}, .after = written});
    if (write.bytes > 0) add_short_counts(all, range, write.bytes, written);
    return all;
}

namespace {

// What a read of the pipe comes to, by what was returned: for each of the contents that the pipe may have had, all of
// it was copied, or the copy failed after some bytes.
class PipeReading {
  public:
    PipeReading(Question question, PipeRead const& read)
        : question_(question), to_(question.at(read.to)), read_(read) {}

    std::size_t wanted_of(PipeContents const& contents) const {
        return std::min<std::size_t>(read_.bytes, contents.size());
    }
    CopyRange range(std::size_t bytes) const { return {question_, to_, bytes}; }

    // `memory_short`: a copy may have failed where no byte had to be refused.
    World after(std::uint64_t value, bool memory_short) const {
        std::size_t longest = 0;
        for (PipeContents const& contents : question_.world.pipe()) longest = std::max(longest, wanted_of(contents));
        Copyout copyout{range(longest)};
        std::vector<PipeContents> afterwards;
        for (PipeContents const& contents : question_.world.pipe())
            append(afterwards, add(copyout, contents, value, memory_short));
        copyout.transition().set_pipe(std::move(afterwards));
        return copyout.finish();
    }

  private:
    std::vector<PipeContents> add(Copyout& copyout, PipeContents const& contents, std::uint64_t value,
                                  bool memory_short) const {
        std::size_t const wanted = wanted_of(contents);
        CopyRange const alone = range(wanted);
        bool const may_fail = wanted > 0 && (alone.may_be_refused() || memory_short);
        PipeContents data{contents.begin(), contents.begin() + static_cast<std::ptrdiff_t>(wanted)};
        std::vector<PipeContents> after;
        if (value == wanted && alone.may_succeed()) {
            after = after_taking(contents, wanted, wanted);
            copyout.add_complete(std::move(data), {}, after);
        } else if (value == kFailed && may_fail) {
            after = after_taking(contents, 0, alone.possible() + 1);
            copyout.add_failed(std::move(data), 0, after);
        } else if (value < wanted && value <= alone.possible() && may_fail) {
            // xv6's piperead takes a byte out of the pipe before copyout refuses it: one more may be gone.
            auto const count = static_cast<std::size_t>(value);
            after = after_taking(contents, count, count + 1);
            copyout.add_failed(std::move(data), count, after);
        }
        return after;
    }

    Question question_;
    VirtAddr to_;
    PipeRead read_;
};

}  // namespace

Answers answers(Question question, PipeRead const& read) {
    World const& world = question.world;
    if (read.bytes == 0)
        return {{.result = Exactly{0}, .after = [&world](Outcome const&) { return unchanged(world); }}};
    PipeReading const reading{question, read};
    auto const taken = [reading](Outcome const& outcome) { return reading.after(value_of(outcome), false); };
    auto const taken_without_memory = [reading](Outcome const& outcome) {
        return reading.after(value_of(outcome), true);
    };
    std::set<std::size_t> sizes;
    for (PipeContents const& contents : world.pipe()) sizes.insert(reading.wanted_of(contents));
    Answers all;
    for (std::size_t size : sizes)
        if (reading.range(size).may_succeed()) all.push_back({.result = Exactly{size}, .after = taken});
    std::size_t const longest = *sizes.rbegin();
    CopyRange const range = reading.range(longest);
    if (longest == 0) return all;
    if (range.may_be_refused()) add_short_counts(all, range, longest, taken);
    // For want of memory each may have failed, whatever the address.
    for (Result const& result : {Result{Exactly{kFailed}}, Result{AtMost{std::min(range.possible(), longest - 1)}}})
        all.push_back({.result = result,
                       .reason = Reason::want_of_memory,
                       .excuse = WantOfMemory{},
                       .after = taken_without_memory});
    return all;
}

Answers answers(Question question, FileRead const& read) {
    auto const& file = question.world.setting().data_file.contents;
    std::size_t const wanted = std::min<std::size_t>(read.bytes, file.size());
    CopyRange const range{question, question.at(read.to), wanted};
    std::vector<std::byte> const data{file.begin(), file.begin() + static_cast<std::ptrdiff_t>(wanted)};
    Answers all;
    if (range.may_succeed())
        all.push_back({.result = Exactly{wanted}, .after = [range, data](Outcome const&) {
                           Copyout copyout{range};
                           copyout.add_complete(data);
                           return copyout.finish();
                       }});
    add_short_counts(all, range, wanted, [range, data](Outcome const& outcome) {
        std::uint64_t const value = value_of(outcome);
        Copyout copyout{range};
        copyout.add_failed(data, value == kFailed ? 0 : static_cast<std::size_t>(value));
        return copyout.finish();
    });
    return all;
}

Answers answers(Question question, Fstat const& fstat) {
    // struct stat of xv6 (kernel/stat.h): int dev; uint ino; short type; short nlink; uint64 size, with four bytes of
    // padding before the size that hold whatever the kernel's stack held.
    DataFile const& file = question.world.setting().data_file;
    std::vector<std::byte> stat(kStatBytes);
    auto const put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
        store_little_endian(std::span(stat).subspan(at, size), value);
    };
    put(0, file.device, 4);
    put(4, file.inode, 4);
    put(8, static_cast<std::uint16_t>(file.type), 2);
    put(10, static_cast<std::uint16_t>(file.links), 2);
    put(16, file.contents.size(), 8);
    std::vector<bool> anything(stat.size(), false);
    std::fill(anything.begin() + 12, anything.begin() + 16, true);
    return all_or_nothing({question, question.at(fstat.to), stat.size()}, stat, anything);
}

Answers answers(Question question, Pipe const& pipe) {
    // The two lowest free descriptors, read end first (fdalloc in sysfile.c).
    std::uint64_t const first = question.world.setting().traits.first_free_descriptor;
    std::vector<std::byte> const descriptors = little_endian(first | (first + 1) << 32, kDescriptorsBytes);
    return all_or_nothing({question, question.at(pipe.to), descriptors.size()}, descriptors);
}

Answers answers(Question question, Open const& open) {
    VirtAddr const at = question.at(open.path);
    PathSeen const path = path_seen(question.world, question.actor(), at);
    auto const looked_at = [question](Outcome const&) { return unchanged(question.world); };
    Answers all;
    bool const plain = path.verdict == PathVerdict::opens;
    if (path.verdict != PathVerdict::missing)
        all.push_back(
            {.result = SomeDescriptor{}, .reason = plain ? Reason::required : Reason::path_walk, .after = looked_at});
    if (!plain)
        all.push_back({.result = Exactly{kFailed},
                       .reason = path.verdict == PathVerdict::missing ? Reason::required : Reason::path_walk,
                       .after = looked_at});
    else if (path.length >= path.reach.sure)
        all.push_back({.result = Exactly{kFailed}, .reason = Reason::on_the_breaks_page, .after = looked_at});
    else
        all.push_back({.result = Exactly{kFailed},
                       .reason = Reason::want_of_memory,
                       .excuse = WantOfMemory{},
                       .after = looked_at});
    return all;
}

}  // namespace vmcheck::spec
