#include "spec/step_kinds.h"

namespace vmcheck::spec {

namespace {

struct WordAndWay {
    std::string_view word;
    Way way;
};
constexpr auto kKinds = std::apply(
    [](auto const&... row) {
        return std::array{WordAndWay{row.word, row.way}...};
    },
    kRows);

bool copies(Way way) {
    return way == Way::copyin || way == Way::copyout || way == Way::copyinstr;
}

}  // namespace

std::string_view kind_name(std::size_t action_index) {
    return kKinds.at(action_index).word;
}

Way way_of_kind(std::size_t action_index) {
    return kKinds.at(action_index).way;
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
    Way const way = kKinds[action.index()].way;
    return copies(way) && !address_of(action) ? Way::end : way;
}

bool is_user_access(Action const& action) {
    return kKinds[action.index()].way == Way::fault;
}

bool reaches_user_memory(Action const& action) {
    return is_user_access(action) || copies(kKinds[action.index()].way);
}

}  // namespace vmcheck::spec
