#include "files/pipe.h"

#include "memory/address_space.h"
#include "process/scheduler.h"

namespace kernel {

static_assert(sizeof(Pipe) <= kPageBytes);

bool Pipe::create(FileRef& read_end, FileRef& write_end) {
    FileRef reader = FileRef::create(FileKind::pipe, true, false);
    FileRef writer = FileRef::create(FileKind::pipe, false, true);
    FrameRef frame = FrameRef::allocate();
    if (!reader || !writer || !frame) return false;
    reader->pipe = writer->pipe = new (frame.bytes()) Pipe;
    frame.keep();  // until close() adopts it
    read_end = move(reader);
    write_end = move(writer);
    return true;
}

int64_t Pipe::read(AddressSpace& space, VirtAddr to, size_t bytes) {
    SpinGuard guard(lock_);
    while (filled() == 0 && write_open_) {
        if (is_killed(current_process())) return -1;
        sleep_on(&read_, lock_);
    }
    size_t const wanted = min(bytes, filled());
    size_t done = 0;
    while (done < wanted) {
        size_t const at = read_ % kBytes;
        size_t const chunk = min(wanted - done, kBytes - at);
        size_t const copied = space.copy_out(to + done, ring_ + at, chunk);
        read_ += copied;
        done += copied;
        if (copied < chunk) break;
    }
    wake_all(&written_);
    return done > 0 || wanted == 0 ? static_cast<int64_t>(done) : -1;
}

int64_t Pipe::write(AddressSpace& space, VirtAddr from, size_t bytes) {
    SpinGuard guard(lock_);
    size_t done = 0;
    while (done < bytes) {
        if (!read_open_ || is_killed(current_process())) return -1;
        if (filled() == kBytes) {
            wake_all(&read_);
            sleep_on(&written_, lock_);
            continue;
        }
        size_t const at = written_ % kBytes;
        size_t const chunk = min(bytes - done, min(kBytes - at, kBytes - filled()));
        size_t const copied = space.copy_in(ring_ + at, from + done, chunk);
        written_ += copied;
        done += copied;
        if (copied < chunk) break;
    }
    wake_all(&read_);
    return done > 0 || bytes == 0 ? static_cast<int64_t>(done) : -1;
}

void Pipe::close(PipeEnd end) {
    bool last = false;
    {
        SpinGuard guard(lock_);
        (end == PipeEnd::read ? read_open_ : write_open_) = false;
        wake_all(&read_);
        wake_all(&written_);
        last = !read_open_ && !write_open_;
    }
    if (last) FrameRef::adopt(address_of(this));  // and drops it
}

}  // namespace kernel
