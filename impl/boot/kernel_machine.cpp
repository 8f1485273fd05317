#include "impl/boot/kernel_machine.h"

#include "impl/boot/ballast.h"

#include <utility>

namespace vmcheck {

tl::expected<std::unique_ptr<KernelExecution>, std::string> LazyKernel::start() {
    std::call_once(once_, [this] {
        std::lock_guard const alone(*one_at_a_time_);
        made_ = make_();
    });
    if (!*made_) return tl::unexpected(made_->error());
    return KernelExecution::start(**made_).map_error([](BootError const& error) { return error.sentence(); });
}

KernelMachine::KernelMachine(std::unique_ptr<KernelExecution> ample, std::shared_ptr<LazyKernel> scarce_kernel,
                             std::map<std::uint32_t, std::shared_ptr<LazyKernel>> kernels_by_harts)
    : ample_(std::move(ample)),
      scarce_kernel_(std::move(scarce_kernel)),
      kernels_by_harts_(std::move(kernels_by_harts)),
      now_(ample_.get()) {}

void KernelMachine::reset() {
    if (now_ != ample_.get()) leave();
    now_ = ample_.get();
    now_->reset();
}

tl::expected<void, std::string> KernelMachine::reset_to(std::uint32_t free_frames) {
    if (now_ != scarce_.get()) leave();
    if (!scarce_) {
        auto machine = scarce_kernel_->start();
        if (!machine) return tl::unexpected(machine.error());
        scarce_ = std::move(*machine);
    }
    now_ = scarce_.get();
    if (auto const start = starts_.find(free_frames); start != starts_.end()) {
        now_->restore(*start->second);
        return {};
    }
    now_->reset();
    if (auto left = leave_free(*now_, free_frames); !left) return left;
    // A start with more frames free than this is made anew each time: it differs in too many from the golden image.
    constexpr std::uint32_t kFramesKept = 1024;
    constexpr std::size_t kStartsKept = 16;
    if (free_frames > kFramesKept) return {};
    if (starts_.size() == kStartsKept) starts_.clear();
    starts_.emplace(free_frames, now_->save());
    return {};
}

tl::expected<void, std::string> KernelMachine::reset_on(std::uint32_t harts) {
    auto started = by_harts_.find(harts);
    if (started == by_harts_.end() || now_ != started->second.get()) leave();
    if (started == by_harts_.end()) {
        auto machine = kernels_by_harts_.at(harts)->start();
        if (!machine) return tl::unexpected(machine.error());
        started = by_harts_.emplace(harts, std::move(*machine)).first;
    }
    now_ = started->second.get();
    return now_->reset_on(harts);
}

std::optional<std::string> KernelMachine::engine_failure() const {
    auto failure = ample_->engine_failure();
    if (!failure && scarce_) failure = scarce_->engine_failure();
    for (auto const& [harts, each] : by_harts_)
        if (!failure) failure = each->engine_failure();
    return failure;
}

std::uint64_t KernelMachine::fresh_code() const {
    std::uint64_t fresh = ample_->fresh_code() + (scarce_ ? scarce_->fresh_code() : 0);
    for (auto const& [harts, each] : by_harts_) fresh += each->fresh_code();
    return fresh;
}

}  // namespace vmcheck
