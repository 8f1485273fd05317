#include "impl/elf/kernel_image.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <string>

namespace vmcheck::elf {
namespace {

TEST(SourceName, LeavesPlainSymbolsAlone) {
    EXPECT_EQ(source_name("kalloc"), "kalloc");
    EXPECT_EQ(source_name(""), "");
    EXPECT_EQ(source_name("_Zebra"), "_Zebra");
}

TEST(SourceName, DropsParameters) {
    EXPECT_EQ(source_name("_ZN6kernel14frame_allocateEv"), "kernel::frame_allocate");
    EXPECT_EQ(source_name("_ZNK6kernel6Frames5countEm"), "kernel::Frames::count");
}

TEST(SourceName, DropsCompilerSuffixes) {
    EXPECT_EQ(source_name("_ZN6kernel5panicEPKc.isra.0"), "kernel::panic");
    EXPECT_EQ(source_name("_ZN6kernel5panicEPKc.cold"), "kernel::panic");
}

TEST(SourceName, KeepsAnonymousNamespaces) {
    EXPECT_EQ(source_name("_ZN12_GLOBAL__N_15countEi"), "(anonymous namespace)::count");
    EXPECT_EQ(source_name("_ZN12_GLOBAL__N_15countE"), "(anonymous namespace)::count");
}

TEST(SourceName, DropsTheReturnTypeOfTemplates) {
    EXPECT_EQ(source_name("_Z3sumIiET_S0_"), "sum<int>");
    EXPECT_EQ(source_name("_ZN1k3mapIPFviEEEvT_"), "k::map<void (*)(int)>");
}

TEST(SourceName, UnderstandsOperators) {
    EXPECT_EQ(source_name("_ZN1k1AclEi"), "k::A::operator()");
    EXPECT_EQ(source_name("_ZN1klsENS_1AEi"), "k::operator<<");
    EXPECT_EQ(source_name("_ZN1kltENS_1AES0_"), "k::operator<");
    EXPECT_EQ(source_name("_ZNK1k1AcvbEv"), "k::A::operator bool");
    EXPECT_EQ(source_name("_ZdlPvm"), "operator delete");
}

TEST(SourceName, UnderstandsLambdas) {
    EXPECT_EQ(source_name("_ZZN1k4bootEvENKUlvE_clEv"), "k::boot()::{lambda()#1}::operator()");
}

RC_GTEST_PROP(SourceName, SurvivesAnything, (std::string const& text)) {
    RC_ASSERT(!source_name("_Z" + text).empty());
    source_name(text);
}

}  // namespace
}  // namespace vmcheck::elf
