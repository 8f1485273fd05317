#include "checker/qemu/script.h"

#include "checker/qemu/machine.h"
#include "checker/report/sample_testing.h"
#include "impl/abi/agent_abi.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::qemu {
namespace {

using report::testing::finding_of;
using report::testing::made_child;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// p0 forks p1, whose store must kill it. `orders`: of the two, so many were given.
std::string script_of(std::size_t orders, spec::Outcome const& seen) {
    Finding finding = finding_of(spec::Invariant::liveness, "vmcheck 1\nprofile cow\np0 fork p1\np1 store heap 1 = 1\n",
                                 {made_child()}, {spec::Ends{}}, seen);
    finding.evidence.played.deeds = {{.actor = spec::kInit, .kind = VMCHECK_ORDER_SYSCALL, .child = spec::ProcId{1}},
                                     {.actor = spec::ProcId{1}, .kind = VMCHECK_ORDER_STORE_1}};
    finding.evidence.played.deeds.resize(orders);
    finding.evidence.played.begins = {0, 1};
    Anatomy anatomy;
    anatomy.disk = std::make_shared<std::vector<std::byte> const>();
    auto const script = gdb_script(
        finding, anatomy, {.kernel = VMCHECK_KERNELS "/cow-eager/kernel", .ram_bytes = std::uint64_t{128} << 20});
    return script ? *script : script.error();
}

TEST(Script, AsksForWhatBecomesOfAnOrder) {
    EXPECT_THAT(script_of(2, report::testing::gave(0)),
                AllOf(HasSubstr("answer_2 = m.order(1, "), HasSubstr("expect(answer_2, [GONE], ")));
}

TEST(Script, WaitsForWhoGotNoTurnAndSoNoOrder) {
    EXPECT_THAT(script_of(1, {.what = spec::Stuck{.why = spec::Stuck::Why::not_scheduled}}),
                AllOf(HasSubstr("    m.bring(1)\n"), Not(HasSubstr("answer_2"))));
}

}  // namespace
}  // namespace vmcheck::qemu
