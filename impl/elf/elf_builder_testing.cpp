#include "impl/elf/elf_builder_testing.h"

#include <cstring>

namespace vmcheck::elf::testing {
namespace {

// Appends a T and says where it went.
template <class T>
std::uint64_t append(std::vector<std::byte>& bytes, T const& value) {
    std::uint64_t const at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return at;
}

Elf64_Shdr section(std::uint32_t type, std::uint64_t offset, std::uint64_t size, std::uint32_t link,
                   std::uint64_t entry_bytes) {
    Elf64_Shdr header{};
    header.sh_type = type;
    header.sh_offset = offset;
    header.sh_size = size;
    header.sh_link = link;
    header.sh_entsize = entry_bytes;
    return header;
}

void append_symbols(std::vector<std::byte>& bytes, std::vector<BuiltSymbol> const& symbols, Elf64_Ehdr& header) {
    std::string strings(1, '\0');
    std::uint64_t const symbols_at = append(bytes, Elf64_Sym{});
    for (BuiltSymbol const& symbol : symbols) {
        Elf64_Sym entry{};
        entry.st_name = static_cast<Elf64_Word>(strings.size());
        entry.st_info = static_cast<unsigned char>((STB_GLOBAL << 4) | symbol.type);
        entry.st_shndx = SHN_ABS;
        entry.st_value = symbol.address;
        entry.st_size = symbol.bytes;
        append(bytes, entry);
        strings += symbol.name + '\0';
    }
    std::uint64_t const strings_at = bytes.size();
    for (char const c : strings) bytes.push_back(static_cast<std::byte>(c));

    header.e_shoff = append(bytes, Elf64_Shdr{});
    append(bytes, section(SHT_SYMTAB, symbols_at, strings_at - symbols_at, 2, sizeof(Elf64_Sym)));
    append(bytes, section(SHT_STRTAB, strings_at, strings.size(), 0, 0));
    header.e_shnum = 3;
}

}  // namespace

std::vector<std::byte> ElfBuilder::build() const {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = elf_class;
    header.e_ident[EI_DATA] = data;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = type;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_entry = entry;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_phnum = static_cast<Elf64_Half>(segments.size());

    std::vector<std::byte> bytes;
    append(bytes, header);
    header.e_phoff = bytes.size();
    bytes.resize(bytes.size() + segments.size() * sizeof(Elf64_Phdr));
    for (std::size_t i = 0; i < segments.size(); ++i) {
        Elf64_Phdr program{};
        program.p_type = segments[i].type;
        program.p_flags = segments[i].flags;
        program.p_offset = bytes.size();
        program.p_vaddr = program.p_paddr = segments[i].address;
        program.p_filesz = segments[i].file_bytes;
        program.p_memsz = segments[i].memory_bytes;
        std::memcpy(bytes.data() + header.e_phoff + i * sizeof program, &program, sizeof program);
        bytes.resize(bytes.size() + segments[i].file_bytes, static_cast<std::byte>(i + 1));
    }
    append_symbols(bytes, symbols, header);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
}

}  // namespace vmcheck::elf::testing
