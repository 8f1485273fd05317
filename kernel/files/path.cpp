#include "files/path.h"

namespace kernel {
namespace {

// Takes the first name off `path`; false when there is none left.
bool next_name(char const*& path, Name& name) {
    while (*path == '/') path++;
    if (*path == 0) return false;
    name = Name{};
    for (size_t i = 0; *path != 0 && *path != '/'; i++, path++)
        if (i < kNameBytes) name.text[i] = *path;
    return true;
}

Inode begin_of(Transaction& transaction, char const* path, uint32_t directory) {
    return Inode{transaction, *path == '/' ? kRootInode : directory};
}

// What `name` means in `parent`, which may be no directory.
Inode step(Inode const& parent, Name const& name) {
    return parent.type() == InodeType::directory ? look_up(parent, name) : Inode{};
}

}  // namespace

Inode find_inode(Transaction& transaction, char const* path, uint32_t directory) {
    Inode found = begin_of(transaction, path, directory);
    for (Name name; found && next_name(path, name);) found = step(found, name);
    return found;
}

Inode find_parent(Transaction& transaction, char const* path, uint32_t directory, Name& name) {
    Inode parent = begin_of(transaction, path, directory);
    if (!next_name(path, name)) return {};
    for (Name next; parent && next_name(path, next); name = next) parent = step(parent, name);
    return parent && parent.type() == InodeType::directory ? parent : Inode{};
}

}  // namespace kernel
