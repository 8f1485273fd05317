// Which steps can be asked: those after which the experiment, and a correct kernel, go on.

#include "spec/rules/reach.h"
#include "spec/rules/rules.h"
#include "spec/rules/sbrk_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace vmcheck::spec {

namespace {

using Reason = std::optional<std::string>;

constexpr std::uint32_t kTouchPagesMax = 1u << 16;
constexpr std::uint64_t kReturnBytes = 256;  // the part of the text victim page that is surely made of returns
constexpr std::uint32_t kIntMax = std::numeric_limits<std::int32_t>::max();

struct Refusal {
    World const& world;
    ProcId actor;
    bool may_sleep;  // until another process has done its step

    template <class Kind>
    Reason operator()(Kind const& action) const {
        if (auto reason = why_not_by_fields(action)) return reason;
        return why_not_by_kind(action);
    }

  private:
    // ---- what holds for every kind whose row says so

    template <class Kind>
    Reason why_not_by_fields(Kind const& action) const {
        Reason reason;
        for_each_field<Kind>([&](auto const& field) {
            if (!reason) reason = field_refused(action, field);
        });
        return reason;
    }

    template <class Kind, class Field>
    Reason field_refused(Kind const&, Field const&) const {
        return {};
    }
    template <class Kind>
    Reason field_refused(Kind const& action, AccessSize<Kind> const& field) const {
        if (is_access_size(action.*(field.member))) return {};
        return fmt::format("a {} has 1, 2, 4 or 8 bytes", Row<Kind>::word);
    }
    template <class Kind>
    Reason field_refused(Kind const& action, ByteCount<Kind> const& field) const {
        if (action.*(field.member) <= kIntMax) return {};
        return "to the kernel's int, the count would be negative";
    }
    template <class Kind>
    Reason field_refused(Kind const& action, PageCount<Kind> const& field) const {
        std::uint32_t const pages = action.*(field.member);
        if (pages > 0 && pages <= kTouchPagesMax) return {};
        return fmt::format("a {} has 1 to {} pages", Row<Kind>::word, kTouchPagesMax);
    }
    template <class Kind>
    Reason field_refused(Kind const& action, Place<Kind> const& field) const {
        return place_refused(world.resolve(actor, action.*(field.member)), field.access, field.bytes(action));
    }
    template <class Kind>
    Reason field_refused(Kind const& action, OptionalPlace<Kind> const& field) const {
        auto const& at = action.*(field.member);
        VirtAddr const to = at ? world.resolve(actor, *at) : VirtAddr{0};
        if (to == VirtAddr{0}) return {};
        return place_refused(to, field.access, field.bytes(action));
    }
    Reason place_refused(VirtAddr at, Access access, std::uint64_t bytes) const {
        if (auto reason = not_known(at, access, bytes)) return reason;
        return access == Access::write ? damage(at, bytes) : std::nullopt;
    }

    // ---- what is particular to a kind

    template <class Kind>
    Reason why_not_by_kind(Kind const&) const {
        return {};
    }
    Reason why_not_by_kind(Fork const& fork) const {
        if (world.name_used(fork.child)) return fmt::format("p{} is the name of an earlier process", fork.child.value);
        return {};
    }
    Reason why_not_by_kind(Exit const&) const {
        if (actor == kInit) return "p0 is /init, which may not exit";
        return {};
    }
    Reason why_not_by_kind(Wait const& wait) const {
        if (!may_sleep && would_sleep(world, {actor, wait})) return "wait would block: no child has ended";
        return {};
    }
    Reason why_not_by_kind(Kill const& kill) const {
        if (kill.target == kInit) return "p0 is /init, which may not be killed";
        if (!world.find(kill.target)) return fmt::format("p{} is not there", kill.target.value);
        return {};
    }
    Reason why_not_by_kind(Sbrk const& sbrk) const {
        auto const variants = sbrk_variants(world, actor, sbrk);
        VirtAddr const brk = world.find(actor)->space->brk;
        for (SbrkVariant const& variant : variants)
            if (variant.brk_after != brk && variant.brk_after <= world.setting().layout.agent_end)
                return "the break would come down to the agent's own code";
        bool const passes_top = grows_lazily_past_top(world, actor, sbrk);
        if (world.setting().traits.lazy_sbrk_has_no_limit && passes_top)
            return "this kernel's lazy sbrk has no limit, and the break would pass the trapframe";
        if (world.setting().layout.has_usyscall() && passes_top)
            return "the break would come over the page below the trapframe";
        if (ambiguous(variants))
            return "read as 32 or as 64 bits, the amount leaves different breaks and the same result";
        return {};
    }
    Reason why_not_by_kind(Load const& load) const {
        return fatal_for_init(world.resolve(actor, load.at), load.size, Access::read);
    }
    Reason why_not_by_kind(Store const& store) const {
        return fatal_for_init(world.resolve(actor, store.at), store.size, Access::write);
    }
    Reason why_not_by_kind(Touch const& touch) const {
        VirtAddr const at = world.resolve(actor, touch.at);
        for (std::uint32_t page = 0; page < touch.pages && actor == kInit; ++page)
            if (auto reason = fatal_for_init(at + page * kPageBytes, 1, Access::read)) return reason;
        return {};
    }
    Reason why_not_by_kind(PipeWrite const& write) const {
        for (PipeContents const& contents : world.pipe())
            if (contents.size() + write.bytes > world.setting().traits.pipe_bytes)
                return "the write would block: the pipe is full";
        return too_open(std::uint64_t{write.bytes} + 2);
    }
    Reason why_not_by_kind(PipeRead const& read) const {
        std::size_t longest = 0;
        for (PipeContents const& contents : world.pipe()) {
            // Even a read of no bytes: xv6's piperead sleeps before it looks at the count.
            if (contents.empty() && !(may_sleep && would_sleep(world, {actor, read})))
                return "the read would block: the pipe may be empty";
            longest = std::max(longest, contents.size());
        }
        return too_open(std::min<std::uint64_t>(read.bytes, longest) + 2);
    }
    Reason why_not_by_kind(FileRead const&) const {
        if (!has_paths()) return "the page with the file's path is gone";
        return {};
    }
    Reason why_not_by_kind(Exec const& exec) const {
        if (!has_paths()) return "the page with the path of /init is gone";
        if (exec.program != Executable::init && world.setting().more_pages.empty())
            return "the disk has no program but /init";
        if (!exec.arguments) return {};
        auto const arguments = arguments_seen(world, actor, world.resolve(actor, *exec.arguments));
        if (arguments.end == ArgumentsSeen::End::unclear) return "the arguments are too many, too long, or not known";
        if (!arguments.strings.empty() && world.setting().traits.arranges_arguments_otherwise)
            return "where this kernel puts arguments is not known";
        return {};
    }
    Reason why_not_by_kind(Fetch const& fetch) const {
        VirtAddr const at = world.resolve(actor, fetch.at);
        if (user_reach(world, actor, at, 1, Access::execute).possible == 0) {
            if (actor == kInit) return "it would kill p0";
            return {};
        }
        if (!returns_at(at)) return "the code there is not made of returns";
        return {};
    }

    // p0 may not be killed, and where kernels may serve or kill, it may not be asked.
    Reason fatal_for_init(VirtAddr at, std::size_t bytes, Access access) const {
        if (actor != kInit) return {};
        if (user_reach(world, actor, at, bytes, access).sure == bytes) return {};
        return "it would kill p0";
    }

    // The agent runs from its own page: a store into it, where that is possible, ends the experiment. And where it is
    // not possible, a kernel that lets it happen would.
    Reason damage(VirtAddr from, std::uint64_t bytes) const {
        if (overlap(from, bytes, world.setting().layout.agent_end - kPageBytes))
            return "the agent's own code page would be overwritten";
        return {};
    }

    // Where bytes of the image are not known, nothing can be said of what an access finds, or leaves, there.
    Reason not_known(VirtAddr from, Access access, std::uint64_t bytes) const {
        bool const ignores_w = world.setting().traits.copyout_ignores_write_right;
        for (ImagePage const& page : world.layout_of(actor).image) {
            bool const reached =
                access == Access::read ? page.rights.read : access == Access::write && (page.rights.write || ignores_w);
            if (page.contents || !page.rights.user || !reached || !overlap(from, bytes, start_of(page.page))) continue;
            auto const now = world.page_at(actor, page.page);
            if (now && now->rights.user && !now->contents) return "what is there is not known";
        }
        return {};
    }

    // Distances modulo 2^64: the range may wrap.
    static bool overlap(VirtAddr from, std::uint64_t bytes, VirtAddr page) {
        return bytes > 0 && (page.value - from.value < bytes || from.value - page.value < kPageBytes);
    }

    // Several contents possible already, and the copy may fail half-way in each.
    Reason too_open(std::uint64_t factor) const {
        std::size_t const now = world.pipe().size();
        if (now > 1 && now * factor > kPipeAlternativesMax) return "too little is known of what the pipe holds";
        return {};
    }

    bool returns_at(VirtAddr at) const {
        if (at.page() != world.setting().layout.text.page() || at.offset() >= kReturnBytes || at.offset() % 2 != 0)
            return false;
        // In trees whose text is writable, the returns may have been overwritten.
        return as_in_image(at.page(), at.offset(), kReturnBytes);
    }

    // The paths and the empty argument vector that some system calls are given lie at the start of the read-only page;
    // the break may have come down over it, and in trees where it is writable it may have been overwritten.
    bool has_paths() const {
        constexpr std::size_t kPathsBytes = 64;
        return as_in_image(world.setting().layout.rodata.page(), 0, kPathsBytes);
    }

    // Whether bytes [from, to) of a page of the actor's are still those of the fresh image.
    bool as_in_image(Vpn page, std::size_t from, std::size_t to) const {
        Layout const& layout = world.setting().layout;
        auto const original = std::find_if(layout.image.begin(), layout.image.end(),
                                           [&](ImagePage const& each) { return each.page == page; });
        auto const now = world.page_at(actor, page);
        if (original == layout.image.end() || !original->contents || !now || !now->contents) return false;
        auto const first = static_cast<std::ptrdiff_t>(from), last = static_cast<std::ptrdiff_t>(to);
        return std::equal(now->contents->begin() + first, now->contents->begin() + last,
                          original->contents->begin() + first);
    }
};

// The pages that all have together after the step, holes and pages not touched yet among them; of an exec while it has
// both images.
std::uint64_t pages_after(World const& world, Step const& step) {
    auto const up_to = [](VirtAddr brk) { return (brk.value + kPageBytes - 1) / kPageBytes; };
    std::uint64_t pages = 0;
    for (auto const& [id, process] : world.processes())
        pages += up_to(process.space ? process.space->brk : world.setting().layout.heap);
    if (std::holds_alternative<Fork>(step.action)) pages += up_to(world.find(step.actor)->space->brk);
    if (auto const* exec = std::get_if<Exec>(&step.action))
        pages += up_to(world.setting().layout_of(exec->program).heap);
    if (auto const* sbrk = std::get_if<Sbrk>(&step.action); sbrk != nullptr && sbrk->bytes > 0)
        pages += up_to(VirtAddr{static_cast<std::uint64_t>(sbrk->bytes)});
    return pages;
}

std::optional<std::string> refusal(World const& world, Step const& step, bool may_sleep) {
    if (world.over()) return "p0 is gone, and everything with it";
    Process const* actor = world.find(step.actor);
    if (!actor) return fmt::format("p{} is not there", step.actor.value);
    if (actor->life != Life::running) return fmt::format("p{} has ended", step.actor.value);
    if (auto why = std::visit(Refusal{world, step.actor, may_sleep}, step.action)) return why;
    auto const most = world.setting().traits.pages_in_memory;
    if (most && pages_after(world, step) > *most) return "the kernel would move pages out of memory";
    return std::nullopt;
}

}  // namespace

bool would_sleep(World const& world, Step const& step) {
    if (std::holds_alternative<Wait>(step.action)) {
        auto const children = world.children(step.actor);
        bool const zombie = std::any_of(children.begin(), children.end(), [&](ProcId child) {
            return world.find(child)->life == Life::zombie && !world.find(child)->perhaps_reaped;
        });
        bool const ballast = step.actor == kInit && world.setting().traits.ballast_processes > 0;
        return !zombie && (ballast || std::any_of(children.begin(), children.end(), [&](ProcId child) {
                               return world.find(child)->life == Life::running;
                           }));
    }
    if (std::holds_alternative<PipeRead>(step.action))
        return std::all_of(world.pipe().begin(), world.pipe().end(),
                           [](PipeContents const& contents) { return contents.empty(); });
    return false;
}

std::optional<std::string> why_not_even_asleep(World const& world, Step const& step) {
    return refusal(world, step, true);
}

std::optional<std::string> why_not(World const& world, Step const& step) {
    return refusal(world, step, false);
}

}  // namespace vmcheck::spec
