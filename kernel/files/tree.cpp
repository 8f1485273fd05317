#include "files/tree.h"

#include "files/held_inode.h"

namespace kernel {
namespace {

constexpr Name kItself = {"."};
constexpr Name kAbove = {".."};

// Names `inode` in `parent`. A directory that was removed while somebody held it takes no names: nothing would ever
// remove them.
bool name_in(Inode& parent, Name const& name, Inode& inode) {
    return parent.links() > 0 && !look_up(parent, name) && add_entry(parent, name, inode.number()) &&
           inode.add_links(1);
}

bool add_dots(Inode& directory, Inode& parent) {
    return add_entry(directory, kItself, directory.number()) && add_entry(directory, kAbove, parent.number()) &&
           parent.add_links(1);
}

}  // namespace

Inode make_node(Transaction& transaction, char const* path, uint32_t directory, InodeType type) {
    Name name;
    Inode parent = find_parent(transaction, path, directory, name);
    if (!parent || look_up(parent, name)) return {};
    Inode made = Inode::create(transaction, type);
    if (!made || !name_in(parent, name, made)) return {};
    if (type == InodeType::directory && !add_dots(made, parent)) return {};
    return made;
}

bool add_link(Transaction& transaction, char const* old_path, char const* new_path, uint32_t directory) {
    Inode inode = find_inode(transaction, old_path, directory);
    if (!inode || inode.type() == InodeType::directory) return false;
    Name name;
    Inode parent = find_parent(transaction, new_path, directory, name);
    return parent && name_in(parent, name, inode);
}

bool remove_link(Transaction& transaction, char const* path, uint32_t directory) {
    Name name;
    Inode parent = find_parent(transaction, path, directory, name);
    if (!parent || name.is(".") || name.is("..")) return false;
    Inode inode = look_up(parent, name);
    if (!inode) return false;
    bool const is_directory = inode.type() == InodeType::directory;
    if (is_directory && !is_empty(inode)) return false;
    if (!remove_entry(parent, name) || (is_directory && !parent.add_links(-1)) || !inode.add_links(-1)) return false;
    return remove_when_released(inode);
}

}  // namespace kernel
