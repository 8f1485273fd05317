#pragma once
// The kernel's copy to user memory, as the rules see it: which ends a copy to a range can have, and what may then have
// been written. Internal to spec/.
//
//     CopyRange const range{question, to, data.size()};
//     if (range.may_succeed()) all.push_back({.result = Exactly{0}, .after = [=](auto&) {
//         Copyout copyout{range};
//         copyout.add_complete(data);
//         return copyout.finish(); }});

#include "spec/rules/reach.h"
#include "spec/rules/rules.h"
#include "spec/rules/transition.h"

#include <cstddef>
#include <vector>

namespace vmcheck::spec {

// A range that the kernel copies to, or from.
class CopyRange {
  public:
    CopyRange(Question question, VirtAddr at, std::size_t bytes, Access access = Access::write)
        : question_(question),
          at_(at),
          bytes_(bytes),
          reach_(copy_reach(question.world, question.actor(), at, bytes, access)) {}

    Question question() const { return question_; }
    VirtAddr at() const { return at_; }
    std::size_t bytes() const { return bytes_; }
    bool may_succeed() const { return reach_.possible >= bytes_; }
    // Without any want of memory: there may be a byte that must be refused.
    bool may_be_refused() const { return reach_.sure < bytes_; }
    // How many leading bytes can at most have been copied.
    std::size_t possible() const { return reach_.possible; }

    // Adds the results of a copy that fails: by right where a byte may be refused, otherwise for want of memory.
    void add_failure(Answers& all, Result const& result, std::function<World(Outcome const&)> after) const;

  private:
    Question question_;
    VirtAddr at_;
    std::size_t bytes_;
    Reach reach_;
};

class Copyout {
  public:
    explicit Copyout(CopyRange const& range) : range_(range), next_(range.question().world) {}

    // Adds one thing that may have happened. All of `data` was copied, but for bytes that may be `anything`...
    void add_complete(std::vector<std::byte> data, std::vector<bool> anything = {},
                      std::vector<std::vector<std::byte>> pipe_after = {});
    // ...or the copy failed after `prefix_min` bytes or more. Kernels copy by the byte, by the page or by the buffer,
    // and test the range before or on the way: any prefix up to the first bad byte is right.
    void add_failed(std::vector<std::byte> data, std::size_t prefix_min,
                    std::vector<std::vector<std::byte>> pipe_after = {}, std::vector<bool> anything = {});

    Transition& transition() { return next_; }
    // The state that follows. REQUIRES: something was added.
    World finish();

  private:
    CopyRange range_;
    bool failed_ = false;
    std::vector<OpenCopy> copies_;
    Transition next_;
};

}  // namespace vmcheck::spec
