#pragma once
// Copies line tables, and the code ranges of functions, out of DWARF.

#include "impl/map/dwarf_die.h"
#include "impl/map/source_lines.h"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace vmcheck::map::dwarf {

class LineReader {
  public:
    // Takes in the line table of a compilation unit; until the next call it is the one that add_function refers to.
    void start_unit(Dwarf_Die& unit);

    // Takes in the code of a function, or of a copy of it inlined `depth` levels deep.
    void add_function(Dwarf_Die& die, std::string const& name, unsigned depth);

    SourceLines finish() { return SourceLines(std::move(data_)); }

  private:
    std::uint32_t file_index(char const* path);

    SourceLines::Data data_;
    std::unordered_map<std::string, std::uint32_t> file_indices_;
    std::string directory_;         // of the current unit, with a final '/'
    Dwarf_Files* files_ = nullptr;  // of the current unit
    std::size_t file_count_ = 0;
};

}  // namespace vmcheck::map::dwarf
