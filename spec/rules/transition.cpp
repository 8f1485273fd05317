#include "spec/rules/transition.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vmcheck::spec {

Transition::Transition(World world) : world_(std::move(world)) {
    world_.open_copies_.clear();
}

World Transition::boot(std::shared_ptr<Setting const> setting) {
    Transition next{World{}};
    World& world = next.world_;
    world.setting_ = std::move(setting);
    world.names_.insert(kInit);
    world.pipe_.emplace_back();
    auto image = next.fresh_image(Executable::init);
    Layout const& layout = world.setting_->layout;
    if (Contents const& first_stack = world.setting_->traits.first_stack) {
        Vpn const stack = (layout.stack - 1).page();
        if (image->pages.contains(stack) && image->pages[stack].contents) image->pages[stack].contents = first_stack;
    }
    Process init;
    init.space = std::move(image);
    world.processes_.emplace(kInit, std::move(init));
    return std::move(next).finish();
}

World Transition::finish() && {
    return std::move(world_);
}

LogicalFrame Transition::fresh_frame() {
    return LogicalFrame{world_.next_frame_++};
}

AddressSpace& Transition::space(ProcId id) {
    auto& own = own_spaces_[id];
    if (!own) {
        own = std::make_shared<AddressSpace>(*world_.processes_.at(id).space);
        world_.processes_.at(id).space = own;
    }
    return *own;
}

std::shared_ptr<AddressSpace> Transition::fresh_image(Executable program) {
    Layout const& layout = world_.setting_->layout_of(program);
    auto image = std::make_shared<AddressSpace>();
    image->program = program;
    image->brk = layout.heap;
    // What the image leaves out below the heap is nobody's; without an entry of its own it would count as reserved.
    for (Vpn page{0}; page < layout.heap.page(); page = page + 1)
        image->pages[page] = Page{fresh_frame(), Rights{}, Presence::either, nullptr};
    for (ImagePage const& page : layout.image)
        image->pages[page.page] =
            Page{fresh_frame(), page.rights, page.mapped ? Presence::present : Presence::either, page.contents};
    return image;
}

void Transition::spawn(ProcId parent, ProcId child, std::uint64_t pid) {
    Process process;
    process.id = child;
    process.parent = parent;
    process.pid = pid;
    if (world_.setting_->profile.fork == ForkPolicy::cow) {
        // The same logical frames: the promise that both show one physical frame until one of them stores.
        process.space = world_.processes_.at(parent).space;
    } else {
        auto copy = std::make_shared<AddressSpace>(*world_.processes_.at(parent).space);
        for (auto& [vpn, page] : copy->pages) page.frame = fresh_frame();
        process.space = std::move(copy);
    }
    own_spaces_.erase(parent);  // shared with the child from here on
    world_.names_.insert(child);
    world_.processes_.insert_or_assign(child, std::move(process));
    Layout const& layout = world_.setting_->layout;
    if (layout.has_usyscall()) space(child).pages[layout.top.page()].frame = fresh_frame();
}

void Transition::end(ProcId id, std::int32_t status) {
    Process& process = world_.processes_.at(id);
    process.life = Life::zombie;
    process.exit_status = status;
    process.space = nullptr;
    own_spaces_.erase(id);
    for (auto& [other_id, other] : world_.processes_)
        if (other_id != kInit && other.parent == id) other.parent = kInit;
    if (id == kInit) world_.over_ = true;
}

void Transition::reap(ProcId id) {
    world_.processes_.erase(id);
}

void Transition::set_perhaps_reaped(ProcId id, bool perhaps) {
    world_.processes_.at(id).perhaps_reaped = perhaps;
}

void Transition::replace_image(ProcId id, Executable program) {
    auto image = fresh_image(program);
    world_.processes_.at(id).space = image;
    own_spaces_[id] = std::move(image);
}

void Transition::set_break(ProcId id, VirtAddr brk, bool eager) {
    AddressSpace& memory = space(id);
    Vpn const first_above = round_up_to_page(brk).page();
    Vpn const old_first_above = round_up_to_page(memory.brk).page();
    memory.brk = brk;
    auto const heap_end = memory.pages.lower_bound(world_.setting_->layout.top.page());
    memory.pages.erase(memory.pages.lower_bound(first_above), heap_end);
    if (!eager) return;
    for (Vpn page = old_first_above; page < first_above; page = page + 1)
        memory.pages[page] = Page{fresh_frame(), world_.setting_->layout.heap_rights, Presence::present, zero_page()};
}

void Transition::touch(ProcId id, VirtAddr at, std::size_t bytes, bool writes, Presence afterwards) {
    if (bytes == 0) return;
    Vpn const last = (at + (bytes - 1)).page();
    for (Vpn vpn = at.page(); vpn <= last; vpn = vpn + 1) {
        auto page = world_.page_at(id, vpn);
        if (!page) continue;
        bool const stays = page->presence == Presence::present;
        if (stays && !writes) continue;
        // A page that may just have been mapped, or written, has a frame about which nothing was promised.
        page->frame = fresh_frame();
        if (!stays) page->presence = afterwards;
        space(id).pages[vpn] = std::move(*page);
    }
}

void Transition::write(ProcId id, VirtAddr at, std::span<std::byte const> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        VirtAddr const to = at + done;
        auto const page = world_.page_at(id, to.page());
        std::size_t const here = std::min<std::size_t>(bytes.size() - done, kPageBytes - to.offset());
        if (page && page->contents &&
            std::memcmp(page->contents->data() + to.offset(), bytes.data() + done, here) != 0) {
            auto contents = std::make_shared<PageBytes>(*page->contents);
            std::memcpy(contents->data() + to.offset(), bytes.data() + done, here);
            Page changed = *page;
            changed.contents = std::move(contents);
            if (changed.presence == Presence::reserved) changed.presence = Presence::either;
            space(id).pages[to.page()] = std::move(changed);
        }
        done += here;
    }
}

void Transition::set_pipe(std::vector<std::vector<std::byte>> possible_contents) {
    std::sort(possible_contents.begin(), possible_contents.end());
    possible_contents.erase(std::unique(possible_contents.begin(), possible_contents.end()), possible_contents.end());
    world_.pipe_ = std::move(possible_contents);
}

void Transition::set_open_copies(std::vector<OpenCopy> copies) {
    world_.open_copies_ = std::move(copies);
}

}  // namespace vmcheck::spec
