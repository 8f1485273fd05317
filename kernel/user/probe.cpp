// Ends in the way that it is told to, for those who test what a machine makes of it:
//
//     probe STATUS WORD...    prints them and ends with that status
//     probe wild              stores where it may not
//     probe loop              never ends
//     probe sleep             nor this, without a stir
//     probe read FILE         prints the file
#include "base/memory.h"
#include "user/check.h"

using namespace user;

namespace {

int print_file(char const* name) {
    int const file = open(name, kReadOnly);
    if (file < 0) return 1;
    char buffer[128];
    for (int got = read(file, buffer, sizeof buffer); got > 0; got = read(file, buffer, sizeof buffer))
        write(1, buffer, got);
    return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
    open_console();
    if (argument_count < 2) return 2;
    char const* const how = arguments[1];
    print("probe: ", how);
    for (int i = 2; i < argument_count; i++) print(" (", arguments[i], ")");
    print("\n");
    if (kernel::equal(how, "wild")) store_at(uint64_t{1} << 36, 1);
    if (kernel::equal(how, "loop"))
        for (int volatile forever = 1; forever != 0;) continue;
    if (kernel::equal(how, "sleep"))
        for (;;) sleep(1000);
    if (kernel::equal(how, "read") && argument_count == 3) return print_file(arguments[2]);
    return number_in(how);
}
