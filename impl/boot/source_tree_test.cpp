#include "impl/boot/source_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace vmcheck {
namespace {

namespace fs = std::filesystem;

class Tree : public testing::Test {
  protected:
    void file(std::string const& name, std::string const& text) const {
        ASSERT_TRUE(base::write_file(path() / name, text).has_value());
    }
    fs::path path() const { return scratch_.path(); }

  private:
    base::ScratchDirectory scratch_ = std::move(*base::ScratchDirectory::make("test"));
};

TEST_F(Tree, SaysOfWhichLabItIs) {
    EXPECT_EQ(read_tree(path()).lab, std::nullopt);
    file("Makefile", "ifeq ($(LAB),cow)\nendif\nLAB ?= lazy # of 2020\n");
    EXPECT_EQ(read_tree(path()).lab, Lab::lazy);
    file("conf/lab.mk", "LAB=cow\n");
    EXPECT_EQ(read_tree(path()).lab, Lab::cow);
    file("conf/lab.mk", "LAB=util\n");
    EXPECT_EQ(read_tree(path()).lab, std::nullopt);
}

TEST_F(Tree, SaysWhatMachineItsKernelRunsOn) {
    file("Makefile",
         "K=kernel\nMEM := 64M\n# QEMUOPTS = -kernel old -m 1G\ndirs:\n\tmkdir -m 755 x\n"
         "QEMUOPTS = -machine virt -bios none -kernel $K/kernel.elf -m ${MEM} -smp $(CPUS) -nographic\n");
    TreeFacts const facts = read_tree(path());
    EXPECT_EQ(facts.kernel, "kernel/kernel.elf");
    EXPECT_EQ(facts.ram_bytes, std::uint64_t{64} << 20);
    EXPECT_TRUE(is_source_tree(path()));
}

TEST_F(Tree, OfWhichNothingCanBeReadIsTakenForXv6) {
    for (std::string const& rules : {std::string(), std::string("QEMUOPTS = -kernel ../../etc/passwd -m lots\n"),
                                     std::string("QEMUOPTS = -kernel /bin/sh -m 99999999999999999999\n"),
                                     std::string("Q = $(Q)\nQEMU -kernel $(Q) -m $"), std::string("QEMU -m "),
                                     std::string("QEMU -kernel ${unclosed -m $(")}) {
        file("Makefile", rules);
        TreeFacts const facts = read_tree(path());
        EXPECT_EQ(facts.kernel, "kernel/kernel") << rules;
        EXPECT_EQ(facts.ram_bytes, std::nullopt) << rules;
    }
}

TEST_F(Tree, SaysTheNumbersOfItsSystemCalls) {
    EXPECT_TRUE(system_calls_of(path()).empty());
    file("kernel/syscall.h", "// numbers\n#define SYS_fork    1\n#define  SYS_mmap 22 // mine\n#define NSYS 2\n");
    map::SystemCalls const calls = system_calls_of(path());
    EXPECT_EQ(calls.size(), 2U);
    EXPECT_EQ(calls.at("mmap"), 22U);
}

}  // namespace
}  // namespace vmcheck
