#pragma once
// From a pc to the line of source that it was compiled from, by DWARF (.debug_line, .debug_info). Immutable once made.

#include "spec/address.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::map {

// A place in the source. `function` is qualified and without parameters; empty where it is not known.
struct SourcePlace {
    std::string function;
    std::string file;  // as the compiler was given it, without the compilation directory: "kernel/vm.c"
    unsigned line = 0;

    friend bool operator==(SourcePlace const&, SourcePlace const&) = default;
};

// "kernel/vm.c:171 (mappages)"; without the parentheses where the function is not known.
std::string to_string(SourcePlace const& place);

class SourceLines {
  public:
    // Rows of the line table, and functions with the code that each covers. Filled by the DWARF reader.
    struct Row {
        VirtAddr address;
        std::uint32_t file = 0;  // index into Data::files
        std::uint32_t line = 0;
        bool ends_sequence = false;  // no code from here to the next row
    };
    struct Range {
        VirtAddr start, end;  // [start, end)
        std::string function;
        unsigned depth = 0;           // 0: a function of its own; n: inlined n levels deep
        std::uint32_t call_file = 0;  // where it was inlined to, for depth > 0
        std::uint32_t call_line = 0;
        bool by_compiler = false;  // nobody wrote it: DW_AT_artificial
    };
    struct Data {
        std::vector<std::string> files;
        std::vector<Row> rows;      // sequences in any order; sorted by the constructor
        std::vector<Range> ranges;  // in any order
    };

    // Knows nothing.
    SourceLines();
    // Requires that every index into `files` is valid, and that rows of one line-table sequence are in their order.
    explicit SourceLines(Data data);

    // True where there is no line information at all (a kernel built without -g).
    bool empty() const;

    // The line whose code holds pc, with the innermost function; nothing where DWARF does not say.
    // For a return address give pc - 1: the call is what is wanted.
    std::optional<SourcePlace> source_line(VirtAddr pc) const;

    // Where the lines of the code in [from, to) begin, ascending.
    std::vector<VirtAddr> starts(VirtAddr from, VirtAddr to) const;

    // A piece of code that one line of one function was compiled to.
    struct Stretch {
        VirtAddr from, to;
        std::string file;
        std::string function;  // the innermost
        unsigned line = 0;
        VirtAddr outer;  // where the function begins that it was inlined into, in the end
        bool inlined = false;
    };
    // Of all functions that somebody wrote, ascending.
    std::vector<Stretch> stretches() const;

    // source_line(), then the place it was inlined to, and so on outwards. Empty where source_line gives nothing.
    std::vector<SourcePlace> inlined_frames(VirtAddr pc) const;

  private:
    std::shared_ptr<Data const> data_;
};

}  // namespace vmcheck::map
