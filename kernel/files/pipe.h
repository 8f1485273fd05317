#pragma once
// Pipes: 512 bytes in a ring, in a frame of their own. Whoever reads an empty one sleeps, as does whoever writes a full
// one, until the other end has moved on or is closed.

#include "files/file.h"
#include "sync/spin_lock.h"

namespace kernel {

enum class PipeEnd { read, write };

class Pipe : Immovable {
  public:
    // Makes a pipe and a file for each of its ends. False, with nothing left behind, when memory or files run out.
    static bool create(FileRef& read_end, FileRef& write_end);

    // Reads what there is, at most `bytes`, waiting until there is something; 0 when there is nothing and will not be.
    int64_t read(AddressSpace& space, VirtAddr to, size_t bytes);

    // Writes all of it, waiting for room as often as it takes; -1 when nobody can read it any more.
    int64_t write(AddressSpace& space, VirtAddr from, size_t bytes);

    // With the second end, the pipe goes.
    void close(PipeEnd end);

  private:
    static constexpr uint64_t kBytes = 512;

    uint64_t filled() const { return written_ - read_; }

    SpinLock lock_;
    bool read_open_ = true;
    bool write_open_ = true;
    uint64_t read_ = 0;     // bytes ever read; also the channel on which readers sleep
    uint64_t written_ = 0;  // bytes ever written; also the channel on which writers sleep
    uint8_t ring_[kBytes] = {};
};

}  // namespace kernel
