// System calls about files.

#include "files/path.h"
#include "files/pipe.h"
#include "files/tree.h"
#include "syscall/numbers.h"
#include "syscall/syscall.h"

namespace kernel {
namespace {

constexpr int16_t kMajorMax = 9;  // of a device that can be opened

// The open file that a descriptor of the process means; null when it means none.
OpenFile* file_of(Process& self, int descriptor) {
    if (descriptor < 0 || descriptor >= static_cast<int>(kFilesPerProcessMax) || !self.files[descriptor])
        return nullptr;
    return &*self.files[descriptor];
}

// Gives `file` the lowest free descriptor; -1, and `file` untouched, when there is none or `file` is no file.
int install(Process& self, FileRef& file) {
    if (!file) return -1;
    for (size_t i = 0; i < kFilesPerProcessMax; i++) {
        if (self.files[i]) continue;
        self.files[i] = move(file);
        return static_cast<int>(i);
    }
    return -1;
}

bool has_free_descriptor(Process const& self) {
    for (FileRef const& file : self.files)
        if (!file) return true;
    return false;
}

void uninstall(Process& self, int descriptor) {
    if (descriptor >= 0) self.files[descriptor] = {};
}

// Whether a file of that type can be opened so.
bool can_open(Inode const& inode, unsigned mode) {
    switch (inode.type()) {
        case InodeType::directory:
            return mode == 0;
        case InodeType::device:
            return inode.major() >= 0 && inode.major() <= kMajorMax;
        default:
            return true;
    }
}

FileKind kind_of(Inode const& inode) {
    if (inode.type() != InodeType::device) return FileKind::inode;
    return inode.major() == kConsoleMajor ? FileKind::console : FileKind::device;
}

// The inode that `path` names, made if it is not there and `mode` says so; no inode if neither can be.
Inode find_or_create(Transaction& transaction, char const* path, Process const& self, unsigned mode) {
    uint32_t const directory = self.current_directory.number();
    Inode const found = find_inode(transaction, path, directory);
    if (found || (mode & kOpenCreate) == 0) return found;
    return make_node(transaction, path, directory, InodeType::file);
}

// Opens what `path` names. `file` outlives the transaction, as it may have to drop the inode again. False when that
// cannot be done.
bool open_path(char const* path, Process const& self, unsigned mode, FileRef& file) {
    Transaction transaction;
    Inode inode = find_or_create(transaction, path, self, mode);
    if (!inode || !can_open(inode, mode)) return false;
    bool const writes = (mode & (kOpenForWriting | kOpenForBoth)) != 0;
    file = FileRef::create(kind_of(inode), (mode & kOpenForWriting) == 0, writes);
    if (!file) return false;
    file->inode = InodeRef::hold(inode.number());
    if (!file->inode) return false;
    if ((mode & kOpenTruncate) != 0 && inode.type() == InodeType::file && !inode.clear()) return false;
    return transaction.commit();
}

}  // namespace

int64_t call_pipe(Process& self, Arguments arguments) {
    FileRef read_end;
    FileRef write_end;
    if (!Pipe::create(read_end, write_end)) return -1;
    int const descriptors[2] = {install(self, read_end), install(self, write_end)};
    bool const installed = descriptors[0] >= 0 && descriptors[1] >= 0;
    if (installed && self.space.copy_out(arguments.address(0), descriptors, sizeof descriptors) == sizeof descriptors)
        return 0;
    uninstall(self, descriptors[0]);
    uninstall(self, descriptors[1]);
    return -1;
}

int64_t call_read(Process& self, Arguments arguments) {
    OpenFile* const file = file_of(self, arguments.integer(0));
    int const bytes = arguments.integer(2);
    if (file == nullptr || bytes < 0) return -1;
    return read_file(*file, self.space, arguments.address(1), static_cast<size_t>(bytes));
}

int64_t call_write(Process& self, Arguments arguments) {
    OpenFile* const file = file_of(self, arguments.integer(0));
    int const bytes = arguments.integer(2);
    if (file == nullptr || bytes < 0) return -1;
    return write_file(*file, self.space, arguments.address(1), static_cast<size_t>(bytes));
}

int64_t call_fstat(Process& self, Arguments arguments) {
    OpenFile const* const file = file_of(self, arguments.integer(0));
    FileStatus status;
    if (file == nullptr || !status_of(*file, status)) return -1;
    return self.space.copy_out(arguments.address(1), &status, sizeof status) == sizeof status ? 0 : -1;
}

int64_t call_chdir(Process& self, Arguments arguments) {
    char path[kPathBytesMax];
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path)) return -1;
    InodeRef directory;  // afterwards the old one, dropped when the transaction is over
    Transaction transaction;
    Inode const inode = find_inode(transaction, path, self.current_directory.number());
    if (!inode || inode.type() != InodeType::directory) return -1;
    directory = InodeRef::hold(inode.number());
    if (!directory) return -1;
    swap(self.current_directory, directory);
    return 0;
}

int64_t call_dup(Process& self, Arguments arguments) {
    OpenFile const* const file = file_of(self, arguments.integer(0));
    if (file == nullptr) return -1;
    FileRef second = self.files[arguments.integer(0)].share();
    return install(self, second);
}

int64_t call_open(Process& self, Arguments arguments) {
    char path[kPathBytesMax];
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path)) return -1;
    auto const mode = static_cast<unsigned>(arguments.integer(1));
    if (!has_free_descriptor(self)) return -1;  // before anything is created or cut
    if ((mode & kOpenCreate) != 0) remove_leftovers();
    FileRef file;
    return open_path(path, self, mode, file) ? install(self, file) : -1;
}

int64_t call_close(Process& self, Arguments arguments) {
    int const descriptor = arguments.integer(0);
    if (file_of(self, descriptor) == nullptr) return -1;
    self.files[descriptor] = {};
    return 0;
}

int64_t call_mkdir(Process& self, Arguments arguments) {
    char path[kPathBytesMax];
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path)) return -1;
    remove_leftovers();
    Transaction transaction;
    if (!make_node(transaction, path, self.current_directory.number(), InodeType::directory)) return -1;
    return transaction.commit() ? 0 : -1;
}

int64_t call_mknod(Process& self, Arguments arguments) {
    char path[kPathBytesMax];
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path)) return -1;
    remove_leftovers();
    Transaction transaction;
    Inode node = make_node(transaction, path, self.current_directory.number(), InodeType::device);
    auto const major = static_cast<int16_t>(arguments.integer(1));
    auto const minor = static_cast<int16_t>(arguments.integer(2));
    return node && node.set_device(major, minor) && transaction.commit() ? 0 : -1;
}

int64_t call_link(Process& self, Arguments arguments) {
    char old_path[kPathBytesMax];
    char new_path[kPathBytesMax];
    if (!self.space.copy_in_string(old_path, arguments.address(0), sizeof old_path) ||
        !self.space.copy_in_string(new_path, arguments.address(1), sizeof new_path))
        return -1;
    remove_leftovers();
    Transaction transaction;
    if (!add_link(transaction, old_path, new_path, self.current_directory.number())) return -1;
    return transaction.commit() ? 0 : -1;
}

int64_t call_unlink(Process& self, Arguments arguments) {
    char path[kPathBytesMax];
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path)) return -1;
    Transaction transaction;
    if (!remove_link(transaction, path, self.current_directory.number())) return -1;
    return transaction.commit() ? 0 : -1;
}

}  // namespace kernel
