#include "checker/qemu/machine.h"

#include "impl/image/disk_image.h"

#include <gtest/gtest.h>

#include <gmock/gmock.h>

namespace vmcheck::qemu {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Machine, IsTheOneThatTheKernelWants) {
    auto const modern = command_line("qemu", {.kernel = "kernel/kernel"}, "fs.img");
    EXPECT_EQ(modern.front(), "qemu");
    EXPECT_THAT(modern, Contains("rv64"));
    EXPECT_THAT(modern, Contains("virtio-mmio.force-legacy=false"));
    EXPECT_THAT(modern, Contains("128M"));
    auto const old = command_line("qemu", {.kernel = "k", .legacy_disk = true, .memory_protection = false}, "fs.img");
    EXPECT_THAT(old, Contains("rv64,pmp=false"));
    EXPECT_THAT(old, Contains("virtio-mmio.force-legacy=true"));
}

TEST(Machine, AFileNameCannotAddOptions) {
    EXPECT_THAT(command_line("qemu", {}, "a,readonly=off/fs.img"),
                Contains("file=a,,readonly=off/fs.img,if=none,format=raw,id=x0"));
}

TEST(Machine, MemoryProtectionIsSeenInTheKernelsCode) {
    EXPECT_TRUE(sets_memory_protection(VMCHECK_KERNELS "/vintage-2021/kernel").value());
    EXPECT_TRUE(sets_memory_protection(VMCHECK_KERNELS "/vintage-2025/kernel").value());
    EXPECT_FALSE(sets_memory_protection(VMCHECK_KERNELS "/vintage-2020/kernel").value());
    EXPECT_THAT(sets_memory_protection("/nowhere/kernel").error().message, HasSubstr("/nowhere/kernel"));
}

TEST(Machine, TheDiskHoldsThePrograms) {
    ProgramBytes const init(100, std::byte{1}), echo(200, std::byte{2}), repro(20'000, std::byte{3});
    auto const disk = make_disk({init, echo, repro});
    ASSERT_TRUE(disk) << disk.error().message;
    EXPECT_EQ(image::read_file(*disk, "init").value(), init);
    EXPECT_EQ(image::read_file(*disk, "repro").value(), repro);
    EXPECT_FALSE(make_disk({init, echo, ProgramBytes(image::kFileBytesMax + 1)}));
}

}  // namespace
}  // namespace vmcheck::qemu
