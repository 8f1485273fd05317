// System calls about files.

#include "base/memory.h"
#include "files/pipe.h"
#include "syscall/numbers.h"
#include "syscall/syscall.h"

namespace kernel {
namespace {

constexpr int16_t kConsoleMajor = 1;

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

void uninstall(Process& self, int descriptor) {
    if (descriptor >= 0) self.files[descriptor] = {};
}

FileRef open_inode(Inode const& inode, unsigned mode) {
    bool const is_console = inode.type() == InodeType::device && inode.major() == kConsoleMajor;
    bool const writes = (mode & (kOpenForWriting | kOpenForBoth | kOpenTruncate)) != 0;
    if (!is_console && (writes || inode.type() == InodeType::device)) return {};
    FileRef file = FileRef::create(is_console ? FileKind::console : FileKind::inode, (mode & kOpenForWriting) == 0,
                                   is_console && writes);
    if (file) file->inode = inode;
    return file;
}

// The console by name, for disks that have no node for it, which cannot be made on a file system that is only read.
FileRef open_console_by_name(char const* path, unsigned mode) {
    if (*path == '/') path++;
    if (!equal(path, "console")) return {};
    return FileRef::create(FileKind::console, (mode & kOpenForWriting) == 0,
                           (mode & (kOpenForWriting | kOpenForBoth)) != 0);
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
    Inode inode;
    if (!self.space.copy_in_string(path, arguments.address(0), sizeof path) ||
        !find_inode(path, self.current_directory, inode) || inode.type() != InodeType::directory)
        return -1;
    self.current_directory = inode.number();
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
    Inode inode;
    FileRef file =
        find_inode(path, self.current_directory, inode) ? open_inode(inode, mode) : open_console_by_name(path, mode);
    return install(self, file);
}

int64_t call_close(Process& self, Arguments arguments) {
    int const descriptor = arguments.integer(0);
    if (file_of(self, descriptor) == nullptr) return -1;
    self.files[descriptor] = {};
    return 0;
}

}  // namespace kernel
