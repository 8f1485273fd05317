#include "devices/console.h"

#include "devices/uart.h"
#include "memory/address_space.h"
#include "process/scheduler.h"

namespace kernel {
namespace {

constexpr uint64_t kInputBytes = 128;
constexpr size_t kOutputBytes = 64;  // written at a time
constexpr char kEndOfFile = 'D' - '@';
constexpr char kEraseLine = 'U' - '@';
constexpr char kListProcesses = 'P' - '@';
constexpr char kBackspace = '\b';
constexpr char kDelete = 0x7f;

// Input, in a ring of which three positions matter: taken <= lines_end <= typed. Only finished lines can be read.
struct Console {
    SpinLock lock;
    uint64_t taken = 0;
    uint64_t lines_end = 0;
    uint64_t typed = 0;
    char ring[kInputBytes] = {};

    char& at(uint64_t position) { return ring[position % kInputBytes]; }
};
constinit Console console;

// Takes the last character of the unfinished line back; false when there is none.
bool erase() {
    if (console.typed == console.lines_end) return false;
    console.typed--;
    for (char const* wipe = "\b \b"; *wipe != 0; wipe++) uart_put(*wipe);
    return true;
}

void add(char character) {
    if (console.typed - console.taken == kInputBytes) return;  // full: dropped
    if (character != kEndOfFile) uart_put(character);
    console.at(console.typed++) = character;
    bool const full = console.typed - console.taken == kInputBytes;
    if (character == '\n' || character == kEndOfFile || full) {
        console.lines_end = console.typed;
        wake_all(&console);
    }
}

void take(char character) {
    switch (character) {
        case 0:
            break;
        case kBackspace:
        case kDelete:
            erase();
            break;
        case kEraseLine:
            while (erase()) continue;
            break;
        case kListProcesses:
            list_processes();
            break;
        case '\r':
            add('\n');
            break;
        default:
            add(character);
    }
}

}  // namespace

int64_t read_console(AddressSpace& space, VirtAddr to, size_t bytes) {
    SpinGuard guard(console.lock);
    while (console.taken == console.lines_end) {
        if (is_killed(current_process())) return -1;
        sleep_on(&console, console.lock);
    }
    size_t done = 0;
    while (done < bytes && console.taken < console.lines_end) {
        char const character = console.at(console.taken);
        bool const ends = character == kEndOfFile;
        if (ends && done > 0) break;  // kept for the next read, which then returns 0
        if (!ends && space.copy_out(to + done, &character, 1) == 0) return done > 0 ? static_cast<int64_t>(done) : -1;
        console.taken++;
        if (ends) break;
        done++;
        if (character == '\n') break;
    }
    return static_cast<int64_t>(done);
}

int64_t write_console(AddressSpace& space, VirtAddr from, size_t bytes) {
    char buffer[kOutputBytes];
    size_t done = 0;
    while (done < bytes) {
        size_t const chunk = min(bytes - done, sizeof buffer);
        size_t const copied = space.copy_in(buffer, from + done, chunk);
        uart_send(buffer, copied);
        done += copied;
        if (copied < chunk) break;
    }
    return done > 0 || bytes == 0 ? static_cast<int64_t>(done) : -1;
}

void console_interrupt() {
    SpinGuard guard(console.lock);
    for (int character = uart_get(); character >= 0; character = uart_get()) take(static_cast<char>(character));
}

}  // namespace kernel
