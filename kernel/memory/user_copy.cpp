// The kernel's reading and writing of user memory: page by page, each page by way of resolve(), so that the kernel may
// touch exactly what the process may, and reserved and shared pages behave as they do for the process itself.

#include "base/memory.h"
#include "memory/address_space.h"

namespace kernel {
namespace {

// How much of `bytes` lies in the page of `address`.
size_t within_page(VirtAddr address, size_t bytes) {
    return min(bytes, kPageBytes - address.page_offset());
}

}  // namespace

size_t AddressSpace::copy_out(VirtAddr to, void const* from, size_t bytes) {
    auto const* source = static_cast<uint8_t const*>(from);
    size_t done = 0;
    while (done < bytes) {
        PhysAddr const target = resolve(to + done, Access::store);
        if (!target) break;
        size_t const chunk = within_page(to + done, bytes - done);
        memmove(pointer_to<void>(target), source + done, chunk);
        done += chunk;
    }
    return done;
}

size_t AddressSpace::copy_in(void* to, VirtAddr from, size_t bytes) {
    auto* target = static_cast<uint8_t*>(to);
    size_t done = 0;
    while (done < bytes) {
        PhysAddr const source = resolve(from + done, Access::load);
        if (!source) break;
        size_t const chunk = within_page(from + done, bytes - done);
        memmove(target + done, pointer_to<void>(source), chunk);
        done += chunk;
    }
    return done;
}

bool AddressSpace::copy_in_string(char* to, VirtAddr from, size_t bytes_max) {
    for (size_t done = 0; done < bytes_max;) {
        PhysAddr const source = resolve(from + done, Access::load);
        if (!source) return false;
        char const* const text = pointer_to<char const>(source);
        size_t const chunk = within_page(from + done, bytes_max - done);
        for (size_t i = 0; i < chunk; i++) {
            to[done + i] = text[i];
            if (text[i] == 0) return true;
        }
        done += chunk;
    }
    return false;
}

}  // namespace kernel
