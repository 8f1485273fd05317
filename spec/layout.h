#pragma once
// What a kernel under test is like, as far as correctness depends on it: where things lie in a fresh address space,
// and the legitimate differences between kernels. Found by probing (impl/target), then constant.

#include "spec/address.h"
#include "spec/program.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vmcheck::spec {

// The rights of a page, as in a leaf PTE (privileged spec, Sv39): V is implied.
struct Rights {
    bool read = false;
    bool write = false;
    bool execute = false;
    bool user = false;
    friend bool operator==(Rights const&, Rights const&) = default;
};

// "RWXU" with '-' for what is missing.
std::string to_string(Rights rights);

using PageBytes = std::array<std::byte, kPageBytes>;

// Contents of one page; immutable and shared, so that copying a World is cheap.
using Contents = std::shared_ptr<PageBytes const>;

// The one all-zero page.
Contents zero_page();

// One page of a fresh image, right after exec.
struct ImagePage {
    Vpn page;
    Rights rights;       // logical rights; a guard page has user == false
    bool mapped = true;  // false: a guard that the kernel leaves unmapped
    Contents contents;   // null: not ours to read (user == false), or not known, and then not asked for
};

struct Layout {
    std::vector<ImagePage> image;  // ascending; from page 0 up to the heap, and what has_usyscall() says
    VirtAddr text, rodata, data, bss, guard, stack, heap;
    VirtAddr top, trapframe, trampoline, maxva, kernel;  // top: of the heap
    // Between top and trapframe is a page that the user may read, of the kernel's own contents and for each process
    // another: USYSCALL of the course's page-table lab, which holds the pid.
    bool has_usyscall() const { return top < trapframe; }
    VirtAddr agent_end;  // one past the agent's own code page: a break at or below it would end the experiment
    // Where the region of an anchor starts. An absolute address is its own; `brk` is no part of a layout.
    VirtAddr start_of(Anchor anchor) const;
    // What sbrk maps. Executable as well in the 2020 and 2021 trees (uvmalloc in kernel/vm.c maps with PTE_X).
    Rights heap_rights{.read = true, .write = true, .execute = false, .user = true};
};

// That of a program which is larger by these pages, between its bss and the guard: those above have moved up.
Layout larger_by(Layout layout, std::vector<ImagePage> const& pages);

// A file of the disk image that steps read.
struct DataFile {
    std::vector<std::byte> contents;
    std::uint32_t device = 1;  // what fstat says of it
    std::uint32_t inode = 0;
    std::int16_t type = 2;  // T_FILE
    std::int16_t links = 1;
};

// Behaviour in which correct kernels differ. Each field names its reason.
struct Traits {
    // Processes that can exist at once, p0 and zombies included (NPROC in xv6's param.h). fork beyond it returns -1.
    std::uint32_t processes_max = 64;
    // Frames of RAM that user memory and page tables can ever have; bounds what an eager sbrk may be asked for.
    std::uint64_t frames_total = 0;
    // Frames that a process holds beside user pages and page tables that its PTEs show (measured: often 0).
    std::uint64_t frames_per_process = 0;
    // And that their number changes while it lives, as that of a kernel page table of its own does: nobody can tell a
    // leak then.
    bool frames_beside_vary = false;
    // The stack contents of p0's first image, where the kernel chose arguments for /init; null: all zero.
    Contents first_stack{};
    // sbrk takes the eager/lazy flag as second argument (2025).
    bool sbrk_takes_mode = false;
    // Bytes that the pipe holds (PIPESIZE in xv6's pipe.c).
    std::uint32_t pipe_bytes = 512;
    // Inherited defects: what the bare tree of this vintage does wrong by itself. The model puts up with it, so that a
    // student is not failed for what was handed out; where it does harm beyond the bare tree (a shared frame is
    // written), other invariants still break.
    // copyout does not ask whether the page is writable (xv6-riscv before 2023, kernel/vm.c).
    bool copyout_ignores_write_right = false;
    // copyinstr does not bring in what lazy sbrk has promised (xv6-riscv of 2025, kernel/vm.c: walkaddr alone).
    bool copyinstr_skips_reserved = false;
    // sbrk returns the old break as an int (xv6-riscv before 2022, kernel/sysproc.c).
    bool sbrk_returns_int = false;
    // Lazy sbrk lets the break pass the trapframe (xv6-riscv of 2025, kernel/sysproc.c: it asks for an overflow only).
    // What such a kernel does from there on, exit's panic among it, is not asked; of any other, that it gets there is
    // reported once.
    bool lazy_sbrk_has_no_limit = false;
    // sbrk refuses to take p0's stack and image away. What it keeps to for one process it has to for all.
    bool sbrk_keeps_to_the_heap = false;
    // exec puts arguments on the stack in an order that is not xv6's (kernel/exec.c): programs have none then.
    bool arranges_arguments_otherwise = false;
    // The pages that all processes together have in memory before the kernel moves any out to a disk or a pool of its
    // own; nothing: it never does. What it does from there on is not asked: where a page then is, nobody can see.
    std::optional<std::uint64_t> pages_in_memory{};
    // Processes that are there beside those of the program, children of p0 that never end: the ballast.
    std::uint32_t ballast_processes = 0;
    // The lowest file descriptor that the agent has not opened: what pipe() hands out first (fdalloc in sysfile.c).
    std::uint32_t first_free_descriptor = 3;
};

enum class Invariant : std::uint8_t;  // violation.h

// Broken right after boot, and told then: not told again, of that page in any process, or (nothing) wherever it is.
struct KnownWrong {
    Invariant invariant;
    std::optional<Vpn> page;
};

// Everything constant during a run.
struct Setting {
    Profile profile;
    Layout layout;  // in /init
    // What /large has beside what /init has; empty: the disk has neither /large nor /broken.
    std::vector<ImagePage> more_pages{};
    Layout large{};  // in /large; of use where there are more pages
    // Says what /large has, and where things lie in it.
    void set_more_pages(std::vector<ImagePage> pages);
    Layout const& layout_of(Executable program) const { return program == Executable::init ? layout : large; }
    Traits traits;
    DataFile data_file;
    std::vector<KnownWrong> known_wrong;
};

// ---- programs that start with few frames free (Program::memory)

// On the real machine the rest is held as ballast by processes that no program names, children of p0 that neither end
// nor run while a program does: one takes nearly everything; the other, whose first page table has room, takes or gives
// back the last few frames.
inline constexpr std::uint32_t kBallastProcesses = 2;

// The setting that `program` runs in: `setting` itself where it has memory to spare; else p0 has children that it can
// not wait for, and fewer processes fit the table.
std::shared_ptr<Setting const> setting_for(std::shared_ptr<Setting const> setting, Program const& program);

}  // namespace vmcheck::spec
