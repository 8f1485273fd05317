#include "spec/step_kinds.h"

namespace vmcheck::spec {

namespace {

constexpr auto kWords = [] {
    std::array<std::string_view, kActionKinds> words;
    std::size_t index = 0;
    for_each_kind([&]<class Kind>(std::in_place_type_t<Kind>) { words[index++] = Row<Kind>::word; });
    return words;
}();

constexpr auto kWays = [] {
    std::array<Way, kActionKinds> ways{};
    std::size_t index = 0;
    for_each_kind([&]<class Kind>(std::in_place_type_t<Kind>) { ways[index++] = Row<Kind>::way; });
    return ways;
}();

bool copies(Way way) {
    return way == Way::copyin || way == Way::copyout || way == Way::copyinstr;
}

}  // namespace

std::string_view kind_name(std::size_t action_index) {
    return kWords.at(action_index);
}

std::optional<AddressUse> address_of(Action const& action) {
    Action copy = action;
    std::optional<AddressUse> use;
    for_each_address(copy, [&](Address const& at, Access access, std::uint64_t bytes) {
        use = AddressUse{at, access, bytes};
    });
    return use;
}

Way way_of(Action const& action) {
    Way const way = kWays[action.index()];
    return copies(way) && !address_of(action) ? Way::end : way;
}

bool is_user_access(Action const& action) {
    return kWays[action.index()] == Way::fault;
}

bool reaches_user_memory(Action const& action) {
    return is_user_access(action) || copies(kWays[action.index()]);
}

}  // namespace vmcheck::spec
