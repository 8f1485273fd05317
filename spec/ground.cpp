#include "spec/ground.h"

#include <variant>

namespace vmcheck::spec {

namespace {

// Calls `visit` with each address of an action, whatever its member is called.
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

}  // namespace

Step ground(World const& world, Step const& step) {
    Step grounded = step;
    for_each_address(grounded.action, [&](Address& address) {
        address = Address{Anchor::absolute, static_cast<std::int64_t>(world.resolve(step.actor, address).value)};
    });
    return grounded;
}

}  // namespace vmcheck::spec
