#pragma once
// Loops over page tables in which an entry that is 0 is nothing but time (board::WordScan).

#include "impl/board/types.h"
#include "impl/elf/kernel_image.h"

#include <vector>

namespace vmcheck {

// In every function: from where a word is loaded back to there, with nothing on the way, where the word is 0, but tests
// of it, the step to the next word, and the look whether that was the last. Such is freewalk of xv6's trees. The way is
// followed instruction by instruction; of a loop that does anything else every word is looked at by the guest.
std::vector<board::WordScan> find_word_scans(elf::KernelImage const& image);

}  // namespace vmcheck
