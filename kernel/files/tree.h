#pragma once
// Changes of the tree of names. Paths are those of path.h. Each returns false when it cannot be done, and the
// transaction is then not to be committed.

#include "files/path.h"

namespace kernel {

// A new inode, named by `path`: a directory has its "." and "..". No inode when the path names something already or
// names a place that is not there, or when the disk or the log is full.
Inode make_node(Transaction& transaction, char const* path, uint32_t directory, InodeType type);

// Names the file or device `old_path` also `new_path`. Not for directories.
bool add_link(Transaction& transaction, char const* old_path, char const* new_path, uint32_t directory);

// Removes a name, and with the last one the inode. Not for "." and "..", nor for a directory that is not empty.
bool remove_link(Transaction& transaction, char const* path, uint32_t directory);

}  // namespace kernel
