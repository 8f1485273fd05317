#pragma once

// The kernel has found itself in a state that it must not go on from: says why on the console and stops this hart.
// A real function with a C name, so that the board sees it being called.
extern "C" [[noreturn]] void panic(char const* message);
