// The kernel's file, the map file beside it, and programs: each is refused in words, or keeps what its header promises.

#include "impl/base/files.h"

#include "checker/fuzz/fuzz.h"
#include "impl/elf/elf_builder_testing.h"
#include "impl/elf/kernel_image.h"
#include "impl/map/kernel_map.h"
#include "impl/map/map_file.h"
#include "impl/map/memory_code.h"
#include "spec/text.h"

#include <algorithm>

namespace vmcheck::fuzz {

namespace {

void check_image(elf::KernelImage const& image) {
    require(!image.segments().empty(), "an image has a segment");
    std::uint64_t end = 0;
    for (elf::Segment const& segment : image.segments()) {
        require(elf::kDefaultRam.contains(segment.physical, segment.memory_bytes), "a segment lies in RAM");
        require(segment.bytes.size() <= segment.memory_bytes, "a segment has room for its bytes");
        require(segment.physical.value >= end, "segments do not overlap");
        end = segment.physical.value + segment.memory_bytes;
    }
    require(image.to_physical(image.entry()).has_value(), "the entry lies in a segment");
    for (elf::Symbol const& symbol : image.symbols()) require(!symbol.name.empty(), "a symbol has a name");
    image.function_at(image.entry());
}

void check_window(PhysAddr address, std::uint64_t bytes) {
    require(elf::kDefaultRam.contains(address, bytes), "a window lies in RAM");
}

void check_map(map::KernelMap const& map) {
    if (map.free_list)
        for (PhysAddr const head : map.free_list->heads) check_window(head, 8);
    if (map.processes) {
        check_window(map.processes->base, map.processes->stride * map.processes->count);
        for (map::Field const& field : {map.processes->pid, map.processes->state, map.processes->root})
            require(field.offset + field.bytes <= map.processes->stride, "a field lies in its element");
    }
    for (map::ReferenceCounts const& counts : map.candidates)
        check_window(counts.base,
                     counts.behind_pointer ? 8 : (counts.count - 1) * counts.stride + counts.element_bytes);
    map.lines.source_line(VirtAddr{0x80000010});
}

}  // namespace

void elf_file(std::string_view input) {
    auto const* const start = reinterpret_cast<std::byte const*>(input.data());
    auto const image = elf::KernelImage::parse({start, start + input.size()}, "kernel", elf::kDefaultRam);
    if (!image) return require(image.error().message.ends_with('.'), "a refusal is a sentence");
    check_image(*image);
    auto const map = map::make_kernel_map(*image, map::MapNames{}, elf::kDefaultRam);
    check_map(map);
    for (map::CodeFunction const& function : map::functions_of(*image, map)) {
        require(!function.code.empty(), "a function has code");
        require(map.lines.empty() == function.lines.empty(), "functions have lines where there is debug information");
    }
}

std::vector<std::string> elf_file_seeds() {
    elf::testing::ElfBuilder small;
    small.segments = {{}, {.address = 0x80001000}};
    small.symbols = {{"main", 0x80000010, 0x10, STT_FUNC}, {"kmem", 0x80001000, 0x20, STT_OBJECT}};
    std::vector<std::byte> const bytes = small.build();
    std::vector<std::string> seeds = files(VMCHECK_MAP_FIXTURES, ".elf");
    require(!seeds.empty(), "there are files with debug information");
    seeds.emplace_back(reinterpret_cast<char const*>(bytes.data()), bytes.size());
    return seeds;
}

void map_file(std::string_view input) {
    auto const names = map::parse_map(input, "kernel.map");
    auto const lines = static_cast<unsigned>(std::ranges::count(input, '\n')) + 1;
    if (!names) {
        require(names.error().line >= 1 && names.error().line <= lines + 1, "an error is in a line of the file");
        require(std::ranges::all_of(names.error().sentence(), [](char c) { return c >= 0x20 && c < 0x7f; }),
                "an error can be printed");
    } else {
        require(!names->allocate.empty() && !names->processes.empty(), "every name that is given is one");
    }
}

std::vector<std::string> map_file_seeds() {
    return files(VMCHECK_SOURCE "/kernel", ".map");
}

void corpus(std::string_view input) {
    auto const program = spec::parse(input);
    if (!program) return require(program.error().line >= 1 && program.error().column >= 1, "a refusal says where");
    auto const again = spec::parse(spec::print(*program));
    require(again.has_value(), "what is printed can be read");
    require(*again == *program, "what is printed is the program");
}

std::vector<std::string> corpus_seeds() {
    return files(VMCHECK_SOURCE "/corpus", ".vmc");
}

}  // namespace vmcheck::fuzz
