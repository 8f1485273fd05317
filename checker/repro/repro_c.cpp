#include "checker/repro/repro_c.h"

#include "checker/report/escape.h"
#include "checker/report/story.h"
#include "checker/repro/plan.h"
#include "checker/repro/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words

// The status of a process that has already printed what is wrong.
constexpr int kTold = 77;

// What the lines of the processes may use, each given only where it is; in an order in which each is defined before
// another one uses it.
struct Helper {
    std::string_view used_as;
    std::string_view source;
};
constexpr std::array kHelpers = {
    Helper{"text",
           "void text(void);  // a page of returns\n"
           "asm(\".text\\n.balign 4096\\n.globl text\\ntext: .rept 2048\\n.half 0x8082\\n.endr\");\n"},
    Helper{"rodata", "const char rodata[PGSIZE] __attribute__((aligned(PGSIZE))) = \"/data\";\n"},
    Helper{"data", "char data[PGSIZE] __attribute__((aligned(PGSIZE))) = \"/data\";\n"},
    Helper{"bss", "char bss[PGSIZE] __attribute__((aligned(PGSIZE)));\n"},
    Helper{
        "room",
        "char room[PGSIZE] __attribute__((aligned(PGSIZE)));  // stands for the stack's page, which calls write to\n"},
    Helper{"heap", "char *heap;\n"},
    Helper{"stack", "char *stack;  // its upper end\n"},
    Helper{"guard", "char *guard;  // the page below the stack\n"},
    Helper{"pid", "int pid[{processes}];\n"},
    Helper{"kept", "int kept;\n"},
    Helper{"fds", "int fds[2];\n"},
    Helper{"echo", "char *echo[] = { \"echo\", 0 };\n"},
    Helper{"await",
           "int turn[{processes}][2];  // a pipe for each process: a byte in it says that it is its turn\n"
           "void await(int p) { char c; read(turn[p][0], &c, 1); }\n"
           "void pass(int p) { write(turn[p][1], \"t\", 1); }\n"},
    Helper{"settle",
           "void settle(void) { int t = uptime(); while (uptime() < t + 3) ; }  // until who ends has ended\n"},
    Helper{"load1", "uint64 load1(char *at) { return *(volatile uchar *)at; }\n"},
    Helper{"load2", "uint64 load2(char *at) { return *(volatile ushort *)at; }\n"},
    Helper{"load4", "uint64 load4(char *at) { return *(volatile uint *)at; }\n"},
    Helper{"load8", "uint64 load8(char *at) { return *(volatile uint64 *)at; }\n"},
    Helper{"store1", "void store1(char *at, uint64 value) { *(volatile uchar *)at = value; }\n"},
    Helper{"store2", "void store2(char *at, uint64 value) { *(volatile ushort *)at = value; }\n"},
    Helper{"store4", "void store4(char *at, uint64 value) { *(volatile uint *)at = value; }\n"},
    Helper{"store8", "void store8(char *at, uint64 value) { *(volatile uint64 *)at = value; }\n"},
    Helper{"call_with_sp",
           "long call_with_sp(char *sp, long number, long x, long y, long z) {\n"
           "  register long a0 asm(\"a0\") = x, a1 asm(\"a1\") = y, a2 asm(\"a2\") = z, a7 asm(\"a7\") = number;\n"
           "  asm volatile(\"mv t0, sp; mv sp, %1; ecall; mv sp, t0\" : \"+r\"(a0) : \"r\"(sp), \"r\"(a1), \"r\"(a2), "
           "\"r\"(a7) : \"t0\", \"memory\");\n"
           "  return a0;\n}\n"},
    Helper{"touch_with_sp",
           "uint64 touch_with_sp(char *sp, char *at, int pages) {\n  uint64 r = 0;\n"
           "  for (int i = 0; i < pages; i++) r = load1_with_sp(sp, at + (uint64)i * PGSIZE);\n  return r;\n}\n"},
    Helper{"touch",
           "uint64 touch(char *at, int pages) {\n  uint64 r = 0;\n"
           "  for (int i = 0; i < pages; i++) r = *(volatile uchar *)(at + (uint64)i * PGSIZE);\n  return r;\n}\n"},
    Helper{"grab",
           "void grab(void) {  // takes the next free frames and fills them\n  char *page;\n"
           "  for (int i = 0; i < 64; i++) if ((page = sbrk(PGSIZE)) != (char *)-1) memset(page, 0x5a, PGSIZE);\n}\n"},
    Helper{"expect", "void expect(int ok, char *what) { if (!ok) { printf(\"FAIL: %s\\n\", what); exit(77); } }\n"},
    Helper{
        "finish",
        "void finish(int child, int wanted, char *what) {  // waits for it: it must end just so\n  int status = 0, p;\n"
        "  while ((p = wait(&status)) != child && p > 0) ;\n"
        "  if (status != wanted && status != 77) printf(\"FAIL: %s\\n\", what);\n"
        "  if (status != wanted) exit(77);\n}\n"},
    Helper{"free_pages",
           "int free_pages(void) {  // counts them in a child, so that they all come back\n"
           "  int fd[2], n = 0;\n  char c, *page;\n  pipe(fd);\n  if (fork() == 0) {\n"
           "    while ((page = sbrk(PGSIZE)) != (char *)-1) { *page = 1; write(fd[1], \"x\", 1); }\n"
           "    exit(0);\n  }\n  close(fd[1]);\n  while (read(fd[0], &c, 1) == 1) n++;\n  close(fd[0]); wait(0);\n"
           "  return n;\n}\n"},
};

// Loads and stores with sp elsewhere, of the sizes that are used.
struct Size {
    unsigned bytes;
    std::string_view load;
    std::string_view store;
};
constexpr std::array kSizes = {Size{1, "lbu", "sb"}, Size{2, "lhu", "sh"}, Size{4, "lwu", "sw"}, Size{8, "ld", "sd"}};

constexpr std::string_view kLoadWithSp =
    "uint64 load{0}_with_sp(char *sp, char *at) {{\n  uint64 r;\n"
    "  asm volatile(\"mv t0, sp; mv sp, %1; {1} %0, 0(%2); mv sp, t0\" : \"=&r\"(r) : \"r\"(sp), \"r\"(at) : "
    "\"t0\", \"memory\");\n  return r;\n}}\n";
constexpr std::string_view kStoreWithSp =
    "void store{0}_with_sp(char *sp, char *at, uint64 v) {{\n"
    "  asm volatile(\"mv t0, sp; mv sp, %0; {1} %2, 0(%1); mv sp, t0\" : : \"r\"(sp), \"r\"(at), \"r\"(v) : "
    "\"t0\", \"memory\");\n}}\n";

bool is_word_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether the name occurs in the source as a whole word outside of string literals.
bool uses(std::string_view source, std::string_view name) {
    bool in_string = false;
    for (std::size_t at = 0; at < source.size(); ++at) {
        if (source[at] == '"' && (at == 0 || source[at - 1] != '\\')) in_string = !in_string;
        if (in_string || source.substr(at, name.size()) != name) continue;
        bool const starts = at == 0 || !is_word_character(source[at - 1]);
        bool const ends = at + name.size() >= source.size() || !is_word_character(source[at + name.size()]);
        if (starts && ends) return true;
    }
    return false;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

std::string helpers_for(std::string_view body) {
    std::string helpers;
    for (Size const& size : kSizes) {
        // A touch is made of loads of a byte.
        if (uses(body, fmt::format("load{}_with_sp", size.bytes)) || (size.bytes == 1 && uses(body, "touch_with_sp")))
            helpers += fmt::format(kLoadWithSp, size.bytes, size.load);
        if (uses(body, fmt::format("store{}_with_sp", size.bytes)))
            helpers += fmt::format(kStoreWithSp, size.bytes, size.store);
    }
    for (Helper const& helper : kHelpers)
        if (uses(body, helper.used_as)) helpers += helper.source;
    return helpers;
}

// What p0 prepares before its first turn: what the other lines use.
std::string preparations(std::string_view code, std::uint32_t processes) {
    std::string text;
    if (uses(code, "stack") || uses(code, "guard")) text += "  char here;\n";
    if (uses(code, "heap")) text += "  heap = sbrk(0);\n";
    if (uses(code, "stack")) text += "  stack = (char *)PGROUNDUP((uint64)&here);\n";
    if (uses(code, "guard")) text += "  guard = (char *)PGROUNDDOWN((uint64)&here) - PGSIZE;\n";
    if (uses(code, "await")) text += fmt::format("  for (int i = 0; i < {}; i++) pipe(turn[i]);\n", processes);
    if (uses(code, "fds")) text += "  pipe(fds);\n";
    if (code.find("pid[0]") != std::string_view::npos) text += "  pid[0] = getpid();\n";
    if (uses(code, "open"))
        text +=
            "  int file = open(\"/data\", O_CREATE | O_WRONLY);\n  write(file, rodata, PGSIZE);\n  close(file);\n"
            "  if (close(open(\"/data\", 0)) < 0) { printf(\"cannot be shown: there is no /data\\n\"); exit(77); }\n";
    return text;
}

std::string functions(std::vector<ProcessCode> const& processes, std::string_view all_code, std::uint32_t highest) {
    std::string text;
    for (ProcessCode const& process : processes) {
        text += fmt::format("\nvoid p{}(void) {{\n", process.process.value);
        if (process.process == spec::kInit) text += preparations(all_code, highest + 1);
        for (std::string const& line : process.lines) text += "  " + line + '\n';
        text += "}\n";
    }
    return text;
}

// p0 runs in a process of its own, in a fresh image, so that its end can be told whatever it is.
std::string main_function(Plan const& plan) {
    std::string const start =
        "\nint main(int argc, char *argv[]) {\n  char *again[] = { argv[0], \"p0\", 0 };\n  if (argc > 1) p0();\n";
    if (plan.measures_memory)
        return start +
               "  int before = free_pages();\n"
               "  for (int i = 0; i < 10; i++) {\n    if (fork() == 0) exec(argv[0], again);\n    wait(0);\n  }\n"
               "  int lost = before - free_pages();\n"
               "  if (lost > 0) printf(\"FAIL: %d pages of memory are lost\\n\", lost);\n"
               "  else printf(\"PASS\\n\");\n  exit(0);\n}\n";
    Turn const& last = plan.turns.back();
    int const wanted = last.actor == spec::kInit && last.ends ? last.exit_status : 0;
    std::string const complaint = last.actor == spec::kInit ? escape_c_string(plan.complaint) : "p0 must survive";
    return start + fmt::format(
                       "  int status = 0;\n  if (fork() == 0) exec(argv[0], again);\n  wait(&status);\n"
                       "  if (status == {0}) printf(\"PASS\\n\");\n"
                       "  else if (status != {1}) printf(\"FAIL: {2}\\n\");\n  exit(0);\n}}\n",
                       wanted, kTold, complaint);
}

std::string head(Finding const& finding, Plan const& plan) {
    std::string text = fmt::format("// {} at {}, found by vmcheck.\n", title_of(finding.signature.invariant),
                                   spec::kind_name(finding.signature.kind));
    // At most three lines of some hundred characters.
    constexpr std::size_t kWidth = 110;
    std::string const story = escape_c_comment(story_of(finding));
    std::string_view rest = story;
    for (int line = 0; line < 3 && !rest.empty(); ++line) {
        std::size_t const space = rest.size() > kWidth ? rest.rfind(' ', kWidth) : rest.size();
        std::size_t const end = std::min(space, rest.size());
        text += "// " + escape_c_comment(rest.substr(0, end)) + '\n';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    text += plan.measures_memory
                ? "// Prints PASS on a correct kernel. What it does once loses memory, so it does it ten times.\n"
                : "// Prints PASS on a correct kernel; FAIL, a kernel panic or silence is the defect.\n";
    bool const kills = std::any_of(plan.turns.begin(), plan.turns.end(),
                                   [](Turn const& turn) { return turn.ends && turn.exit_status == -1; });
    if (kills)
        text +=
            "// A process is killed on the way: lines like \"usertrap(): unexpected scause\" before it are normal.\n";
    return text;
}

// The headers that the rest needs; an xv6 program that is checked against them has few surprises on other trees.
std::string includes(std::string_view code) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kHeaders{
        {{"stat", "kernel/stat.h"},
         {"call_with_sp", "kernel/syscall.h"},
         {"O_CREATE", "kernel/fcntl.h"},
         {"TRAPFRAME", "kernel/memlayout.h"},
         {"TRAMPOLINE", "kernel/memlayout.h"},
         {"KERNBASE", "kernel/memlayout.h"},
         {"PGSIZE", "kernel/riscv.h"}}};
    std::string text = "#include \"kernel/types.h\"\n";
    for (auto const& [name, header] : kHeaders) {
        bool const needed =
            uses(code, name) ||
            (name == "PGSIZE" && (uses(code, "MAXVA") || uses(code, "TRAPFRAME") || uses(code, "TRAMPOLINE")));
        std::string const line = fmt::format("#include \"{}\"\n", header);
        if (needed && text.find(line) == std::string::npos) text += line;
    }
    return text + "#include \"user/user.h\"\n\n";
}

}  // namespace

tl::expected<std::string, std::string> repro_c(Finding const& finding) {
    auto const plan = plan_of(finding);
    if (!plan) return tl::unexpected(plan.error());
    auto const processes = processes_of(*plan);
    if (!processes) return tl::unexpected(processes.error());
    std::string lines;
    for (ProcessCode const& process : *processes)
        for (std::string const& line : process.lines) lines += line + '\n';
    std::uint32_t highest = 0;
    for (ProcessCode const& process : *processes) highest = std::max(highest, process.process.value);
    std::string const body = functions(*processes, lines, highest) + main_function(*plan);
    std::string const helpers = helpers_for(body);
    std::string text = head(finding, *plan) + includes(helpers + body) +
                       replaced(helpers, "{processes}", fmt::format("{}", highest + 1)) + body;
    auto const count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    if (count >= kReproLinesMax)
        return tl::unexpected(fmt::format("it would take {} lines of C, too many to read", count));
    return text;
}

}  // namespace vmcheck::repro
