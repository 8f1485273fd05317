#include "spec/testing/test_setting.h"

#include "spec/bytes.h"

#include <string_view>

namespace vmcheck::spec::testing {

namespace {

Contents filled(std::uint8_t first, std::uint8_t second) {
    auto page = std::make_shared<PageBytes>();
    for (std::size_t i = 0; i < page->size(); ++i) (*page)[i] = static_cast<std::byte>(i % 2 == 0 ? first : second);
    return page;
}

Contents with_text(std::string_view at_0, std::string_view at_16) {
    auto page = std::make_shared<PageBytes>();
    for (std::size_t i = 0; i < at_0.size(); ++i) (*page)[i] = static_cast<std::byte>(at_0[i]);
    for (std::size_t i = 0; i < at_16.size(); ++i) (*page)[16 + i] = static_cast<std::byte>(at_16[i]);
    return page;
}

// Both paths of the read-only page, as arguments for exec.
Contents with_arguments(Contents const& contents) {
    auto page = std::make_shared<PageBytes>(*contents);
    constexpr std::array<std::uint64_t, 3> kPointers = {2 * kPageBytes, 2 * kPageBytes + 16, 0};
    for (std::size_t i = 0; i < kPointers.size(); ++i)
        store_little_endian(std::span(*page).subspan(256 + 8 * i, 8), kPointers[i]);
    return page;
}

constexpr VirtAddr page_start(std::uint64_t page) {
    return VirtAddr{page * kPageBytes};
}

}  // namespace

Setting small_setting(Profile profile, std::uint64_t frames) {
    constexpr Rights kCode{.read = true, .write = false, .execute = true, .user = true};
    constexpr Rights kConstant{.read = true, .write = false, .execute = false, .user = true};
    constexpr Rights kData{.read = true, .write = true, .execute = false, .user = true};
    constexpr Rights kGuard{.read = true, .write = true, .execute = false, .user = false};
    Setting setting;
    setting.profile = profile;
    Layout& layout = setting.layout;
    layout.image = {{Vpn{0}, kCode, true, filled(0x13, 0x00)},
                    {Vpn{1}, kCode, true, filled(0x82, 0x80)},  // c.jr ra
                    {Vpn{2}, kConstant, true, with_text("/data", "none")},
                    {Vpn{3}, kData, true, with_arguments(filled(0x11, 0x22))},
                    {Vpn{4}, kData, true, zero_page()},
                    {Vpn{5}, kGuard, true, nullptr},
                    {Vpn{6}, kData, true, zero_page()}};
    layout.agent_end = page_start(1);
    layout.text = page_start(1);
    layout.rodata = page_start(2);
    layout.data = page_start(3);
    layout.bss = page_start(4);
    layout.guard = page_start(5);
    layout.stack = layout.heap = page_start(7);
    layout.maxva = VirtAddr{std::uint64_t{1} << 38};
    layout.trampoline = layout.maxva - kPageBytes;
    layout.top = layout.trapframe = layout.trampoline - kPageBytes;
    layout.kernel = VirtAddr{0x80000000};
    setting.set_more_pages({{Vpn{5}, kCode, true, filled(0x82, 0x80)},
                            {Vpn{6}, kData, true, filled(0x33, 0x44)},
                            {Vpn{7}, kData, true, zero_page()},
                            {Vpn{8}, kData, true, zero_page()}});
    setting.traits.processes_max = 6;
    setting.traits.frames_total = frames;
    setting.traits.pipe_bytes = 64;
    for (int i = 0; i < 3000; ++i) setting.data_file.contents.push_back(static_cast<std::byte>(i * 7 % 251));
    setting.data_file.inode = 7;
    return setting;
}

Setting with_usyscall(Setting setting) {
    setting.layout.top = setting.layout.trapframe - kPageBytes;
    Rights const read_only{.read = true, .write = false, .execute = false, .user = true};
    setting.layout.image.push_back({setting.layout.top.page(), read_only, true, nullptr});
    setting.set_more_pages(std::move(setting.more_pages));
    return setting;
}

std::shared_ptr<Setting const> shared_setting(Profile profile, std::uint64_t frames) {
    return std::make_shared<Setting const>(small_setting(profile, frames));
}

}  // namespace vmcheck::spec::testing
