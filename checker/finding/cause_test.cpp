// Names of mistakes: one for whatever facts, and true of them.

#include "checker/finding/cause.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

namespace vmcheck {
namespace {

using run::Family;
using spec::Ground;
using spec::Way;

// What classes and graders go by: none of these may go, or come to mean something else.
constexpr std::string_view kReleased =
    "wild-access-panics-above-maxva wild-access-panics-unmapped wild-access-panics-protected "
    "fault-panics-without-memory lazy-fault-panics cow-fault-panics bad-address-panics "
    "copy-panics-without-memory copy-panics fork-panics-without-memory fork-panics panics-without-memory "
    "giving-memory-back-panics fault-hangs-without-memory wild-access-loops fault-loops copy-hangs "
    "fork-hangs call-hangs cow-store-killed lazy-access-killed process-killed copyout-refuses-cow-page "
    "copyout-refuses-lazy-page copyin-refuses-lazy-page copyinstr-refuses-lazy-page "
    "copy-refuses-good-address fork-fails exec-fails sbrk-refuses read-only-page-becomes-writable "
    "guard-page-is-accessible access-outside-memory-survives copyout-ignores-write-right "
    "copyout-accepts-no-user copyout-accepts-outside-memory copyin-accepts-no-user "
    "copyin-accepts-outside-memory sbrk-accepts-bad-break copyout-goes-on-without-memory "
    "copyout-writes-shared-frame cow-copy-wrong lazy-page-not-zeroed copy-has-wrong-bytes "
    "fork-loses-bytes sbrk-loses-bytes exec-loses-bytes end-changes-bytes fork-gives-wrong-rights "
    "sbrk-leaves-pages-mapped bad-access-maps-page fresh-page-has-wrong-rights "
    "fork-leaves-shared-page-writable writable-without-a-copy shared-page-becomes-writable "
    "fork-error-path-keeps-references fork-counts-too-often cow-copy-keeps-old-reference "
    "failed-sbrk-keeps-pages sbrk-leaks exec-error-path-leaks exec-leaks call-leaks exit-leaks "
    "fork-error-path-frees-parents-frame fork-does-not-count count-dropped-before-the-copy "
    "cow-copy-frees-shared-frame sbrk-frees-frame-in-use exec-frees-frame-in-use exit-frees-frame-in-use "
    "fork-is-not-lazy sbrk-is-not-lazy sole-owner-copies copy-on-write-not-implemented "
    "lazy-allocation-not-implemented wait-loses-child sbrk-returns-wrong-break sfence-missing break-wraps "
    "break-below-zero break-moved-twice failed-sbrk-moves-the-break sbrk-moves-break-wrongly fork-gives-wrong-break "
    "exec-keeps-the-break ";

// All facts that a name may depend on, for one place of each kind.
void for_each_family(std::function<void(Family const&)> const& visit) {
    for (std::size_t symptom = 0; symptom < named_causes().symptoms; ++symptom)
        for (std::size_t way = 0; way <= static_cast<std::size_t>(Way::none); ++way)
            for (std::size_t ground = 0; ground <= spec::kGrounds; ++ground)
                for (unsigned more = 0; more < 8; ++more) {
                    Family family{.symptom = static_cast<run::Symptom>(symptom), .way = static_cast<Way>(way)};
                    if (ground < spec::kGrounds) family.circumstances.grounds = static_cast<Ground>(ground);
                    family.circumstances.refused = (more & 1) != 0;
                    family.circumstances.overlapped = (more & 2) != 0;
                    family.advice = (more & 4) != 0;
                    visit(family);
                }
}

std::set<std::string> ids_of(std::vector<Cause> const& causes) {
    std::set<std::string> ids;
    for (Cause const& cause : causes) ids.insert(cause.id);
    return ids;
}

TEST(Cause, IdsAreUniqueAndStayWhatTheyWere) {
    auto const named = named_causes().all;
    std::set<std::string> const ids = ids_of(named);
    EXPECT_EQ(ids.size(), named.size());
    std::istringstream released{std::string(kReleased)};
    for (std::string id; released >> id;) EXPECT_TRUE(ids.contains(id)) << id;
}

TEST(Cause, EachNameStandsForSomeFacts) {
    std::set<std::string> reached;
    for_each_family([&](Family const& family) { reached.insert(cause_of(family).id); });
    for (Cause const& cause : named_causes().all) EXPECT_TRUE(reached.contains(cause.id)) << cause.id;
}

TEST(Cause, EveryFamilyHasAnIdOfOneTitleThatIsAWord) {
    std::map<std::string, std::string> titles;
    for_each_family([&](Family const& family) {
        Cause const cause = cause_of(family);
        EXPECT_EQ(titles.emplace(cause.id, cause.title).first->second, cause.title) << cause.id;
        EXPECT_THAT(cause.id, ::testing::MatchesRegex("[a-z][a-z0-9-]*[a-z0-9]"));
        EXPECT_EQ(cause.known, !cause.id.starts_with("new-")) << cause.id;
    });
}

TEST(Cause, ATitleSaysNothingThatTheFactsDoNot) {
    auto const on = [](Ground ground) {
        return [ground](Family const& family) { return family.circumstances.grounds.contains(ground); };
    };
    auto const by = [](std::initializer_list<Way> ways) {
        return [all = std::vector<Way>(ways)](Family const& family) {
            return std::find(all.begin(), all.end(), family.way) != all.end();
        };
    };
    auto const refused = [](Family const& family) { return family.circumstances.refused; };
    std::vector<std::pair<std::string, std::function<bool(Family const&)>>> const claims{
        {"copyout ", by({Way::copyout})},
        {"copyin ", by({Way::copyin, Way::copyinstr, Way::exec})},
        {"copyinstr ", by({Way::copyinstr})},
        {"fork ", by({Way::fork})},
        {"sbrk ", by({Way::sbrk})},
        {"exec ", by({Way::exec})},
        {"page fault", by({Way::fault})},
        {"wild access", by({Way::fault})},
        {"the end of a process", by({Way::end})},
        {"there is no memory", refused},
        {"without memory", refused},
        {"that finds no memory", refused},
        {"before there is memory", refused},
        {" that fails ", refused},
        {"a copy-on-write page", on(Ground::shared)},
        {"not touched yet", on(Ground::reserved)},
        {"first touch", on(Ground::reserved)},
        {"lazily allocated", on(Ground::reserved)},
        {"read-only page", on(Ground::read_only)},
        {"PTE_U", on(Ground::no_user)},
        {"guard page", on(Ground::no_user)},
        {"not mapped panics", on(Ground::hole)},
        {"MAXVA", on(Ground::above_maxva)},
    };
    std::set<std::string> made;
    for_each_family([&](Family const& family) {
        Cause const cause = cause_of(family);
        if (!cause.known || family.advice || family.circumstances.overlapped) return;
        for (auto const& [words, holds] : claims) {
            if (cause.title.find(words) == std::string::npos) continue;
            made.insert(words);
            EXPECT_TRUE(holds(family)) << cause.title << ": way " << static_cast<int>(family.way);
        }
    });
    EXPECT_EQ(made.size(), claims.size()) << "each of these is claimed by some title";
}

}  // namespace
}  // namespace vmcheck
