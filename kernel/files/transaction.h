#pragma once
// All use of the file system happens in transactions, one at a time:
//
//     Transaction transaction;                  // waits for its turn
//     uint8_t* block = transaction.change(n);   // null: the log has no room for so many blocks
//     ...
//     return transaction.commit();              // without it, nothing of this has happened
//
// Changed blocks are kept here, and neither the disk nor the cache sees them before commit(). An error path has nothing
// to undo, therefore: it leaves without commit(). commit() writes the blocks to the log, then the log's header, which
// is the moment from which they count, then each to its own place, and then clears the header. After a crash, mounting
// does the last two again.
//
// A transaction is no deeper than its block: code that runs within one must not begin another, nor drop the last
// reference to an inode (held_inode.h).

#include "base/utility.h"
#include "files/disk_format.h"

namespace kernel {

class Transaction : Immovable {
  public:
    Transaction();
    ~Transaction();

    // The contents of a block, aligned to 8 bytes, with the changes of this transaction; valid until the next call of
    // a function here. Null when the file system has no such block: what names it is damaged.
    uint8_t const* read(uint32_t block);

    // The same, to be changed; valid until the end of the transaction. Null also when the log is full, and then
    // commit() will refuse.
    uint8_t* change(uint32_t block);

    // The same, all zero, whatever the block held.
    uint8_t* renew(uint32_t block);

    // How many further blocks can be changed.
    size_t room() const;

    // Makes all changes at once. False, with nothing changed, when there were too many or the disk refuses. Once.
    bool commit();

  private:
    uint8_t* slot_for(uint32_t block, bool& fresh);
};

// As the disk gives it, and as mounting found it sound.
DiskSuperblock const& superblock();

// Reads the superblock, and finishes what the log says was begun. Once, by the first process, before any transaction;
// panics when the disk holds no file system, or a damaged one.
void mount_file_system();

}  // namespace kernel
