// KernelImage::parse: every rule that a file must keep to be loaded, one function each.
//
// The file is hostile: no offset, size or count in it is used before it was compared with what is really there.

#include "impl/elf/kernel_image.h"

#include <elf.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace vmcheck::elf {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are copied out of the file as they are");

using Kind = ElfError::Kind;
using Bytes = std::span<std::byte const>;

constexpr std::uint64_t kSymbolsMax = 4U << 20;

// True where [offset, offset + size) lies in `bytes`.
bool holds(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
    return offset <= bytes.size() && size <= bytes.size() - offset;
}

// A copy of the T at `offset`; requires holds(bytes, offset, sizeof(T)).
template <class T>
T copy_at(Bytes bytes, std::uint64_t offset) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

struct Machine {
    std::uint16_t number;
    std::string_view name;
};
constexpr std::array kMachines{Machine{EM_386, "x86 (32-bit)"}, Machine{EM_X86_64, "x86-64"},
                               Machine{EM_ARM, "arm (32-bit)"}, Machine{EM_AARCH64, "aarch64"},
                               Machine{EM_MIPS, "mips"},        Machine{EM_PPC, "powerpc (32-bit)"},
                               Machine{EM_PPC64, "powerpc64"},  Machine{EM_S390, "s390"},
                               Machine{EM_SPARCV9, "sparc64"},  Machine{EM_LOONGARCH, "loongarch"}};

std::string_view machine_name(std::uint16_t number) {
    auto const machine = std::ranges::find(kMachines, number, &Machine::number);
    return machine == kMachines.end() ? "a machine unknown to vmcheck" : machine->name;
}

// The NUL-terminated text at `offset` of a string table; nothing where it does not end there.
std::optional<std::string_view> text_at(Bytes table, std::uint64_t offset) {
    if (offset >= table.size()) return std::nullopt;
    Bytes const rest = table.subspan(offset);
    auto const* const start = reinterpret_cast<char const*>(rest.data());
    void const* const end = std::memchr(start, 0, rest.size());
    if (end == nullptr) return std::nullopt;
    return std::string_view(start, static_cast<std::size_t>(static_cast<char const*>(end) - start));
}

// One entry of .symtab; nothing where it names no place in the program.
std::optional<Symbol> read_symbol(Elf64_Sym const& entry, Bytes names) {
    unsigned const type = ELF64_ST_TYPE(entry.st_info);
    if (entry.st_shndx == SHN_UNDEF || (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC)) return {};
    auto const name = text_at(names, entry.st_name);
    // "$x", "$d" and ".L" names are marks of the assembler, not of people.
    if (!name || name->empty() || name->front() == '$' || name->substr(0, 2) == ".L") return {};
    SymbolKind const kind = type == STT_FUNC     ? SymbolKind::kFunction
                            : type == STT_OBJECT ? SymbolKind::kObject
                                                 : SymbolKind::kOther;
    return Symbol{std::string(*name), VirtAddr{entry.st_value}, entry.st_size, kind};
}

struct Sections {
    std::vector<Elf64_Shdr> headers;
    Bytes names;  // .shstrtab
};

std::vector<Symbol> read_symbols(Bytes bytes, Sections const& sections) {
    std::vector<Symbol> symbols;
    for (Elf64_Shdr const& section : sections.headers) {
        if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.headers.size()) continue;
        Elf64_Shdr const& strings = sections.headers[section.sh_link];
        if (strings.sh_type != SHT_STRTAB) continue;
        Bytes const names = bytes.subspan(strings.sh_offset, strings.sh_size);
        std::uint64_t const count = std::min<std::uint64_t>(section.sh_size / sizeof(Elf64_Sym), kSymbolsMax);
        for (std::uint64_t i = 0; i < count; ++i) {
            auto const entry = copy_at<Elf64_Sym>(bytes, section.sh_offset + i * sizeof(Elf64_Sym));
            if (auto symbol = read_symbol(entry, names)) symbols.push_back(std::move(*symbol));
        }
        break;  // a file has one symbol table (System V ABI, "Sections"); more would only multiply a hostile file's
                // cost
    }
    std::ranges::sort(symbols, [](Symbol const& a, Symbol const& b) {
        return a.address != b.address ? a.address < b.address : a.name < b.name;
    });
    return symbols;
}

bool finds_debug_info(Sections const& sections) {
    return std::ranges::any_of(sections.headers, [&](Elf64_Shdr const& section) {
        auto const name = text_at(sections.names, section.sh_name);
        return section.sh_size > 0 && section.sh_type != SHT_NOBITS &&
               (name == ".debug_info" || name == ".zdebug_info");
    });
}

// The rules that a file must keep, and what it holds.
class File {
  public:
    File(Bytes bytes, std::string const& name, AddressRange range) : bytes_(bytes), name_(name), range_(range) {}

    tl::expected<void, ElfError> check_identity() const {
        if (bytes_.empty()) return failure(Kind::kEmpty, "is empty; was the build interrupted? Build it again.");
        std::size_t const magic_bytes = std::min<std::size_t>(bytes_.size(), SELFMAG);
        if (std::memcmp(bytes_.data(), ELFMAG, magic_bytes) != 0) {
            bool const is_text = std::ranges::none_of(bytes_.first(std::min<std::size_t>(bytes_.size(), 512)),
                                                      [](std::byte b) { return b == std::byte{0}; });
            return failure(Kind::kNotElf, "is not an ELF file{}; give the linked kernel, such as kernel/kernel.",
                           is_text ? " but text" : "");
        }
        if (bytes_.size() < EI_NIDENT + 4) {
            return failure(Kind::kTruncated, "ends after {} bytes, inside the ELF header; build it again.",
                           bytes_.size());
        }
        return {};
    }

    // What the first 20 bytes say of the target; in the same place for 32 and 64 bits.
    tl::expected<void, ElfError> check_target() const {
        auto const ident = [&](std::size_t at) { return std::to_integer<unsigned>(bytes_[at]); };
        bool const big_endian = ident(EI_DATA) == ELFDATA2MSB;
        constexpr std::uint64_t kMachineAt = offsetof(Elf64_Ehdr, e_machine);
        auto machine = copy_at<std::uint16_t>(bytes_, kMachineAt);
        if (big_endian) machine = static_cast<std::uint16_t>((machine << 8) | (machine >> 8));
        if (machine != EM_RISCV) {
            return failure(Kind::kNotRiscv,
                           "is built for {} (ELF machine {}), not for RISC-V; build it with a riscv64 cross compiler.",
                           machine_name(machine), machine);
        }
        if (ident(EI_CLASS) == ELFCLASS32) {
            return failure(Kind::kNot64Bit,
                           "is a 32-bit RISC-V file; vmcheck runs 64-bit kernels (RV64), build it with -march=rv64gc.");
        }
        if (big_endian) {
            return failure(Kind::kBigEndian,
                           "is big-endian; vmcheck runs little-endian RV64 kernels, build it without -mbig-endian.");
        }
        if (ident(EI_CLASS) != ELFCLASS64 || ident(EI_DATA) != ELFDATA2LSB || ident(EI_VERSION) != EV_CURRENT) {
            return failure(
                Kind::kMalformed,
                "has an ELF header with an unknown class, byte order or version; the file is damaged, build it again.");
        }
        return {};
    }

    tl::expected<Elf64_Ehdr, ElfError> read_header() const {
        if (!holds(bytes_, 0, sizeof(Elf64_Ehdr))) {
            return failure(Kind::kTruncated, "ends after {} bytes, inside the ELF header; build it again.",
                           bytes_.size());
        }
        auto const header = copy_at<Elf64_Ehdr>(bytes_, 0);
        std::string_view wrong_type;
        if (header.e_type == ET_REL) wrong_type = "an object file that is not linked yet";
        if (header.e_type == ET_DYN) wrong_type = "a shared object or position-independent program";
        if (header.e_type == ET_CORE) wrong_type = "a core dump";
        if (wrong_type.empty() && header.e_type != ET_EXEC) wrong_type = "of an unknown ELF type";
        if (!wrong_type.empty()) {
            return failure(Kind::kNotExecutable, "is {}; give a statically linked executable (linked with -no-pie).",
                           wrong_type);
        }
        bool const odd_segments = header.e_phnum != 0 && header.e_phentsize != sizeof(Elf64_Phdr);
        bool const odd_sections = header.e_shnum != 0 && header.e_shentsize != sizeof(Elf64_Shdr);
        if (odd_segments || odd_sections) {
            return failure(Kind::kMalformed,
                           "has {} headers of {} bytes each instead of {}; the file is damaged, build it again.",
                           odd_segments ? "program" : "section", odd_segments ? header.e_phentsize : header.e_shentsize,
                           odd_segments ? sizeof(Elf64_Phdr) : sizeof(Elf64_Shdr));
        }
        return header;
    }

    tl::unexpected<ElfError> past_the_end(std::string_view what, std::uint64_t offset, std::uint64_t size) const {
        return failure(Kind::kTruncated,
                       "is cut short: its {} would take {:#x} bytes at offset {:#x}, but the file ends after {:#x} "
                       "bytes; build it again.",
                       what, size, offset, bytes_.size());
    }

    // One program header; nothing in `out` where it is not a PT_LOAD with memory.
    tl::expected<std::optional<Segment>, ElfError> read_segment(Elf64_Phdr const& header) const {
        if (header.p_type != PT_LOAD || (header.p_memsz == 0 && header.p_filesz == 0)) return std::optional<Segment>{};
        if (header.p_filesz > header.p_memsz) {
            return failure(Kind::kMalformed,
                           "has a segment at {:#x} with more bytes in the file ({:#x}) than in memory ({:#x}); the "
                           "file is damaged, build it again.",
                           header.p_paddr, header.p_filesz, header.p_memsz);
        }
        if (!holds(bytes_, header.p_offset, header.p_filesz))
            return past_the_end("segment", header.p_offset, header.p_filesz);
        if (!range_.contains(PhysAddr{header.p_paddr}, header.p_memsz) ||
            header.p_vaddr + header.p_memsz < header.p_vaddr) {
            return failure(Kind::kOutsideRange,
                           "has a segment of {:#x} bytes at {:#x}, outside of memory, which is {:#x} bytes at {:#x}; "
                           "link it there, or choose another memory size.",
                           header.p_memsz, header.p_paddr, range_.bytes, range_.start.value);
        }
        Segment segment;
        segment.physical = PhysAddr{header.p_paddr};
        segment.linked = VirtAddr{header.p_vaddr};
        segment.bytes = bytes_.subspan(header.p_offset, header.p_filesz);
        segment.memory_bytes = header.p_memsz;
        segment.executable = (header.p_flags & PF_X) != 0;
        return std::optional<Segment>{segment};
    }

    tl::expected<void, ElfError> check_overlap(std::vector<Segment> const& segments) const {
        for (std::size_t i = 1; i < segments.size(); ++i) {
            Segment const& below = segments[i - 1];
            if (segments[i].physical.value - below.physical.value >= below.memory_bytes) continue;
            return failure(Kind::kOverlap,
                           "has two segments that overlap in memory ({:#x} bytes at {:#x}, and one at {:#x}); correct "
                           "the linker script.",
                           below.memory_bytes, below.physical.value, segments[i].physical.value);
        }
        return {};
    }

    tl::expected<std::vector<Segment>, ElfError> read_segments(Elf64_Ehdr const& header) const {
        std::uint64_t const table_bytes = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
        if (!holds(bytes_, header.e_phoff, table_bytes))
            return past_the_end("program header table", header.e_phoff, table_bytes);
        std::vector<Segment> segments;
        for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
            auto const program = copy_at<Elf64_Phdr>(bytes_, header.e_phoff + i * sizeof(Elf64_Phdr));
            auto segment = read_segment(program);
            if (!segment) return tl::make_unexpected(std::move(segment.error()));
            if (*segment) segments.push_back(**segment);
        }
        if (segments.empty()) {
            return failure(Kind::kNoSegment,
                           "has nothing to load (no PT_LOAD segment); was it reduced to its debug information? Give "
                           "the linked kernel itself.");
        }
        std::ranges::sort(segments, {}, &Segment::physical);
        if (auto checked = check_overlap(segments); !checked) return tl::make_unexpected(checked.error());
        return segments;
    }

    tl::expected<void, ElfError> check_entry(std::vector<Segment> const& segments, std::uint64_t entry) const {
        for (Segment const& segment : segments)
            if (entry - segment.linked.value < segment.memory_bytes) return {};
        return failure(Kind::kOutsideRange,
                       "starts at {:#x} (its ELF entry point), where none of its segments is; name the entry in the "
                       "linker script with ENTRY(...).",
                       entry);
    }

    tl::expected<Sections, ElfError> read_sections(Elf64_Ehdr const& header) const {
        Sections sections;
        if (header.e_shoff == 0) return sections;
        std::uint64_t const table_bytes = std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
        if (!holds(bytes_, header.e_shoff, table_bytes))
            return past_the_end("section header table", header.e_shoff, table_bytes);
        for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
            auto const section = copy_at<Elf64_Shdr>(bytes_, header.e_shoff + i * sizeof(Elf64_Shdr));
            if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
                !holds(bytes_, section.sh_offset, section.sh_size))
                return past_the_end("section", section.sh_offset, section.sh_size);
            sections.headers.push_back(section);
        }
        if (header.e_shstrndx < sections.headers.size()) {
            Elf64_Shdr const& names = sections.headers[header.e_shstrndx];
            if (names.sh_type == SHT_STRTAB) sections.names = bytes_.subspan(names.sh_offset, names.sh_size);
        }
        return sections;
    }

  private:
    template <class... Parts>
    tl::unexpected<ElfError> failure(Kind kind, fmt::format_string<Parts...> text, Parts&&... parts) const {
        return tl::make_unexpected(ElfError{kind, fmt::format(text, std::forward<Parts>(parts)...), name_});
    }

    Bytes bytes_;
    std::string const& name_;
    AddressRange range_;
};

}  // namespace

tl::expected<KernelImage, ElfError> KernelImage::parse(std::vector<std::byte> bytes, std::string name,
                                                       AddressRange range) {
    // The spans in `segments` stay right: moving a vector does not move its elements.
    auto parts = std::make_shared<Parts>();
    parts->name = std::move(name);
    parts->bytes = std::move(bytes);
    Bytes const all = parts->bytes;

    File const file(all, parts->name, range);
    auto checked = file.check_identity().and_then([&] { return file.check_target(); });
    if (!checked) return tl::make_unexpected(std::move(checked.error()));
    auto const header = file.read_header();
    if (!header) return tl::make_unexpected(header.error());
    auto segments = file.read_segments(*header);
    if (!segments) return tl::make_unexpected(std::move(segments.error()));
    checked = file.check_entry(*segments, header->e_entry);
    if (!checked) return tl::make_unexpected(std::move(checked.error()));
    auto const sections = file.read_sections(*header);
    if (!sections) return tl::make_unexpected(sections.error());

    parts->entry = VirtAddr{header->e_entry};
    parts->segments = std::move(*segments);
    parts->symbols = read_symbols(all, *sections);
    parts->has_debug_info = finds_debug_info(*sections);
    return KernelImage(std::move(parts));
}

}  // namespace vmcheck::elf
