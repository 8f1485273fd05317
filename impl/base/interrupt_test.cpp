#include "impl/base/interrupt.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace vmcheck::base {
namespace {

// In a process of its own, which ends with what the test is about.
int exit_code_of(int signal, int times, unsigned apart_us = 0) {
    pid_t const child = ::fork();
    if (child == 0) {
        Interrupt const interrupt;
        for (int i = 0; i < times; ++i) {
            if (i > 0) ::usleep(apart_us);
            ::kill(::getpid(), signal);
            for (int wait = 0; wait < 2000 && !interrupt.token().stop_requested(); ++wait) ::usleep(1'000);
        }
        if (times > 1) ::usleep(500'000);
        ::_exit(interrupt.token().stop_requested() ? 7 : 8);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Interrupt, IsAStopRequestTheFirstTimeAndTheEndTheSecond) {
    for (int const signal : {SIGINT, SIGTERM, SIGHUP}) {
        EXPECT_EQ(exit_code_of(signal, 1), 7);
        EXPECT_EQ(exit_code_of(signal, 2), 7) << "at once: to the process and to its group";
        EXPECT_EQ(exit_code_of(signal, 2, 1'200'000), 128 + signal);
    }
}

}  // namespace
}  // namespace vmcheck::base
