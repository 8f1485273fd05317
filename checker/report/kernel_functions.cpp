#include "checker/report/kernel_functions.h"

#include "checker/report/escape.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcheck::report {

namespace {

// All functions of kernel/*.c in the bare trees of 2020 to 2025.
constexpr std::string_view kBareTrees =
    " acquire acquiresleep alloc3_desc alloc_desc allocpid allocproc argaddr argfd argint argraw argstr balloc "
    "begin_op bfree bget binit bmap bpin bread brelse bunpin bwrite bzero clockintr commit consoleinit "
    "consoleintr consoleread consolewrite consputc copyin copyinstr copyout cpuid create devintr dirlink "
    "dirlookup either_copyin either_copyout end_op exec exit fdalloc fetchaddr fetchstr filealloc fileclose "
    "filedup fileinit fileread filestat filewrite flags2perm fork forkret free_chain free_desc freeproc "
    "freerange freewalk fsinit growproc holding holdingsleep ialloc idup iget iinit ilock initlock initlog "
    "initsleeplock install_trans iput ireclaim isdirempty ismapped itrunc iunlock iunlockput iupdate kalloc "
    "kerneltrap kexec kexit kfork kfree kill killed kinit kkill kvminit kvminithart kvmmake kvmmap kvmpa kwait "
    "loadseg log_write main mappages memcmp memcpy memmove memset mycpu myproc namecmp namei nameiparent namex "
    "panic pipealloc pipeclose piperead pipewrite plic_claim plic_complete plicinit plicinithart pop_off "
    "prepare_return printf printfinit printint printptr proc_freepagetable proc_mapstacks proc_pagetable "
    "procdump procinit push_off ramdiskinit ramdiskrw read_head readi readsb recover_from_log release "
    "releasesleep reparent safestrcpy sched scheduler setkilled skipelem sleep start stati strlen strncmp "
    "strncpy sys_chdir sys_close sys_dup sys_exec sys_exit sys_fork sys_fstat sys_getpid sys_kill sys_link "
    "sys_mkdir sys_mknod sys_open sys_pause sys_pipe sys_read sys_sbrk sys_sleep sys_unlink sys_uptime "
    "sys_wait sys_write syscall timerinit trapinit trapinithart uartgetc uartinit uartintr uartputc "
    "uartputc_sync uartstart uartwrite userinit usertrap usertrapret uvmalloc uvmclear uvmcopy uvmcreate "
    "uvmdealloc uvmfirst uvmfree uvminit uvmunmap virtio_disk_init virtio_disk_intr virtio_disk_rw vmfault "
    "wait wakeup wakeup1 walk walkaddr write_head write_log writei yield ";

// Where xv6 has what the labs on memory are about; its other files, where a function of the student's own may as well
// be of another lab.
constexpr std::array<std::string_view, 17> kOtherFiles = {
    "proc.c",   "bio.c",  "console.c", "file.c",      "fs.c",    "log.c",      "main.c",        "pipe.c",   "plic.c",
    "printf.c", "uart.c", "start.c",   "sleeplock.c", "swtch.S", "spinlock.c", "virtio_disk.c", "syscall.c"};

// Locks, printing, the way in and out of the kernel, scheduling: in every trace, and never what is wrong.
constexpr std::array<std::string_view, 65> kNoise = {
    "acquire",        "release",      "holding",         "push_off",   "pop_off",         "acquiresleep",
    "releasesleep",   "holdingsleep", "initlock",        "memset",     "memmove",         "memcpy",
    "memcmp",         "strncmp",      "strncpy",         "safestrcpy", "strlen",          "namecmp",
    "myproc",         "mycpu",        "cpuid",           "intr_on",    "intr_off",        "intr_get",
    "killed",         "is_killed",    "current_process", "uservec",    "userret",         "usertrapret",
    "prepare_return", "kernelvec",    "kerneltrap",      "devintr",    "clockintr",       "trampoline",
    "timervec",       "yield",        "sched",           "scheduler",  "swtch",           "switch_away",
    "switch_context", "wakeup",       "wake_all",        "sleep",      "forkret",         "process_begin",
    "printf",         "printptr",     "printint",        "consputc",   "uartputc_sync",   "return_to_user",
    "kernel_satp",    "kernel_trap",  "timer_interrupt", "argraw",     "fetchaddr",       "plic_claim",
    "plic_complete",  "uartintr",     "uartgetc",        "uartstart",  "virtio_disk_intr"};
constexpr std::array<std::string_view, 6> kNoiseOfTypes = {
    "SpinLock::", "SleepLock::", "FileRef::", "Console::", "Uart::", "Plic::"};

// These say nothing that the functions around them do not. The destructor of an address space stays: it gives memory
// back.
bool is_special_member(std::string_view name) {
    return name.find("operator") != std::string_view::npos || name == "PageTable::~PageTable";
}

bool is_of_bare_trees(std::string_view function) {
    return kBareTrees.find(fmt::format(" {} ", function)) != std::string_view::npos;
}

}  // namespace

bool is_in(Topic topic, CodePlace const& place) {
    return std::find(topic.begin(), topic.end(), place.function) != topic.end();
}

std::string short_name(std::string_view symbol) {
    // Symbols and file names are a file's that nobody vouches for.
    std::string name = one_line(symbol);
    for (std::string_view part : {std::string_view{"(anonymous namespace)::"}, std::string_view{"kernel::"}})
        for (std::size_t at = name.find(part); at != std::string::npos; at = name.find(part))
            name.erase(at, part.size());
    return name;
}

CodePlace readable(CodePlace const& place) {
    return {short_name(place.function), one_line(place.file), place.line};
}

bool is_noise(std::string_view name) {
    // kernel/riscv.h's, by which registers are read and written.
    bool const is_register = name.starts_with("r_") || name.starts_with("w_") || name == "sfence_vma";
    return is_register || is_special_member(name) || std::find(kNoise.begin(), kNoise.end(), name) != kNoise.end() ||
           std::any_of(kNoiseOfTypes.begin(), kNoiseOfTypes.end(),
                       [&](std::string_view type) { return name.substr(0, type.size()) == type; });
}

bool is_helper(std::string_view function) {
    return is_noise(short_name(function));
}

bool is_part(std::string_view function) {
    constexpr std::array<std::string_view, 10> kTypes = {
        "PageTableEntry::", "Rights::",  "PhysAddr",    "VirtAddr",   "Address<",
        "InterruptsOff",    "SpinGuard", "Arguments::", "InodeRef::", "FrameRef::"};
    // What it does about interrupts, and where it comes to after it has died.
    constexpr std::array<std::string_view, 9> kNeverGuilty = {
        "process_is_running", "interrupts_enabled", "enable_interrupts", "disable_interrupts", "panic", "kernel_vector",
        "print_part",         "print_digits",       "uart_put"};
    return is_noise(function) || function.find('<') != std::string_view::npos ||
           std::find(kNeverGuilty.begin(), kNeverGuilty.end(), function) != kNeverGuilty.end() ||
           std::any_of(kTypes.begin(), kTypes.end(), [&](auto type) { return function.starts_with(type); });
}

bool is_students_own(CodePlace const& place) {
    // xv6 is C.
    return place.file.ends_with(".c") && !is_of_bare_trees(place.function);
}

bool is_of_calls(CodePlace const& place) {
    constexpr std::array<std::string_view, 5> kMemory{"vm.c", "trap.c", "proc.c", "exec.c", "sysproc.c"};
    return place.file.ends_with(".c") && is_of_bare_trees(place.function) &&
           std::none_of(kMemory.begin(), kMemory.end(), [&](auto file) { return place.file.ends_with(file); });
}

bool is_elsewhere(CodePlace const& place) {
    std::string_view file = place.file;
    file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
    return std::find(kOtherFiles.begin(), kOtherFiles.end(), file) != kOtherFiles.end();
}

}  // namespace vmcheck::report
