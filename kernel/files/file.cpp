#include "files/file.h"

#include "config.h"
#include "devices/console.h"
#include "files/pipe.h"
#include "memory/address_space.h"

namespace kernel {
namespace {

struct FileTable {
    SpinLock lock;
    OpenFile files[kOpenFilesMax];
};
constinit FileTable table;

constexpr int32_t kDiskDevice = 1;
constexpr size_t kCopyBytes = 512;  // what is moved at a time from a file to a user's memory

int64_t read_inode(OpenFile& file, AddressSpace& space, VirtAddr to, size_t bytes) {
    Transaction transaction;
    Inode const inode{transaction, file.inode.number()};
    uint8_t buffer[kCopyBytes];
    size_t done = 0;
    while (done < bytes) {
        size_t const got = inode.read(buffer, file.offset, min(bytes - done, sizeof buffer));
        if (got == 0) return static_cast<int64_t>(done);
        size_t const copied = space.copy_out(to + done, buffer, got);
        file.offset += copied;
        done += copied;
        if (copied < got) break;
    }
    return done > 0 || bytes == 0 ? static_cast<int64_t>(done) : -1;
}

// Writes as much as one transaction can take, at the file's offset; returns the bytes written.
size_t write_some(Transaction& transaction, OpenFile const& file, AddressSpace& space, VirtAddr from, size_t bytes) {
    Inode inode{transaction, file.inode.number()};
    uint8_t buffer[kBlockBytes];
    size_t done = 0;
    while (done < bytes && (done == 0 || transaction.room() >= Inode::kLogBlocksPerWrite)) {
        uint64_t const offset = file.offset + done;
        size_t const chunk = min(bytes - done, kBlockBytes - offset % kBlockBytes);
        size_t const copied = space.copy_in(buffer, from + done, chunk);
        size_t const written = inode.write(buffer, offset, copied);
        done += written;
        if (written < chunk) break;
    }
    return done;
}

int64_t write_inode(OpenFile& file, AddressSpace& space, VirtAddr from, size_t bytes) {
    remove_leftovers();
    size_t done = 0;
    while (done < bytes) {
        Transaction transaction;
        size_t const written = write_some(transaction, file, space, from + done, bytes - done);
        if (written == 0 || !transaction.commit()) break;
        file.offset += written;
        done += written;
    }
    return done > 0 || bytes == 0 ? static_cast<int64_t>(done) : -1;
}

}  // namespace

FileRef FileRef::create(FileKind kind, bool readable, bool writable) {
    SpinGuard guard(table.lock);
    for (OpenFile& file : table.files) {
        if (file.references != 0) continue;
        file.references = 1;
        file.kind = kind;
        file.readable = readable;
        file.writable = writable;
        file.pipe = nullptr;
        file.offset = 0;
        return FileRef{&file};
    }
    return {};
}

FileRef FileRef::share() const {
    if (file_ == nullptr) return {};
    SpinGuard guard(table.lock);
    file_->references++;
    return FileRef{file_};
}

FileRef& FileRef::operator=(FileRef&& other) {
    release();
    swap(file_, other.file_);
    return *this;
}

void FileRef::release() {
    OpenFile* const file = file_;
    file_ = nullptr;
    if (file == nullptr) return;
    Pipe* pipe = nullptr;
    bool writable = false;
    InodeRef inode;  // dropped when the table is no longer locked
    {
        SpinGuard guard(table.lock);
        file->references--;
        if (file->references > 0) return;
        pipe = file->pipe;
        writable = file->writable;
        inode = move(file->inode);
        file->kind = FileKind::none;
    }
    if (pipe != nullptr) pipe->close(writable ? PipeEnd::write : PipeEnd::read);
}

int64_t read_file(OpenFile& file, AddressSpace& space, VirtAddr to, size_t bytes) {
    if (!file.readable) return -1;
    switch (file.kind) {
        case FileKind::console:
            return read_console(space, to, bytes);
        case FileKind::pipe:
            return file.pipe->read(space, to, bytes);
        case FileKind::inode:
            return read_inode(file, space, to, bytes);
        case FileKind::device:
        case FileKind::none:
            break;
    }
    return -1;
}

int64_t write_file(OpenFile& file, AddressSpace& space, VirtAddr from, size_t bytes) {
    if (!file.writable) return -1;
    switch (file.kind) {
        case FileKind::console:
            return write_console(space, from, bytes);
        case FileKind::pipe:
            return file.pipe->write(space, from, bytes);
        case FileKind::inode:
            return write_inode(file, space, from, bytes);
        case FileKind::device:
        case FileKind::none:
            break;
    }
    return -1;
}

bool status_of(OpenFile const& file, FileStatus& status) {
    if (!file.inode) return false;
    Transaction transaction;
    Inode const inode{transaction, file.inode.number()};
    status = FileStatus{};
    status.device = kDiskDevice;
    status.inode = inode.number();
    status.type = inode.type();
    status.links = inode.links();
    status.bytes = inode.bytes();
    return true;
}

}  // namespace kernel
