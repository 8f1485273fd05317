#include "impl/boot/word_scans.h"

#include "impl/board/instruction.h"
#include "impl/boot/function_code.h"

#include <bitset>
#include <optional>

namespace vmcheck {

namespace {

// The way of a word that is 0 round its loop.
class Way {
  public:
    Way(FunctionCode const& code, std::size_t start) : code_(code), start_(start) {}

    std::optional<board::WordScan> follow() {
        constexpr unsigned kInstructionsMost = 16;
        if (!begins()) return std::nullopt;
        auto next = code_.follow(start_ + 1);
        for (unsigned i = 0; next && *next != start_; ++i) {
            if (i == kInstructionsMost) return std::nullopt;
            next = code_.follow(after(*next));
        }
        bool const is_loop = next && has_advanced_ && scan_.end != 0;
        if (!is_loop || written_[scan_.end] || (written_ & scan_.not_zero).any()) return std::nullopt;
        return scan_;
    }

  private:
    bool begins() {
        std::uint32_t const bits = code_.bits(start_);
        auto const load = board::decode_memory_access(bits);
        unsigned const word = board::destination_of(bits);
        if (!load || load->stores || load->size != kWordBytes || load->offset != 0 || word == 0) return false;
        scan_.at = code_.at(start_);
        scan_.element = load->base;
        written_.set(word);
        zero_.set(0).set(word);
        return scan_.element != 0 && scan_.element != word;
    }

    // Where it goes on behind the i-th; nothing where that is not known, or does more.
    std::optional<std::size_t> after(std::size_t i) {
        std::uint32_t const bits = code_.bits(i);
        if (auto const branch = board::decode_branch(bits)) return after_branch(i, *branch);
        if (auto const step = board::decode_increment(bits); step && step->to == scan_.element) {
            if (has_advanced_ || step->by != kWordBytes) return std::nullopt;
            has_advanced_ = true;
            return i + 1;
        }
        auto const mask = board::decode_mask(bits);
        if (!mask || !zero_[mask->from] || mask->to == scan_.element) return std::nullopt;
        written_.set(mask->to);
        zero_.set(mask->to);
        return i + 1;
    }

    std::optional<std::size_t> after_branch(std::size_t i, board::Branch const& branch) {
        using If = board::Branch::If;
        bool is_equal = false;
        if (branch.compares(scan_.element)) {
            if (!has_advanced_ || scan_.end != 0) return std::nullopt;
            scan_.end = branch.one == scan_.element ? branch.another : branch.one;
        } else if (zero_[branch.one] != zero_[branch.another]) {
            scan_.not_zero.set(zero_[branch.one] ? branch.another : branch.one);
        } else if (zero_[branch.one]) {
            is_equal = true;
        } else {
            return std::nullopt;
        }
        if (branch.taken_if == If::other) return std::nullopt;
        bool const is_taken = (branch.taken_if == If::equal) == is_equal;
        return is_taken ? code_.target(i, branch.offset) : i + 1;
    }

    static constexpr unsigned kWordBytes = 8;

    FunctionCode const& code_;
    std::size_t start_;
    board::WordScan scan_;
    bool has_advanced_ = false;
    std::bitset<32> zero_;     // registers that are 0 by now
    std::bitset<32> written_;  // but for the element
};

}  // namespace

std::vector<board::WordScan> find_word_scans(elf::KernelImage const& image) {
    constexpr std::size_t kMost = 64;  // each is looked up when one is come to
    std::vector<board::WordScan> scans;
    VirtAddr seen_to;  // no code is looked at twice, however many symbols a file has for it
    for (elf::Symbol const& symbol : image.symbols()) {
        if (symbol.kind != elf::SymbolKind::kFunction || symbol.address < seen_to) continue;
        FunctionCode const code(image, symbol);
        if (code.size() > 0) seen_to = symbol.address + symbol.bytes;
        for (std::size_t i = 0; i < code.size(); ++i)
            if (auto const scan = Way(code, i).follow(); scan && scans.size() < kMost) scans.push_back(*scan);
    }
    return scans;
}

}  // namespace vmcheck
