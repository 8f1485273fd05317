#pragma once
// Functions of kernels by their names: what they are for, and whether they can be to blame. xv6's of all vintages, and
// those that the reference kernel has for the same.

#include "impl/target.h"

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace vmcheck::report {

// By what they are for, the more telling ones first. A finding asks for topics in an order, by its kind of step and its
// invariant.
using Topic = std::span<std::string_view const>;
inline constexpr std::array<std::string_view, 7> kCopyAtFork = {
    "uvmcopy",     "AddressSpace::share_page", "AddressSpace::copy_page", "AddressSpace::fork", "fork", "kfork",
    "fork_process"};
inline constexpr std::array<std::string_view, 16> kPageFault = {"cowfault",
                                                                "cow_fault",
                                                                "cow_handler",
                                                                "cowhandler",
                                                                "cowcopy",
                                                                "cowalloc",
                                                                "cow_alloc",
                                                                "uvmcow",
                                                                "vmfault",
                                                                "lazyalloc",
                                                                "lazy_alloc",
                                                                "uvmlazy",
                                                                "AddressSpace::make_private",
                                                                "AddressSpace::map_zeroed",
                                                                "AddressSpace::resolve",
                                                                "AddressSpace::reserved"};
// Who sleeps until somebody wakes him, and who has to for a kill.
inline constexpr std::array<std::string_view, 10> kSleepers = {
    "piperead", "pipewrite",      "Pipe::read", "Pipe::write", "wait",
    "kwait",    "wait_for_child", "kill",       "kkill",       "kill_process"};
inline constexpr std::array<std::string_view, 2> kTrap = {"usertrap", "user_trap"};
inline constexpr std::array<std::string_view, 3> kCopyOut = {"copyout", "AddressSpace::copy_out", "walkaddr"};
inline constexpr std::array<std::string_view, 3> kCopyIn = {"copyin", "AddressSpace::copy_in", "walkaddr"};
inline constexpr std::array<std::string_view, 3> kCopyString = {"copyinstr", "AddressSpace::copy_in_string",
                                                                "walkaddr"};
// On the way from a system call to its copies: here bytes are counted, and addresses taken from registers. vmcheck's
// own program opens the file that it reads.
inline constexpr std::array<std::string_view, 13> kCalls = {
    "fileread", "filewrite",      "filestat", "piperead", "pipewrite", "readi",    "writei",
    "argaddr",  "either_copyout", "sys_pipe", "sys_read", "sys_write", "sys_fstat"};
inline constexpr std::array<std::string_view, 4> kCallsWithPath = {"fetchstr", "argstr", "argaddr", "sys_open"};
inline constexpr std::array<std::string_view, 8> kHeap = {"sys_sbrk",
                                                          "growproc",
                                                          "uvmalloc",
                                                          "uvmdealloc",
                                                          "AddressSpace::grow",
                                                          "AddressSpace::shrink",
                                                          "AddressSpace::move_break",
                                                          "call_sbrk"};
inline constexpr std::array<std::string_view, 13> kAddressSpaceEnd = {"uvmunmap",
                                                                      "freewalk",
                                                                      "uvmfree",
                                                                      "proc_freepagetable",
                                                                      "freeproc",
                                                                      "release_tables",
                                                                      "AddressSpace::~AddressSpace",
                                                                      "AddressSpace::unmap",
                                                                      "exit",
                                                                      "kexit",
                                                                      "wait",
                                                                      "kwait",
                                                                      "wait_for_child"};
inline constexpr std::array<std::string_view, 5> kProgramImage = {"exec", "kexec", "exec_program", "loadseg",
                                                                  "AddressSpace::add_image_page"};
inline constexpr std::array<std::string_view, 13> kFrames = {"kfree",
                                                             "kalloc",
                                                             "frame_add_reference",
                                                             "frame_release",
                                                             "frame_allocate",
                                                             "mappages",
                                                             "AddressSpace::map",
                                                             "walk",
                                                             "PageTable::find_or_create",
                                                             "PageTable::find",
                                                             "count_of",
                                                             "frame_references",
                                                             "put_on_free_list"};
// Small parts that everybody uses.
inline constexpr std::array<std::string_view, 13> kStock = {
    "kvminit",  "kvmmake",   "kvminithart", "kvmmap",   "uvmcreate",    "uvminit", "uvmfirst",
    "uvmclear", "freerange", "kinit",       "ismapped", "trapinithart", "PA2PTE"};

// Entries of page tables are written and looked up by these, for others.
inline constexpr std::array<std::string_view, 6> kMapping = {
    "mappages", "walk", "AddressSpace::map", "PageTable::find", "PageTable::find_or_create", "PageTable::descend"};

bool is_in(Topic topic, CodePlace const& place);

// What the source says: no "kernel::", no "(anonymous namespace)::"; fit to be shown.
std::string short_name(std::string_view symbol);
CodePlace readable(CodePlace const& place);

// Locks, printing, the way in and out of the kernel, scheduling: in every trace, and never what is wrong. By short
// name.
bool is_noise(std::string_view function);
// One of those that everybody uses, for locks, registers, bytes, printing: never what is wrong. By symbol.
bool is_helper(std::string_view function);
// Parts that lines of other functions are made of: what calls them is what tells. By short name.
bool is_part(std::string_view function);

// In no bare tree of xv6.
bool is_students_own(CodePlace const& place);
// One of xv6's for arguments, descriptors, pipes and the file system. They ask others to decide about a page.
bool is_of_calls(CodePlace const& place);
// Whether it may be of another lab.
bool is_elsewhere(CodePlace const& place);

}  // namespace vmcheck::report
