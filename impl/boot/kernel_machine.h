#pragma once
// What Target::start() hands out for a real kernel: a machine with all of its memory, and, once a program asks for
// them, one on which other processes hold most of it, and those with two and three harts.

#include "impl/control/kernel_execution.h"
#include "impl/target.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace vmcheck {

// A kernel at another golden image, made when it is first asked for; shared by the machines of a target, on any
// threads.
class LazyKernel {
  public:
    using Made = tl::expected<std::shared_ptr<BootedKernel const>, std::string>;
    // `one_at_a_time`: shared with others, since making one takes as much memory as the machine has.
    LazyKernel(std::function<Made()> make, std::shared_ptr<std::mutex> one_at_a_time)
        : make_(std::move(make)), one_at_a_time_(std::move(one_at_a_time)) {}
    // A machine that starts from it.
    tl::expected<std::unique_ptr<KernelExecution>, std::string> start();

  private:
    std::function<Made()> make_;
    std::shared_ptr<std::mutex> one_at_a_time_;
    std::once_flag once_;
    std::optional<Made> made_;
};

class KernelMachine : public Execution {
  public:
    KernelMachine(std::unique_ptr<KernelExecution> ample, std::shared_ptr<LazyKernel> scarce_kernel,
                  std::map<std::uint32_t, std::shared_ptr<LazyKernel>> kernels_by_harts);

    void reset() override;
    tl::expected<void, std::string> reset_to(std::uint32_t free_frames) override;
    tl::expected<void, std::string> reset_on(std::uint32_t harts) override;
    std::unique_ptr<Moment const> save() override { return now_->save(); }
    void restore(Moment const& moment) override { now_->restore(moment); }
    StepResult run(spec::Step const& step, std::uint64_t pages) override { return now_->run(step, pages); }
    Overlap run_overlapping(spec::Pair const& pair, std::uint64_t pages) override {
        return now_->run_overlapping(pair, pages);
    }
    WatchedStep run_watched(spec::Step const& step, std::uint64_t pages) override {
        return now_->run_watched(step, pages);
    }
    spec::Observation observe() override { return now_->observe(); }
    void record(bool on) override { now_->record(on); }
    KernelTrace trace() override { return now_->trace(); }
    std::vector<VirtAddr> lines() override { return now_->lines(); }
    std::vector<CodePlace> places_of(VirtAddr code) const override { return now_->places_of(code); }
    std::optional<Word> entry_of(FrameNo root, Vpn page) const override { return now_->entry_of(root, page); }
    std::vector<Word> counts_of(FrameNo frame) const override { return now_->counts_of(frame); }
    std::optional<Word> break_of(FrameNo root) const override { return now_->break_of(root); }
    void watch(Word word) override { now_->watch(word); }
    std::vector<FrameNo> free_frames() override { return now_->free_frames(); }
    std::vector<WordAccesses> take_accesses() override { return now_->take_accesses(); }
    void note_deeds(bool on) override { now_->note_deeds(on); }
    std::vector<Deed> deeds() const override { return now_->deeds(); }
    std::uint64_t fresh_code() const override;
    void count_edges(std::span<std::uint8_t> counters) override { now_->count_edges(counters); }
    void fence_at_traps(bool on) override { now_->fence_at_traps(on); }
    std::optional<CodePlace> failed_allocation() const override { return now_->failed_allocation(); }
    std::string console_tail(std::size_t bytes) const override { return now_->console_tail(bytes); }
    std::optional<std::string> engine_failure() const override;

    // The machine that the present program runs on.
    KernelExecution& now() { return *now_; }

  private:
    // Before another machine takes its turn, or is made: what the present one has used goes back to the host.
    void leave() { now_->reset(); }

    std::unique_ptr<KernelExecution> ample_;
    std::shared_ptr<LazyKernel> scarce_kernel_;
    std::map<std::uint32_t, std::shared_ptr<LazyKernel>> kernels_by_harts_;
    std::unique_ptr<KernelExecution> scarce_;
    std::map<std::uint32_t, std::unique_ptr<KernelExecution>> by_harts_;
    std::map<std::uint32_t, std::unique_ptr<Moment const>> starts_;  // of the scarce one, by free frames
    KernelExecution* now_;
};

}  // namespace vmcheck
