#include "impl/board/virtio_block.h"

#include <gtest/gtest.h>

#include <functional>

namespace vmcheck::board {
namespace {

class DiskLine final : public InterruptLines {
  public:
    void set_line(unsigned source, bool level) override {
        EXPECT_EQ(source, kDiskSource);
        high = level;
    }
    bool high = false;
};

// A driver's view of the device, for either register layout.
class Driver {
  public:
    static constexpr std::uint16_t kEntries = 8;
    static constexpr PhysAddr kDescriptors = kRamStart;
    static constexpr PhysAddr kAvailable = kRamStart + std::uint64_t{16} * kEntries;
    static constexpr PhysAddr kUsed = kRamStart + kPageBytes;
    static constexpr PhysAddr kHeader = kRamStart + 2 * kPageBytes;
    static constexpr PhysAddr kStatus = kHeader + 16;
    static constexpr PhysAddr kData = kRamStart + 3 * kPageBytes;
    enum : std::uint16_t { kNext = 1, kDeviceWrites = 2, kIndirect = 4 };

    explicit Driver(DiskInterface interface)
        : disk{std::vector<std::byte>(64 * kSectorBytes)}, device{interface, memory, disk, lines, clock, counters} {
        set(0x70, 0);
        set(0x70, 1 | 2 | 4 | 8);
        set(0x30, 0);
        set(0x38, kEntries);
        if (interface == DiskInterface::legacy) {
            set(0x28, 4096);
            set(0x40, static_cast<std::uint32_t>(kDescriptors.frame().value));
        } else {
            set_address(0x80, kDescriptors);
            set_address(0x90, kAvailable);
            set_address(0xa0, kUsed);
            set(0x44, 1);
        }
    }
    std::uint32_t get(std::uint64_t offset) { return static_cast<std::uint32_t>(device.read(offset, 4)); }
    void set(std::uint64_t offset, std::uint32_t value) { device.write(offset, 4, value); }
    void set_address(std::uint64_t offset, PhysAddr address) {
        set(offset, static_cast<std::uint32_t>(address.value));
        set(offset + 4, static_cast<std::uint32_t>(address.value >> 32));
    }
    void descriptor(std::uint16_t index, PhysAddr address, std::uint32_t bytes, std::uint16_t flags,
                    std::uint16_t next = 0) {
        PhysAddr const at = kDescriptors + std::uint64_t{16} * index;
        memory.store(at, address.value);
        memory.store(at + 8, bytes);
        memory.store(at + 12, flags);
        memory.store(at + 14, next);
    }
    void header(std::uint32_t type, std::uint64_t sector) {
        memory.store(kHeader, type);
        memory.store(kHeader + 8, sector);
        memory.store(kStatus, std::uint8_t{0xff});
    }
    // The usual three: header, data, status.
    void request(std::uint32_t type, std::uint64_t sector, std::uint32_t bytes = 1024) {
        header(type, sector);
        descriptor(0, kHeader, 16, kNext, 1);
        descriptor(1, kData, bytes, type == 0 ? kNext | kDeviceWrites : kNext, 2);
        descriptor(2, kStatus, 1, kDeviceWrites);
    }
    void submit(std::uint16_t head = 0) {
        memory.store(kAvailable + 4 + std::uint64_t{2} * (available_index % kEntries), head);
        memory.store(kAvailable + 2, ++available_index);
        set(0x50, 0);
    }
    std::uint8_t status() { return *memory.load<std::uint8_t>(kStatus); }
    std::uint16_t used_index() { return *memory.load<std::uint16_t>(kUsed + 2); }
    bool broken() { return (get(0x70) & 0x40) != 0; }

    Memory memory = std::move(*Memory::create(64 * kPageBytes));
    Disk disk;
    DiskLine lines;
    Clock clock;
    Counters counters;
    VirtioBlock device;
    std::uint16_t available_index = 0;
};

class VirtioBlockTest : public testing::TestWithParam<DiskInterface> {
  protected:
    Driver driver{GetParam()};
};

TEST_P(VirtioBlockTest, IntroducesItself) {
    EXPECT_EQ(driver.get(0x00), 0x74726976u);
    EXPECT_EQ(driver.get(0x04), GetParam() == DiskInterface::legacy ? 1u : 2u);
    EXPECT_EQ(driver.get(0x08), 2u);
    EXPECT_EQ(driver.get(0x0c), 0x554d4551u);
    EXPECT_EQ(driver.get(0x34), 1024u);
    driver.set(0x30, 1);
    EXPECT_EQ(driver.get(0x34), 0u) << "there is only queue 0";
    EXPECT_EQ(driver.device.read(0x100, 8), 64u) << "capacity in sectors";
    EXPECT_EQ(driver.get(0x104), 0u);
}

TEST_P(VirtioBlockTest, ReadsSectors) {
    Disk::Sector sector;
    sector.fill(std::byte{0x5a});
    driver.disk.write(3, sector);
    driver.request(0, 2);
    driver.submit();
    EXPECT_EQ(driver.status(), 0u);
    EXPECT_EQ(driver.memory.load<std::uint8_t>(Driver::kData + 511), 0u);
    EXPECT_EQ(driver.memory.load<std::uint8_t>(Driver::kData + 512), 0x5au);
    EXPECT_EQ(driver.used_index(), 1u);
    EXPECT_EQ(driver.memory.load<std::uint32_t>(Driver::kUsed + 4), 0u) << "the head of the chain";
    EXPECT_EQ(driver.memory.load<std::uint32_t>(Driver::kUsed + 8), 1025u) << "data and status";
    EXPECT_TRUE(driver.memory.is_dirty(Driver::kData.frame()));
}

TEST_P(VirtioBlockTest, WritesSectors) {
    driver.memory.store(Driver::kData + 512, std::uint8_t{0x77});
    driver.request(1, 10);
    driver.submit();
    EXPECT_EQ(driver.status(), 0u);
    EXPECT_EQ(driver.disk.read(11)[0], std::byte{0x77});
}

TEST_P(VirtioBlockTest, InterruptsUntilAcknowledged) {
    driver.request(0, 0);
    driver.submit();
    EXPECT_TRUE(driver.lines.high);
    EXPECT_EQ(driver.get(0x60), 1u);
    driver.set(0x64, 1);
    EXPECT_FALSE(driver.lines.high);
    EXPECT_EQ(driver.get(0x60), 0u);
}

TEST_P(VirtioBlockTest, DoesNotInterruptADriverThatAskedItNotTo) {
    driver.memory.store(Driver::kAvailable, std::uint16_t{1});
    driver.request(0, 0);
    driver.submit();
    EXPECT_EQ(driver.status(), 0u);
    EXPECT_FALSE(driver.lines.high);
}

TEST_P(VirtioBlockTest, ScattersOverManyDescriptors) {
    Disk::Sector sector;
    for (int i = 0; i < 3; ++i) {
        sector.fill(static_cast<std::byte>(i + 1));
        driver.disk.write(static_cast<std::uint64_t>(i), sector);
    }
    driver.header(0, 0);
    driver.descriptor(5, Driver::kHeader, 16, Driver::kNext, 1);
    driver.descriptor(1, Driver::kData, 512, Driver::kNext | Driver::kDeviceWrites, 3);
    driver.descriptor(3, Driver::kData + 2048, 1024, Driver::kNext | Driver::kDeviceWrites, 2);
    driver.descriptor(2, Driver::kStatus, 1, Driver::kDeviceWrites);
    driver.submit(5);
    EXPECT_EQ(driver.status(), 0u);
    EXPECT_EQ(driver.memory.load<std::uint8_t>(Driver::kData), 1u);
    EXPECT_EQ(driver.memory.load<std::uint8_t>(Driver::kData + 2048), 2u);
    EXPECT_EQ(driver.memory.load<std::uint8_t>(Driver::kData + 2048 + 512), 3u);
    EXPECT_EQ(driver.memory.load<std::uint32_t>(Driver::kUsed + 4), 5u);
}

TEST_P(VirtioBlockTest, TheRingWrapsAround) {
    for (int i = 0; i < 3 * Driver::kEntries; ++i) {
        driver.request(0, 1);
        driver.submit();
        ASSERT_EQ(driver.status(), 0u);
    }
    EXPECT_EQ(driver.used_index(), 3 * Driver::kEntries);
}

TEST_P(VirtioBlockTest, RefusesSectorsBeyondTheDisk) {
    for (std::uint64_t const sector : {std::uint64_t{63}, std::uint64_t{64}, ~std::uint64_t{0}}) {
        driver.request(0, sector);
        driver.submit();
        EXPECT_EQ(driver.status(), 1u) << sector;
    }
    EXPECT_FALSE(driver.broken());
    driver.request(1, 63);
    driver.submit();
    EXPECT_EQ(driver.status(), 1u);
    EXPECT_TRUE(driver.disk.written().empty());
}

TEST_P(VirtioBlockTest, RefusesHalfSectorsAndTheWrongDirection) {
    driver.request(0, 0, 100);
    driver.submit();
    EXPECT_EQ(driver.status(), 1u);
    driver.request(0, 0);
    driver.descriptor(1, Driver::kData, 512, Driver::kNext, 2);  // not for the device to write
    driver.submit();
    EXPECT_EQ(driver.status(), 1u);
}

TEST_P(VirtioBlockTest, DoesNotKnowOtherRequests) {
    driver.request(99, 0);
    driver.submit();
    EXPECT_EQ(driver.status(), 2u);
    driver.request(4, 0);
    driver.submit();
    EXPECT_EQ(driver.status(), 0u) << "flush";
}

struct Abuse {
    char const* what;
    std::function<void(Driver&)> prepare;
};

TEST_P(VirtioBlockTest, AHostileDriverOnlyBreaksItsOwnQueue) {
    Abuse const abuses[] = {
        {"data outside RAM", [](Driver& d) { d.descriptor(1, PhysAddr{0x1000}, 512, 3, 2); }},
        {"data over the end of RAM", [](Driver& d) { d.descriptor(1, d.memory.end() - 100, 512, 3, 2); }},
        {"a length that wraps", [](Driver& d) { d.descriptor(1, PhysAddr{~std::uint64_t{0}}, 512, 3, 2); }},
        {"a huge length", [](Driver& d) { d.descriptor(1, Driver::kData, 0xfffffe00, 3, 2); }},
        {"a chain in a circle", [](Driver& d) { d.descriptor(2, Driver::kStatus, 1, 3, 0); }},
        {"a next index out of range", [](Driver& d) { d.descriptor(1, Driver::kData, 512, 3, 4000); }},
        {"an indirect descriptor", [](Driver& d) { d.descriptor(1, Driver::kData, 512, 2 | 4); }},
    };
    for (Abuse const& abuse : abuses) {
        Driver fresh{GetParam()};
        fresh.request(0, 0);
        abuse.prepare(fresh);
        fresh.submit();
        EXPECT_TRUE(fresh.broken()) << abuse.what;
        EXPECT_EQ(fresh.used_index(), 0u) << abuse.what;
        fresh.set(0x70, 0);
        EXPECT_FALSE(fresh.broken()) << abuse.what << ": a reset mends it";
    }
}

TEST_P(VirtioBlockTest, AHeadOutOfRangeOrTooManyAvailableBreaksTheQueue) {
    driver.request(0, 0);
    driver.submit(4000);
    EXPECT_TRUE(driver.broken());

    Driver other{GetParam()};
    other.memory.store(Driver::kAvailable + 2, std::uint16_t{Driver::kEntries + 1});
    other.set(0x50, 0);
    EXPECT_TRUE(other.broken());
}

TEST_P(VirtioBlockTest, AMalformedRequestIsHandedBackWithoutAStatus) {
    driver.request(0, 0);
    driver.descriptor(0, Driver::kHeader, 8, Driver::kNext, 1);  // the header is too short
    driver.submit();
    EXPECT_EQ(driver.status(), 0xffu);
    EXPECT_EQ(driver.used_index(), 1u);
    driver.descriptor(3, Driver::kHeader, 16, 0);  // a header alone
    driver.submit(3);
    EXPECT_EQ(driver.used_index(), 2u);
    EXPECT_EQ(driver.counters.disk_errors, 2u);
}

TEST_P(VirtioBlockTest, OneNotificationMovesABoundedAmount) {
    // The same request in every slot, with a data segment over and over: costs two stores a time.
    std::uint64_t const before = driver.clock.parcels;
    for (int i = 0; i < 100; ++i) {
        driver.request(0, 0, 32 * 512);
        driver.submit();
    }
    EXPECT_GE(driver.clock.parcels - before, 100u * 32u * 64u) << "moving sectors costs virtual time";
}

TEST_P(VirtioBlockTest, AQueueThatIsNotSetUpIsLeftAlone) {
    driver.set(0x70, 0);
    driver.set(0x50, 0);
    driver.set(0x38, 7);  // no power of two
    driver.set(0x50, 0);
    driver.set(0x38, 0x10000);
    driver.set(0x44, 1);
    driver.set(0x40, 1);
    driver.set(0x50, 0);
    EXPECT_EQ(driver.counters.disk_requests, 0u);
}

TEST_P(VirtioBlockTest, RingsOutsideRamAreHarmless) {
    driver.set(0x38, 1024);
    driver.set(0x28, 0xffffffff);
    driver.set(0x40, 0xffffffff);
    driver.set_address(0x80, PhysAddr{0xffff'ffff'ffff'fff0});
    driver.set_address(0x90, PhysAddr{0xffff'ffff'ffff'fffe});
    driver.set_address(0xa0, PhysAddr{8});
    driver.set(0x44, 1);
    driver.set(0x50, 0);
    EXPECT_TRUE(driver.broken());
}

INSTANTIATE_TEST_SUITE_P(BothLayouts, VirtioBlockTest, testing::Values(DiskInterface::legacy, DiskInterface::modern),
                         [](auto const& test) { return test.param == DiskInterface::legacy ? "legacy" : "modern"; });

TEST(VirtioBlock, OnlyTheModernLayoutOffersVersion1) {
    Driver modern{DiskInterface::modern};
    EXPECT_EQ(modern.get(0x10), 0u);
    modern.set(0x14, 1);
    EXPECT_EQ(modern.get(0x10), 1u);
    Driver legacy{DiskInterface::legacy};
    legacy.set(0x14, 1);
    EXPECT_EQ(legacy.get(0x10), 0u);
    EXPECT_EQ(legacy.get(0x40), kRamStart.frame().value);
}

}  // namespace
}  // namespace vmcheck::board
