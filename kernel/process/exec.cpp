#include "process/exec.h"

#include "base/memory.h"
#include "files/path.h"
#include "memory/user_rights.h"
#include "process/elf.h"
#include "process/process.h"
#include "riscv/csr.h"

namespace kernel {
namespace {

bool read_header(Inode const& file, ElfHeader& header) {
    return file.read(&header, 0, sizeof header) == sizeof header && header.magic[0] == 0x7f && header.magic[1] == 'E' &&
           header.magic[2] == 'L' && header.magic[3] == 'F' && header.elf_class == kElfClass64 &&
           header.data_encoding == kElfLittleEndian && header.machine == kElfMachineRiscv &&
           header.program_header_bytes == sizeof(ElfProgramHeader);
}

// Every page of a program may be read; the file says which may be written or executed.
Rights rights_of(ElfProgramHeader const& segment) {
    Rights rights = kReadable;
    if ((segment.flags & kElfWritable) != 0) rights = rights | kWritable;
    if ((segment.flags & kElfExecutable) != 0) rights = rights | kExecutable;
    return user_rights(rights);
}

bool well_formed(ElfProgramHeader const& segment) {
    return segment.file_bytes <= segment.memory_bytes && segment.virtual_address % kPageBytes == 0 &&
           segment.virtual_address <= kTrapframe.value &&
           segment.memory_bytes <= kTrapframe.value - segment.virtual_address;
}

// Maps the pages of a segment behind those that `space` has, filled from the file and then with zeros.
bool load_segment(AddressSpace& space, Inode const& file, ElfProgramHeader const& segment) {
    if (!well_formed(segment)) return false;
    for (uint64_t offset = 0; offset < segment.memory_bytes; offset += kPageBytes) {
        FrameRef frame = FrameRef::allocate_zeroed();
        if (!frame) return false;
        if (offset < segment.file_bytes) {
            uint64_t const bytes = min(segment.file_bytes - offset, kPageBytes);
            if (file.read(frame.bytes(), segment.file_offset + offset, bytes) != bytes) return false;
        }
        if (!space.add_image_page(VirtAddr{segment.virtual_address + offset}, move(frame), rights_of(segment)))
            return false;
    }
    return true;
}

bool load_image(AddressSpace& space, Inode const& file, ElfHeader const& header) {
    for (uint64_t i = 0; i < header.program_headers; i++) {
        ElfProgramHeader segment;
        uint64_t const offset = header.program_headers_offset + i * sizeof segment;
        if (file.read(&segment, offset, sizeof segment) != sizeof segment) return false;
        if (segment.type == kElfLoad && segment.memory_bytes > 0 && !load_segment(space, file, segment)) return false;
    }
    return true;
}

// Adds the guard page, mapped without U so that every touch of it is a fault, and the stack with the arguments.
// Returns the stack pointer; none when memory is exhausted.
VirtAddr add_stack(AddressSpace& space, ArgumentPage& arguments) {
    VirtAddr const guard = space.program_break();
    VirtAddr const stack = guard + kPageBytes;
    FrameRef guard_frame = FrameRef::allocate_zeroed();
    if (!guard_frame || !space.add_image_page(guard, move(guard_frame), kGuardRights)) return VirtAddr{};
    FrameRef stack_frame;
    VirtAddr const stack_pointer = arguments.finish(stack, stack_frame);
    if (!space.add_image_page(stack, move(stack_frame), kStackRights)) return VirtAddr{};
    return stack_pointer;
}

// Keeps the last part of the path, as far as it fits.
void set_name(Process& process, char const* path) {
    for (char const* at = path; *at != 0; at++)
        if (*at == '/') path = at + 1;
    size_t const length = min(length_of(path), sizeof process.name - 1);
    memset(process.name, 0, sizeof process.name);
    memcpy(process.name, path, length);
}

// Adds all that the program in file `path` consists of. False when there is none or memory is exhausted.
bool load_program(AddressSpace& space, char const* path, ElfHeader& header) {
    Transaction transaction;
    Inode const file = find_inode(transaction, path, current_process().current_directory.number());
    return file && file.type() == InodeType::file && read_header(file, header) && load_image(space, file, header);
}

}  // namespace

int exec_program(char const* path, ArgumentPage& arguments) {
    Process& self = current_process();
    ElfHeader header;
    AddressSpace space = AddressSpace::create(self.space.share_trapframe());
    if (!space || !load_program(space, path, header)) return -1;
    VirtAddr const stack_pointer = add_stack(space, arguments);
    if (!stack_pointer) return -1;

    // Nothing can fail from here on.
    self.space = move(space);  // `space` now has the old one, and gives it back
    self.trapframe->program_counter = header.entry;
    self.trapframe->sp = stack_pointer.value;
    self.trapframe->a[1] = stack_pointer.value;
    set_name(self, path);
    flush_instructions();
    return arguments.count();
}

}  // namespace kernel
