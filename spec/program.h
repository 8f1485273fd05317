#pragma once
// A Program: what is run, on the model and on the kernel alike. A plain value: copy it, compare it, print it (text.h).
//
//     Program program{Profile{ForkPolicy::cow, SbrkPolicy::eager},
//                     {Step{kInit, Sbrk{4096}}, Step{kInit, Store{Address{Anchor::heap, 0}, 8, 7}}}};
//
// Addresses are symbolic, so that one program serves every kernel: `heap+8` is resolved against the layout of the
// kernel under test (world.h, resolve()).

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vmcheck::spec {

// A process as programs name it: p0 is /init, which is alive from the start and never ends; the others are named by
// the fork step that makes them. Not the kernel's pid.
struct ProcId {
    std::uint32_t value = 0;
    friend constexpr auto operator<=>(ProcId, ProcId) = default;
};
inline constexpr ProcId kInit{0};

// The place of a step in its program, counted from 0.
struct StepIndex {
    std::uint32_t value = 0;
    friend constexpr auto operator<=>(StepIndex, StepIndex) = default;
};

// What an address is relative to. The regions are pages of the agent's image made to be damaged (impl/agent).
enum class Anchor : std::uint8_t {
    absolute,    // 0: the offset is the address
    text,        // start of the read-execute victim page, full of return instructions
    rodata,      // start of the read-only victim page
    data,        // start of the initialised read-write victim page
    bss,         // start of the zero-filled read-write victim page
    guard,       // start of the guard page below the stack
    stack,       // one past the highest byte of the stack (the initial stack pointer's page ends here)
    heap,        // the break that a fresh image starts with
    brk,         // the acting process's current break
    top,         // the first address that no break may pass: the trapframe page in the xv6 layout
    trapframe,   // start of the page with the saved user registers
    trampoline,  // start of the page with the trap entry code
    maxva,       // one past the highest address that xv6-style kernels use: 2^38
    kernel,      // where the kernel's RAM starts: 0x80000000
};

// A symbolic virtual address: anchor + offset in bytes, modulo 2^64.
struct Address {
    Anchor anchor = Anchor::absolute;
    std::int64_t offset = 0;
    friend bool operator==(Address const&, Address const&) = default;
};

enum class ForkPolicy : std::uint8_t { eager, cow };   // who copies: fork itself, or the first store
enum class SbrkPolicy : std::uint8_t { eager, lazy };  // who maps: sbrk itself, or the first touch

// Which promises the kernel under test makes.
struct Profile {
    ForkPolicy fork = ForkPolicy::cow;
    SbrkPolicy sbrk = SbrkPolicy::lazy;
    friend bool operator==(Profile const&, Profile const&) = default;
};

// ---- actions: one struct for each kind of step

struct Fork {  // fork(); the child is called `child` from here on
    ProcId child;
    friend bool operator==(Fork const&, Fork const&) = default;
};
struct Exit {  // exit(status)
    std::int32_t status = 0;
    friend bool operator==(Exit const&, Exit const&) = default;
};
struct Wait {  // wait(status address, or 0)
    std::optional<Address> status;
    friend bool operator==(Wait const&, Wait const&) = default;
};
struct Kill {  // kill(pid of target)
    ProcId target;
    friend bool operator==(Kill const&, Kill const&) = default;
};
// Which behaviour is asked of kernels whose sbrk takes a second argument (xv6-riscv of 2025, user/user.h).
enum class SbrkMode : std::uint8_t { by_profile, eager, lazy };
struct Sbrk {  // sbrk(bytes)
    std::int64_t bytes = 0;
    SbrkMode mode = SbrkMode::by_profile;
    friend bool operator==(Sbrk const&, Sbrk const&) = default;
};
struct Load {  // a zero-extending load instruction of 1, 2, 4 or 8 bytes
    Address at;
    std::uint8_t size = 8;
    friend bool operator==(Load const&, Load const&) = default;
};
struct Store {  // a store instruction of 1, 2, 4 or 8 bytes
    Address at;
    std::uint8_t size = 8;
    std::uint64_t value = 0;
    friend bool operator==(Store const&, Store const&) = default;
};
struct Touch {  // a one-byte load at `at` and at each of the following `pages - 1` page distances; results in the last
    Address at;
    std::uint32_t pages = 1;
    friend bool operator==(Touch const&, Touch const&) = default;
};
struct PipeWrite {  // write(the shared pipe, from, bytes): the kernel's copyin
    Address from;
    std::uint32_t bytes = 0;
    friend bool operator==(PipeWrite const&, PipeWrite const&) = default;
};
struct PipeRead {  // read(the shared pipe, to, bytes): the kernel's copyout
    Address to;
    std::uint32_t bytes = 0;
    friend bool operator==(PipeRead const&, PipeRead const&) = default;
};
struct FileRead {  // open("/data"), read(it, to, bytes) from its start, close
    Address to;
    std::uint32_t bytes = 0;
    friend bool operator==(FileRead const&, FileRead const&) = default;
};
struct Fstat {  // fstat(the data file, to): copies a struct stat of 24 bytes out
    Address to;
    friend bool operator==(Fstat const&, Fstat const&) = default;
};
struct Pipe {  // pipe(to): copies two descriptors out; both are closed again within the step
    Address to;
    friend bool operator==(Pipe const&, Pipe const&) = default;
};
struct Open {  // open(path, read only): copyinstr; the descriptor is closed again within the step
    Address path;
    friend bool operator==(Open const&, Open const&) = default;
};
// What can be executed. Each is the agent.
enum class Executable : std::uint8_t {
    init,    // "/init"
    large,   // "/large": with more text, data and bss, so that its stack and heap lie far above those of /init
    broken,  // "/broken": as /large, but of its last segment more lies in the file than in memory: is to be refused
};
struct Exec {  // exec(path, arguments): the agent again, in a new address space
    Executable program = Executable::init;
    std::optional<Address> arguments{};  // where the pointers are, the last of them null; nothing: no arguments
    friend bool operator==(Exec const&, Exec const&) = default;
};
struct SetSp {  // go on with the stack pointer there; touches no memory
    Address to;
    friend bool operator==(SetSp const&, SetSp const&) = default;
};
struct Fetch {  // call the code there
    Address at;
    friend bool operator==(Fetch const&, Fetch const&) = default;
};
struct Yield {  // sleep(0), pause(0) in 2025: gives up the hart for no time; touches no memory
    friend bool operator==(Yield const&, Yield const&) = default;
};

using Action = std::variant<Fork, Exit, Wait, Kill, Sbrk, Load, Store, Touch, PipeWrite, PipeRead, FileRead, Fstat,
                            Pipe, Open, Exec, SetSp, Fetch, Yield>;

inline constexpr std::size_t kActionKinds = std::variant_size_v<Action>;

// The word for an action in the corpus grammar and in reports, by its index in Action: "fork", "pipe_write", ...
std::string_view kind_name(std::size_t action_index);
inline std::string_view kind_name(Action const& action) {
    return kind_name(action.index());
}

// What is done to the kernel while it performs a step, and how the step lies in time. Recorded in the program, so that
// it replays.
struct Faults {
    std::optional<std::uint32_t> oom;      // the n-th frame allocation within the step (from 1) returns 0
    std::optional<std::uint32_t> preempt;  // a timer interrupt after this many instructions of the step
    // The step overlaps with the one before it, which another process does: it begins when that one is interrupted or
    // sleeps, and that one goes on afterwards. What may come of it: overlap.h.
    bool meanwhile = false;
    // After so many blocks of code of the step another hart goes on: the step that is meanwhile, which begins there on
    // a hart of its own, or the one before, where this one is meanwhile. The program then runs on two harts or more.
    std::optional<std::uint32_t> switch_hart{};
    friend bool operator==(Faults const&, Faults const&) = default;
};

struct Step {
    ProcId actor;
    Action action;
    Faults faults{};
    friend bool operator==(Step const&, Step const&) = default;
};

struct Program {
    Profile profile;
    std::vector<Step> steps;
    std::string about{};  // why this program is here: the comment lines above the header, without '#'
    // How many frames are free at the start; nothing: all but what a kernel takes for itself and p0.
    std::optional<std::uint32_t> memory{};
    // How many harts the machine has, 2 or 3; nothing: as many as the steps need.
    std::optional<std::uint32_t> harts{};
    // The kernel that it was found on: a path, in one line. For whoever has it from a file; what runs it does not look.
    std::optional<std::string> found_on{};
    friend bool operator==(Program const&, Program const&) = default;
};

inline constexpr std::uint32_t kHartsMax = 3;

// How many harts it runs on, from 1: as many as it says, or two where a step of it has another hart go on.
inline std::uint32_t harts_of(Program const& program) {
    bool const switches = std::any_of(program.steps.begin(), program.steps.end(),
                                      [](Step const& step) { return step.faults.switch_hart.has_value(); });
    return program.harts.value_or(switches ? 2 : 1);
}

}  // namespace vmcheck::spec
