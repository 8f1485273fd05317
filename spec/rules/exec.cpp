// exec: the arguments that it finds, and the stack that the program begins with.

#include "spec/bytes.h"
#include "spec/rules/reach.h"
#include "spec/rules/rules.h"
#include "spec/rules/transition.h"

#include <algorithm>

namespace vmcheck::spec {

ArgumentsSeen arguments_seen(World const& world, ProcId actor, VirtAddr at) {
    constexpr std::size_t kMost = 8;  // xv6 takes more: MAXARG in kernel/param.h
    ArgumentsSeen seen{.end = ArgumentsSeen::End::unclear};
    auto const refused = [&] {
        seen.end = ArgumentsSeen::End::refused;
        return seen;
    };
    for (; seen.strings.size() <= kMost; at = at + kPointerBytes) {
        Reach const pointer_reach = copy_reach(world, actor, at, kPointerBytes, Access::read);
        seen.read.emplace_back(at, kPointerBytes);
        seen.sure = seen.sure && pointer_reach.sure == kPointerBytes;
        if (pointer_reach.possible < kPointerBytes) return refused();
        auto const pointer = world.read(actor, at, kPointerBytes);
        if (!pointer) return seen;
        VirtAddr const string{load_little_endian(*pointer)};
        if (string == VirtAddr{0}) {
            seen.end = ArgumentsSeen::End::complete;
            return seen;
        }
        PathSeen const path = path_seen(world, actor, string);
        seen.read.emplace_back(string, std::min(path.length + 1, path.reach.possible));
        if (!world.read(actor, string, path.reach.possible)) return seen;
        // Of one that is longer than paths are, nothing is said.
        if (!path.terminated && path.reach.possible < kPathBytesMax) return refused();
        if (!path.terminated) return seen;
        seen.sure = seen.sure && path.length < path.reach.sure;
        seen.strings.push_back(*world.read(actor, string, path.length + 1));
    }
    return seen;
}

namespace {

using Bytes = std::vector<std::byte>;

// What exec leaves on a stack that ends at `end`: the strings, and below them the pointers. As xv6 does it (exec in
// kernel/exec.c), where each string is aligned and lies below the one before, or with the strings packed in their
// order.
Bytes on_the_stack(std::vector<Bytes> const& strings, VirtAddr end, bool aligned) {
    constexpr std::uint64_t kAlignment = 16;
    VirtAddr sp = end;
    std::vector<VirtAddr> places;
    for (Bytes const& each : strings) {
        sp = sp - each.size();
        if (aligned) sp = VirtAddr{sp.value / kAlignment * kAlignment};
        places.push_back(sp);
    }
    if (!aligned) {
        VirtAddr next = sp;
        for (std::size_t i = 0; i < strings.size(); next = next + strings[i++].size()) places[i] = next;
    }
    sp = VirtAddr{(sp.value - kPointerBytes * (strings.size() + 1)) / kAlignment * kAlignment};
    Bytes bytes(end.value - sp.value);
    for (std::size_t i = 0; i < strings.size(); ++i) {
        store_little_endian(std::span(bytes).subspan(i * kPointerBytes, kPointerBytes), places[i].value);
        std::copy(strings[i].begin(), strings[i].end(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(places[i].value - sp.value));
    }
    return bytes;
}

World started(Question question, Executable program, std::vector<Bytes> const& strings) {
    Transition next{question.world};
    next.replace_image(question.actor(), program);
    if (strings.empty()) return std::move(next).finish();
    VirtAddr const end = question.world.setting().layout_of(program).stack;
    Bytes aligned = on_the_stack(strings, end, true), packed = on_the_stack(strings, end, false);
    std::size_t const size = std::max(aligned.size(), packed.size());
    std::vector<OpenCopy> copies;
    for (Bytes* each : {&aligned, &packed}) {
        each->insert(each->begin(), size - each->size(), std::byte{0});
        copies.push_back({.process = question.actor(),
                          .to = end - size,
                          .bytes = *each,
                          .before = Bytes(size),
                          .anything = {},
                          .pipe_after = {}});
    }
    next.write(question.actor(), end - size, aligned);
    if (aligned != packed) next.set_open_copies(std::move(copies));
    return std::move(next).finish();
}

}  // namespace

Answers answers(Question question, Exec const& exec) {
    ArgumentsSeen const arguments = exec.arguments
                                        ? arguments_seen(question.world, question.actor(), question.at(*exec.arguments))
                                        : ArgumentsSeen{};
    bool const bad_argument = arguments.end == ArgumentsSeen::End::refused;
    bool const starts = exec.program != Executable::broken && !bad_argument;
    Answers all;
    if (starts)
        all.push_back({.result = Restarts{}, .after = [question, exec, strings = arguments.strings](Outcome const&) {
                           return started(question, exec.program, strings);
                       }});
    Answer fails{.result = Exactly{kFailed}, .after = [question, read = arguments.read](Outcome const&) {
                     Transition next{question.world};
                     for (auto const& [at, bytes] : read) next.may_touch(question.actor(), at, bytes, false);
                     return std::move(next).finish();
                 }};
    if (starts && arguments.sure) {
        fails.reason = Reason::want_of_memory;
        fails.excuse = WantOfMemory{};
    } else if (starts || bad_argument) {
        fails.reason = starts ? Reason::on_the_breaks_page : Reason::bad_byte;
    }
    all.push_back(std::move(fails));
    // Where the kernel's copy wanted the frame: as in other system calls that copy.
    if (exec.arguments)
        all.push_back({.result = Ends{},
                       .reason = Reason::want_of_memory,
                       .excuse = WantOfMemory{},
                       .after = [question](Outcome const&) {
                           Transition next{question.world};
                           next.end(question.actor(), -1);
                           return std::move(next).finish();
                       }});
    return all;
}

}  // namespace vmcheck::spec
