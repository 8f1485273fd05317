// usertests: what a program may rely on, and what it may not do, one named test each.
//
//     usertests                all of them
//     usertests forkwait ...   these
//     usertests -l             their names
//
// Each test prints one line. As many frames must be free after it as before. The last line is
// "usertests: N passed, M failed"; the exit status is M.

#include "base/memory.h"
#include "user/usertests/tests.h"

using namespace user;

namespace {

// Enough for each test, and little enough for those that use it up to be quick.
constexpr int kEnoughFrames = 1200;

template <class Visit>
void for_each_test(Visit visit) {
    TestList const lists[] = {memory_tests, sharing_tests,  process_tests, exec_tests,
                              pipe_tests,   argument_tests, file_tests,    directory_tests};
    for (TestList const& list : lists)
        for (int i = 0; i < list.count; i++) visit(list.tests[i]);
}

bool is_test(char const* name) {
    bool found = false;
    for_each_test([&](NamedTest const& each) { found = found || kernel::equal(each.name, name); });
    return found;
}

bool is_wanted(NamedTest const& each, int argument_count, char** arguments) {
    if (argument_count < 2) return true;
    for (int i = 1; i < argument_count; i++)
        if (kernel::equal(arguments[i], each.name)) return true;
    return false;
}

int print_names() {
    for_each_test([](NamedTest const& each) { print(each.name, "\n"); });
    return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (int const status = executed_by_a_test(argument_count, arguments); status >= 0) return status;
    begin_tests(argument_count, arguments);
    if (argument_count == 2 && kernel::equal(arguments[1], "-l")) return print_names();
    for (int i = 1; i < argument_count; i++)
        if (!is_test(arguments[i])) {
            print("usertests: there is no test ", arguments[i], "; -l lists them\n");
            return 2;
        }
    leave_free(kEnoughFrames);
    for_each_test([&](NamedTest const& each) {
        if (is_wanted(each, argument_count, arguments)) test(each.name, each.body);
    });
    finish("usertests");
}
