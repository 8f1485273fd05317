#include "checker/cli/commands.h"
#include "checker/cli/kernel_choice.h"
#include "checker/cli/print.h"
#include "checker/cli/whole_words.h"
#include "checker/report/escape.h"
#include "impl/base/interrupt.h"
#include "spec/text.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vmcheck::cli {

namespace {

constexpr char const* kAbout =
    "vmcheck: checks the virtual memory of a teaching kernel against a model.\n"
    "Random programs of fork, sbrk, load, store, pipe, wait and exit steps run on the real kernel, on an emulated "
    "board,\n"
    "and on an executable model; after every step the two are compared, and what differs is shrunk to a few lines.\n";

constexpr char const* kFooter =
    "\nExamples:\n"
    "  vmcheck verify                                    check the reference kernel in all four profiles\n"
    "  vmcheck verify --kernel kernel/kernel             check yours\n"
    "  vmcheck verify --kernel kernel/kernel --profile cow+lazy\n"
    "                                                    hold it to the promises of both labs\n"
    "  vmcheck verify class --findings results           check every tree in class/; results/class.html, .csv, .json\n"
    "  vmcheck fuzz --time 8h --corpus corpus            run all night; file what it finds in corpus/found\n"
    "  vmcheck replay corpus                             did an old bug come back?\n"
    "  vmcheck bisect . findings/1-I3-fork.vmc           which commit brought it?\n"
    "  vmcheck run --kernel kernel/kernel cowtest        run a program on it, and see its console\n"
    "  vmcheck debug findings/1-I3-fork.vmc --gdb        go through a finding with GDB, forwards and backwards\n"
    "\nExit codes: 0 nothing found, 1 divergence found, 2 wrong usage or unreadable program, 3 a problem of this "
    "machine,\n"
    "4 the kernel did not boot or is not supported, 5 something was seen that did not come back, 6 no program was "
    "run,\n"
    "130 Ctrl-C came before the end and nothing was found until then.\n"
    "Of a class, the first that holds: 1 a tree has a defect, 5, 3, 4 a tree was not checked to its end, 0.\n";

constexpr char const* kClassHelp =
    "A class is a directory with a sub-directory for each student; in it, or one level deeper, an xv6 tree or a\n"
    "kernel's ELF image:  vmcheck verify class --findings results\n"
    "  Each tree is checked by a process of its own, as many at a time as --jobs says, with the options given here. A\n"
    "  tree that hangs, crashes or does not build stops no other. It runs in a sandbox (bubblewrap), where it sees no\n"
    "  other tree and can write its own results only; --trust-trees does without.\n"
    "  results/class.html, class.csv and class.json are the summary; results/STUDENT has report.html, report.json,\n"
    "  log.txt and the programs of each finding. --format junit, json, html or text gives the summary in that format.\n"
    "  The same command goes on where an interrupted one stopped, and checks again only what has changed: the tree,\n"
    "  the options, or vmcheck. --again checks all.\n"
    "  On several machines: each runs the same command with its own --shard I/N and --findings; vmcheck merge makes\n"
    "  one class of the N directories. Tree k, in order of name, is of shard k mod N + 1, and I is from 1 to N.\n"
    "  Exit code, the first that holds: 1 a tree has a defect, 5 something did not come back, 3 a problem of this\n"
    "  machine, 4 a tree was not checked or not to its end (no kernel, does not build or boot, time limit, Ctrl-C), 0\n"
    "  every tree was checked and nothing was found.\n";

constexpr char const* kMergeHelp =
    "Makes of the results of vmcheck verify PATH --shard 1/N ... N/N exactly what one machine would have written\n"
    "without --shard. Of a class: class.html, class.csv, class.json, and the results of each tree; vmcheck verify\n"
    "class goes on from there. Of one kernel: report.html and the findings; merge is to be run where the shards\n"
    "were, since it runs again what failed, and all that came after programs began to avoid it.\n"
    "All shards must be there, once, of the same trees, options and vmcheck.\n"
    "Of vmcheck fuzz --corpus it makes one corpus of several, of whatever nights: each program that is kept, each\n"
    "finding and each line of the ledger once, and nightly.html anew. Nothing is run; what --out holds stays.\n"
    "\nExamples:\n"
    "  vmcheck merge results-1 results-2 results-3 --out results\n"
    "  vmcheck merge corpus-1 corpus-2 --out corpus\n"
    "\nExit codes: 2 a shard is missing, not done, there twice or not of the same whole; else as of verify.\n";

constexpr char const* kRunHelp =
    "PROGRAM is a program that comes with vmcheck (cowtest, lazytests, usertests), or one of the files on\n"
    "the disk of --image, or, where it has a slash, an RV64 program on this machine. Nothing is checked while it "
    "runs:\n"
    "its own exit status is the verdict. The disk is a copy: whatever the program writes is gone afterwards. On it,\n"
    "/init is replaced by a small program that starts PROGRAM and tells the board how it ended.\n"
    "\nExamples:\n"
    "  vmcheck run cowtest                                   on the reference kernel\n"
    "  vmcheck run --kernel kernel/kernel cowtest            on yours\n"
    "  vmcheck run --kernel . --image fs.img usertests       an xv6 tree's own tests, from its own disk\n"
    "  vmcheck run --harts 3 -- ./prog -v                    your own program, with an argument\n"
    "\n--out FILE says how it ended, for programs that start vmcheck:\n"
    "  {\"vmcheck_run\": 1, \"program\": ..., \"ending\": ..., \"status\": ..., \"message\": ..., \"seconds\": ...}\n"
    "  ending is exited (by itself, with that status), killed (by the kernel, or status -1, which is the same to "
    "wait),\n"
    "  not run (it could not be started), panicked, halted (the machine stands still), time up or interrupted; status\n"
    "  is null but for the first two; message is a sentence; seconds are by the board's clock. There is no file where\n"
    "  the exit code is 2, 3 or 4.\n"
    "\nExit codes: 0 the program ended with status 0; 1 it ended with another status, was killed or could not be\n"
    "started, the kernel panicked or hung, or the time limit was reached; 2 wrong usage, no such program; 3 a problem\n"
    "of this machine; 4 the kernel did not reach user mode; 130 Ctrl-C.\n";

constexpr char const* kDebugHelp =
    "The program runs once, and is recorded; then GDB may go to any instruction of it. It begins at the first one "
    "that\n"
    "the kernel executes for the failing step. Without --kernel it is the kernel that the finding was found on, or "
    "the\n"
    "reference kernel. Threads are harts. Memory is that of the page table in use, and what it does not map, "
    "physical.\n"
    "Registers and memory cannot be changed: the run is exact.\n"
    "  break, step, stepi, continue, watch     as ever; watch follows the frame in which the watched bytes lie\n"
    "  reverse-stepi, reverse-continue         and all the others that go back\n"
    "  watch *(long *)PTE, reverse-continue    who last wrote it? GDB stands before that store\n"
    "  rwatch, awatch                          of reads, those by the kernel's code\n"
    "  monitor step N                          to where step N of the program begins\n"
    "  monitor go N                            to before instruction N; monitor where tells which it is\n"
    "  monitor pages ADDRESS                   each process's PTE, frame and count, beside what the model has\n"
    "  monitor model, monitor why              the steps and the model's state; what is wrong\n"
    "After monitor step and go, GDB shows where it is when told: maintenance flush register-cache (--gdb does it).\n"
    "It ends when GDB kills the program (kill), with --gdb when GDB ends, or by Ctrl-C; until then, GDB may come "
    "again.\n"
    "\nExample:\n"
    "  vmcheck debug findings/1-I3-fork.vmc\n"
    "\nExit codes: 0 GDB has ended it; 2 wrong usage, unreadable program; 3 a problem of this machine (no "
    "gdb-multiarch, a\n"
    "port that is taken); 4 the kernel did not boot, or the program cannot be run on it; 130 Ctrl-C.\n";

constexpr char const* kBisectHelp =
    "Builds commits of the tree's own history in scratch copies, runs the finding's program on each, and halves what "
    "is\n"
    "left, as git bisect does; the tree is only read. What does not build, or fails in another way, is skipped.\n"
    "\nExamples:\n"
    "  vmcheck bisect . findings/1-I3-fork.vmc                 from HEAD backwards\n"
    "  vmcheck bisect . findings/1-I3-fork.vmc --good HEAD~20\n"
    "\nExit codes: 0 the commit is named, or the first of all fails already; 2 wrong usage, or the program does not "
    "fail on --bad; 3 a problem of this\n"
    "machine; 4 the kernel of --bad cannot be built or run; 5 all that is known is a few commits, since some could "
    "not\n"
    "be judged; 130 Ctrl-C.\n";

constexpr char const* kDuration = "a duration such as 90s, 5m or 8h";

// "90s", "5m", "8h" or a number of seconds.
std::optional<std::chrono::milliseconds> parse_time(std::string const& text) {
    std::uint64_t count = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    std::string const unit(static_cast<char const*>(end), text.data() + text.size());
    std::uint64_t const seconds = unit.empty() || unit == "s" ? 1U : unit == "m" ? 60U : unit == "h" ? 3600U : 0U;
    constexpr std::uint64_t kLongest = 10'000'000;
    if (error != std::errc() || seconds == 0 || count == 0 || count > kLongest) return std::nullopt;
    return std::chrono::seconds{count * seconds};
}

std::optional<std::uint64_t> parse_seed(std::string const& text) {
    std::uint64_t seed = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(seed) : std::nullopt;
}

std::optional<spec::Profile> parse_profile(std::string const& text) {
    auto const at = std::ranges::find(kProfiles, text, [](spec::Profile each) { return spec::print(each); });
    return at == kProfiles.end() ? std::nullopt : std::optional(*at);
}

// "auto" fails with what was looked for.
std::optional<run::Shard> parse_shard(std::string const& text) {
    if (text != "auto") return run::parse_shard(text);
    auto const shard = run::shard_of_scheduler([](std::string const& name) {
        char const* const value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    });
    if (!shard) throw CLI::ValidationError("--shard auto", report::one_line(shard.error()));
    return *shard;
}

// The options as they were given, but for those that are about a class as a whole: what each of its trees is verified
// with.
std::vector<std::string> passed_on(CLI::App const& command) {
    constexpr std::array<std::string_view, 13> kOfTheWhole{
        "kernel", "findings",      "jobs",      "json",    "format", "out",       "again",
        "help",   "time-per-tree", "no-colour", "rebuild", "shard",  "from-shard"};
    std::vector<std::string> words;
    for (CLI::Option const* option : command.get_options()) {
        auto const& names = option->get_lnames();
        if (option->count() == 0 || names.empty() ||
            std::find(kOfTheWhole.begin(), kOfTheWhole.end(), names.front()) != kOfTheWhole.end())
            continue;
        bool const is_flag = option->get_items_expected_max() == 0;
        for (std::string const& value : option->results())
            words.push_back("--" + names.front() + (is_flag ? "" : "=" + value));
    }
    return words;
}

// How many letters have to be added, taken away or replaced to make one word the other.
std::size_t distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= one.size(); ++i) {
        std::size_t before = std::exchange(row[0], i);
        for (std::size_t j = 1; j < row.size(); ++j)
            before = std::exchange(
                row[j], std::min({row[j] + 1, row[j - 1] + 1, before + (one[i - 1] == other[j - 1] ? 0U : 1U)}));
    }
    return row.back();
}

// Attaches options to commands; what they say lands in one Options.
class CommandLine {
  public:
    CommandLine() : app_(kAbout, "vmcheck") {
        app_.footer(kFooter);
        app_.require_subcommand(1);
        app_.set_version_flag("--version", std::string("vmcheck ") + VMCHECK_VERSION);
        options_.jobs = std::max(1U, std::thread::hardware_concurrency());
        options_.colour = takes_colour();

        CLI::App* verify =
            command("verify", "Check a kernel: the reference kernel in all profiles, or yours", cli::verify);
        add_kernel(verify, "An xv6-riscv tree, a kernel's ELF image, or a class: a directory of trees");
        add_effort(verify, "Plain programs to run (default: as --effort says); the other modes in proportion");
        add_parsed(verify, "--effort", options_.level, run::parse_level, "quick, default or thorough",
                   fmt::format("quick, default or thorough: {}, {} or {} programs, whatever the time",
                               run::programs_of(run::Level::quick), run::programs_of(run::Level::normal),
                               run::programs_of(run::Level::thorough)))
            ->type_name("LEVEL");
        add_findings_max(verify);
        verify->add_flag("--rebuild", options_.kernel.rebuild,
                         "Build a tree's kernel even where it is newer than the sources; of a class always");
        verify
            ->add_option("--findings", options_.findings, "Directory for what is found: programs, repro.c, report.html")
            ->type_name("DIR")
            ->capture_default_str();
        add_class(verify);
        verify->add_flag("--in-sandbox", options_.kernel.in_sandbox)->group("");  // of a class, what a child is told

        verify->add_option("--from-shard", options_.shards)->group("");  // what merge tells it
        add_merge(command("merge", "Make of the results of all shards what one machine would have found", cli::merge));

        CLI::App* fuzz =
            command("fuzz", "Run until told to stop, from where the last night ended; file what is found", cli::fuzz);
        add_kernel(fuzz, "An xv6-riscv tree, or a kernel's ELF image");
        add_effort(fuzz, "Programs to run (default: until --time or Ctrl-C)");
        add_findings_max(fuzz);
        add_shard(fuzz,
                  "Run only the programs of shard I of N, so that N machines with the same --seed share a night; each "
                  "into a --corpus of its own, and vmcheck merge makes one of them. --runs counts those of all shards");
        fuzz->add_option("--corpus", options_.corpus,
                         "The corpus, from which it begins, in half of --time at the most, and which grows: kept/ has "
                         "programs that reached something new, found/ findings, nightly.html all nights. Of a tree in "
                         "git that names the commit which brought what is new, searched for in a tenth of --time more, "
                         "or a minute")
            ->type_name("DIR")
            ->capture_default_str();

        CLI::App* replay =
            command("replay", "Run programs from files and say which differ from the model", cli::replay);
        add_kernel(replay, nullptr);
        add_programs(replay);

        CLI::App* shrink = command("shrink", "Shrink a failing program; prints the smaller one", cli::shrink);
        add_kernel(shrink, nullptr);
        add_jobs(shrink);
        add_programs(shrink);

        CLI::App* show = command("show", "Show what a correct kernel does at each step of a program", cli::show);
        add_kernel(show, nullptr);
        add_programs(show);

        add_bisect(command("bisect", "Find the commit of a tree's own git history that brought a defect", cli::bisect));
        add_debug(command("debug", "Go through a failing program with GDB, forwards and backwards", cli::debug));

        add_run(command("run", "Run one program on a kernel, on the board, and show its console", cli::run));

        command("doctor", "Does vmcheck work on this machine? Checks the emulator and boots the reference kernel",
                cli::doctor);
    }

    int run(int argc, char** argv, base::Interrupt const& interrupt) {
        options_.stop = options_.kernel.stop = interrupt.token();
        options_.last_call = interrupt.last_call();
        try {
            for (CLI::App* each : app_.get_subcommands([](CLI::App const*) { return true; })) take_marks_off(*each);
            app_.parse(marked_words(argc, argv));
        } catch (CLI::ParseError const& error) {
            if (auto const hint = hint_for(argc, argv)) tell(stderr, "vmcheck: {}\n", *hint);
            // CLI11 reports by exception; this is the border at which that ends.
            return app_.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
        }
        settle_streams();
        options_.kernel.jobs = options_.jobs;
        options_.passed_on = passed_on(*app_.get_subcommands().front());
        return static_cast<int>(chosen_(options_));
    }

  private:
    using Command = ExitCode (*)(Options const&);

    // What somebody may have meant whose first word is no command.
    std::optional<std::string> hint_for(int argc, char** argv) const {
        std::string const word = argc > 1 ? argv[1] : "-";
        if (word.starts_with('-')) return std::nullopt;
        for (CLI::App const* each : app_.get_subcommands([](CLI::App const*) { return true; })) {
            constexpr std::size_t kTypo = 2;
            if (word == each->get_name()) return std::nullopt;
            if (distance(word, each->get_name()) <= kTypo)
                return fmt::format("there is no command {}. Is vmcheck {} what you mean?", word, each->get_name());
        }
        std::error_code error;
        if (std::filesystem::exists(word, error))
            return fmt::format("there is no command {}. To check what lies there: vmcheck verify {}", word, word);
        return fmt::format("there is no command {}.", word);
    }

    CLI::App* command(char const* name, char const* about, Command chosen) {
        CLI::App* sub = app_.add_subcommand(name, about);
        sub->callback([this, chosen] { chosen_ = chosen; });
        add_off(sub, "--no-colour,--no-color", options_.colour, "No colours");
        return sub;
    }

    // An option whose text `parse` makes a value of, unless it is not as `expected`.
    template <class Value, class Parse>
    static CLI::Option* add_parsed(CLI::App* sub, std::string const& name, Value& value, Parse parse,
                                   std::string const& expected, std::string const& about) {
        auto const take = [=, &value](std::string const& text) {
            auto const parsed = parse(text);
            if (!parsed) throw CLI::ValidationError(name, fmt::format("expected {}, found '{}'", expected, text));
            value = *parsed;
        };
        return sub->add_option_function<std::string>(name, take, about);
    }

    // A flag that switches off what is on without it.
    static void add_off(CLI::App* sub, char const* name, bool& what, char const* about) {
        sub->add_flag_callback(
            name, [&what] { what = false; }, about);
    }

    // `positional`: what may stand there by itself; null: nothing.
    void add_kernel(CLI::App* sub, char const* positional) {
        KernelChoice& kernel = options_.kernel;
        CLI::Option* const elf =
            sub->add_option("--kernel", kernel.kernel, "The kernel's ELF image (default: the reference kernel)")
                ->type_name("ELF");
        if (positional != nullptr) sub->add_option("path", kernel.kernel, positional)->type_name("PATH")->excludes(elf);
        add_how(sub);
    }

    // How to look at it.
    void add_how(CLI::App* sub) {
        KernelChoice& kernel = options_.kernel;
        sub->add_option("--map", kernel.map_file,
                        "Names of the kernel's structures (default: ELF.map if there, else xv6's)")
            ->type_name("FILE");
        add_parsed(sub, "--profile", kernel.profile, parse_profile, "cow+lazy, cow+eager, eager+lazy or eager+eager",
                   "What the kernel promises: cow+lazy, cow+eager, eager+lazy, eager+eager (default: found by probing)")
            ->type_name("PROFILE");
        sub->add_flag("--trust-trees", kernel.trusted,
                      "Run the Makefile and mkfs of a tree without a sandbox, with all that you may do");
        add_off(
            sub, "--no-accel", kernel.accelerate,
            "Let the guest run its own memset and memmove, and look at every slot of its process table and every entry "
            "of its page tables");
    }

    void add_jobs(CLI::App* sub) {
        sub->add_option("--jobs,-j", options_.jobs, "Machines to run at a time; results do not depend on it")
            ->check(CLI::Range(1, 256))
            ->capture_default_str();
    }

    void add_effort(CLI::App* sub, char const* about_runs) {
        add_jobs(sub);
        add_parsed(sub, "--seed", options_.seed, parse_seed, "a number from 0 to 18446744073709551615",
                   fmt::format("The same seed finds the same (default {})", options_.seed))
            ->type_name("N");
        sub->add_option("--runs", options_.runs, about_runs)
            ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
        add_off(sub, "--no-oom", options_.allocation_faults, "Make no allocation fail");
        add_off(sub, "--no-pressure", options_.memory_pressure,
                "Run no program with little memory, and none to\nthe end of all frames or processes");
        add_off(sub, "--no-preempt", options_.preemption, "Interrupt no step");
        add_off(sub, "--no-harts", options_.several_harts, "Run no program on two or three harts");
        add_parsed(sub, "--time", options_.time, parse_time, kDuration,
                   "Run programs for so long, as in 90s, 5m or 8h; what\nfailed is shrunk for a twentieth more, or 1s")
            ->type_name("TIME");
        add_off(sub, "--no-shrink", options_.shrink, "Report failing programs as they were generated");
        sub->add_flag("--confirm", options_.confirm,
                      "Show each finding on QEMU, with the same kernel, by its repro.c or else its script for GDB, and "
                      "report what came of it");
        sub->add_option("--coverage", options_.coverage,
                        "Write which lines of the kernel have run into this file, for genhtml and editors (LCOV)")
            ->type_name("FILE");
        add_report(sub);
    }

    void add_findings_max(CLI::App* sub) {
        sub->add_option(
               "--max-findings", options_.findings_max,
               "Stop as soon as this many different failures were seen, and show no more than these, the gravest "
               "first; by default programs are run to the end, and all is shown")
            ->check(CLI::Range(1, 1000))
            ->type_name("N")
            ->capture_default_str();
    }

    void add_shard(CLI::App* sub, std::string const& about) {
        add_parsed(sub, "--shard", options_.shard, parse_shard, "I/N with I from 1 to N, or auto",
                   about + ". auto: as the scheduler says, by " + run::scheduler_help())
            ->type_name("I/N");
    }

    void add_class(CLI::App* verify) {
        add_parsed(verify, "--time-per-tree", options_.time_per_tree, parse_time, kDuration,
                   "Of a class: the longest that one tree may take (default 5m, and --time)")
            ->type_name("TIME");
        verify->add_flag("--again", options_.again, "Of a class: check every tree anew, and keep no earlier result");
        add_shard(verify, "Run only the programs of shard I of N, of a class check only its trees, for vmcheck merge");
        verify->footer(kClassHelp);
    }

    void add_merge(CLI::App* sub) {
        sub->add_option("shards", options_.shards, "The --findings directories of all shards, or --corpus directories")
            ->required()
            ->type_name("DIR");
        sub->add_option("--out", options_.findings, "Where the results of the whole go")->required()->type_name("DIR");
        sub->footer(kMergeHelp);
    }

    void add_bisect(CLI::App* sub) {
        KernelChoice& kernel = options_.kernel;
        BisectChoice& bisect = options_.bisect;
        sub->add_option("tree", kernel.kernel, "An xv6-riscv tree in a git repository")->required()->type_name("TREE");
        sub->add_option("finding", bisect.finding, "A program that fails on it, as verify has found it")
            ->required()
            ->type_name("FINDING");
        sub->add_option("--good", bisect.good,
                        "A commit that does not fail (default: looked for, from --bad backwards)")
            ->type_name("REV");
        sub->add_option("--bad", bisect.bad, "A commit that does")->type_name("REV")->capture_default_str();
        add_how(sub);
        sub->footer(kBisectHelp);
    }

    void add_run(CLI::App* sub) {
        RunChoice& run = options_.run;
        add_kernel(sub, nullptr);
        sub->add_option("--image", run.image,
                        "A disk in xv6's format (fs.img) with PROGRAM on it (default: the programs that come with "
                        "vmcheck)")
            ->type_name("FILE");
        sub->add_option("--harts", run.harts, "Harts of the board")->check(CLI::Range(1, 3))->capture_default_str();
        sub->add_option("--time-limit", run.seconds_max,
                        "Seconds by the board's clock, which counts executed code and jumps where nothing runs")
            ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}))
            ->type_name("SECONDS")
            ->capture_default_str();
        sub->add_option("--out", options_.out, "How it ended, as JSON (see below)")->type_name("FILE");
        sub->add_option("program", run.words, "What to run, and its arguments; after --, if any starts with a dash")
            ->required()
            ->type_name("PROGRAM ARGUMENT");
        sub->footer(kRunHelp);
    }

    void add_debug(CLI::App* sub) {
        add_kernel(sub, nullptr);
        sub->add_flag("--gdb", options_.debug.gdb, "Start gdb-multiarch here, and end with it");
        sub->add_option("--port", options_.debug.port, "Where GDB comes in, on this machine alone (default: any free)")
            ->type_name("PORT");
        sub->add_option("finding", options_.programs, "What verify has written into --findings, or any program (*.vmc)")
            ->required()
            ->expected(1)
            ->type_name("FINDING");
        sub->footer(kDebugHelp);
    }

    void add_report(CLI::App* sub) {
        CLI::Option* const in_json =
            sub->add_flag("--json", options_.json, "The same as --format json; text goes to standard error");
        add_parsed(sub, "--format", options_.format, report::parse_format, report::format_names(),
                   "The report as " + report::format_names() + ": in the file of --out, else on standard output")
            ->type_name("FORMAT")
            ->excludes(in_json);
        sub->add_flag("--grant-unchecked", options_.grant_unchecked,
                      "In --format gradescope: full points for what could not be checked (default: none, and why)");
        sub->add_option("--out", options_.out, "Write the report into this file (as JSON where there is no --format)")
            ->type_name("FILE");
    }

    // A report for a machine takes standard output for itself; what is for a person gives way.
    void settle_streams() {
        bool const printed = options_.format && !options_.out && *options_.format != report::Format::text;
        if (!printed && !options_.json) return;
        options_.text = stderr;
        options_.colour = false;
    }

    void add_programs(CLI::App* sub) {
        sub->add_option("programs", options_.programs, "Program files (*.vmc), or directories of them")
            ->required()
            ->type_name("PATH");
    }

    CLI::App app_;
    Options options_;
    Command chosen_ = nullptr;
};

// The code of one that ends, unless what it printed is lost.
int told(int code) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    tell(stderr, "vmcheck: what was to be printed on standard output could not be written there to its end.\n");
    return static_cast<int>(ExitCode::environment);
}

}  // namespace

}  // namespace vmcheck::cli

int main(int argc, char** argv) {
    using namespace vmcheck;
    // Before any thread: they inherit the blocked signals.
    base::Interrupt const interrupt;
    try {
        return cli::told(cli::CommandLine().run(argc, argv, interrupt));
    } catch (std::exception const& error) {
        // Nothing of ours throws: this machine has no memory left, or the like.
        cli::tell(stderr, "vmcheck: {}, which is a problem of this machine.\n", error.what());
        return static_cast<int>(cli::ExitCode::environment);
    }
}
