#pragma once
// The addresses in an action, whatever its members are called.

#include "spec/program.h"

#include <type_traits>
#include <variant>

namespace vmcheck::spec {

// Calls visit(Address&) with each of them.
template <class Visit>
void for_each_address(Action& action, Visit visit) {
    std::visit(
        [&](auto& each) {
            using Kind = std::decay_t<decltype(each)>;
            if constexpr (requires { each.at.anchor; }) visit(each.at);
            if constexpr (requires { each.from.anchor; }) visit(each.from);
            if constexpr (requires { each.to.anchor; }) visit(each.to);
            if constexpr (requires { each.path.anchor; }) visit(each.path);
            if constexpr (std::is_same_v<Kind, Wait>)
                if (each.status) visit(*each.status);
        },
        action);
}

}  // namespace vmcheck::spec
