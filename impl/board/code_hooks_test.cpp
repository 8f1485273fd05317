#include "impl/board/code_hooks.h"

#include <gtest/gtest.h>

#include <string>

namespace vmcheck::board {
namespace {

struct Caller {
    CodeHooks hooks;
    std::string said;
    char stops_at = 0;

    template <char kName>
    static void say(uc_engine*, std::uint64_t, std::uint32_t, void* user) {
        auto& caller = *static_cast<Caller*>(user);
        caller.said += kName;
        if (caller.stops_at == kName) caller.hooks.stop();
    }
};

TEST(CodeHooks, AtAnAddressAreCalledInOrderAndThenThoseOfEveryInstruction) {
    Caller caller;
    caller.hooks.add_everywhere(Caller::say<'e'>, &caller);
    caller.hooks.add_at(VirtAddr{0x100}, Caller::say<'a'>, &caller);
    caller.hooks.add_at(VirtAddr{0x80}, Caller::say<'b'>, &caller);
    caller.hooks.add_at(VirtAddr{0x100}, Caller::say<'c'>, &caller);
    caller.hooks.before_instruction(nullptr, 0x100, 4);
    EXPECT_EQ(caller.said, "ace");
    caller.hooks.before_instruction(nullptr, 0x80, 4);
    EXPECT_EQ(caller.said, "acebe");
    caller.hooks.before_instruction(nullptr, 0x102, 2);
    EXPECT_EQ(caller.said, "acebee");
}

TEST(CodeHooks, AreNotCalledOnceOneHasStoppedTheEngineUntilItRunsAgain) {
    Caller caller;
    caller.stops_at = 'a';
    caller.hooks.add_at(VirtAddr{0x100}, Caller::say<'a'>, &caller);
    caller.hooks.add_at(VirtAddr{0x100}, Caller::say<'b'>, &caller);
    caller.hooks.add_everywhere(Caller::say<'e'>, &caller);
    caller.hooks.before_instruction(nullptr, 0x100, 4);
    caller.hooks.before_instruction(nullptr, 0x104, 4);
    EXPECT_EQ(caller.said, "a");
    caller.hooks.begin_run();
    caller.hooks.before_instruction(nullptr, 0x104, 4);
    EXPECT_EQ(caller.said, "ae");
}

}  // namespace
}  // namespace vmcheck::board
