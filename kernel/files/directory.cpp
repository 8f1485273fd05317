#include "files/directory.h"

#include "base/memory.h"

namespace kernel {
namespace {

bool same(Name const& name, DiskDirectoryEntry const& entry) {
    for (size_t i = 0; i < kNameBytes; i++) {
        if (name.text[i] != entry.name[i]) return false;
        if (name.text[i] == 0) break;
    }
    return true;
}

// The offset in `directory` of the first entry for which wanted(entry) is true; its end when there is none.
template <class Wanted>
uint64_t find_entry(Inode const& directory, Wanted wanted) {
    uint64_t const end = directory.bytes() / sizeof(DiskDirectoryEntry);
    for (uint64_t i = 0; i < end; i += kEntriesPerBlock) {
        auto const* const entries = reinterpret_cast<DiskDirectoryEntry const*>(directory.block(i / kEntriesPerBlock));
        if (entries == nullptr) break;
        for (uint64_t j = 0; j < min(kEntriesPerBlock, end - i); j++)
            if (wanted(entries[j])) return (i + j) * sizeof(DiskDirectoryEntry);
    }
    return directory.bytes();
}

uint64_t find_name(Inode const& directory, Name const& name) {
    return find_entry(directory,
                      [&name](DiskDirectoryEntry const& entry) { return entry.inode != 0 && same(name, entry); });
}

bool write_entry(Inode& directory, uint64_t offset, DiskDirectoryEntry const& entry) {
    return directory.write(&entry, offset, sizeof entry) == sizeof entry;
}

}  // namespace

bool Name::is(char const* other) const {
    DiskDirectoryEntry entry = {};
    for (size_t i = 0; i < kNameBytes && other[i] != 0; i++) entry.name[i] = other[i];
    return same(*this, entry);
}

Inode look_up(Inode const& directory, Name const& name) {
    uint32_t found = 0;
    find_entry(directory, [&name, &found](DiskDirectoryEntry const& entry) {
        if (entry.inode == 0 || !same(name, entry)) return false;
        found = entry.inode;
        return true;
    });
    return Inode{directory.transaction(), found};
}

bool add_entry(Inode& directory, Name const& name, uint32_t inode) {
    DiskDirectoryEntry entry = {};
    if (inode > UINT16_MAX) return false;
    entry.inode = static_cast<uint16_t>(inode);
    memcpy(entry.name, name.text, kNameBytes);
    return write_entry(directory, find_entry(directory, [](auto const& other) { return other.inode == 0; }), entry);
}

bool remove_entry(Inode& directory, Name const& name) {
    uint64_t const offset = find_name(directory, name);
    return offset < directory.bytes() && write_entry(directory, offset, DiskDirectoryEntry{});
}

bool is_empty(Inode const& directory) {
    uint64_t const other = find_entry(directory, [](DiskDirectoryEntry const& entry) {
        Name name;
        memcpy(name.text, entry.name, kNameBytes);
        return entry.inode != 0 && !name.is(".") && !name.is("..");
    });
    return other >= directory.bytes();
}

}  // namespace kernel
