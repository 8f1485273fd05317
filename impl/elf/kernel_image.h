#pragma once
// An RV64 ELF executable, read from a file that nobody vouches for, checked once and then a value.
//
//     auto image = elf::KernelImage::load("kernel/kernel", elf::AddressRange{PhysAddr{0x80000000}, 128 << 20});
//     if (!image) return report(image.error().message);
//     for (elf::Segment const& segment : image->segments()) copy(segment.bytes, ram, segment.physical);
//
// Everything is checked here: whoever holds a KernelImage may use its offsets and sizes without looking again.
// Copies are cheap and share the bytes. All members are const and may be called from any thread.
//
// The format is that of the System V ABI, "Object Files" and "Program Loading", and of the RISC-V ELF psABI.

#include "impl/base/error.h"
#include "spec/address.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmcheck::elf {

// Where segments may be loaded: bytes [start, start + bytes).
struct AddressRange {
    PhysAddr start;
    std::uint64_t bytes = 0;

    // True where [address, address + size) lies inside. Never overflows.
    constexpr bool contains(PhysAddr address, std::uint64_t size = 1) const {
        return address >= start && address.value - start.value <= bytes &&
               size <= bytes - (address.value - start.value);
    }
};

// RAM of the board as xv6 expects it: 128 MiB at 0x80000000 (xv6 kernel/memlayout.h: KERNBASE, PHYSTOP).
inline constexpr AddressRange kDefaultRam{PhysAddr{0x80000000}, 128ULL << 20};

// Where a user program may be linked: the lower half of the Sv39 address space (xv6 kernel/riscv.h: MAXVA).
inline constexpr AddressRange kUserSpace{PhysAddr{0}, 1ULL << 38};

// What was wrong with a file: a sentence or two, what was found, and what to do.
struct ElfError {
    enum class Kind {
        kNoSuchFile,
        kIsDirectory,
        kUnreadable,  // permissions, not a regular file, or larger than kElfBytesMax
        kEmpty,
        kNotElf,
        kTruncated,
        kNotRiscv,
        kNot64Bit,
        kBigEndian,
        kNotExecutable,
        kNoSegment,
        kOutsideRange,
        kOverlap,
        kMalformed,
    };
    Kind kind;
    std::string message;  // names the file itself where `about` does not
    std::string about;    // the file, by the name that it was given
    std::string sentence() const { return base::sentence(about, message); }
};

// Files larger than this are refused unread.
inline constexpr std::uint64_t kElfBytesMax = 256ULL << 20;

// A PT_LOAD program header with memory behind it. Bytes past `bytes`, up to `memory_bytes`, are zero (bss).
struct Segment {
    PhysAddr physical;                 // p_paddr: where it is loaded
    VirtAddr linked;                   // p_vaddr: where its symbols say it is
    std::span<std::byte const> bytes;  // p_filesz bytes; lives as long as any copy of the image
    std::uint64_t memory_bytes = 0;    // p_memsz >= bytes.size(), > 0
    bool executable = false;
};

enum class SymbolKind { kFunction, kObject, kOther };  // STT_FUNC, STT_OBJECT, and labels without a type

// A defined, named entry of .symtab. Section and file symbols, and local labels of the assembler, are left out.
struct Symbol {
    std::string name;  // as in the file: mangled where it is C++
    VirtAddr address;
    std::uint64_t bytes = 0;  // 0 for labels of assembly files
    SymbolKind kind = SymbolKind::kOther;
};

// The function in which a pc lies.
struct FunctionPlace {
    std::string name;  // demangled, without its parameter list
    std::uint64_t offset = 0;
};

class KernelImage {
  public:
    // Reads and checks the file at `path`. Fails as ElfError says; never throws, whatever the file holds.
    static tl::expected<KernelImage, ElfError> load(std::filesystem::path const& path, AddressRange range);

    // The same for bytes already in memory; `name` is how messages call them.
    static tl::expected<KernelImage, ElfError> parse(std::vector<std::byte> bytes, std::string name,
                                                     AddressRange range);

    // The file's name as given, for messages.
    std::string const& name() const { return parts_->name; }
    // e_entry; lies inside a segment.
    VirtAddr entry() const { return parts_->entry; }
    // At least one; ascending by physical address, without overlap, inside the given range.
    std::span<Segment const> segments() const { return parts_->segments; }
    // Ascending by address, then by name; empty for a stripped file.
    std::span<Symbol const> symbols() const { return parts_->symbols; }
    // The whole file.
    std::span<std::byte const> bytes() const { return parts_->bytes; }
    // True where the file has a .debug_info (or .zdebug_info) section that is not empty.
    bool has_debug_info() const { return parts_->has_debug_info; }

    // The symbol of that exact name (mangled, for C++); null where there is none. Where a name occurs more than once
    // (static functions of several files), the one at the lowest address.
    Symbol const* find_symbol(std::string_view name) const;

    // Symbols whose demangled name without parameters is `name`, as in "kernel::frame_allocate"; also those whose
    // plain name it is. Ascending by address. Costs a pass over the table.
    std::vector<Symbol const*> find_by_source_name(std::string_view name) const;

    // The function that holds pc: the last function symbol, or untyped label in an executable segment, at or below it;
    // nothing where pc is outside every executable segment, below the first symbol, or past the size of the one found.
    std::optional<FunctionPlace> function_at(VirtAddr pc) const;

    // Where the loader puts the byte that the linker put at `address`; nothing unless all of
    // [address, address + size) lies in one segment's memory.
    std::optional<PhysAddr> to_physical(VirtAddr address, std::uint64_t size = 1) const;

  private:
    struct Parts {
        std::string name;
        std::vector<std::byte> bytes;
        VirtAddr entry;
        std::vector<Segment> segments;
        std::vector<Symbol> symbols;
        bool has_debug_info = false;
    };
    explicit KernelImage(std::shared_ptr<Parts const> parts) : parts_(std::move(parts)) {}

    std::shared_ptr<Parts const> parts_;
};

// A C++ symbol in words, without return type, parameter list and compiler suffixes: "_ZN1k4freeEm" -> "k::free".
// Names that are not mangled are returned unchanged.
std::string source_name(std::string_view symbol);

}  // namespace vmcheck::elf
