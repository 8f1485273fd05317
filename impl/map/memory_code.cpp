#include "impl/map/memory_code.h"

#include "spec/bytes.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace vmcheck::map {
namespace {

// What a jump or call is to the one who follows the code.
struct Instruction {
    enum class Kind { plain, call, jump, branch_or_end };
    Kind kind = Kind::plain;
    unsigned bytes = 4;
    std::optional<VirtAddr> target{};  // of a call or jump, where the code says it
};

std::int64_t signed_field(std::uint64_t value, unsigned bits) {
    std::uint64_t const sign = std::uint64_t{1} << (bits - 1);
    return static_cast<std::int64_t>((value ^ sign) - sign);
}

VirtAddr plus(VirtAddr at, std::int64_t offset) {
    return VirtAddr{at.value + static_cast<std::uint64_t>(offset)};
}

// The image's code, by the addresses that it is linked to.
class Code {
  public:
    explicit Code(elf::KernelImage const& image) {
        for (elf::Segment const& segment : image.segments())
            if (segment.executable) segments_.push_back(segment);
        std::ranges::sort(segments_, {}, &elf::Segment::linked);
    }

    // Encodings: RISC-V unprivileged spec, "RV32I" and "C". Nothing where there is no code.
    std::optional<Instruction> at(VirtAddr pc) const {
        using Kind = Instruction::Kind;
        auto const low = half(pc);
        if (!low) return std::nullopt;
        if ((*low & 3) != 3) return compressed(pc, *low);
        auto const high = half(plus(pc, 2));
        if (!high) return std::nullopt;
        std::uint64_t const bits = *low | std::uint64_t{*high} << 16;
        constexpr std::uint64_t kJal = 0x6f, kJalr = 0x67, kBranch = 0x63, kAuipc = 0x17, kMask = 0x7f;
        std::uint64_t const link = bits >> 7 & 31;
        if ((bits & kMask) == kJal) {
            std::uint64_t const offset =
                (bits >> 31 & 1) << 20 | (bits >> 12 & 0xff) << 12 | (bits >> 20 & 1) << 11 | (bits >> 21 & 0x3ff) << 1;
            return Instruction{link == 0 ? Kind::jump : Kind::call, 4, plus(pc, signed_field(offset, 21))};
        }
        if ((bits & kMask) == kBranch) return Instruction{Kind::branch_or_end, 4};
        if ((bits & kMask) == kJalr) return Instruction{link == 0 ? Kind::branch_or_end : Kind::call, 4};
        // A call that the linker did not make shorter: auipc ra; jalr ra.
        if ((bits & kMask) == kAuipc && link == 1) {
            auto const next_low = half(plus(pc, 4)), next_high = half(plus(pc, 6));
            if (next_low && next_high && (*next_low & kMask) == kJalr)
                return Instruction{
                    Kind::call, 8,
                    plus(plus(pc, signed_field(bits >> 12 << 12, 32)), signed_field(*next_high >> 4, 12))};
        }
        return Instruction{};
    }

  private:
    std::optional<std::uint16_t> half(VirtAddr at) const {
        auto const after = std::ranges::upper_bound(segments_, at, {}, &elf::Segment::linked);
        if (after == segments_.begin()) return std::nullopt;
        auto const& [physical, linked, bytes, memory_bytes, executable] = *std::prev(after);
        std::uint64_t const offset = at.value - linked.value;
        if (offset >= bytes.size() || bytes.size() - offset < 2) return std::nullopt;
        return static_cast<std::uint16_t>(load_little_endian(bytes.subspan(offset, 2)));
    }

    static Instruction compressed(VirtAddr pc, std::uint64_t bits) {
        using Kind = Instruction::Kind;
        std::uint64_t const group = bits & 0xe003;
        if (group == 0xa001) {  // c.j
            std::uint64_t const offset = (bits >> 12 & 1) << 11 | (bits >> 8 & 1) << 10 | (bits >> 9 & 3) << 8 |
                                         (bits >> 6 & 1) << 7 | (bits >> 7 & 1) << 6 | (bits >> 2 & 1) << 5 |
                                         (bits >> 11 & 1) << 4 | (bits >> 3 & 7) << 1;
            return {Kind::jump, 2, plus(pc, signed_field(offset, 12))};
        }
        bool const branches = group == 0xc001 || group == 0xe001;
        bool const ends = (bits & 0xf07f) == 0x8002;  // c.jr
        return {branches || ends ? Kind::branch_or_end : Kind::plain, 2};
    }

    std::vector<elf::Segment> segments_;  // with code
};

// Whether whoever comes to `pc` calls `panic`, without a choice.
bool goes_to_panic(Code const& code, VirtAddr pc, VirtAddr panic) {
    constexpr int kInstructions = 128;
    for (int i = 0; i < kInstructions; ++i) {
        auto const at = code.at(pc);
        if (!at || at->kind == Instruction::Kind::branch_or_end) return false;
        if (at->target == panic) return true;
        pc = at->kind == Instruction::Kind::jump ? *at->target : plus(pc, at->bytes);
    }
    return false;
}

// A name is that of all instances.
std::string template_of(std::string const& name) {
    return name.substr(0, name.find('<'));
}

// Of the functions that the compiler left by themselves, by their entries: in which file each lies, and whom it calls.
struct Node {
    CodeFunction* function = nullptr;
    std::set<VirtAddr> calls{}, called_by{};
};

class Finder {
  public:
    Finder(elf::KernelImage const& image, KernelMap const& map) : code_(image), map_(map) {}

    std::vector<CodeFunction> find() {
        stretches_ = map_.lines.stretches();
        for (SourceLines::Stretch const& each : stretches_) add(each);
        find_calls();
        mark_files();
        mark_helpers();
        std::vector<CodeFunction> functions;
        for (auto& [key, function] : functions_) {
            for (auto& [number, line] : lines_[key]) function.lines.push_back(std::move(line));
            functions.push_back(std::move(function));
        }
        std::ranges::stable_sort(
            functions, {}, [](CodeFunction const& each) { return std::tuple(each.file, each.lines.front().number); });
        return functions;
    }

  private:
    void add(SourceLines::Stretch const& stretch) {
        CodeFunction& function = functions_[{stretch.file, stretch.function}];
        function.name = stretch.function;
        function.file = stretch.file;
        function.code.push_back({stretch.from, stretch.to});
        CodeLine& line = lines_[{stretch.file, stretch.function}][stretch.line];
        bool const panics = map_.panic && goes_to_panic(code_, stretch.from, *map_.panic);
        line.only_panics = panics && (line.code.empty() || line.only_panics);
        line.number = stretch.line;
        line.code.push_back({stretch.from, stretch.to});
        // Of several files, where it begins by itself.
        if (!stretch.inlined) nodes_.try_emplace(stretch.outer, Node{.function = &function});
    }

    void find_calls() {
        for (SourceLines::Stretch const& stretch : stretches_)
            for (VirtAddr pc = stretch.from; pc < stretch.to;) {
                auto const at = code_.at(pc);
                if (!at) break;
                auto const from = nodes_.find(stretch.outer), to = nodes_.find(at->target.value_or(stretch.outer));
                if (from != to && from != nodes_.end() && to != nodes_.end()) {
                    from->second.calls.insert(to->first);
                    to->second.called_by.insert(from->first);
                }
                pc = plus(pc, at->bytes);
            }
    }

    void mark_files() {
        std::set<std::string> names(map_.memory_files.begin(), map_.memory_files.end());
        for (auto const& [key, function] : functions_)
            if (names.contains(template_of(function.name))) files_.insert(function.file);
        if (map_.allocate && nodes_.contains(*map_.allocate)) files_.insert(nodes_[*map_.allocate].function->file);
        std::set<std::string> const by_name(map_.memory_functions.begin(), map_.memory_functions.end());
        for (auto& [key, function] : functions_)
            function.about_memory = files_.contains(function.file) || by_name.contains(template_of(function.name));
    }

    void mark_helpers() {
        auto const about_memory = [&](VirtAddr entry) { return nodes_[entry].function->about_memory; };
        for (bool more = true; std::exchange(more, false);)
            for (auto& [entry, node] : nodes_) {
                if (node.function->about_memory || node.called_by.empty()) continue;
                bool const calls_in = std::ranges::any_of(
                    node.calls, [&](VirtAddr each) { return files_.contains(nodes_[each].function->file); });
                if (calls_in && std::ranges::all_of(node.called_by, about_memory))
                    more = node.function->about_memory = true;
            }
    }

    Code code_;
    KernelMap const& map_;
    std::vector<SourceLines::Stretch> stretches_;
    using Key = std::pair<std::string, std::string>;  // file and name
    std::map<Key, CodeFunction> functions_;
    std::map<Key, std::map<unsigned, CodeLine>> lines_;
    std::map<VirtAddr, Node> nodes_;
    std::set<std::string> files_;
};

// By symbols alone.
std::vector<CodeFunction> symbols_of(elf::KernelImage const& image, KernelMap const& map) {
    std::vector<CodeFunction> functions;
    std::set<VirtAddr> starts;
    for (elf::Symbol const& symbol : image.symbols()) starts.insert(symbol.address);
    for (elf::Symbol const& symbol : image.symbols()) {
        if (symbol.kind != elf::SymbolKind::kFunction || symbol.bytes == 0) continue;
        std::string name = elf::source_name(symbol.name);
        auto const is_named = [&](std::vector<std::string> const& names) {
            return std::ranges::find(names, name) != names.end();
        };
        bool const about_memory = is_named(map.memory_files) || is_named(map.memory_functions) ||
                                  (map.allocate && *map.allocate == symbol.address);
        // As far as it says, or to where the next one begins.
        auto const next = starts.upper_bound(symbol.address);
        VirtAddr const end = symbol.address + symbol.bytes;
        functions.push_back({.name = std::move(name),
                             .file = {},
                             .about_memory = about_memory,
                             .code = {{symbol.address, next == starts.end() ? end : std::min(end, *next)}},
                             .lines = {}});
    }
    return functions;
}

}  // namespace

std::vector<CodeFunction> functions_of(elf::KernelImage const& image, KernelMap const& map) {
    return map.lines.empty() ? symbols_of(image, map) : Finder(image, map).find();
}

}  // namespace vmcheck::map
