#include "checker/cli/confirm.h"

#include "checker/qemu/trial.h"

#include <fmt/format.h>

#include <cstdio>

namespace vmcheck::cli {

void confirm_on_qemu(report::Session& session, Options const& options) {
    if (session.findings.empty()) return;
    auto const trials = qemu::Trials::prepare({.kernel = session.kernel.image,
                                               .ram_bytes = session.kernel.ram_bytes,
                                               .legacy_disk = session.kernel.legacy_disk,
                                               .stop = options.stop});
    for (std::size_t i = 0; i < session.findings.size(); ++i) {
        fmt::print(stderr, "on QEMU: finding {} of {}\n", i + 1, session.findings.size());
        session.findings[i].on_qemu = qemu::try_finding(trials, session.findings[i]);
    }
}

}  // namespace vmcheck::cli
