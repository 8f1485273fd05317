#pragma once
// Paths: names between slashes, from the root or (no leading slash) from a directory that is given by its number. The
// empty path means that directory itself.

#include "files/directory.h"

namespace kernel {

// The inode that `path` names; no inode when there is none.
Inode find_inode(Transaction& transaction, char const* path, uint32_t directory);

// The directory in which `path` names something, whether or not it is there, and the name. No inode when there is no
// such directory, or the path has no last name.
Inode find_parent(Transaction& transaction, char const* path, uint32_t directory, Name& name);

}  // namespace kernel
