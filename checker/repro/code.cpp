#include "checker/repro/code.h"

#include "checker/report/c_words.h"
#include "checker/report/step_in_c.h"
#include "spec/address.h"

#include <fmt/core.h>

#include <algorithm>
#include <variant>

namespace vmcheck::repro {

namespace {

using namespace report;  // the words
using spec::Anchor;

Code amount(std::int64_t bytes) {
    return {c_amount(bytes), is_in_pages(bytes) ? Helpers{Header::riscv} : Helpers{}};
}

Code pointer(spec::Address const& at) {
    bool const in_pages = at.anchor != Anchor::absolute && is_in_pages(at.offset);
    return {c_pointer(at), in_pages ? Helpers{at.anchor, Header::riscv} : Helpers{at.anchor}};
}

// For a compiler. Notes what the text uses.
class ReproCode {
  public:
    static constexpr bool kCompiles = true;
    static constexpr std::string_view kReadOnly = "0";
    static constexpr std::string_view kProgram = "\"echo\"";
    static constexpr std::string_view kExec = "exec(\"echo\", echo)";

    ReproCode(std::optional<spec::Address> const& stack_pointer, std::optional<std::int64_t> below_zero, Helpers& uses)
        : sp_(stack_pointer), below_zero_(below_zero), uses_(uses) {}

    std::string fork(spec::ProcId child) const {
        return noted(code({}, "if (({} = fork()) == 0) p{}()", pid_of(child), child.value));
    }
    std::string process(spec::ProcId id) const { return noted(pid_of(id)); }
    // The system call takes an int.
    std::string amount(std::int64_t bytes) const {
        // What is far below zero is so in every program.
        constexpr std::int64_t kNear = std::int64_t{1} << 30;
        if (below_zero_ && *below_zero_ < kNear)
            return noted(code({}, "-(int)(uint64)({})", repro::pointer({Anchor::heap, *below_zero_})));
        return noted(repro::amount(static_cast<std::int32_t>(bytes)));
    }
    std::string pointer(spec::Address const& at, std::uint64_t bytes) const { return noted(repro_pointer(at, bytes)); }
    std::string load(spec::Address const& at, unsigned bytes) const {
        return with_sp(Access{false, bytes, sp_.has_value()}, fmt::format("load{}", bytes), repro_pointer(at, bytes));
    }
    std::string store(spec::Address const& at, unsigned bytes, std::uint64_t value) const {
        return with_sp(Access{true, bytes, sp_.has_value()}, fmt::format("store{}", bytes),
                       code({}, "{}, {}", repro_pointer(at, bytes), c_value(value)));
    }
    std::string touch(spec::Address const& at, std::uint32_t pages) const {
        return with_sp(sp_ ? Function::touch_with_sp : Function::touch, "touch",
                       code({}, "{}, {}", repro_pointer(at, pages * kPageBytes), pages));
    }
    std::string set_sp(spec::Address const&) const { return {}; }
    // By hand where sp is to be elsewhere while the kernel does it.
    std::string call(std::string_view name, std::vector<CArgument> const& arguments) const {
        if (!sp_) return plain_call(*this, name, arguments);
        std::vector<Code> all{repro::pointer(*sp_), {fmt::format("SYS_{}", name)}};
        for (CArgument const& each : arguments)
            all.push_back(each.at ? code({}, "(long)({})", repro_pointer(*each.at, each.bytes)) : Code{each.text});
        constexpr std::size_t kWithThreeArguments = 5;
        all.resize(kWithThreeArguments, {"0"});
        return noted(code({Function::call}, "call_with_sp({})", joined(all, ", ")));
    }

  private:
    std::string noted(Code const& part) const {
        uses_.insert(part.uses.begin(), part.uses.end());
        return part.text;
    }
    std::string with_sp(Helper const& helper, std::string_view function, Code const& arguments) const {
        return noted(sp_ ? code({helper}, "{}_with_sp({}, {})", function, repro::pointer(*sp_), arguments)
                         : code({helper}, "{}({})", function, arguments));
    }

    std::optional<spec::Address> const& sp_;
    std::optional<std::int64_t> below_zero_;
    Helpers& uses_;
};

// What StepInC itself names for steps of that kind, and the file, which they need.
Helpers named_by(spec::Action const& action, bool with_sp) {
    if (action == spec::Action{spec::Exec{}}) return {Variable::echo};
    if (std::holds_alternative<spec::PipeRead>(action) || std::holds_alternative<spec::PipeWrite>(action))
        return {Variable::fds};
    if (std::holds_alternative<spec::FileRead>(action) || std::holds_alternative<spec::Open>(action))
        return {Variable::file};
    if (std::holds_alternative<spec::Fstat>(action))
        return with_sp ? Helpers{Variable::file} : Helpers{Variable::file, Header::stat};
    return {};
}

// A result that is a value; empty for others.
struct Condition {
    std::optional<VirtAddr> const& heap_start;

    Code operator()(spec::Exactly const& result) const {
        // Far above any count or status: an address.
        constexpr std::int64_t kAddressMin = 4096;
        auto const number = static_cast<std::int64_t>(result.value);
        if (heap_start && number >= kAddressMin) {
            auto const offset = static_cast<std::int64_t>(result.value - heap_start->value);
            return code({}, "r == (long)({})", pointer({Anchor::heap, offset}));
        }
        return code({}, "r == {}", number < 0 ? amount(number) : Code{c_value(result.value)});
    }
    Code operator()(spec::AtMost const& result) const {
        return result.most == 0 ? Code{"r == 0"} : code({}, "(r >= 0 && r <= {})", result.most);
    }
    Code operator()(spec::PidOf const& result) const { return code({}, "r == {}", pid_of(result.child)); }
    Code operator()(spec::SomeDescriptor const&) const { return {"r >= 0"}; }
    Code operator()(spec::EndsOther const&) const { return {"r == 0"}; }
    template <class Other>
    Code operator()(Other const&) const {
        return {};
    }
};

// By size and instruction.
constexpr std::string_view kLoadWithSp =
    "uint64 load{0}_with_sp(char *sp, char *at) {{\n  uint64 r;\n"
    "  asm volatile(\"mv t0, sp; mv sp, %1; {1} %0, 0(%2); mv sp, t0\" : \"=&r\"(r) : \"r\"(sp), \"r\"(at) : "
    "\"t0\", \"memory\");\n  return r;\n}}\n";
constexpr std::string_view kStoreWithSp =
    "void store{0}_with_sp(char *sp, char *at, uint64 v) {{\n"
    "  asm volatile(\"mv t0, sp; mv sp, %0; {1} %2, 0(%1); mv sp, t0\" : : \"r\"(sp), \"r\"(at), \"r\"(v) : "
    "\"t0\", \"memory\");\n}}\n";

struct Row {
    Helper helper;
    Helpers needs;  // by itself
    std::string source{};
    std::string prepares{};
};

// In the order of the program; none needs a row below it.
std::vector<Row> table(std::uint32_t processes, std::optional<VirtAddr> heap, bool on_own_stack) {
    Helpers const none;
    Helpers const pgsize{Header::riscv};
    Helpers const on_stack{on_own_stack ? Helper{Anchor::heap} : Helper{Variable::here}, Header::riscv};
    return {
        {Header::stat, none, "#include \"kernel/stat.h\"\n"},
        {Header::syscall, none, "#include \"kernel/syscall.h\"\n"},
        {Header::fcntl, none, "#include \"kernel/fcntl.h\"\n"},
        {Header::memlayout, none, "#include \"kernel/memlayout.h\"\n"},
        {Header::riscv, none, "#include \"kernel/riscv.h\"\n"},
        {Header::user, none, "#include \"user/user.h\"\n\n"},
        {Anchor::top, {Header::memlayout, Header::riscv}},
        {Anchor::trapframe, {Header::memlayout, Header::riscv}},
        {Anchor::trampoline, {Header::memlayout, Header::riscv}},
        {Anchor::maxva, pgsize},
        {Anchor::kernel, {Header::memlayout}},
        {Access{false, 1, true}, none, fmt::format(kLoadWithSp, 1, "lbu")},
        {Access{true, 1, true}, none, fmt::format(kStoreWithSp, 1, "sb")},
        {Access{false, 2, true}, none, fmt::format(kLoadWithSp, 2, "lhu")},
        {Access{true, 2, true}, none, fmt::format(kStoreWithSp, 2, "sh")},
        {Access{false, 4, true}, none, fmt::format(kLoadWithSp, 4, "lwu")},
        {Access{true, 4, true}, none, fmt::format(kStoreWithSp, 4, "sw")},
        {Access{false, 8, true}, none, fmt::format(kLoadWithSp, 8, "ld")},
        {Access{true, 8, true}, none, fmt::format(kStoreWithSp, 8, "sd")},
        {Anchor::text, none,
         "void text(void);  // a page of returns\n"
         "asm(\".text\\n.balign 4096\\n.globl text\\ntext: .rept 2048\\n.half 0x8082\\n.endr\");\n"},
        {Anchor::rodata, pgsize, "const char rodata[PGSIZE] __attribute__((aligned(PGSIZE))) = \"/data\";\n"},
        {Anchor::data, pgsize, "char data[PGSIZE] __attribute__((aligned(PGSIZE))) = \"/data\";\n"},
        {Anchor::bss, pgsize, "char bss[PGSIZE] __attribute__((aligned(PGSIZE)));\n"},
        {Variable::room, pgsize,
         "char room[PGSIZE] __attribute__((aligned(PGSIZE)));  // stands for the stack's page, which calls write to\n"},
        {Variable::here, none, "", "  char here;\n"},
        {Anchor::heap, none, "char *heap;\n",
         heap ? fmt::format("  int more = {:#x} - (int)(uint64)sbrk(0);  // the addresses themselves matter\n"
                            "  if (more > 0) sbrk(more);\n  heap = sbrk(0);\n",
                            heap->value)
              : "  heap = sbrk(0);\n"},
        {Anchor::stack, on_stack, "char *stack;  // its upper end\n",
         on_own_stack ? "  stack = heap;\n" : "  stack = (char *)PGROUNDUP((uint64)&here);\n"},
        {Anchor::guard, on_stack, "char *guard;  // the page below the stack\n",
         on_own_stack ? "  guard = heap - 2*PGSIZE;\n" : "  guard = (char *)PGROUNDDOWN((uint64)&here) - PGSIZE;\n"},
        {Variable::pid, none, fmt::format("int pid[{}];\n", processes)},
        {Variable::kept, none, "int kept;\n"},
        {Variable::turns, none, "", fmt::format("  for (int i = 0; i < {}; i++) pipe(turn[i]);\n", processes)},
        {Variable::fds, none, "int fds[2];\n", "  pipe(fds);\n"},
        {Variable::own_pid, {Variable::pid}, "", "  pid[0] = getpid();\n"},
        {Variable::file,
         {Anchor::rodata, Header::fcntl},
         "",
         "  int file = open(\"/data\", O_CREATE | O_WRONLY);\n  write(file, rodata, PGSIZE);\n"
         "  write(file, rodata, 6000 - PGSIZE);\n  close(file);\n"
         "  if (close(open(\"/data\", 0)) < 0) { printf(\"cannot be shown: there is no /data\\n\"); exit(77); }\n"},
        {Variable::echo, none, "char *echo[] = { \"echo\", 0 };\n"},
        {Function::on_own_stack, none,
         "char own_stack[8192] __attribute__((aligned(16)));  // p0 gives back the page of its first one\n"
         "void on_own_stack(void (*f)(void)) { asm volatile(\"mv sp, %0; jr %1\" : : \"r\"(own_stack + 8000), "
         "\"r\"(f)); }\n"},
        {Function::await,
         {Variable::turns},
         fmt::format("int turn[{}][2];  // a pipe for each process: a byte in it says that it is its turn\n"
                     "void await(int p) {{ char c; read(turn[p][0], &c, 1); }}\n"
                     "void pass(int p) {{ write(turn[p][1], \"t\", 1); }}\n",
                     processes)},
        {Function::settle, none,
         "void settle(void) { int t = uptime(); while (uptime() < t + 3) ; }  // until who ends has ended\n"},
        {Access{false, 1}, none, "uint64 load1(char *at) { return *(volatile uchar *)at; }\n"},
        {Access{false, 2}, none, "uint64 load2(char *at) { return *(volatile ushort *)at; }\n"},
        {Access{false, 4}, none, "uint64 load4(char *at) { return *(volatile uint *)at; }\n"},
        {Access{false, 8}, none, "uint64 load8(char *at) { return *(volatile uint64 *)at; }\n"},
        {Access{true, 1}, none, "void store1(char *at, uint64 value) { *(volatile uchar *)at = value; }\n"},
        {Access{true, 2}, none, "void store2(char *at, uint64 value) { *(volatile ushort *)at = value; }\n"},
        {Access{true, 4}, none, "void store4(char *at, uint64 value) { *(volatile uint *)at = value; }\n"},
        {Access{true, 8}, none, "void store8(char *at, uint64 value) { *(volatile uint64 *)at = value; }\n"},
        {Function::call,
         {Header::syscall},
         "long call_with_sp(char *sp, long number, long x, long y, long z) {\n"
         "  register long a0 asm(\"a0\") = x, a1 asm(\"a1\") = y, a2 asm(\"a2\") = z, a7 asm(\"a7\") = number;\n"
         "  asm volatile(\"mv t0, sp; mv sp, %1; ecall; mv sp, t0\" : \"+r\"(a0) : \"r\"(sp), \"r\"(a1), \"r\"(a2), "
         "\"r\"(a7) : \"t0\", \"memory\");\n  return a0;\n}\n"},
        {Function::touch_with_sp,
         {Access{false, 1, true}, Header::riscv},
         "uint64 touch_with_sp(char *sp, char *at, int pages) {\n  uint64 r = 0;\n"
         "  for (int i = 0; i < pages; i++) r = load1_with_sp(sp, at + (uint64)i * PGSIZE);\n  return r;\n}\n"},
        {Function::touch, pgsize,
         "uint64 touch(char *at, int pages) {\n  uint64 r = 0;\n"
         "  for (int i = 0; i < pages; i++) r = *(volatile uchar *)(at + (uint64)i * PGSIZE);\n  return r;\n}\n"},
        {Function::grab, pgsize,
         "void grab(void) {  // takes the next free frames and fills them\n  char *page;\n"
         "  for (int i = 0; i < 64; i++) if ((page = sbrk(PGSIZE)) != (char *)-1) memset(page, 0x5a, PGSIZE);\n}\n"},
        {Variable::told, none,
         "int told = -1;  // a pipe to main: '.' from who comes to its end, '!' from who has said FAIL\n"},
        {Function::end, {Variable::told}, "void end(void) { write(told, \".\", 1); exit(0); }\n"},
        {Function::fail,
         {Variable::told},
         "void fail(char *what) { if (what) printf(\"FAIL: %s\\n\", what); write(told, \"!\", 1); exit(77); }\n"},
        {Function::expect, {Function::fail}, "void expect(int ok, char *what) { if (!ok) fail(what); }\n"},
        {Function::finish,
         {Function::fail},
         "void finish(int child, int wanted, char *what) {  // waits for it; who must be killed tells if it was not\n"
         "  int status = 0, p;\n  while ((p = wait(&status)) != child && p > 0) ;\n"
         "  if (status == 77) fail(0);\n  if (wanted >= 0 && status != wanted) fail(what);\n}\n"},
        {Function::free_pages, pgsize,
         "int free_pages(void) {  // counts them in a child, so that they all come back\n"
         "  int fd[2], n = 0;\n  char c, *page;\n  pipe(fd);\n  if (fork() == 0) {\n"
         "    while ((page = sbrk(PGSIZE)) != (char *)-1) { *page = 1; write(fd[1], \"x\", 1); }\n"
         "    exit(0);\n  }\n  close(fd[1]);\n  while (read(fd[0], &c, 1) == 1) n++;\n  close(fd[0]); wait(0);\n"
         "  return n;\n}\n"},
    };
}

// How many bytes before the guard page a range may begin that goes on into it: behind all variables of a small program.
constexpr std::int64_t kBeforeGuardMax = 64;

bool runs_into_guard(spec::Address const& at, std::uint64_t bytes) {
    return at.anchor == Anchor::bss && at.offset >= kPage - kBeforeGuardMax && at.offset < kPage &&
           at.offset + static_cast<std::int64_t>(bytes) > kPage;
}

}  // namespace

bool is_of_image(Anchor anchor) {
    return anchor == Anchor::text || anchor == Anchor::rodata || anchor == Anchor::data || anchor == Anchor::bss;
}

bool leaves_its_page(spec::Address const& at, std::uint64_t bytes) {
    bool const within = at.offset >= 0 && static_cast<std::uint64_t>(at.offset) <= kPageBytes &&
                        bytes <= kPageBytes - static_cast<std::uint64_t>(at.offset);
    return is_of_image(at.anchor) && !within && !runs_into_guard(at, bytes);
}

std::optional<spec::AddressUse> access_of(spec::Action const& action) {
    auto use = spec::address_of(action);
    if (!use || use->access == spec::Access::none) return std::nullopt;
    // Of a path, nobody knows how long it is.
    if (spec::way_of(action) == spec::Way::copyinstr) use->bytes = 1;
    return use;
}

Given given_for(Helpers used, std::uint32_t processes, std::optional<VirtAddr> heap) {
    std::vector<Row> const rows = table(processes, heap, used.contains(Function::on_own_stack));
    Given given;
    std::for_each(rows.rbegin(), rows.rend(), [&](Row const& row) {
        if (!used.contains(row.helper)) return;
        used.insert(row.needs.begin(), row.needs.end());
        given = {row.source + given.source, row.prepares + given.prepares};
    });
    return given;
}

Code joined(std::vector<Code> const& parts, std::string_view gap) {
    Code all;
    for (Code const& part : parts)
        if (!part.text.empty()) all = all.text.empty() ? part : code({}, "{}{}{}", all, gap, part);
    return all;
}

Code pid_of(spec::ProcId process) {
    return {fmt::format("pid[{}]", process.value), {process == spec::kInit ? Variable::own_pid : Variable::pid}};
}

Code repro_pointer(spec::Address const& at, std::uint64_t bytes) {
    bool const in_stack_page = at.anchor == Anchor::stack && at.offset >= -kPage && at.offset < 0 &&
                               at.offset + static_cast<std::int64_t>(bytes) <= 0;
    if (runs_into_guard(at, bytes)) return pointer({Anchor::guard, at.offset - kPage});
    if (!in_stack_page) return pointer(at);
    return at.offset == -kPage ? Code{"room", {Variable::room}}
                               : code({Variable::room}, "room + {}", amount(kPage + at.offset));
}

Code repro_expression(spec::Action const& action, std::optional<spec::Address> const& stack_pointer,
                      std::optional<std::int64_t> below_zero) {
    Helpers uses = named_by(action, stack_pointer.has_value());
    ReproCode const dialect(stack_pointer, below_zero, uses);
    std::string const text = std::visit(StepInC(dialect), action);
    return {text, uses};
}

Code repro_condition(std::vector<spec::Result> const& results, std::optional<VirtAddr> const& heap_start) {
    std::vector<Code> all;
    for (spec::Result const& result : results) {
        Code const condition = std::visit(Condition{heap_start}, result);
        if (std::ranges::find(all, condition) == all.end()) all.push_back(condition);
    }
    return joined(all, " || ");
}

}  // namespace vmcheck::repro
