#pragma once
// Readers of what strangers have made, each held against any bytes: a target takes them and throws where something that
// its reader promises does not hold. The same targets are run by libFuzzer (libfuzzer.cpp, which ci/nightly does), and
// in every run of the tests over mutations of their seeds and over what libFuzzer has found (fuzz_test.cpp).

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vmcheck::fuzz {

struct Target {
    char const* name;  // of its directory in known/ as well
    void (*take)(std::string_view input);
    // What it reads when nobody has damaged it.
    std::vector<std::string> (*seeds)();
};

void elf_file(std::string_view input);
void map_file(std::string_view input);
void corpus(std::string_view input);
void page_table(std::string_view input);
void free_list(std::string_view input);
void kernel_tables(std::string_view input);
void child_report(std::string_view input);

std::vector<std::string> elf_file_seeds();
std::vector<std::string> map_file_seeds();
std::vector<std::string> corpus_seeds();
std::vector<std::string> memory_seeds();
std::vector<std::string> child_report_seeds();

inline constexpr std::array kTargets{
    Target{"elf_file", elf_file, elf_file_seeds},
    Target{"map_file", map_file, map_file_seeds},
    Target{"corpus", corpus, corpus_seeds},
    Target{"page_table", page_table, memory_seeds},
    Target{"free_list", free_list, memory_seeds},
    Target{"kernel_tables", kernel_tables, memory_seeds},
    Target{"child_report", child_report, child_report_seeds},
};

// What is promised; the exception ends libFuzzer's run, which then writes the input, and fails the test.
inline void require(bool holds, std::string const& promise) {
    if (!holds) throw std::logic_error("does not hold: " + promise);
}

// The files below a directory whose names end so, in order of name.
std::vector<std::string> files(std::filesystem::path const& directory, std::string_view ending = "");

// An input taken piece by piece; all that is behind its end is zero.
class Pieces {
  public:
    explicit Pieces(std::string_view input) : rest_(input) {}
    bool empty() const { return rest_.empty(); }
    template <class T>
    T take() {
        static_assert(std::is_integral_v<T> && !std::is_same_v<T, bool>, "any bytes are one");
        T value{};
        std::size_t const size = std::min(sizeof value, rest_.size());
        if (size > 0) std::memcpy(&value, rest_.data(), size);
        rest_.remove_prefix(size);
        return value;
    }

  private:
    std::string_view rest_;
};

}  // namespace vmcheck::fuzz
