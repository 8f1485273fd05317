#pragma once
// Directories: files whose contents are names and inode numbers. REQUIRES, of all: the inode is that of a directory.

#include "files/inode.h"

namespace kernel {

// One part of a path, in the form that directories have names in: longer ones are cut.
struct Name {
    char text[kNameBytes] = {};

    bool is(char const* other) const;
};

// The inode of that name; no inode when there is none.
Inode look_up(Inode const& directory, Name const& name);

// Adds a name, which must not be there yet. False when the disk or the log is full.
bool add_entry(Inode& directory, Name const& name, uint32_t inode);

// Removes a name. False when it is not there or the log is full.
bool remove_entry(Inode& directory, Name const& name);

// Whether it has no names but "." and "..".
bool is_empty(Inode const& directory);

}  // namespace kernel
