#include "checker/class/cbor.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vmcheck::classes {
namespace {

using nlohmann::json;

std::vector<std::byte> bytes_of(std::vector<std::uint8_t> const& written) {
    auto const bytes = std::as_bytes(std::span{written});
    return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> nested(std::size_t levels) {
    json document = 1;
    for (std::size_t level = 1; level < levels; ++level) {
        json outer = level % 2 == 0 ? json::array() : json::object();
        if (outer.is_array())
            outer = {1, std::move(document)};
        else
            outer["a"] = std::move(document);
        document = std::move(outer);
    }
    return bytes_of(json::to_cbor(document));
}

TEST(Cbor, IsReadAsItWasWritten) {
    json const document{{"numbers", {0, 23, 24, 255, 256, 65536, UINT64_MAX, -1, -70000, 0.5, 1e300}},
                        {"texts", {"", std::string(300, 'a'), "b\xffob"}},
                        {"others", {nullptr, true, json::array(), json::object()}}};
    auto const bytes = bytes_of(json::to_cbor(document));
    EXPECT_EQ(parse_cbor(bytes), document);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_cbor({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
    auto more = bytes;
    more.push_back(std::byte{0});
    EXPECT_FALSE(parse_cbor(more));
}

TEST(Cbor, IsNestedAsDeepAsVmcheckWritesAndNoDeeper) {
    EXPECT_TRUE(parse_cbor(nested(kNestingMax)));
    EXPECT_FALSE(parse_cbor(nested(kNestingMax + 1)));
}

// Arrays, maps, tags, and strings and bytes in pieces, each within another, a million times.
TEST(Cbor, DoesNotUseUpTheStack) {
    for (unsigned first : {0x81U, 0x9fU, 0xa1U, 0xbfU, 0xc6U, 0x5fU, 0x7fU})
        EXPECT_FALSE(parse_cbor(std::vector<std::byte>(1'000'000, static_cast<std::byte>(first)))) << first;
}

RC_GTEST_PROP(Cbor, IsReadOrRefusedWhateverTheBytes, (std::vector<std::uint8_t> const& written)) {
    auto const document = parse_cbor(bytes_of(written));
    if (document) RC_ASSERT(*document == json::from_cbor(written));
}

}  // namespace
}  // namespace vmcheck::classes
