#pragma once
// Open files: what descriptors refer to. Several descriptors, of several processes, may share one (dup, fork); it is
// closed with the last of them.

#include "base/address.h"
#include "base/utility.h"
#include "files/held_inode.h"

namespace kernel {

class AddressSpace;
class Pipe;

// device: one that a node of the disk stands for, and that we do not have.
enum class FileKind { none, console, device, pipe, inode };

struct OpenFile {
    FileKind kind = FileKind::none;
    uint32_t references = 0;  // 0: this slot is free. Guarded by the table's lock; the rest is constant while open
    bool readable = false;
    bool writable = false;
    Pipe* pipe = nullptr;  // of a pipe
    InodeRef inode;        // of all others
    uint64_t offset = 0;   // of a file of the disk: where the next read or write begins. Guarded by the transaction
};

// struct stat of xv6-riscv's user programs.
struct FileStatus {
    int32_t device;
    uint32_t inode;
    InodeType type;
    int16_t links;
    uint32_t padding;
    uint64_t bytes;
};
static_assert(sizeof(FileStatus) == 24);

// One reference to an open file; what frames have in FrameRef. A dropped reference is released.
class FileRef {
  public:
    // No file.
    constexpr FileRef() = default;

    // A new open file with nothing behind it yet; no file when there are too many.
    static FileRef create(FileKind kind, bool readable, bool writable);

    // One reference more, or no file if this is none.
    FileRef share() const;

    FileRef(FileRef&& other) { swap(file_, other.file_); }
    FileRef& operator=(FileRef&& other);
    ~FileRef() { release(); }

    explicit operator bool() const { return file_ != nullptr; }
    OpenFile* operator->() const { return file_; }
    OpenFile& operator*() const { return *file_; }

  private:
    explicit FileRef(OpenFile* file) : file_(file) {}
    void release();

    OpenFile* file_ = nullptr;
};

// Reading and writing, at an address of the current process; both may sleep. They return the bytes transferred; -1
// when the file is not open for that, the process was killed meanwhile, or not one byte of its memory or of the disk
// could be used. Each block of a file of the disk is written whole or not at all, whatever becomes of the machine.
int64_t read_file(OpenFile& file, AddressSpace& space, VirtAddr to, size_t bytes);
int64_t write_file(OpenFile& file, AddressSpace& space, VirtAddr from, size_t bytes);

// False for a pipe, which has no status.
bool status_of(OpenFile const& file, FileStatus& status);

}  // namespace kernel
