#include "spec/ground.h"

#include "spec/each_address.h"

namespace vmcheck::spec {

Step ground(World const& world, Step const& step) {
    Step grounded = step;
    for_each_address(grounded.action, [&](Address& address) {
        address = Address{Anchor::absolute, static_cast<std::int64_t>(world.resolve(step.actor, address).value)};
    });
    return grounded;
}

}  // namespace vmcheck::spec
