// Files that were damaged, by accident or on purpose: nothing may crash, hang, or promise what is not there.

#include "impl/map/fixtures_testing.h"
#include "impl/map/kernel_map.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <cstring>

namespace vmcheck::map {
namespace {

using testing::fixture;

std::vector<std::byte> bytes_of(std::string const& name) {
    auto const image = fixture(name);
    return {image.bytes().begin(), image.bytes().end()};
}

// Where the section headers start (System V ABI, ELF header: e_shoff at 40): what lies before is segments, debug
// information, symbols, in this order of interest.
std::size_t section_headers_of(std::vector<std::byte> const& bytes) {
    std::uint64_t offset = 0;
    std::memcpy(&offset, bytes.data() + 40, sizeof offset);
    return offset;
}

// Any position, however small the test case is meant to be.
rc::Gen<std::size_t> anywhere(std::size_t start, std::size_t end) {
    return rc::gen::resize(rc::kNominalSize, rc::gen::inRange(start, end));
}

void check_window(PhysAddr address, std::uint64_t bytes) {
    RC_ASSERT(elf::kDefaultRam.contains(address, bytes));
}

// Whatever a map says must lie in RAM.
void check_map(KernelMap const& map) {
    if (map.free_list)
        for (PhysAddr const head : map.free_list->heads) check_window(head, 8);
    if (map.processes) {
        check_window(map.processes->base, map.processes->stride * map.processes->count);
        for (Field const& field : {map.processes->pid, map.processes->state, map.processes->root})
            RC_ASSERT(field.offset + field.bytes <= map.processes->stride);
    }
    for (ReferenceCounts const& counts : map.candidates) {
        std::uint64_t const last =
            counts.behind_pointer ? 8 : (counts.count - 1) * counts.stride + counts.element_bytes;
        check_window(counts.base, last);
    }
    map.lines.source_line(VirtAddr{0x80000010});
}

void check_bytes(std::vector<std::byte> bytes) {
    auto const image = elf::KernelImage::parse(std::move(bytes), "damaged", elf::kDefaultRam);
    if (image) check_map(make_kernel_map(*image, MapNames{}, elf::kDefaultRam));
}

RC_GTEST_PROP(HostileKernel, MayBeCutAnywhere, ()) {
    static auto const whole = bytes_of("xv6");
    auto const length = *anywhere(0, whole.size());
    check_bytes({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
}

RC_GTEST_PROP(HostileKernel, MayHaveAnyByteChanged, ()) {
    static auto const c = bytes_of("xv6");
    static auto const cpp = bytes_of("namespaced");
    auto bytes = *rc::gen::arbitrary<bool>() ? c : cpp;
    auto const changes = *rc::gen::inRange(1, 32);
    for (int i = 0; i < changes; ++i) {
        auto const at = *anywhere(64, section_headers_of(bytes));
        bytes[at] = static_cast<std::byte>(*rc::gen::arbitrary<unsigned char>());
    }
    check_bytes(std::move(bytes));
}

}  // namespace
}  // namespace vmcheck::map
