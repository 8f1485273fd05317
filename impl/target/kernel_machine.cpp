#include "impl/target/kernel_machine.h"

#include "impl/target/hogs.h"

#include <utility>

namespace vmcheck {

tl::expected<std::shared_ptr<BootedKernel const>, std::string> ScarceKernel::get() {
    std::call_once(once_, [this] { made_ = with_hogs(kernel_); });
    return *made_;
}

KernelMachine::KernelMachine(std::unique_ptr<KernelExecution> ample, std::shared_ptr<ScarceKernel> scarce_kernel)
    : ample_(std::move(ample)), scarce_kernel_(std::move(scarce_kernel)), now_(ample_.get()) {}

void KernelMachine::reset() {
    now_ = ample_.get();
    now_->reset();
}

tl::expected<void, std::string> KernelMachine::reset_to(std::uint32_t free_frames) {
    if (!scarce_) {
        auto const kernel = scarce_kernel_->get();
        if (!kernel) return tl::unexpected(kernel.error());
        auto board = new_board(**kernel);
        if (!board) return tl::unexpected(board.error().message);
        scarce_ = std::make_unique<KernelExecution>(*kernel, std::move(*board));
    }
    now_ = scarce_.get();
    if (auto const start = starts_.find(free_frames); start != starts_.end()) {
        now_->restore(*start->second);
        return {};
    }
    now_->reset();
    if (auto left = leave_free(*now_, free_frames); !left) return left;
    // A start with more frames free than this is made anew each time: it differs in too many from the golden image.
    constexpr std::uint32_t kKept = 1024;
    if (free_frames <= kKept) starts_.emplace(free_frames, now_->save());
    return {};
}

std::optional<std::string> KernelMachine::engine_failure() const {
    if (auto failure = ample_->engine_failure()) return failure;
    return scarce_ ? scarce_->engine_failure() : std::nullopt;
}

}  // namespace vmcheck
