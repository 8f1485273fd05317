#include "checker/cli/commands.h"
#include "checker/cli/files.h"
#include "checker/cli/session.h"
#include "spec/advance.h"
#include "spec/predict.h"
#include "spec/scarcity.h"
#include "spec/text.h"

#include <fmt/format.h>

namespace vmcheck::cli {

namespace {

void show_program(CorpusFile const& file, std::shared_ptr<spec::Setting const> setting) {
    fmt::print("{} · {}\n", file.path.string(), spec::print(file.program.profile));
    if (!file.program.about.empty()) fmt::print("  {}\n", file.program.about);
    spec::World world = spec::World::initial(spec::setting_for(std::move(setting), file.program));
    std::size_t number = 0;
    for (spec::Step const& step : file.program.steps) {
        ++number;
        if (auto why = spec::why_not(world, step)) {
            fmt::print("  {:>3}  {:<36}  left out: {}\n", number, spec::print(step), *why);
            continue;
        }
        fmt::print("  {:>3}  {:<36}  {}\n", number, spec::print(step), spec::expectation(world, step));
        if (auto prediction = spec::predict(world, step)) world = std::move(prediction->after);
    }
}

}  // namespace

// What a correct kernel does at each step of a program. The reference kernel is booted for its memory layout only.
ExitCode show(Options const& options) {
    auto const corpus = read_corpus(options.programs);
    if (!corpus) return give_up({ExitCode::usage, corpus.error().message});
    for (CorpusFile const& file : *corpus) {
        KernelChoice choice = options.kernel;
        if (!choice.kernel && !choice.profile) choice.profile = file.program.profile;
        auto target = boot(choice);
        if (!target) return give_up(target.error());
        show_program(file, (*target)->setting());
    }
    return ExitCode::nothing_found;
}

}  // namespace vmcheck::cli
