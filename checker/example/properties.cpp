#include <vmcheck/property.h>

#include <map>

using namespace vmcheck;
using namespace vmcheck::spec;

class Frames : public KernelTest {};

// What cow fork promises: of the processes that reach a frame, none may write it.
RC_GTEST_FIXTURE_PROP(Frames, ThatTwoReachAreWritableByNone, ()) {
    kernel().run(*programs(kernel()));
    std::map<FrameNo, int> references, writable;
    for (ObservedProcess const& process : kernel().observe().processes)
        for (ObservedPage const& page : process.pages) {
            references[page.frame] += 1;
            writable[page.frame] += page.rights.user && page.rights.write;
        }
    for (auto const& [frame, count] : references) RC_ASSERT(count == 1 || writable[frame] == 0);
}

RC_GTEST_FIXTURE_PROP(Frames, ThatAreMappedAreNotFree, ()) {
    kernel().run(*programs(kernel()));
    Observation const seen = kernel().observe();
    for (ObservedProcess const& process : seen.processes)
        for (ObservedPage const& page : process.pages)
            RC_ASSERT(!seen.memory->on_free_list(page.frame).value_or(false));
}
